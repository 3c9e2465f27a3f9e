//! Reads word2vec's binary format: a header line, then for each word its bytes, a space, and f32 values.
//!
//! The C program ends each row with a newline, gensim does not: newlines before a word are skipped.

use super::format::header;
use super::read::Options;
use super::{Vectors, VectorsError};
use std::io::{BufRead, BufReader, ErrorKind, Read};

/// Longer words are none.
const LONGEST: u64 = 1 << 16;

/// Reads a file.
///
/// # Errors
/// When it is no such file; see [`VectorsError`].
pub fn read(stream: impl Read, options: Options) -> Result<Vectors, VectorsError> {
    let mut stream = BufReader::with_capacity(1 << 20, stream);
    let mut bytes = Vec::new();
    stream.by_ref().take(64).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Err(VectorsError::Empty);
    }
    let (words, dim) = match header(bytes.trim_ascii()) {
        Some((words, dim)) if dim > 0 => (words, dim),
        _ => {
            return Err(VectorsError::Header {
                found: String::from_utf8_lossy(bytes.trim_ascii()).into_owned(),
            });
        }
    };
    let mut vectors = Vectors::new(dim);
    vectors.reserve(words);
    let (mut row, mut values) = (Vec::new(), Vec::new());
    for number in 1..=words {
        let truncated = || VectorsError::Truncated { number, words };
        bytes.clear();
        stream.by_ref().take(LONGEST).read_until(b' ', &mut bytes)?;
        match bytes.last() {
            Some(b' ') => {}
            _ if bytes.len() as u64 == LONGEST => return Err(VectorsError::Endless { number }),
            _ => return Err(truncated()),
        }
        // The row may be promised to be longer than memory: it is grown as far as the file goes.
        row.clear();
        stream.by_ref().take(dim as u64 * 4).read_to_end(&mut row)?;
        if row.len() != dim * 4 {
            return Err(truncated());
        }
        let (fours, _) = row.as_chunks::<4>();
        values.clear();
        values.extend(fours.iter().map(|four| f32::from_le_bytes(*four)));
        let word = options.word(bytes.trim_ascii());
        let word = word.ok_or(VectorsError::InvalidUtf8 { number })?;
        if !values.iter().all(|value| value.is_finite()) {
            let word = word.into_string();
            return Err(VectorsError::NotFinite { number, word });
        }
        vectors.push(word, &values);
    }
    must_end(stream, words)?;
    Ok(vectors)
}

/// Nothing but white space may follow the last row.
fn must_end(mut stream: impl BufRead, words: usize) -> Result<(), VectorsError> {
    loop {
        let rest = match stream.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        };
        if rest.is_empty() {
            return Ok(());
        }
        if !rest.trim_ascii().is_empty() {
            return Err(VectorsError::Count {
                expected: words,
                found: words + 1,
            });
        }
        let length = rest.len();
        stream.consume(length);
    }
}
