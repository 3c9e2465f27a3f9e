//! Reads vectors as text: word2vec's with a header, GloVe's without.
//!
//! Blocks of whole lines are parsed in parallel and appended in order. Words of GloVe may have spaces in them (its 840B
//! file has `. . .`): the values are then the last fields of their line.

use super::format::header;
use super::number::parse;
use super::read::Options;
use super::{Vectors, VectorsError};
use compact_str::CompactString;
use memchr::{memchr, memrchr};
use rayon::prelude::*;
use std::io::Read;

/// Bytes parsed at a time.
const BLOCK: usize = 32 << 20;

/// Bytes for one worker.
const PIECE: usize = 1 << 20;

/// Reads a file with a header or without.
///
/// # Errors
/// When it is not as `format` says; see [`VectorsError`].
pub fn read(
    mut stream: impl Read,
    has_header: bool,
    options: Options,
) -> Result<Vectors, VectorsError> {
    let mut block = Block::default();
    let mut reader: Option<Reader> = None;
    while let Some(mut bytes) = block.next(&mut stream)? {
        let reader = match &mut reader {
            Some(reader) => reader,
            first => {
                let start;
                (start, bytes) = Reader::start(bytes, has_header, options)?;
                first.insert(start)
            }
        };
        reader.append(bytes)?;
    }
    reader.ok_or(VectorsError::Empty)?.finish()
}

/// Lines of a stream, many at a time.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    /// Where the lines given last end.
    end: usize,
}

impl Block {
    /// The next whole lines.
    fn next(&mut self, stream: &mut impl Read) -> std::io::Result<Option<&[u8]>> {
        self.bytes.drain(..self.end);
        self.end = 0;
        loop {
            let read = stream.take(BLOCK as u64).read_to_end(&mut self.bytes)?;
            self.end = match (read, memrchr(b'\n', &self.bytes)) {
                (0, _) => self.bytes.len(),
                (_, Some(newline)) => newline + 1,
                (_, None) => continue,
            };
            return Ok((self.end > 0).then(|| &self.bytes[..self.end]));
        }
    }
}

/// A file half read.
struct Reader {
    vectors: Vectors,
    row: Row,
    /// Words that the header promised.
    expected: Option<usize>,
    rows: usize,
    /// Lines read.
    lines: u64,
}

/// How rows are read.
#[derive(Clone, Copy)]
struct Row {
    dim: usize,
    words_have_spaces: bool,
    options: Options,
}

impl Reader {
    /// Takes the header, or the number of dimensions from the first row; gives back what is to be read as rows.
    fn start(
        bytes: &[u8],
        has_header: bool,
        options: Options,
    ) -> Result<(Reader, &[u8]), VectorsError> {
        let end = memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
        let line = bytes[..end].trim_ascii();
        let (expected, dim) = match header(line) {
            Some((words, dim)) if has_header && dim > 0 => (Some(words), dim),
            _ if has_header => return Err(bad_header(line)),
            _ => (None, fields(line).count().saturating_sub(1)),
        };
        // One field is no row; so a header that lacks its second number is not taken for vectors.
        if dim == 0 {
            return Err(bad_header(line));
        }
        let mut vectors = Vectors::new(dim);
        vectors.reserve(expected.unwrap_or(0));
        let reader = Reader {
            vectors,
            row: Row {
                dim,
                words_have_spaces: !has_header,
                options,
            },
            expected,
            rows: 0,
            lines: u64::from(has_header),
        };
        Ok((reader, &bytes[if has_header { end } else { 0 }..]))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), VectorsError> {
        let parsed: Vec<_> = pieces(bytes)
            .into_par_iter()
            .map(|piece| Parsed::of(piece, self.row))
            .collect();
        for piece in parsed {
            let piece = piece.map_err(|error| error.behind(self.lines))?;
            self.rows += piece.words.len();
            self.lines += piece.lines;
            let values = piece.values.chunks_exact(self.row.dim);
            for (word, values) in piece.words.into_iter().zip(values) {
                self.vectors.push(word, values);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Vectors, VectorsError> {
        match self.expected {
            Some(expected) if expected != self.rows => Err(VectorsError::Count {
                expected,
                found: self.rows,
            }),
            _ => Ok(self.vectors),
        }
    }
}

fn bad_header(line: &[u8]) -> VectorsError {
    let found = String::from_utf8_lossy(line);
    VectorsError::Header {
        found: found.chars().take(40).collect(),
    }
}

/// Whole lines in pieces.
fn pieces(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let least = PIECE.min(bytes.len());
        let end = memchr(b'\n', &bytes[least..]).map_or(bytes.len(), |at| least + at + 1);
        let (piece, rest) = bytes.split_at(end);
        found.push(piece);
        bytes = rest;
    }
    found
}

/// Rows of a piece.
#[derive(Default)]
struct Parsed {
    words: Vec<CompactString>,
    values: Vec<f32>,
    lines: u64,
}

impl Parsed {
    fn of(piece: &[u8], row: Row) -> Result<Parsed, VectorsError> {
        let mut parsed = Parsed::default();
        for line in piece.split_inclusive(|byte| *byte == b'\n') {
            parsed.lines += 1;
            let line = line.trim_ascii_end();
            if !line.is_empty() {
                let word = row.parse(line, parsed.lines, &mut parsed.values)?;
                parsed.words.push(word);
            }
        }
        Ok(parsed)
    }
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| is_space(*byte))
        .filter(|field| !field.is_empty())
}

impl Row {
    /// Appends the values of a line; gives its word.
    fn parse(
        self,
        line: &[u8],
        number: u64,
        values: &mut Vec<f32>,
    ) -> Result<CompactString, VectorsError> {
        let start = values.len();
        let mut word_end = line.iter().position(|b| is_space(*b)).unwrap_or(line.len());
        if let Err(error) = self.values(&line[word_end..], number, values) {
            let all: Vec<_> = fields(line).collect();
            let longer = all.len().saturating_sub(self.dim);
            // A field too many belongs to the word if it is no value.
            if !self.words_have_spaces || longer < 2 || parse(all[1]).is_some() {
                return Err(error);
            }
            values.truncate(start);
            // Where the field is in its line.
            word_end = all[longer].as_ptr() as usize - line.as_ptr() as usize;
            self.values(&line[word_end..], number, values)?;
        }
        let word = line[..word_end].trim_ascii();
        if word.is_empty() {
            return Err(VectorsError::NoWord { line: number });
        }
        (self.options.word(word)).ok_or(VectorsError::InvalidUtf8Line { line: number })
    }

    fn values(self, text: &[u8], line: u64, values: &mut Vec<f32>) -> Result<(), VectorsError> {
        let mut found = 0;
        for field in fields(text) {
            let shown = || String::from_utf8_lossy(field).into_owned();
            match parse(field) {
                Some(value) if value.is_finite() => values.push(value),
                Some(_) => {
                    let value = shown();
                    return Err(VectorsError::NotFiniteLine { line, value });
                }
                None => {
                    let value = shown();
                    return Err(VectorsError::Number { line, value });
                }
            }
            found += 1;
        }
        match found == self.dim {
            true => Ok(()),
            false => Err(VectorsError::Values {
                line,
                expected: self.dim,
                found,
            }),
        }
    }
}

impl VectorsError {
    /// The same with `lines` lines before.
    fn behind(mut self, lines: u64) -> VectorsError {
        if let VectorsError::Values { line, .. }
        | VectorsError::Number { line, .. }
        | VectorsError::NoWord { line }
        | VectorsError::NotFiniteLine { line, .. }
        | VectorsError::InvalidUtf8Line { line } = &mut self
        {
            *line += lines;
        }
        self
    }
}
