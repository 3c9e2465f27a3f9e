//! Turns a byte stream of any encoding into UTF-8 as it is read.
//!
//! A byte order mark of UTF-16 wins over the encoding that was named; one of UTF-8 is left to the reader behind. The
//! encodings are those of the WHATWG Encoding Standard, through encoding_rs.

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{self, Read};

/// A byte sequence that its encoding does not know, as the source of an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("invalid {encoding} at byte {byte}")]
pub struct EncodingError {
    pub encoding: &'static str,
    /// Counted in the decoded text, from 1.
    pub line: u64,
    /// Counted in the file, from 0.
    pub byte: u64,
}

/// `input` as UTF-8, which is passed through unchecked.
///
/// # Errors
/// When reading fails, and for UTF-32, which the standard does not know.
pub fn to_utf8<'a>(
    mut input: Box<dyn Read + Send + 'a>,
    named: Option<&'static Encoding>,
    replace_invalid: bool,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    const UTF_32LE: &[u8] = b"\xFF\xFE\0\0";
    let head = read_head(&mut input, &[UTF_32LE, b"\xFE\xFF"])?;
    if head.starts_with(UTF_32LE) {
        return Err(io::Error::other("UTF-32 is not supported"));
    }
    let marked = match head.as_slice() {
        [0xFF, 0xFE, ..] => Some(UTF_16LE),
        [0xFE, 0xFF, ..] => Some(UTF_16BE),
        _ => None,
    };
    let input = io::Cursor::new(head).chain(input);
    Ok(match marked.or(named) {
        None => Box::new(input),
        Some(encoding) if encoding == UTF_8 => Box::new(input),
        Some(encoding) => Box::new(Transcoder::new(input, encoding, replace_invalid)),
    })
}

/// The first bytes of `input`: as many as it takes to tell which of `marks` it starts with, and no byte is waited for
/// beyond those.
///
/// # Errors
/// When reading fails.
pub fn read_head(input: &mut dyn Read, marks: &[&[u8]]) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let undecided = |mark: &&[u8]| mark.len() > head.len() && mark.starts_with(&head);
        if !head.is_empty() && !marks.iter().any(undecided) {
            return Ok(head);
        }
        match input.read(&mut chunk) {
            Ok(0) => return Ok(head),
            Ok(read) => head.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Decodes while it is read.
struct Transcoder<R> {
    input: R,
    decoder: encoding_rs::Decoder,
    replace_invalid: bool,
    /// Bytes read and not decoded yet.
    raw: Vec<u8>,
    input_ended: bool,
    decoder_ended: bool,
    /// Decoded bytes not handed out yet, from `given` on.
    decoded: Vec<u8>,
    given: usize,
    line: u64,
    byte: u64,
}

impl<R: Read> Transcoder<R> {
    fn new(input: R, encoding: &'static Encoding, replace_invalid: bool) -> Transcoder<R> {
        Transcoder {
            input,
            decoder: encoding.new_decoder_with_bom_removal(),
            replace_invalid,
            raw: Vec::new(),
            input_ended: false,
            decoder_ended: false,
            decoded: Vec::new(),
            given: 0,
            line: 1,
            byte: 0,
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 << 10];
        let read = self.input.read(&mut chunk)?;
        self.raw.extend_from_slice(&chunk[..read]);
        self.input_ended = read == 0;
        Ok(())
    }

    fn decode(&mut self) -> io::Result<()> {
        self.decoded.resize(32 << 10, 0);
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.raw,
            &mut self.decoded,
            self.input_ended,
        );
        self.raw.drain(..read);
        self.decoded.truncate(written);
        self.given = 0;
        self.byte += read as u64;
        self.line += memchr::memchr_iter(b'\n', &self.decoded).count() as u64;
        match result {
            DecoderResult::OutputFull => {}
            DecoderResult::InputEmpty => self.decoder_ended = self.input_ended,
            DecoderResult::Malformed(..) if self.replace_invalid => {
                self.decoded.extend_from_slice("\u{FFFD}".as_bytes());
            }
            DecoderResult::Malformed(bad, after) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    EncodingError {
                        encoding: self.decoder.encoding().name(),
                        line: self.line,
                        byte: self.byte.saturating_sub(u64::from(bad) + u64::from(after)),
                    },
                ));
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.decoded.len() {
            if self.decoder_ended {
                return Ok(0);
            }
            if self.raw.is_empty() && !self.input_ended {
                self.read_more()?;
            }
            self.decode()?;
        }
        let count = out.len().min(self.decoded.len() - self.given);
        out[..count].copy_from_slice(&self.decoded[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], named: Option<&str>, replace: bool) -> io::Result<String> {
        let named = named.and_then(|name| Encoding::for_label(name.as_bytes()));
        let mut text = String::new();
        to_utf8(Box::new(bytes), named, replace)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_mark_of_utf16_is_recognised_and_dropped() {
        assert_eq!(decoded(b"\xFF\xFEa\0\n\0", None, false).unwrap(), "a\n");
        assert_eq!(
            decoded(b"\xFE\xFF\0a\xD8\x3D\xDE\0", None, false).unwrap(),
            "a😀"
        );
    }

    #[test]
    fn a_named_encoding_is_decoded_in_pieces_of_any_size() {
        let latin = b"caf\xE9 ".repeat(20_000);
        let text = decoded(&latin, Some("windows-1252"), false).unwrap();
        assert_eq!(text, "café ".repeat(20_000));
    }

    #[test]
    fn what_the_encoding_does_not_know_is_named_or_replaced() {
        let lonely = b"\xFF\xFEa\0\n\0\0\xD8b\0";
        let error = decoded(lonely, None, false).unwrap_err();
        assert_eq!(error.to_string(), "invalid UTF-16LE at byte 6");
        assert_eq!(decoded(lonely, None, true).unwrap(), "a\n\u{FFFD}b");
    }

    #[test]
    fn the_head_is_read_no_further_than_needed() {
        let mut input = io::Cursor::new(b"(").chain(io::Cursor::new(b"\xB5rest"));
        assert_eq!(
            read_head(&mut input, &[b"\x28\xB5\x2F\xFD"]).unwrap(),
            b"(\xB5rest"
        );
        assert_eq!(read_head(&mut &b""[..], &[b"ab"]).unwrap(), b"");
    }
}
