//! Queries from the command line or, one a line, from standard input, answered many at a time.
//!
//! A line with a word that has no vector gets its query back with nothing behind it, and a message on stderr; a blank
//! line gets a blank line. So answers stay beside their queries, and a stream does not end at a rare word.

use super::load::row;
use crate::stream::input::{self, unit_failure};
use crate::stream::{Failure, Invalid, NothingToRead, Output};
use anyhow::Result;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use wordmill::embed::vectors::Vectors;
use wordmill::text::format::InputFormat;
use wordmill::text::units::{Cut, Units};

/// Bytes of queries that are answered together, when they come that fast.
const QUERIES: usize = 8 << 10;

/// A query: its words, and their rows.
pub struct Asked {
    /// Its words, parted by tabs, as the answer repeats them.
    pub text: String,
    /// None when a word has no vector.
    pub rows: Option<Vec<u32>>,
}

/// Words of a line.
#[derive(Clone, Copy)]
pub enum Words {
    /// The line is one word.
    One,
    /// So many, parted by white space.
    Some(usize),
    /// Three or more.
    Several,
}

impl Words {
    fn wanted(self) -> &'static str {
        match self {
            Words::One => "one word",
            Words::Some(2) => "two words",
            Words::Some(_) => "three words",
            Words::Several => "three words or more",
        }
    }

    fn fits(self, count: usize) -> bool {
        match self {
            Words::One => true,
            Words::Some(wanted) => count == wanted,
            Words::Several => count >= 3,
        }
    }

    /// Whether queries of the command line have as many words as they need.
    ///
    /// # Errors
    /// They have not: wrong usage.
    pub fn check(self, given: &[String]) -> Result<(), Failure> {
        match given.is_empty() || self.fits(given.len()) {
            true => Ok(()),
            false => {
                let (wanted, found) = (self.wanted(), given.len());
                Err(Failure::usage(format!("expected {wanted}, found {found}")))
            }
        }
    }

    /// Words of one query, of so many on the command line.
    fn of_a_query(self, given: usize) -> usize {
        match self {
            Words::One => 1,
            Words::Some(count) => count,
            Words::Several => given,
        }
    }
}

/// Answers the queries of the command line, or, if there are none, those of standard input, some at a time; `answer`
/// appends an answer to each.
///
/// # Errors
/// When a word of the command line has no vector, a line has too many words or too few, or the output fails.
pub fn run(
    command: &str,
    vectors: &Vectors,
    (words, on_line): (Words, &[String]),
    mut output: Output,
    answer: impl Fn(&[Asked], &mut String),
) -> Result<()> {
    if on_line.is_empty() {
        stream(command, vectors, words, &mut output, answer)?;
    } else {
        let mut answers = String::new();
        let queries = on_line.chunks(words.of_a_query(on_line.len()));
        answer(&given(vectors, queries)?, &mut answers);
        output.write(&answers)?;
    }
    output.finish()
}

/// Queries of the command line.
fn given<'q>(vectors: &Vectors, queries: impl Iterator<Item = &'q [String]>) -> Result<Vec<Asked>> {
    let asked = |words: &[String]| {
        let rows: Result<Vec<u32>> = words.iter().map(|word| row(vectors, word)).collect();
        Ok(Asked {
            text: words.join("\t"),
            rows: Some(rows?),
        })
    };
    queries.map(asked).collect()
}

/// Queries of standard input.
fn stream(
    command: &str,
    vectors: &Vectors,
    words: Words,
    output: &mut Output,
    answer: impl Fn(&[Asked], &mut String),
) -> Result<()> {
    if std::io::stdin().is_terminal() {
        return Err(NothingToRead.into());
    }
    let mut units = units()?;
    let mut number = 0;
    while let Some(unit) = units
        .next_unit()
        .map_err(|error| unit_failure("-", error))?
    {
        let mut asked = Vec::new();
        for line in unit.text.lines() {
            number += 1;
            asked.push(query(command, vectors, words, (number, line))?);
        }
        let mut answers = String::new();
        answer(&asked, &mut answers);
        output.write(&answers)?;
        output.end_of_unit()?;
    }
    Ok(())
}

fn query(
    command: &str,
    vectors: &Vectors,
    words: Words,
    (number, line): (u64, &str),
) -> Result<Asked> {
    let fields: Vec<&str> = match words {
        Words::One => vec![line.trim()],
        _ => line.split_whitespace().collect(),
    };
    if line.trim().is_empty() {
        return Ok(Asked {
            text: String::new(),
            rows: None,
        });
    }
    if !words.fits(fields.len()) {
        let problem = format!("expected {}, found {}", words.wanted(), fields.len());
        return Err(Failure::at_line("-", number, problem).into());
    }
    let mut rows = Vec::new();
    for word in &fields {
        match vectors.find(word) {
            Some(row) => rows.push(row),
            None => eprintln!("wordmill vectors {command}: -:{number}: `{word}` has no vector"),
        }
    }
    Ok(Asked {
        rows: (rows.len() == fields.len()).then_some(rows),
        text: fields.join("\t"),
    })
}

/// Standard input by lines, as they come.
fn units() -> Result<Units<input::Stream>> {
    let stream = input::open_text(Path::new("-"), (None, Invalid::Error), &Arc::default())?;
    let cut = Cut {
        format: InputFormat::Lines,
        newline_breaks: false,
        whole_lines: true,
        whole_documents: true,
        replace_invalid: false,
        eager: true,
    };
    Ok(Units::of_whole_documents(stream, cut, QUERIES))
}
