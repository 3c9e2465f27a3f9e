//! Where a buffer of text, lines or CoNLL-U may be cut.
//!
//! A cut is a position in front of which everything is complete. It is never 0.

use std::ops::Range;

/// What a cut stands in front of, or behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// Behind a newline.
    Line,
    /// In front of the first letter of a paragraph, so that the white space goes with the one before; with
    /// `whole_lines` in front of the line it stands in.
    Paragraph {
        newline_breaks: bool,
        whole_lines: bool,
    },
    /// Behind a blank line.
    BlankLine,
    /// In front of a sentence of CoNLL-U or columns.
    Sentence,
    /// In front of a sentence whose comments say `# newdoc`, or that is `-DOCSTART-`.
    Document,
}

/// The last cut in `range`.
pub fn last(buffer: &[u8], range: Range<usize>, boundary: Boundary) -> Option<usize> {
    let upto = range.end.min(buffer.len());
    memchr::memrchr_iter(b'\n', &buffer[..upto])
        .filter_map(|newline| cut_at(buffer, newline + 1, boundary))
        .find(|cut| range.contains(cut) || *cut < range.start)
        .filter(|cut| range.contains(cut))
}

/// The first cut in `range`.
pub fn first(buffer: &[u8], range: Range<usize>, boundary: Boundary) -> Option<usize> {
    // The newline in front of an indented paragraph may lie before the range.
    let from = memchr::memrchr(b'\n', &buffer[..range.start.min(buffer.len())]).unwrap_or(0);
    memchr::memchr_iter(b'\n', &buffer[from..range.end.min(buffer.len())])
        .filter_map(|newline| cut_at(buffer, from + newline + 1, boundary))
        .find(|cut| range.contains(cut))
}

/// The cut that belongs to the line starting at `line`.
fn cut_at(buffer: &[u8], line: usize, boundary: Boundary) -> Option<usize> {
    match boundary {
        Boundary::Line => Some(line),
        Boundary::BlankLine => is_blank_before(buffer, line).then_some(line),
        Boundary::Paragraph {
            newline_breaks,
            whole_lines,
        } => {
            let rest = &buffer[line..];
            let indent = rest
                .iter()
                .position(|b| !matches!(b, b' ' | b'\t' | b'\r'))?;
            if rest[indent] == b'\n' || !(newline_breaks || is_blank_before(buffer, line)) {
                return None;
            }
            let begun = buffer[..line].iter().any(|b| !b.is_ascii_whitespace());
            begun.then_some(if whole_lines { line } else { line + indent })
        }
        Boundary::Sentence => {
            let next = *buffer.get(line)?;
            (is_blank_before(buffer, line) && next != b'\n' && next != b'\r').then_some(line)
        }
        Boundary::Document => {
            let cut = cut_at(buffer, line, Boundary::Sentence)?;
            opens_document(&buffer[cut..]).then_some(cut)
        }
    }
}

/// Whether the line in front of the one starting at `line` is blank.
fn is_blank_before(buffer: &[u8], line: usize) -> bool {
    let before = buffer[..line.saturating_sub(1)]
        .iter()
        .rposition(|b| !matches!(b, b' ' | b'\t' | b'\r'));
    before.is_some_and(|i| buffer[i] == b'\n')
}

/// Whether the CoNLL-U or columns in `text` begin with the first sentence of a document.
pub fn starts_with_document(text: &str) -> bool {
    opens_document(text.trim_ascii_start().as_bytes())
}

/// Whether the sentence at the start of `buffer` is the first of a document.
fn opens_document(buffer: &[u8]) -> bool {
    buffer
        .split(|&b| b == b'\n')
        .take_while(|line| line.starts_with(b"#") || line.starts_with(b"-DOCSTART-"))
        .any(|line| line.starts_with(b"-DOCSTART-") || newdoc(line).is_some())
}

/// What follows `newdoc` in a comment line.
fn newdoc(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"#")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"newdoc")?;
    let is_whole_word = rest
        .first()
        .is_none_or(|b| b.is_ascii_whitespace() || *b == b'=');
    is_whole_word.then_some(rest.trim_ascii())
}

/// Where a paragraph without end is cut: behind a sentence of its second half, at white space, or between characters.
pub fn forced(buffer: &[u8]) -> usize {
    let half = buffer.len() / 2;
    let mut space = None;
    for i in (1..buffer.len()).rev() {
        if !buffer[i - 1].is_ascii_whitespace() || buffer[i].is_ascii_whitespace() {
            continue;
        }
        space = space.or(Some(i));
        if i < half {
            break;
        }
        let words = buffer[..i].trim_ascii_end();
        let closing = |b: &&u8| matches!(b, b'"' | b'\'' | b')' | b']');
        let sentence = words.iter().rev().find(|b| !closing(b));
        if matches!(sentence, Some(b'.' | b'!' | b'?')) {
            return i;
        }
    }
    let starts_character = |i: &usize| (buffer[*i] as i8) >= -0x40;
    space
        .or_else(|| {
            (buffer.len().saturating_sub(4)..buffer.len())
                .rev()
                .find(starts_character)
        })
        .filter(|&cut| cut > 0)
        .unwrap_or(buffer.len())
}

/// Whether what follows `text` is a new paragraph.
pub fn ends_paragraph(text: &str, newline_breaks: bool) -> bool {
    let space = &text[text.trim_ascii_end().len()..];
    let newlines = space.bytes().filter(|&b| b == b'\n').count();
    newlines >= if newline_breaks { 1 } else { 2 }
}

/// The CoNLL-U documents of `text`, each with the number of lines in front of it.
pub fn documents(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let mut start = 0;
    let mut lines = 0;
    std::iter::from_fn(move || {
        if start == text.len() {
            return None;
        }
        let bytes = &text.as_bytes()[start..];
        let end = first(bytes, 1..bytes.len(), Boundary::Document).unwrap_or(bytes.len());
        let document = &text[start..start + end];
        let before = lines;
        lines += memchr::memchr_iter(b'\n', document.as_bytes()).count() as u64;
        start += end;
        Some((before, document))
    })
}

/// The name of the last document that begins in `text`; `Some(None)` if it has none, `None` if none begins.
pub fn last_document_name(text: &str) -> Option<Option<String>> {
    memchr::memmem::rfind_iter(text.as_bytes(), b"newdoc").find_map(|found| {
        let line = text[..found].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[line..].lines().next().unwrap_or_default();
        newdoc(line.as_bytes())?;
        Some(document_name(line))
    })
}

/// The name that a comment line `# newdoc id = NAME` gives.
pub fn document_name(line: &str) -> Option<String> {
    let rest = line
        .strip_prefix('#')?
        .trim_start()
        .strip_prefix("newdoc")?;
    let name = rest.trim().strip_prefix("id")?.trim_start();
    let name = name.strip_prefix('=')?.trim();
    (!name.is_empty()).then(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_starts_at_its_first_letter() {
        let text = b"a\nb\n \r\n  c\n\n";
        let paragraph = Boundary::Paragraph {
            newline_breaks: false,
            whole_lines: false,
        };
        assert_eq!(first(text, 0..text.len(), paragraph), Some(9));
        assert_eq!(last(text, 0..text.len(), paragraph), Some(9));
        let line = Boundary::Paragraph {
            newline_breaks: true,
            whole_lines: true,
        };
        assert_eq!(first(text, 0..text.len(), line), Some(2));
        assert_eq!(first(b"\n\n a", 0..4, paragraph), None);
    }

    #[test]
    fn conllu_documents_begin_at_newdoc_anywhere_among_the_comments() {
        let text = "# newdoc id = a\n1\tx\n\n1\ty\n\n# sent_id = 3\n# newdoc id = b c\n1\tz\n\n";
        let found: Vec<_> = documents(text).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].0, 5);
        assert!(found[1].1.starts_with("# sent_id"));
        assert_eq!(last_document_name(text), Some(Some("b c".to_string())));
        assert_eq!(last_document_name("# newdocument\n"), None);
    }
}
