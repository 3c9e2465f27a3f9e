//! Reading CoNLL-U.

use super::comment::take_in;
use crate::text::document::{Document, EmptyNode, Misc, Sentence, Token, Word};
use crate::text::format::FormatError;
use compact_str::CompactString;

/// The names of the columns, for messages.
const RANGES: &str = "the range 2-3 stands before the words 2 and 3, and no other range holds them";
const COLUMNS: [&str; 10] = [
    "ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC",
];

/// Reads whole sentences, any number of them, into an unlocated document. `first_line` is the number of the text's
/// first line in its file.
///
/// # Errors
/// The first line that does not follow the format, by its number.
pub fn parse(text: &str, first_line: u64) -> Result<Document, FormatError> {
    let mut reader = Reader {
        line: first_line,
        ..Reader::default()
    };
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest.as_bytes());
        let line = &rest[..end.unwrap_or(rest.len())];
        reader.read_line(line.trim_end_matches('\r'))?;
        reader.line += 1;
        rest = end.map_or("", |end| &rest[end + 1..]);
    }
    reader.end_sentence()?;
    Ok(reader.document)
}

#[derive(Default)]
struct Reader {
    document: Document,
    /// The sentence being read.
    sentence: Sentence,
    line: u64,
    /// The last word of the range that is open: 0 for none, never less than the number of words otherwise.
    range_end: usize,
    range_line: u64,
}

/// The first column.
enum Id {
    Word(usize),
    Range(usize, usize),
    Empty(usize, usize),
}

impl Reader {
    fn read_line(&mut self, line: &str) -> Result<(), FormatError> {
        if line.is_empty() {
            return self.end_sentence();
        }
        if line.starts_with('#') {
            return self.read_comment(line);
        }
        let columns = self.split(line)?;
        let Some(id) = parse_id(columns[0]) else {
            return Err(self
                .error(format!("`{}` is not a word id", columns[0]))
                .hint("ids are numbers from 1, ranges such as 2-3, or empty nodes such as 3.1"));
        };
        if columns[1].is_empty() {
            return Err(self
                .error("the column FORM is empty")
                .hint("a form that is not known is written _"));
        }
        match id {
            Id::Word(id) => self.read_word(id, &columns),
            Id::Range(first, last) => self.read_range(first, last, &columns),
            Id::Empty(after, number) => {
                // The first column is followed by a tab, since there are ten.
                self.read_empty_node(after, number, &line[columns[0].len() + 1..])
            }
        }
    }

    /// Cuts a line at its tabs.
    fn split<'a>(&self, line: &'a str) -> Result<[&'a str; 10], FormatError> {
        let mut columns = [""; 10];
        let (mut start, mut count) = (0, 0);
        for tab in memchr::memchr_iter(b'\t', line.as_bytes()) {
            if count < 10 {
                columns[count] = &line[start..tab];
            }
            count += 1;
            start = tab + 1;
        }
        if count == 9 {
            columns[9] = &line[start..];
            return Ok(columns);
        }
        let error = self.error(format!("expected 10 columns, found {}", count + 1));
        Err(if count == 0 && line.split(' ').count() >= 10 {
            error.hint("columns are parted by tabs, not by spaces")
        } else if line.trim().is_empty() {
            error.hint("the line between sentences is empty, without spaces")
        } else {
            error.hint("a column without a value is written _")
        })
    }

    fn read_comment(&mut self, line: &str) -> Result<(), FormatError> {
        let sentence = &mut self.sentence;
        if !sentence.tokens.is_empty() || !sentence.empty_nodes.is_empty() {
            return Err(self
                .error("a comment inside a sentence")
                .hint("comments stand before the first word; a blank line ends a sentence"));
        }
        take_in(line, sentence, &mut self.document.id);
        Ok(())
    }

    fn read_word(&mut self, id: usize, columns: &[&str; 10]) -> Result<(), FormatError> {
        let words = &mut self.sentence.words;
        let index = words.len();
        if id != index + 1 {
            return Err(self
                .error(format!("expected word id {}, found {id}", index + 1))
                .hint("ids count 1, 2, 3 … in each sentence; a blank line ends a sentence"));
        }
        let head = match columns[6] {
            "_" | "" => None,
            head => match parse_number(head).and_then(|n| u32::try_from(n).ok()) {
                Some(head) => Some(head),
                None => {
                    return Err(self
                        .error(format!("the column HEAD holds `{head}`, not a number"))
                        .hint("HEAD is the id of a word, 0 for the root, or _"));
                }
            },
        };
        words.push(Word {
            form: columns[1].into(),
            lemma: column(columns[2]),
            upos: column(columns[3]),
            xpos: column(columns[4]),
            feats: column(columns[5]),
            head,
            deprel: column(columns[7]),
            deps: column(columns[8]),
            misc: parse_misc(columns[9]),
        });
        let id = id as u32;
        match self.sentence.tokens.last_mut() {
            Some(token) if index < self.range_end => token.words.end = id,
            _ => self.sentence.tokens.push(Token {
                words: id - 1..id,
                ..Token::default()
            }),
        }
        Ok(())
    }

    fn read_range(
        &mut self,
        first: usize,
        last: usize,
        columns: &[&str; 10],
    ) -> Result<(), FormatError> {
        let next = self.sentence.words.len() + 1;
        let range = columns[0];
        if last < first {
            let problem = format!("the range {range} runs backwards");
            return Err(self.error(problem).hint(RANGES));
        }
        if self.range_end >= next {
            let end = self.range_end;
            let problem = format!("the range {range} overlaps the one that ends at {end}");
            return Err(self.error(problem).hint(RANGES));
        }
        if first != next {
            return Err(self
                .error(format!("expected word id {next}, found the range {range}"))
                .hint("a range stands right before its first word"));
        }
        for i in [2, 3, 4, 6, 7, 8] {
            if !matches!(columns[i], "_" | "") {
                return Err(self
                    .error(format!(
                        "the column {} of the range {range} holds `{}`",
                        COLUMNS[i], columns[i]
                    ))
                    .hint("a range has a FORM and may have FEATS and MISC; the rest belongs to its words"));
            }
        }
        self.range_end = last;
        self.range_line = self.line;
        let start = self.sentence.words.len() as u32;
        self.sentence.tokens.push(Token {
            words: start..start,
            form: Some(columns[1].into()),
            feats: column(columns[5]),
            misc: parse_misc(columns[9]),
            ..Token::default()
        });
        Ok(())
    }

    fn read_empty_node(
        &mut self,
        after: usize,
        number: usize,
        columns: &str,
    ) -> Result<(), FormatError> {
        let words = self.sentence.words.len();
        let expected = match self.sentence.empty_nodes.last() {
            Some(node) if node.after as usize == words => node.number as usize + 1,
            _ => 1,
        };
        if (after, number) != (words, expected) {
            return Err(self.error(format!(
                "expected empty node {words}.{expected}, found {after}.{number}"
            )));
        }
        if self
            .sentence
            .tokens
            .last()
            .is_some_and(|t| t.words.is_empty())
        {
            return Err(self.error(format!(
                "the empty node {after}.{number} stands between a range and its first word"
            )));
        }
        self.sentence.empty_nodes.push(EmptyNode {
            after: after as u32,
            number: number as u32,
            columns: columns.to_string(),
        });
        Ok(())
    }

    fn end_sentence(&mut self) -> Result<(), FormatError> {
        let words = self.sentence.words.len();
        if self.range_end > words {
            let problem = format!(
                "the range ends at {}, but its sentence has {words} words",
                self.range_end
            );
            return Err(FormatError::new(self.range_line, problem).hint(RANGES));
        }
        if words == 0 {
            if self.sentence == Sentence::default() {
                return Ok(());
            }
            return Err(self
                .error("a sentence without words")
                .hint("comments stand right above the first word of their sentence"));
        }
        self.range_end = 0;
        self.document
            .sentences
            .push(std::mem::take(&mut self.sentence));
        Ok(())
    }

    fn error(&self, problem: impl Into<String>) -> FormatError {
        FormatError::new(self.line, problem)
    }
}

/// A column's value: empty for `_`.
fn column(text: &str) -> CompactString {
    if text == "_" {
        CompactString::const_new("")
    } else {
        CompactString::from(text)
    }
}

/// The items of a MISC column.
pub(crate) fn parse_misc(text: &str) -> Misc {
    if matches!(text, "_" | "") {
        return Misc::default();
    }
    let items = 1 + memchr::memchr_iter(b'|', text.as_bytes()).count();
    let mut misc = Vec::with_capacity(items);
    misc.extend(text.split('|').map(CompactString::from));
    Misc(misc)
}

fn parse_id(text: &str) -> Option<Id> {
    if let Some(id) = parse_number(text) {
        return Some(Id::Word(id));
    }
    if let Some((first, last)) = text.split_once('-') {
        return Some(Id::Range(parse_number(first)?, parse_number(last)?));
    }
    let (after, number) = text.split_once('.')?;
    Some(Id::Empty(parse_number(after)?, parse_number(number)?))
}

/// A number as it is printed again: digits, no leading zero, below 2^32.
fn parse_number(text: &str) -> Option<usize> {
    let digits = text.as_bytes();
    if digits.is_empty() || digits.len() > 9 || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    digits.iter().try_fold(0, |n, digit| {
        digit
            .is_ascii_digit()
            .then(|| n * 10 + usize::from(digit - b'0'))
    })
}
