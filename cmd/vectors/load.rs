//! The file of vectors that every command reads, and what is said when it, or a word, is not as hoped.

use crate::stream::input::{self, is_stdin, name_of, open_failure, read_failure};
use crate::stream::{Failure, Invalid, Output, s3};
use crate::threads;
use anyhow::Result;
use std::fs::File;
use std::path::{Path, PathBuf};
use wordmill::embed::vectors::evaluate::LineError;
use wordmill::embed::vectors::read::Options;
use wordmill::embed::vectors::{self, Vectors, VectorsError};

/// How vectors are read and answers are written.
#[derive(clap::Args, Debug)]
pub struct Shared {
    /// What to do about words of vectors that are not UTF-8
    #[arg(long, value_enum, default_value_t)]
    pub invalid: Invalid,
    /// File to write; it appears when it is whole; .gz and .zst are compressed
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

impl Shared {
    /// The vectors of a file, read by as many threads as were asked for.
    pub fn open(&self, path: &Path) -> Result<Vectors> {
        threads::limit(self.threads)?;
        load(path, self.invalid)
    }

    /// Where answers go.
    pub fn output(&self) -> Result<Output> {
        Output::create(self.out.as_deref(), false)
    }
}

/// Reads vectors; says how many words stood twice.
pub fn load(path: &Path, invalid: Invalid) -> Result<Vectors> {
    let options = Options {
        replace_invalid: invalid == Invalid::Replace,
    };
    let failure = |error| vectors_failure(&name_of(path), error);
    let mapped = match is_stdin(path) || s3::is_address(path) {
        true => None,
        false => {
            let file = File::open(path).map_err(|error| open_failure(&name_of(path), &error))?;
            match file.metadata()?.is_file() {
                true => vectors::map(&file).map_err(failure)?,
                false => None,
            }
        }
    };
    let vectors = match mapped {
        Some(vectors) => vectors,
        None => vectors::read(input::open(path)?, options).map_err(failure)?,
    };
    if vectors.duplicates > 0 {
        let (name, count) = (name_of(path), vectors.duplicates);
        let rows = if count == 1 { "row" } else { "rows" };
        eprintln!(
            "wordmill vectors: {name}: {count} {rows} left out whose word has a vector already"
        );
    }
    Ok(vectors)
}

fn vectors_failure(name: &str, error: VectorsError) -> Failure {
    let hint = match &error {
        VectorsError::Io(error) => return read_failure(name, 0, error),
        error if error.is_encoding() => "--invalid replace goes on with U+FFFD",
        VectorsError::Header { .. } => {
            "a file starts with a line `WORDS DIMENSIONS`, or, in GloVe's format, with a word and its values"
        }
        VectorsError::Count { .. } | VectorsError::Truncated { .. } => {
            "the file was cut short, or its header is of another: fetch or make it again"
        }
        _ => {
            let line = error.line();
            return place(name, line, error.to_string());
        }
    };
    let line = error.line();
    place(name, line, error.to_string()).hint(hint)
}

fn place(name: &str, line: Option<u64>, problem: String) -> Failure {
    match line {
        Some(line) => Failure::at_line(name, line, problem),
        None => Failure::of_file(name, problem),
    }
}

/// The row of a word.
///
/// # Errors
/// When it has none.
pub fn row(vectors: &Vectors, word: &str) -> Result<u32> {
    let unknown = || {
        Failure::plain(format!("`{word}` has no vector"))
            .hint("only words seen in training have one; `wordmill vectors convert FILE --to vec | cut -d ' ' -f 1` lists them")
    };
    Ok(vectors.find(word).ok_or_else(unknown)?)
}

/// A whole text file.
///
/// # Errors
/// When it cannot be read or is not UTF-8.
pub fn text(path: &Path) -> Result<String> {
    crate::corpus::read_text(path)
}

/// A broken line of a file.
pub fn line_failure(path: &Path, error: LineError) -> Failure {
    Failure::at_line(&name_of(path), error.line, error.problem)
}
