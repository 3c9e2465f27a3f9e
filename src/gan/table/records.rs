//! The rows of a CSV file as bytes, with the lines in which they begin.
//!
//! Unpacks, skips the byte order mark, and sees in the first line what delimits fields.

use super::read::TableError;
use csv::{ByteRecord, ErrorKind, ReaderBuilder, Trim};
use std::io::{Cursor, Read};
use std::sync::Arc;

/// Bytes that are looked at before the reading begins.
const HEAD: u64 = 1 << 16;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The rows of a file with their lines.
pub struct Records<'a> {
    /// The byte between fields.
    pub delimiter: u8,
    file: Arc<str>,
    reader: csv::Reader<Box<dyn Read + 'a>>,
    /// Whether lines end with CR LF.
    returns: bool,
    line: u64,
}

impl<'a> Records<'a> {
    /// `file` is for messages; without a delimiter that of the first line is taken.
    ///
    /// # Errors
    /// When reading fails.
    pub fn open(
        file: Arc<str>,
        input: impl Read + 'a,
        delimiter: Option<u8>,
    ) -> Result<Records<'a>, TableError> {
        let failed = |error| TableError::Io {
            file: file.clone(),
            error,
        };
        let mut input = decompressed(Box::new(input)).map_err(failed)?;
        let mut head = Vec::new();
        (&mut input)
            .take(HEAD)
            .read_to_end(&mut head)
            .map_err(failed)?;
        if head.starts_with(BYTE_ORDER_MARK) {
            head.drain(..BYTE_ORDER_MARK.len());
        }
        let delimiter = delimiter.unwrap_or_else(|| delimiter_of(&head));
        let first = head.split(|&byte| byte == b'\n').next();
        Ok(Records {
            file: file.clone(),
            delimiter,
            returns: first.is_some_and(|line| line.ends_with(b"\r")),
            reader: ReaderBuilder::new()
                .has_headers(false)
                .delimiter(delimiter)
                .trim(Trim::All)
                .from_reader(Box::new(Cursor::new(head).chain(input))),
            line: 1,
        })
    }

    /// Reads a row and notes in it the line in which it begins; false behind the last.
    ///
    /// # Errors
    /// When reading fails, and where the row has another number of fields than the first.
    pub fn advance(&mut self, record: &mut ByteRecord) -> Result<bool, TableError> {
        let read = self.reader.read_byte_record(record);
        let mut place = csv::Position::new();
        place.set_line(self.line_of(record));
        self.line = self.reader.position().line();
        record.set_position(Some(place.clone()));
        read.map_err(|error| {
            let file = self.file.clone();
            match error.into_kind() {
                ErrorKind::UnequalLengths {
                    expected_len: expected,
                    len: found,
                    ..
                } => TableError::Ragged {
                    file,
                    line: place.line(),
                    expected,
                    found,
                },
                ErrorKind::Io(error) => TableError::Io { file, error },
                // Bytes are read, not texts, and nothing is deserialised or sought.
                other => TableError::Io {
                    file,
                    error: std::io::Error::other(format!("{other:?}")),
                },
            }
        })
    }

    /// The reader counts from where the row before ended: before blank lines, and between CR and LF.
    fn line_of(&self, record: &ByteRecord) -> u64 {
        let inside = record.iter().flatten().filter(|&&byte| byte == b'\n');
        let end = (self.reader.position().line()).saturating_sub(inside.count() as u64);
        match self.returns {
            true => end,
            // The last row may lack its LF.
            false => end.saturating_sub(1).max(self.line),
        }
    }
}

fn decompressed<'a>(mut input: Box<dyn Read + 'a>) -> std::io::Result<Box<dyn Read + 'a>> {
    let mut head = Vec::new();
    (&mut input).take(4).read_to_end(&mut head)?;
    let gzip = head.starts_with(b"\x1F\x8B");
    let zstd = head.starts_with(b"\x28\xB5\x2F\xFD");
    let input = Cursor::new(head).chain(input);
    Ok(if gzip {
        Box::new(flate2::read::MultiGzDecoder::new(input))
    } else if zstd {
        Box::new(zstd::stream::read::Decoder::new(input)?)
    } else {
        Box::new(input)
    })
}

/// What the first line has most of, outside of quotes; a comma where that is nothing.
fn delimiter_of(head: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for &byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => (counts.iter_mut())
                .filter(|(delimiter, _)| *delimiter == byte)
                .for_each(|(_, count)| *count += 1),
        }
    }
    // Of equal counts the first.
    let most = counts.iter().rev().max_by_key(|(_, count)| count);
    most.map_or(b',', |&(delimiter, _)| delimiter)
}
