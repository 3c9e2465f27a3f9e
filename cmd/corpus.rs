//! Annotated files read whole, for training and for evaluation.

use crate::stream::{Failure, open};
use anyhow::{Result, bail};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use wordmill::text::columns::{self, ColumnSpec};
use wordmill::text::conllu;
use wordmill::text::document::{Document, Word};

/// Reads files one after another: CoNLL-U, or what the columns say.
pub fn read_all(paths: &[PathBuf], columns: Option<&ColumnSpec>) -> Result<Vec<Document>> {
    paths.iter().map(|path| read(path, columns)).collect()
}

/// Reads the files that something is learned from: they must hold a sentence.
pub fn read_to_learn_from(
    paths: &[PathBuf],
    columns: Option<&ColumnSpec>,
) -> Result<Vec<Document>> {
    let documents = read_all(paths, columns)?;
    if documents.iter().all(|d| d.sentences.is_empty()) {
        let name = paths[0].display().to_string();
        bail!(Failure::of_file(&name, "no sentences to learn from"));
    }
    Ok(documents)
}

/// Reads a file of CoNLL-U, or of columns.
pub fn read(path: &Path, columns: Option<&ColumnSpec>) -> Result<Document> {
    parse(path, read_bytes(path)?, columns)
}

/// Parses the bytes of a file as [`read`] does.
pub fn parse(path: &Path, bytes: Vec<u8>, columns: Option<&ColumnSpec>) -> Result<Document> {
    let name = path.display().to_string();
    let text = text_of(&name, bytes)?;
    let parsed = match columns {
        Some(spec) => columns::parse(&text, 1, spec),
        None => conllu::parse(&text, 1),
    };
    Ok(parsed.map_err(|error| {
        let hint = "annotated files are CoNLL-U, or name their --columns";
        // What is wrong from the first line on is another format.
        let error = if error.hint.is_some() && error.line > 1 {
            error
        } else {
            error.hint(hint)
        };
        Failure::of_format(&name, error)
    })?)
}

/// Reads a file of text, compressed or not, without its byte order mark.
pub fn read_text(path: &Path) -> Result<String> {
    text_of(&path.display().to_string(), read_bytes(path)?)
}

/// Reads a file, compressed or not.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::of_file(&path.display().to_string(), error.to_string()))?;
    Ok(bytes)
}

/// The text of a file's bytes, without its byte order mark.
pub fn text_of(name: &str, bytes: Vec<u8>) -> Result<String> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + memchr::memchr_iter(b'\n', &error.as_bytes()[..at]).count() as u64;
        Failure::at_line(name, line, format!("invalid UTF-8 at byte {at}"))
    })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// Reads lists of inflected forms: form, lemma, UPOS and XPOS, parted by tabs.
pub fn read_dictionaries(paths: &[PathBuf]) -> Result<Vec<Word>> {
    let mut words = Vec::new();
    for path in paths {
        let text = read_text(path)?;
        for (i, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
        {
            let columns: Vec<&str> = line.split('\t').collect();
            let [form, lemma, upos, xpos] = columns[..] else {
                let problem = format!(
                    "expected 4 columns (form, lemma, UPOS, XPOS), found {}",
                    columns.len()
                );
                return Err(
                    Failure::at_line(&path.display().to_string(), i as u64 + 1, problem).into(),
                );
            };
            words.push(Word {
                lemma: lemma.into(),
                upos: upos.into(),
                xpos: xpos.into(),
                ..Word::of(form)
            });
        }
    }
    Ok(words)
}

/// Reads words and their classes, parted by a tab.
pub fn read_classes(path: &Path) -> Result<Vec<(String, u16)>> {
    read_numbered(path, "expected a word, a tab and the number of its class")
}

/// Reads forms and how often each was seen, parted by a tab.
pub fn read_counts(path: &Path) -> Result<Vec<(String, u64)>> {
    read_numbered(path, "expected a form, a tab and its count")
}

/// Reads words and numbers, parted by a tab; `problem` is what is wrong with other lines.
fn read_numbered<N: FromStr>(path: &Path, problem: &str) -> Result<Vec<(String, N)>> {
    let parse = |(i, line): (usize, &str)| {
        let parsed = line
            .split_once('\t')
            .and_then(|(word, number)| Some((word.to_owned(), number.parse().ok()?)));
        parsed.ok_or_else(|| {
            Failure::at_line(&path.display().to_string(), i as u64 + 1, problem).into()
        })
    };
    read_text(path)?.lines().enumerate().map(parse).collect()
}
