//! Pieces: the tokens of a text as the segmenters give them, and paragraphs, the stretches between blank lines.

use std::ops::Range;

/// A surface token, compact: what a document is built from, or text printed directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the text.
    pub start: u32,
    pub end: u32,
    /// The split of a multi-word token.
    pub multiword: Option<u32>,
    /// What ends behind it.
    pub ends: Ends,
}

/// What ends behind a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    Nothing,
    Sentence,
    /// And so a sentence too.
    Paragraph,
}

impl Piece {
    /// Its bytes in the text.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The paragraphs of `text`: byte ranges between blank lines, without the line end before one. With `newline_breaks`
/// every line that is not blank is one.
pub fn paragraphs(text: &str, newline_breaks: bool) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        // Blank lines before it.
        while at < bytes.len() {
            let line = line_end(bytes, at);
            if !is_blank(text, at..line) {
                break;
            }
            at = (line + 1).min(bytes.len());
        }
        if at >= bytes.len() {
            return None;
        }
        let start = at;
        let mut end = at;
        while at < bytes.len() {
            let line = line_end(bytes, at);
            if end > start && newline_breaks || is_blank(text, at..line) {
                break;
            }
            end = line;
            at = (line + 1).min(bytes.len());
        }
        Some(start..end)
    })
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length)
}

fn is_blank(text: &str, line: Range<usize>) -> bool {
    match text.as_bytes()[line.start..line.end].first() {
        Some(b) if b.is_ascii_graphic() => false,
        _ => text[line].chars().all(char::is_whitespace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_part_paragraphs() {
        let text = "\n a b\nc\r\n \t\r\n\r\nd\n";
        let found: Vec<&str> = paragraphs(text, false).map(|range| &text[range]).collect();
        assert_eq!(found, [" a b\nc\r", "d"]);
        assert_eq!(paragraphs(text, true).count(), 3);
        assert_eq!(paragraphs(" \n\n", false).count(), 0);
    }
}
