//! Annotated files read whole, for training and for evaluation.

use crate::stream::{Failure, open};
use anyhow::Result;
use std::io::Read;
use std::path::{Path, PathBuf};
use wordmill::text::columns::{self, ColumnSpec};
use wordmill::text::conllu;
use wordmill::text::document::Document;

/// Reads files one after another: CoNLL-U, or what the columns say.
pub fn read_all(paths: &[PathBuf], columns: Option<&ColumnSpec>) -> Result<Vec<Document>> {
    paths.iter().map(|path| read(path, columns)).collect()
}

/// Reads a file of CoNLL-U, or of columns.
pub fn read(path: &Path, columns: Option<&ColumnSpec>) -> Result<Document> {
    let name = path.display().to_string();
    let text = read_text(path)?;
    let parsed = match columns {
        Some(spec) => columns::parse(&text, 1, spec),
        None => conllu::parse(&text, 1),
    };
    Ok(parsed.map_err(|error| {
        let hint = "annotated files are CoNLL-U, or name their --columns";
        let error = if error.hint.is_some() {
            error
        } else {
            error.hint(hint)
        };
        Failure::of_format(&name, error)
    })?)
}

/// Reads a file of text, compressed or not, without its byte order mark.
pub fn read_text(path: &Path) -> Result<String> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    open(path)?
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::of_file(&name, error.to_string()))?;
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + memchr::memchr_iter(b'\n', &error.as_bytes()[..at]).count() as u64;
        Failure::at_line(&name, line, format!("invalid UTF-8 at byte {at}"))
    })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}
