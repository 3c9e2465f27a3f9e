//! The file of co-occurrence counts.
//!
//! ```text
//! magic        8 bytes: "wmcooc", 1 (the version), newline
//! length       4 bytes, little endian: of the header
//! header       JSON: options, parts, number of words, pairs, bytes of words and of rows
//! words        a word, a space, its count, a newline; the most frequent first
//! rows         packed as in [`super::rows`]
//! checksum     4 bytes, little endian: CRC-32 of all before
//! ```

use super::rows::Rows;
use super::{Cooccurrence, Options, Parts, WIDEST};
use crate::embed::vocabulary::Vocabulary;
use crate::spill::{Bytes, Spill};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};

/// The first bytes of every such file.
pub const MAGIC: &[u8; 8] = b"wmcooc\x01\n";

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error(transparent)]
    Io(std::io::Error),
    #[error("is no file of co-occurrence counts")]
    Foreign,
    #[error("ends too early: it was cut short")]
    Short,
    #[error("is damaged: {0}")]
    Damaged(&'static str),
}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> FileError {
        match error.kind() {
            ErrorKind::UnexpectedEof => FileError::Short,
            _ => FileError::Io(error),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    options: Options,
    parts: Parts,
    words: u64,
    pairs: u64,
    word_bytes: u64,
    row_bytes: u64,
}

/// Headers are some hundred bytes; longer ones are damage.
const LONGEST_HEADER: u32 = 1 << 24;

impl Cooccurrence {
    /// Writes the file.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let mut words = String::new();
        for (word, count) in self.vocabulary.words.iter().zip(&self.vocabulary.counts) {
            // A string takes all that is written to it.
            let _ = writeln!(words, "{word} {count}");
        }
        let header = serde_json::to_vec(&Header {
            options: self.options,
            parts: self.parts.clone(),
            words: self.vocabulary.len() as u64,
            pairs: self.rows.pairs(),
            word_bytes: words.len() as u64,
            row_bytes: self.rows.as_bytes().len() as u64,
        })?;
        let length = (header.len() as u32).to_le_bytes();
        let mut hasher = crc32fast::Hasher::new();
        for piece in [
            &MAGIC[..],
            &length,
            &header,
            words.as_bytes(),
            self.rows.as_bytes(),
        ] {
            hasher.update(piece);
            out.write_all(piece)?;
        }
        out.write_all(&hasher.finalize().to_le_bytes())
    }

    /// Reads a file; rows of more than `memory` bytes go to a temporary file.
    ///
    /// # Errors
    /// When it cannot be read, is cut short or damaged, or is something else.
    pub fn read(input: impl Read, memory: u64) -> Result<Cooccurrence, FileError> {
        let mut input = Summed {
            input,
            hasher: crc32fast::Hasher::new(),
        };
        let mut magic = [0; 8];
        input.read_exact(&mut magic)?;
        if magic != *MAGIC {
            return Err(FileError::Foreign);
        }
        let header: Header = {
            let mut length = [0; 4];
            input.read_exact(&mut length)?;
            let length = u32::from_le_bytes(length);
            if length > LONGEST_HEADER {
                return Err(FileError::Damaged("its header has no end"));
            }
            let bytes = exactly(&mut input, u64::from(length))?;
            serde_json::from_slice(&bytes).map_err(|_| FileError::Damaged("its header"))?
        };
        if !(1..=WIDEST).contains(&header.options.window) {
            return Err(FileError::Damaged("its window"));
        }
        let words = exactly(&mut input, header.word_bytes)?;
        let vocabulary = vocabulary(&words, header.words).ok_or(FileError::Damaged("its words"))?;
        let mut spill = Spill::new(memory);
        let copied = std::io::copy(&mut (&mut input).take(header.row_bytes), &mut spill)?;
        if copied < header.row_bytes {
            return Err(FileError::Short);
        }
        let found = input.hasher.clone().finalize();
        let mut checksum = [0; 4];
        input.read_exact(&mut checksum)?;
        if u32::from_le_bytes(checksum) != found {
            return Err(FileError::Damaged("its checksum is another"));
        }
        let symmetric = header.options.symmetric;
        let bytes: Bytes = spill.finish()?;
        let rows = Rows::checked(bytes, vocabulary.len(), symmetric)
            .ok()
            .filter(|rows| rows.pairs() == header.pairs);
        Ok(Cooccurrence {
            options: header.options,
            parts: header.parts,
            vocabulary,
            rows: rows.ok_or(FileError::Damaged("its rows"))?,
        })
    }
}

/// So many bytes, which are not taken on trust: memory grows as they come.
fn exactly(input: &mut impl Read, length: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    let read = input.take(length).read_to_end(&mut bytes)?;
    match read as u64 == length {
        true => Ok(bytes),
        false => Err(FileError::Short),
    }
}

fn vocabulary(text: &[u8], expected: u64) -> Option<Vocabulary> {
    let mut vocabulary = Vocabulary::default();
    for line in std::str::from_utf8(text).ok()?.split_terminator('\n') {
        let (word, count) = line.rsplit_once(' ')?;
        vocabulary.words.push(CompactString::from(word));
        vocabulary.counts.push(count.parse().ok()?);
    }
    (vocabulary.len() as u64 == expected).then_some(vocabulary)
}

/// A reader that takes the checksum of what passes.
struct Summed<R> {
    input: R,
    hasher: crc32fast::Hasher,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::count::count;
    use super::*;
    use crate::embed::corpus::{Limits, Reader};

    fn sample() -> (Cooccurrence, Vec<u8>) {
        let mut reader = Reader::default();
        reader.read(&b"b a c d\na b a\n"[..], false).unwrap();
        let limits = Limits {
            min_count: 1,
            max_words: None,
        };
        let corpus = reader.finish(limits).unwrap();
        let counts = count(corpus, Options::default(), (0, 1), 1000).unwrap();
        let mut bytes = Vec::new();
        counts.write(&mut bytes).unwrap();
        (counts, bytes)
    }

    #[test]
    fn counts_come_back_from_their_file() {
        let (counts, bytes) = sample();
        for memory in [0, 1000] {
            let back = Cooccurrence::read(&bytes[..], memory).unwrap();
            assert_eq!(back.options, counts.options);
            assert_eq!(back.parts, counts.parts);
            assert_eq!(back.vocabulary, counts.vocabulary);
            assert_eq!(back.rows.as_bytes(), counts.rows.as_bytes());
        }
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_seen() {
        let (_, bytes) = sample();
        for end in 0..bytes.len() {
            let error = Cooccurrence::read(&bytes[..end], 1000).err();
            assert!(matches!(error, Some(FileError::Short)), "{end}: {error:?}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x20;
            assert!(Cooccurrence::read(&changed[..], 1000).is_err(), "byte {at}");
        }
    }
}
