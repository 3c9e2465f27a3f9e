//! Documents that are cut one by one, not in units of many lines: records of CSV, paragraphs, whole files.

use super::args::DocumentArgs;
use super::read::TARGET;
use crate::stream::Failure;
use crate::stream::input::{self, read_failure};
use anyhow::Result;
use std::io::{BufRead, BufReader, Read};
use wordmill::bag::documents::Text;

/// A CSV file and which of its columns matter.
pub struct CsvDocuments {
    reader: csv::Reader<input::Stream>,
    text: usize,
    id: Option<usize>,
    label: Option<usize>,
}

impl CsvDocuments {
    /// Reads the header and finds the columns that matter.
    pub fn open(args: &DocumentArgs, stream: input::Stream, name: &str) -> Result<CsvDocuments> {
        let mut builder = csv::ReaderBuilder::new();
        let mut reader = builder.delimiter(args.delimiter).from_reader(stream);
        let headers = reader
            .byte_headers()
            .map_err(|error| csv_failure(name, error))?;
        let find = |wanted: &str| {
            headers
                .iter()
                .position(|header| header == wanted.as_bytes())
        };
        let missing = |wanted: &str| {
            let names: Vec<_> = headers.iter().map(String::from_utf8_lossy).collect();
            Failure::at_line(name, 1, format!("no column \"{wanted}\""))
                .hint(format!("the columns are {}", names.join(", ")))
        };
        let text = match find(&args.field) {
            // A file without a header has no records either.
            None if headers.is_empty() => 0,
            found => found.ok_or_else(|| missing(&args.field))?,
        };
        let label = match &args.label {
            None => None,
            Some(_) if headers.is_empty() => None,
            Some(label) => Some(find(label).ok_or_else(|| missing(label))?),
        };
        let id = find(&args.id);
        Ok(CsvDocuments {
            reader,
            text,
            id,
            label,
        })
    }

    /// The next records; none at the end.
    pub fn read(&mut self, name: &str, replace: bool) -> Result<Vec<Text>> {
        let mut texts = Vec::new();
        let mut size = 0;
        let mut record = csv::ByteRecord::new();
        while size < TARGET {
            let read = self.reader.read_byte_record(&mut record);
            if !read.map_err(|error| csv_failure(name, error))? {
                break;
            }
            let line = record.position().map_or(0, csv::Position::line);
            let field = |column: usize| {
                let bytes = record.get(column).unwrap_or_default().to_vec();
                utf8(bytes, replace, name, line)
            };
            let named = |column: Option<usize>| column.map(field).transpose();
            let text = field(self.text)?;
            size += text.len() + 1;
            texts.push(Text {
                text,
                id: named(self.id)?,
                label: named(self.label)?,
            });
        }
        Ok(texts)
    }
}

/// The next paragraphs; none at the end.
pub fn paragraphs(
    stream: &mut BufReader<input::Stream>,
    lines: &mut u64,
    name: &str,
    replace: bool,
) -> Result<Vec<Text>> {
    let mut texts = Vec::new();
    let mut size = 0;
    let mut paragraph = Vec::new();
    let mut is_ended = false;
    let mut first = *lines + 1;
    while size < TARGET && !is_ended {
        let start = paragraph.len();
        let read = stream.read_until(b'\n', &mut paragraph);
        is_ended = read.map_err(|error| read_failure(name, 0, &error))? == 0;
        *lines += 1;
        if !is_ended && !paragraph[start..].trim_ascii().is_empty() {
            continue;
        }
        paragraph.truncate(start);
        if !paragraph.is_empty() {
            size += paragraph.len();
            texts.push(Text {
                text: utf8(std::mem::take(&mut paragraph), replace, name, first)?,
                ..Text::default()
            });
        }
        first = *lines + 1;
    }
    Ok(texts)
}

/// A document that is all of a stream.
pub fn whole(mut stream: input::Stream, name: &str, replace: bool) -> Result<String> {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    read.map_err(|error| read_failure(name, 0, &error))?;
    utf8(bytes, replace, name, 1)
}

/// The text of a document that begins in `line`.
fn utf8(bytes: Vec<u8>, replace: bool, name: &str, line: u64) -> Result<String> {
    let error = match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.starts_with('\u{feff}') {
                text.remove(0);
            }
            return Ok(text);
        }
        Err(error) => error,
    };
    if replace {
        return Ok(String::from_utf8_lossy(error.as_bytes()).into_owned());
    }
    let at = error.utf8_error().valid_up_to();
    let before = &error.as_bytes()[..at];
    let line = line + before.iter().filter(|&&byte| byte == b'\n').count() as u64;
    let problem = format!("invalid UTF-8 at byte {at} of a document");
    let failure = Failure::at_line(name, line, problem);
    let hint = "--encoding NAME reads other encodings, --invalid replace goes on with U+FFFD";
    Err(failure.hint(hint).into())
}

fn csv_failure(name: &str, error: csv::Error) -> Failure {
    let line = error.position().map(csv::Position::line);
    let problem = match error.into_kind() {
        csv::ErrorKind::Io(error) => return read_failure(name, 0, &error),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("expected {expected_len} columns, found {len}"),
        other => format!("{other:?}"),
    };
    match line {
        Some(line) => Failure::at_line(name, line, problem),
        None => Failure::of_file(name, problem),
    }
}
