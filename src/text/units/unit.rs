//! A unit of work, how a stream is to be cut into them, and what can go wrong.

use crate::text::boundary::Boundary;
use crate::text::document::{Offset, Opens};
use crate::text::format::{InputFormat, OffsetUnit};
use crate::text::offsets::length;

/// A piece of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unit {
    pub text: String,
    /// The number of its first line in the file, from 1.
    pub line: u64,
    /// How far the lines of `text` are apart in the file: 1, or the number of shards.
    pub line_step: u64,
    /// Where it starts in the file; where a line is a document, in that line.
    pub start: Offset,
    /// What its first sentence opens.
    pub opens: Opens,
    /// The name of the document that it continues, from an earlier `# newdoc id =`.
    pub document: Option<String>,
    /// It starts inside a line that is longer than [`LINE_LIMIT`](super::LINE_LIMIT).
    pub continues_line: bool,
    /// It ends inside such a line.
    pub stops_in_line: bool,
}

/// How a stream is to be cut.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub format: InputFormat,
    /// Every newline of a text ends a paragraph.
    pub newline_breaks: bool,
    /// Cut text between lines: the indentation of a paragraph stays with it.
    pub whole_lines: bool,
    /// Keep CoNLL-U and column documents together as far as they are no longer than [`DOCUMENT_LIMIT`](super::DOCUMENT_LIMIT), and lines
    /// however long.
    pub whole_documents: bool,
    /// Replace invalid UTF-8 by U+FFFD instead of failing.
    pub replace_invalid: bool,
    /// Hand on what is complete as soon as it has been read.
    pub eager: bool,
}

impl Cut {
    /// Where one paragraph ends and the next begins.
    pub fn paragraph(&self) -> Boundary {
        Boundary::Paragraph {
            newline_breaks: self.newline_breaks,
            whole_lines: self.whole_lines,
        }
    }
}

/// Why a stream could not be cut.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// `byte` counts from the start of the file, from 0.
    #[error("invalid UTF-8 at byte {byte}")]
    InvalidUtf8 { line: u64, byte: u64 },
    /// Spans are 32 bits wide.
    #[error("a line or sentence of more than 4 GiB")]
    TooLong { line: u64 },
}

/// The position behind `text`, which starts at `start`.
pub fn behind(start: Offset, text: &str) -> Offset {
    Offset {
        chars: start.chars + length(text, OffsetUnit::Chars),
        bytes: start.bytes + length(text, OffsetUnit::Bytes),
        utf16: start.utf16 + length(text, OffsetUnit::Utf16),
    }
}
