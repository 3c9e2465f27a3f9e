//! Cuts a stream of bytes into units of work, in bounded memory.
//!
//! A unit is about [`TARGET`] bytes of whole paragraphs, lines, or sentences:
//!
//! | format | a unit ends | at the latest |
//! |---|---|---|
//! | text | before a paragraph | at [`PARAGRAPH_LIMIT`]: behind a sentence, at white space, or between two characters |
//! | lines | behind a line | at [`LINE_LIMIT`], as in text |
//! | tokens, jsonl, lines with `whole_documents` | behind a line | behind that line, however long |
//! | conllu, columns | before a document in the second half, else behind a sentence | behind that sentence |
//! | the same, `whole_documents` | before a document | behind the last sentence before [`DOCUMENT_LIMIT`], or the first past it |
//!
//! Where a unit ends depends on the bytes alone, never on how they trickled in; an `eager` cutter gives that up and
//! hands on whatever is complete.

mod unit;

pub use unit::{Cut, Unit, UnitError, behind};

use crate::text::boundary::{self, Boundary};
use crate::text::document::{Offset, Opens};
use crate::text::format::InputFormat;
use std::io::Read;

/// The size units aim at: small enough that an annotated unit (40 times its size) is a few megabytes, large enough to
/// hold a chapter.
pub const TARGET: usize = 64 << 10;
/// The size above which a paragraph of text is cut.
pub const PARAGRAPH_LIMIT: usize = 128 << 10;
/// The size above which a line is cut.
pub const LINE_LIMIT: usize = 1 << 20;
/// The size above which a document of CoNLL-U or columns is cut.
pub const DOCUMENT_LIMIT: usize = 1 << 20;

/// The sizes that rule the cutting, apart so that tests can make them small.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    target: usize,
    paragraph_limit: usize,
    line_limit: usize,
    document_limit: usize,
    /// Bytes that must be known behind a boundary before it is believed, so that late bytes cannot change it.
    lookahead: usize,
    read: usize,
}

const SIZES: Sizes = Sizes {
    target: TARGET,
    paragraph_limit: PARAGRAPH_LIMIT,
    line_limit: LINE_LIMIT,
    document_limit: DOCUMENT_LIMIT,
    lookahead: 4 << 10,
    read: 64 << 10,
};

/// The units of one stream.
pub struct Units<R> {
    input: R,
    cut: Cut,
    sizes: Sizes,
    buffer: Vec<u8>,
    /// Bytes of `buffer` in which no end was found.
    searched: usize,
    ended: bool,
    line: u64,
    byte: u64,
    start: Offset,
    opens: Opens,
    document: Option<String>,
    in_line: bool,
}

impl<R: Read> Units<R> {
    /// Cuts `input`, which is UTF-8 (a byte order mark is skipped).
    pub fn new(input: R, cut: Cut) -> Units<R> {
        Units {
            input,
            cut,
            sizes: SIZES,
            buffer: Vec::new(),
            searched: 0,
            ended: false,
            line: 1,
            byte: 0,
            start: Offset::default(),
            opens: Opens::Document,
            document: None,
            in_line: false,
        }
    }

    /// The same with units of about `target` bytes, in which CoNLL-U documents are whole however long they are.
    pub fn of_whole_documents(input: R, cut: Cut, target: usize) -> Units<R> {
        let sizes = Sizes {
            target,
            document_limit: usize::MAX,
            ..SIZES
        };
        let cut = Cut {
            whole_documents: true,
            ..cut
        };
        Units {
            sizes,
            ..Units::new(input, cut)
        }
    }

    /// The next unit, `None` behind the last.
    ///
    /// # Errors
    /// When reading fails, at invalid UTF-8, and at a line too long for 32 bits.
    pub fn next_unit(&mut self) -> Result<Option<Unit>, UnitError> {
        loop {
            if let Some(end) = self.end() {
                return self.take(end).map(Some);
            }
            if self.ended {
                return Ok(None);
            }
            if self.buffer.len() > u32::MAX as usize - self.sizes.read {
                return Err(UnitError::TooLong { line: self.line });
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        let length = self.buffer.len();
        self.buffer.resize(length + self.sizes.read, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[length..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(length + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;
        if self.byte == 0 && self.buffer.starts_with(b"\xEF\xBB\xBF") {
            self.buffer.drain(..3);
            self.byte = 3;
        }
        Ok(())
    }

    /// Where the first unit of the buffer ends, if that can be said already.
    fn end(&mut self) -> Option<usize> {
        let known = match self.ended {
            true => self.buffer.len(),
            false => self.buffer.len().saturating_sub(self.sizes.lookahead),
        };
        let target = self.sizes.target;
        let (strong, weak) = self.boundaries();
        if self.ended && known <= target {
            return (known > 0).then_some(known);
        }
        if self.cut.eager
            && let Some(end) = self.eager_end(strong)
        {
            return Some(end);
        }
        if known < target {
            return None;
        }
        let half = target / 2;
        if self.searched < target {
            let preferred = match weak {
                Some(_) if !self.cut.whole_documents => half..target,
                _ => 0..target,
            };
            let end = boundary::last(&self.buffer, preferred, strong).or_else(|| {
                let weak = weak.filter(|_| !self.cut.whole_documents)?;
                boundary::last(&self.buffer, 0..target, weak)
            });
            self.searched = target;
            if end.is_some() {
                return end;
            }
        }
        self.late_end(known, strong, weak)
    }

    /// The end of a unit that is longer than [`TARGET`].
    fn late_end(
        &mut self,
        known: usize,
        strong: Boundary,
        weak: Option<Boundary>,
    ) -> Option<usize> {
        let wanted = match weak {
            Some(weak) if !self.cut.whole_documents => weak,
            _ => strong,
        };
        let limit = match self.cut.format {
            InputFormat::Text => self.sizes.paragraph_limit,
            InputFormat::Lines if !self.cut.whole_documents => self.sizes.line_limit,
            InputFormat::Conllu | InputFormat::Columns if self.cut.whole_documents => {
                self.sizes.document_limit
            }
            _ => usize::MAX,
        };
        if self.searched < limit {
            let upto = known.min(limit);
            let end = boundary::first(&self.buffer, self.searched..upto, wanted);
            if end.is_some() {
                return end;
            }
            self.searched = self.searched.max(upto);
        }
        if self.ended && known <= limit {
            return (known > 0).then_some(known);
        }
        if known < limit {
            return None;
        }
        match weak {
            None => Some(boundary::forced(&self.buffer[..limit])),
            Some(weak) => boundary::last(&self.buffer, 0..limit, weak)
                .or_else(|| boundary::first(&self.buffer, limit..known, weak))
                .or(self.ended.then_some(known)),
        }
    }

    /// The end of all that is complete.
    fn eager_end(&self, strong: Boundary) -> Option<usize> {
        let wanted = match strong {
            Boundary::Paragraph { .. } => Boundary::BlankLine,
            Boundary::Document if !self.cut.whole_documents => Boundary::BlankLine,
            other => other,
        };
        let wanted = match self.cut {
            Cut {
                format: InputFormat::Text,
                newline_breaks: true,
                ..
            } => Boundary::Line,
            _ => wanted,
        };
        boundary::last(&self.buffer, 0..self.buffer.len() + 1, wanted)
    }

    fn boundaries(&self) -> (Boundary, Option<Boundary>) {
        match self.cut.format {
            InputFormat::Text => (self.cut.paragraph(), None),
            InputFormat::Lines | InputFormat::Tokens | InputFormat::Jsonl => (Boundary::Line, None),
            InputFormat::Conllu | InputFormat::Columns => {
                (Boundary::Document, Some(Boundary::Sentence))
            }
        }
    }

    fn take(&mut self, end: usize) -> Result<Unit, UnitError> {
        let rest = self.buffer.split_off(end);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        self.searched = 0;
        let text = self.checked(bytes)?;
        let unit = Unit {
            line: self.line,
            line_step: 1,
            start: self.start,
            opens: self.opens,
            document: self.document.clone(),
            continues_line: self.in_line,
            stops_in_line: self.cut.format == InputFormat::Lines
                && !text.ends_with('\n')
                && !self.buffer.is_empty(),
            text,
        };
        self.in_line = unit.stops_in_line;
        self.pass(&unit.text, end);
        Ok(unit)
    }

    fn checked(&self, bytes: Vec<u8>) -> Result<String, UnitError> {
        let error = match String::from_utf8(bytes) {
            Ok(text) => return Ok(text),
            Err(error) => error,
        };
        if self.cut.replace_invalid {
            return Ok(String::from_utf8_lossy(error.as_bytes()).into_owned());
        }
        let good = error.utf8_error().valid_up_to();
        let newlines = memchr::memchr_iter(b'\n', &error.as_bytes()[..good]).count();
        Err(UnitError::InvalidUtf8 {
            line: self.line + newlines as u64,
            byte: self.byte + good as u64,
        })
    }

    /// Moves the position of the next unit behind `text`, which took `bytes` bytes of the file.
    fn pass(&mut self, text: &str, bytes: usize) {
        self.line += memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64;
        self.byte += bytes as u64;
        match self.cut.format {
            InputFormat::Text => {
                self.start = behind(self.start, text);
                let next = match boundary::ends_paragraph(text, self.cut.newline_breaks) {
                    true => Opens::Paragraph,
                    false => Opens::Nothing,
                };
                // A unit of white space has no sentence that could open what it was to open.
                let owed = match text.trim_ascii().is_empty() {
                    true => self.opens,
                    false => Opens::Nothing,
                };
                self.opens = owed.max(next);
            }
            InputFormat::Conllu => {
                self.opens = Opens::Nothing;
                if let Some(name) = boundary::last_document_name(text) {
                    self.document = name;
                }
            }
            InputFormat::Lines => {
                let line = memchr::memrchr(b'\n', text.as_bytes());
                let before = match line {
                    Some(_) => Offset::default(),
                    None => self.start,
                };
                self.start = behind(before, &text[line.map_or(0, |end| end + 1)..]);
                self.opens = Opens::Nothing;
            }
            _ => self.opens = Opens::Nothing,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const TEXT: Cut = Cut {
        format: InputFormat::Text,
        newline_breaks: false,
        whole_lines: false,
        whole_documents: false,
        replace_invalid: false,
        eager: false,
    };

    /// Gives its bytes in chunks of `size`.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(out.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn cut_in(text: &[u8], chunk: usize, cut: Cut) -> Vec<Unit> {
        let mut units = Units::new(Trickle(text, chunk), cut);
        std::iter::from_fn(|| units.next_unit().unwrap()).collect()
    }

    fn of(format: InputFormat) -> Cut {
        Cut { format, ..TEXT }
    }

    fn joined(units: &[Unit]) -> String {
        units.iter().map(|unit| unit.text.as_str()).collect()
    }

    #[test]
    fn text_is_cut_before_paragraphs_and_nothing_is_lost() {
        let text =
            "Some words é of a paragraph.\nAnd more.\r\n\r\n  Indented one.\n\n\n".repeat(9000);
        let units = cut_in(text.as_bytes(), 1 << 16, TEXT);
        assert_eq!(joined(&units), text);
        assert!(units.len() > 3);
        for unit in &units[1..] {
            assert!(unit.text.starts_with("Some") || unit.text.starts_with("Indented"));
            assert_eq!(unit.opens, Opens::Paragraph);
            let before = &text[..unit.start.bytes as usize];
            assert_eq!(unit.start, behind(Offset::default(), before));
            assert_eq!(unit.line as usize, before.matches('\n').count() + 1);
            assert!(unit.text.len() <= TARGET);
        }
        assert_eq!(units[0].opens, Opens::Document);
    }

    #[test]
    fn the_size_of_reads_does_not_matter() {
        let text = "One two three.\n\nFour.\n".repeat(20_000) + &"x".repeat(3 << 20) + "\n\nEnd";
        for format in [InputFormat::Text, InputFormat::Lines, InputFormat::Conllu] {
            let whole = cut_in(text.as_bytes(), 1 << 16, of(format));
            assert_eq!(joined(&whole), text);
            assert_eq!(whole, cut_in(text.as_bytes(), 997, of(format)));
        }
    }

    #[test]
    fn a_paragraph_without_end_is_cut_behind_a_sentence_or_a_word_or_a_character() {
        let sentences = "It goes on and on. ".repeat(120_000);
        let words = "word ".repeat(500_000);
        let letters = "é".repeat(1_500_000);
        for (text, end) in [(&sentences, "on. "), (&words, "word "), (&letters, "é")] {
            let units = cut_in(text.as_bytes(), 1 << 16, TEXT);
            assert_eq!(&joined(&units), text);
            assert!(units.len() > 1);
            assert!(units.iter().all(|unit| unit.text.ends_with(end)));
            assert!(units.iter().all(|unit| unit.text.len() <= PARAGRAPH_LIMIT));
            assert_eq!(units[1].opens, Opens::Nothing);
        }
    }

    #[test]
    fn a_line_of_any_length_stays_whole() {
        let text = format!("{}\nshort\n", "long ".repeat(1 << 20));
        let whole = Cut {
            whole_documents: true,
            ..of(InputFormat::Lines)
        };
        for cut in [whole, of(InputFormat::Tokens), of(InputFormat::Jsonl)] {
            let units = cut_in(text.as_bytes(), 1 << 16, cut);
            assert_eq!(units.len(), 2);
            assert_eq!((units[1].line, units[1].text.as_str()), (2, "short\n"));
        }
    }

    #[test]
    fn a_line_without_end_is_cut_between_words_and_each_part_knows_its_place() {
        let line = "é long ".repeat(300_000);
        let text = format!("first\n{line}\nlast");
        let units = cut_in(text.as_bytes(), 1 << 16, of(InputFormat::Lines));
        assert_eq!(joined(&units), text);
        assert!(units.len() > 3);
        for pair in units.windows(2) {
            assert_eq!(pair[0].stops_in_line, pair[1].continues_line);
            assert!(pair[0].text.len() <= LINE_LIMIT);
            if pair[1].continues_line {
                assert_eq!(pair[1].line, 2);
                let at = pair[1].start.bytes as usize;
                let length = pair[1].text.find('\n').unwrap_or(pair[1].text.len());
                assert_eq!(&line[at..at + length], &pair[1].text[..length]);
            }
        }
        assert!(!units[units.len() - 1].stops_in_line);
    }

    #[test]
    fn conllu_documents_stay_whole_where_they_must() {
        let sentence = format!("1\t{}\t_\t_\t_\t_\t_\t_\t_\t_\n\n", "w".repeat(1000));
        let text: String = (0..20)
            .map(|i| format!("# newdoc id = d{i}\n{}", sentence.repeat(90)))
            .collect();
        let cut = of(InputFormat::Conllu);
        let whole = Cut {
            whole_documents: true,
            ..cut
        };
        for unit in cut_in(text.as_bytes(), 1 << 16, whole) {
            assert!(unit.text.starts_with("# newdoc"));
        }
        let text = format!("# newdoc id = a\n{}", sentence.repeat(400));
        let units = cut_in(text.as_bytes(), 1 << 16, cut);
        assert!(units.len() > 2);
        assert_eq!(units[2].document.as_deref(), Some("a"));
        assert_eq!(cut_in(text.as_bytes(), 1 << 16, whole).len(), 1);
    }

    #[test]
    fn an_eager_cutter_waits_for_nothing_that_is_complete() {
        let eager = |format, text: &str| {
            let cut = Cut {
                eager: true,
                ..of(format)
            };
            let units = cut_in(text.as_bytes(), 3, cut);
            units.into_iter().map(|unit| unit.text).collect::<Vec<_>>()
        };
        assert_eq!(
            eager(InputFormat::Lines, "ab\ncd\nef"),
            ["ab\n", "cd\n", "ef"]
        );
        assert_eq!(
            eager(InputFormat::Text, "ab\nc\n\nd\n\n"),
            ["ab\nc\n\n", "d\n\n"]
        );
        assert_eq!(
            eager(InputFormat::Conllu, "1\ta\n\n1\tb\n\n"),
            ["1\ta\n\n", "1\tb\n\n"]
        );
    }

    #[test]
    fn white_space_alone_opens_nothing() {
        let cut = Cut {
            eager: true,
            ..TEXT
        };
        let units = cut_in(b"\n\n\n\nA", 2, cut);
        assert_eq!(units.last().map(|unit| unit.opens), Some(Opens::Document));
    }

    #[test]
    fn invalid_bytes_are_named_by_line_and_byte() {
        let mut units = Units::new(&b"\xEF\xBB\xBFab\nc\xFFd\n"[..], TEXT);
        let error = units.next_unit().unwrap_err();
        assert!(matches!(error, UnitError::InvalidUtf8 { line: 2, byte: 7 }));
        let cut = Cut {
            replace_invalid: true,
            ..TEXT
        };
        assert_eq!(cut_in(b"a\xFFb", 9, cut)[0].text, "a\u{FFFD}b");
    }

    /// Whatever the bytes and however they arrive, they come out again, in the same units.
    pub(in crate::text) fn check_units(text: &str, chunk: usize, flags: usize) {
        let is = |bit: usize| flags >> bit & 1 == 1;
        let formats = [
            InputFormat::Text,
            InputFormat::Lines,
            InputFormat::Conllu,
            InputFormat::Jsonl,
        ];
        let cut = Cut {
            format: formats[flags % 4],
            whole_documents: is(2),
            newline_breaks: is(3),
            whole_lines: is(4),
            ..TEXT
        };
        let sizes = Sizes {
            target: 16,
            paragraph_limit: 40,
            line_limit: 48,
            document_limit: 64,
            lookahead: 400,
            read: 8,
        };
        let units = |chunk| {
            let mut units = Units::new(Trickle(text.as_bytes(), chunk), cut);
            units.sizes = sizes;
            std::iter::from_fn(|| units.next_unit().unwrap()).collect::<Vec<_>>()
        };
        let found = units(chunk);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        assert_eq!(joined(&found), text);
        for unit in &found {
            assert!(!unit.text.is_empty());
            if cut.format == InputFormat::Text {
                assert!(unit.text.len() <= 40);
                let at = &text[unit.start.bytes as usize..];
                assert_eq!(&at[..unit.text.len()], &unit.text);
            }
        }
        assert_eq!(found, units(1000));
    }

    proptest::proptest! {
        #[test]
        fn units_add_up_and_depend_on_the_bytes_alone(
            text in "([a-c.é ]{0,6}\r?\n?|# newdoc\n|\n\n){0,300}",
            chunk in 1..40usize,
            flags in 0..32usize,
        ) {
            check_units(&text, chunk, flags);
        }
    }
}
