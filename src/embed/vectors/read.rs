//! Reads vectors in whatever format they are.

use super::format::Format;
use super::{Vectors, VectorsError, binary, container, text};
use compact_str::CompactString;
use std::fs::File;
use std::io::{Cursor, Read};

/// How files are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Bytes of words that are no UTF-8 become U+FFFD.
    pub replace_invalid: bool,
}

impl Options {
    /// A word; none when it is not UTF-8.
    pub(super) fn word(self, bytes: &[u8]) -> Option<CompactString> {
        match std::str::from_utf8(bytes) {
            Ok(word) => Some(word.into()),
            Err(_) if self.replace_invalid => Some(String::from_utf8_lossy(bytes).into()),
            Err(_) => None,
        }
    }
}

/// Bytes that tell the format: the header and enough of the first rows.
const HEAD: u64 = 16 << 10;

/// Reads a decompressed stream, its format found out by its first bytes.
///
/// # Errors
/// When it is broken; see [`VectorsError`].
pub fn read(mut stream: impl Read, options: Options) -> Result<Vectors, VectorsError> {
    let mut head = Vec::new();
    stream.by_ref().take(HEAD).read_to_end(&mut head)?;
    if head.is_empty() {
        return Err(VectorsError::Empty);
    }
    let format = Format::detect(&head);
    let mut stream = Cursor::new(head).chain(stream);
    match format {
        Format::Word2vec => text::read(stream, true, options),
        Format::Glove => text::read(stream, false, options),
        Format::Word2vecBinary => binary::read(stream, options),
        Format::Safetensors => {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes)?;
            container::read(&bytes)
        }
    }
}

/// Maps a safetensors file; none when it is of another format.
///
/// # Errors
/// When it is broken.
pub fn map(file: &File) -> Result<Option<Vectors>, VectorsError> {
    let mut head = [0; 16];
    let length = {
        use std::os::unix::fs::FileExt;
        file.read_at(&mut head, 0)?
    };
    match Format::detect(&head[..length]) {
        Format::Safetensors => container::map(file).map(Some),
        _ => Ok(None),
    }
}
