//! Lines of UTF-8 with their places: LF or CR LF ends them, the last may lack its end, a byte order mark is skipped.
//!
//! Nothing else ends a line: NUL, U+0085, U+2028 and a lone CR are text. Tools that take those for line ends are how
//! aligned files get out of step.

use super::pairs::PairError;
use crate::text::format::FormatError;
use std::io::{BufRead, Read};
use std::sync::Arc;

/// Bytes of a line at most. Longer ones are files of another kind, and would take all memory.
const LONGEST: usize = 64 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The lines of a file.
pub struct Lines<R> {
    name: Arc<str>,
    input: R,
    longest: usize,
    buffer: Vec<u8>,
    /// Lines read.
    count: u64,
    /// Bytes of the file before `buffer`, and in it, its line end and a byte order mark included.
    before: u64,
    taken: u64,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `input`; `name` is for messages.
    pub fn new(name: &str, input: R) -> Lines<R> {
        Lines {
            name: name.into(),
            input,
            longest: LONGEST,
            buffer: Vec::new(),
            count: 0,
            before: 0,
            taken: 0,
        }
    }

    /// The file as it was named.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Lines read so far, which is the number of the last one.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Reads a line without looking at it; false behind the last.
    ///
    /// # Errors
    /// When reading fails, and at a line of more than 64 MiB.
    pub fn advance(&mut self) -> Result<bool, PairError> {
        self.before += self.taken;
        self.buffer.clear();
        let most = self.longest as u64 + 2;
        let read = (&mut self.input)
            .take(most)
            .read_until(b'\n', &mut self.buffer);
        self.taken = read.map_err(|error| PairError::Io {
            file: Arc::clone(&self.name),
            error,
        })? as u64;
        if self.taken == 0 {
            return Ok(false);
        }
        self.count += 1;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        }
        if self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
        }
        if self.buffer.len() > self.longest {
            let problem = format!("a line of more than {} MiB", self.longest >> 20);
            return Err(self.error(FormatError::new(self.count, problem)));
        }
        Ok(true)
    }

    /// The line that was read last.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn text(&self) -> Result<&str, PairError> {
        let mut line = self.buffer.as_slice();
        if self.count == 1 {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        std::str::from_utf8(line).map_err(|error| PairError::InvalidUtf8 {
            file: Arc::clone(&self.name),
            line: self.count,
            at: self.before + (self.buffer.len() - line.len() + error.valid_up_to()) as u64,
        })
    }

    /// An error in this file.
    pub fn error(&self, error: FormatError) -> PairError {
        PairError::Format {
            file: Arc::clone(&self.name),
            error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new("a", bytes);
        let mut found = Vec::new();
        while lines.advance().unwrap() {
            found.push(lines.text().unwrap().to_owned());
        }
        found
    }

    #[test]
    fn line_ends_do_not_matter_and_the_last_may_be_missing() {
        for bytes in ["a\n\nb\n", "a\r\n\r\nb\r\n", "a\n\nb", "\u{feff}a\n\nb\r"] {
            assert_eq!(all(bytes.as_bytes()), ["a", "", "b"], "{bytes:?}");
        }
        assert!(all(b"").is_empty());
        assert_eq!(all(b"\n"), [""]);
    }

    #[test]
    fn other_control_characters_are_text() {
        let line = "a\0b\u{85}c\u{2028}d\re";
        assert_eq!(all(line.as_bytes()), [line]);
    }

    #[test]
    fn a_bad_byte_is_named_by_its_place_in_the_file() {
        let mut lines = Lines::new("a.txt", &b"\xEF\xBB\xBFab\r\nc\xFFd\n"[..]);
        assert!(lines.advance().unwrap() && lines.advance().unwrap());
        let message = lines.text().unwrap_err().to_string();
        assert_eq!(message, "a.txt:2: invalid UTF-8 at byte 8");
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let long = |bytes: &'static [u8]| {
            let mut lines = Lines::new("zero", bytes);
            lines.longest = 4;
            lines.advance().map_err(|error| error.to_string())
        };
        assert_eq!(long(b"abcd\r\n"), Ok(true));
        assert_eq!(long(b"abcd"), Ok(true));
        let message = "zero:1: a line of more than 0 MiB";
        assert_eq!(long(b"abcde"), Err(message.to_owned()));
        assert_eq!(long(&[0; 1000]), Err(message.to_owned()));
    }
}
