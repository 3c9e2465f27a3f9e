//! Words cut into the pieces that rules are written in: numerals, runs of letters, single marks.
//!
//! ```text
//! $3.5   →  $ 3.5          p.m.  →  pm           10-year-old  →  10 - year - old
//! 3:30pm →  3 : 30 pm      1990s →  1990 s       o’clock      →  o ' clock
//! ```
//!
//! Letters are lower-cased, points leave abbreviations, dashes and quotation marks lose their variety. Only what the
//! rules speak of gets a number; all other runs of letters are the same.

use super::vocabulary::{UNKNOWN, Vocabulary};
use crate::text::document::Sentence;

/// A piece of a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// What it says, as a number of the [`Vocabulary`].
    pub literal: u32,
    /// The word it is of.
    pub word: u32,
    pub kind: Kind,
    /// It is the first, the last piece of its word.
    pub begins: bool,
    pub ends: bool,
    /// No space stands before it.
    pub glued: bool,
    pub capital: bool,
}

/// What a piece is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Letters,
    Mark,
    /// A numeral, its value, and how many digits it has; 0 where it has a point or separators.
    Digits(f64, u8),
}

/// Cuts the words of a sentence; true if any piece is one that rules speak of.
pub fn cut(
    text: Option<&str>,
    sentence: &Sentence,
    vocabulary: &Vocabulary,
    pieces: &mut Vec<Piece>,
) -> bool {
    pieces.clear();
    let mut is_known = false;
    let mut buffer = String::new();
    for (i, word) in sentence.words.iter().enumerate() {
        let start = pieces.len();
        is_known |= cut_word(
            &word.form,
            i as u32,
            |w| vocabulary.get(w),
            &mut buffer,
            pieces,
        );
        if let Some(piece) = pieces.get_mut(start) {
            piece.begins = true;
            piece.glued = false;
        }
        if let Some(piece) = pieces[start..].last_mut() {
            piece.ends = true;
        }
    }
    if is_known {
        glue(text, sentence, pieces);
    }
    is_known
}

/// Marks the words that follow the one before them without a space.
fn glue(text: Option<&str>, sentence: &Sentence, pieces: &mut [Piece]) {
    let mut glued = vec![false; sentence.words.len()];
    for pair in sentence.tokens.windows(2) {
        let is_glued = match text {
            Some(_) => pair[0].span.end == pair[1].span.start,
            None => {
                let misc = if Sentence::is_multiword(&pair[0]) {
                    Some(&pair[0].misc)
                } else {
                    let word = sentence.words.get(pair[0].words.start as usize);
                    word.map(|word| &word.misc)
                };
                misc.is_some_and(|misc| misc.get("SpaceAfter") == Some("No"))
            }
        };
        if let Some(place) = glued.get_mut(pair[1].words.start as usize) {
            *place = is_glued;
        }
    }
    for piece in pieces.iter_mut().filter(|piece| piece.begins) {
        piece.glued = glued[piece.word as usize];
    }
}

/// Cuts one word, or a piece of a rule.
pub fn cut_word(
    form: &str,
    word: u32,
    mut number_of: impl FnMut(&str) -> u32,
    buffer: &mut String,
    pieces: &mut Vec<Piece>,
) -> bool {
    let mut is_known = false;
    let mut rest = form;
    while let Some(first) = rest.chars().next() {
        let at_start = rest.len() == form.len();
        buffer.clear();
        let (length, kind) = if let Some((length, value, digits)) = numeral(rest, at_start) {
            (length, Kind::Digits(value, digits))
        } else if first.is_alphabetic() {
            (letters(rest, buffer), Kind::Letters)
        } else {
            buffer.push(plain_mark(first));
            (first.len_utf8(), Kind::Mark)
        };
        let literal = match kind {
            Kind::Digits(..) => UNKNOWN,
            _ => number_of(buffer),
        };
        is_known |= literal != UNKNOWN || matches!(kind, Kind::Digits(..));
        pieces.push(Piece {
            literal,
            word,
            kind,
            begins: false,
            ends: false,
            glued: true,
            capital: first.is_uppercase(),
        });
        rest = &rest[length..];
    }
    is_known
}

/// The letters `text` starts with, lower-cased into `buffer`, and their length. A point between letters, or behind the
/// last one of a word, is of an abbreviation.
fn letters(text: &str, buffer: &mut String) -> usize {
    let mut length = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_alphabetic() {
            buffer.extend(c.to_lowercase());
        } else if c != '.' || chars.peek().is_some_and(|next| !next.is_alphabetic()) {
            break;
        }
        length += c.len_utf8();
    }
    length
}

/// The numeral `text` starts with: its length, its value, and its digits if it has nothing else. Commas part groups of
/// three digits; a numeral with two points is a date, an address or a version and ends before the first.
fn numeral(text: &str, at_start: bool) -> Option<(usize, f64, u8)> {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let digit = |b: &&u8| b.is_ascii_digit();
        bytes
            .get(from..)
            .map_or(0, |rest| rest.iter().take_while(digit).count())
    };
    let mut whole = digits(0);
    if whole == 0 && !(at_start && bytes.first() == Some(&b'.') && digits(1) > 0) {
        return None;
    }
    let simple = whole;
    if (1..=3).contains(&whole) {
        while bytes.get(whole) == Some(&b',') && digits(whole + 1) == 3 {
            whole += 4;
        }
    }
    let mut end = whole;
    if bytes.get(whole) == Some(&b'.') && digits(whole + 1) > 0 {
        end = whole + 1 + digits(whole + 1);
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
            end = whole;
        }
    }
    let plain: String = text[..end].chars().filter(|c| *c != ',').collect();
    let value = plain.parse().ok()?;
    let only_digits = if end == simple { end.min(255) as u8 } else { 0 };
    Some((end, value, only_digits))
}

/// One mark for all of its kind.
fn plain_mark(mark: char) -> char {
    match mark {
        '‐'..='―' | '−' => '-',
        '’' | '‘' | '′' | '`' => '\'',
        '“' | '”' | '″' => '"',
        '∕' | '⁄' => '/',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(form: &str) -> Vec<Kind> {
        let mut pieces = Vec::new();
        let mut buffer = String::new();
        cut_word(form, 0, |_| UNKNOWN, &mut buffer, &mut pieces);
        pieces.iter().map(|piece| piece.kind).collect()
    }

    #[test]
    fn numerals_know_separators_from_versions() {
        assert_eq!(pieces("1,234.5"), [Kind::Digits(1234.5, 0)]);
        assert_eq!(pieces("2024"), [Kind::Digits(2024.0, 4)]);
        assert_eq!(pieces(".5"), [Kind::Digits(0.5, 0)]);
        let version = [Kind::Digits(1.0, 1), Kind::Mark, Kind::Digits(2.3, 0)];
        assert_eq!(pieces("1.2.3"), version);
        let lists = [Kind::Digits(1.0, 1), Kind::Mark, Kind::Digits(23.0, 2)];
        assert_eq!(pieces("1,23"), lists);
        assert_eq!(pieces("3.")[1], Kind::Mark);
    }

    #[test]
    fn abbreviations_lose_their_points() {
        let mut buffer = String::new();
        assert_eq!(letters("p.m.", &mut buffer), 4);
        assert_eq!(buffer, "pm");
        buffer.clear();
        assert_eq!(letters("Dec.5", &mut buffer), 3);
        assert_eq!(buffer, "dec");
    }
}
