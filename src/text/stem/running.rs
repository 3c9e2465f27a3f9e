//! Stemming of running text: every word is replaced by its stem, every other byte is copied, so lines stay lines.
//!
//! A word is a segment of UAX #29 that holds a letter. In English nearly all text is ASCII, where the word rules come
//! down to this: letters, digits and `_` join (WB5, WB8–10, WB13a, WB13b); `.` `'` `:` join two letters (WB6, WB7) and
//! `.` `'` `,` `;` two digits (WB11, WB12); all else parts. What touches another script goes through
//! unicode-segmentation, from where it begins to the next ASCII white space, which always parts words. A property test
//! holds the short way against the long one.
//!
//! Unicode Standard Annex #29, *Unicode Text Segmentation*, section 4.

use super::Stemmer;
use super::cache::Cache;
use std::sync::{Mutex, PoisonError};
use unicode_segmentation::UnicodeSegmentation;

/// A stemmer for running text, with the stems it has found so far.
pub struct Running {
    stemmer: Stemmer,
    /// What the calls now at work do not use: there are never more than threads that have called at once.
    idle: Mutex<Vec<Worker>>,
}

impl Running {
    pub fn new(stemmer: Stemmer) -> Running {
        Running {
            stemmer,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Appends `text` with every word stemmed.
    ///
    /// Text cut at line ends gives the same as the whole. Threads may call this side by side.
    pub fn stem(&self, text: &str, out: &mut String) {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut worker = idle().pop().unwrap_or_else(Worker::new);
        worker.out.clear();
        worker.out.reserve(text.len() + 64);
        worker.text(&self.stemmer, text);
        // Valid by construction; the check costs a hundredth of the time and saves an `unsafe`.
        out.push_str(&String::from_utf8_lossy(&worker.out));
        idle().push(worker);
    }
}

/// What a thread works with.
struct Worker {
    cache: Cache,
    /// Bytes, so that copying out of the cache needs no check; whole characters only are ever written.
    out: Vec<u8>,
}

impl Worker {
    fn new() -> Worker {
        Worker {
            cache: Cache::new(),
            out: Vec::new(),
        }
    }

    fn text(&mut self, stemmer: &Stemmer, text: &str) {
        let bytes = text.as_bytes();
        let mut copied = 0;
        let mut at = 0;
        while at < bytes.len() {
            let segment = match class(bytes, at) {
                Class::Letter | Class::Digit | Class::Underscore => ascii_segment(bytes, at),
                Class::Foreign => Segment::Foreign,
                Class::Dash => {
                    at += DASH_LENGTH;
                    continue;
                }
                _ => {
                    at += 1;
                    continue;
                }
            };
            let end = match segment {
                Segment::Word(end) => {
                    self.out.extend_from_slice(&bytes[copied..at]);
                    self.word(stemmer, text, (at, end));
                    copied = end;
                    end
                }
                Segment::Number(end) => end,
                Segment::Foreign => {
                    let start = foreign_start(text, copied, at);
                    let end = (bytes[at..].iter().position(u8::is_ascii_whitespace))
                        .map_or(bytes.len(), |length| at + length);
                    self.out.extend_from_slice(&bytes[copied..start]);
                    self.foreign(stemmer, &text[start..end]);
                    copied = end;
                    end
                }
            };
            at = end;
        }
        self.out.extend_from_slice(&bytes[copied..]);
    }

    #[inline]
    fn word(&mut self, stemmer: &Stemmer, text: &str, span: (usize, usize)) {
        self.cache.stem(text, span, &mut self.out, |word, stem| {
            stemmer.stem(word, stem);
        });
    }

    /// The long way, for any script.
    fn foreign(&mut self, stemmer: &Stemmer, text: &str) {
        for (start, segment) in text.split_word_bound_indices() {
            if segment.chars().any(char::is_alphabetic) {
                self.word(stemmer, text, (start, start + segment.len()));
            } else {
                self.out.extend_from_slice(segment.as_bytes());
            }
        }
    }
}

/// Where the segment begins that the foreign character at `at` may be part of: a joiner sticks to the character before
/// it, and spaces stick together (WB3d, WB4). Only segments such as `' ZWJ Ⓜ` then hold a letter.
fn foreign_start(text: &str, copied: usize, at: usize) -> usize {
    let before = &text[copied..at];
    let spaces = before.bytes().rev().take_while(|&b| b == b' ').count();
    let last = before.chars().next_back().map_or(0, char::len_utf8);
    at - spaces.max(last)
}

/// The class of the character at `at`; what parts words behind the end.
#[inline]
fn class(bytes: &[u8], at: usize) -> Class {
    match bytes.get(at) {
        Some(&byte) => match CLASSES[usize::from(byte)] {
            Class::Foreign if is_dash_or_quote(&bytes[at..]) => Class::Dash,
            class => class,
        },
        None => Class::Other,
    }
}

/// Whether `bytes` begin with one of U+2010–2015 (dashes) and U+201C–201F (double quotes), which part words as their
/// ASCII cousins do; printed English is full of them. In UTF-8 they take [`DASH_LENGTH`] bytes.
#[inline]
fn is_dash_or_quote(bytes: &[u8]) -> bool {
    matches!(bytes, [0xe2, 0x80, 0x90..=0x95 | 0x9c..=0x9f, ..])
}

const DASH_LENGTH: usize = 3;

/// A segment that begins with a letter, digit or underscore, up to where it ends.
enum Segment {
    /// It holds a letter.
    Word(usize),
    /// It holds none.
    Number(usize),
    /// It touches another script.
    Foreign,
}

/// The segment of `bytes` that begins at `start`.
#[inline]
fn ascii_segment(bytes: &[u8], start: usize) -> Segment {
    let mut last = class(bytes, start);
    let mut has_letter = last == Class::Letter;
    let mut end = start + 1;
    loop {
        let next = class(bytes, end);
        let (joined, width) = match next {
            Class::Letter | Class::Digit | Class::Underscore => (next, 1),
            Class::Foreign => return Segment::Foreign,
            Class::Other | Class::Dash => break,
            Class::BetweenLetters | Class::BetweenDigits | Class::BetweenBoth => {
                let after = class(bytes, end + 1);
                match (last, after) {
                    (_, Class::Foreign) => return Segment::Foreign,
                    (Class::Letter, Class::Letter) if next != Class::BetweenDigits => {}
                    (Class::Digit, Class::Digit) if next != Class::BetweenLetters => {}
                    _ => break,
                }
                (after, 2)
            }
        };
        last = joined;
        has_letter |= joined == Class::Letter;
        end += width;
    }
    if has_letter {
        Segment::Word(end)
    } else {
        Segment::Number(end)
    }
}

/// The Word_Break property, as far as ASCII needs it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// ALetter
    Letter,
    /// Numeric
    Digit,
    /// ExtendNumLet
    Underscore,
    /// MidLetter
    BetweenLetters,
    /// MidNum
    BetweenDigits,
    /// MidNumLetQ
    BetweenBoth,
    /// What parts words.
    Other,
    /// A dash or double quote that is not ASCII; parts words too.
    Dash,
    /// Not ASCII otherwise.
    Foreign,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Foreign; 256];
    let mut byte = 0;
    while byte < 128 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'_' => Class::Underscore,
            b':' => Class::BetweenLetters,
            b',' | b';' => Class::BetweenDigits,
            b'.' | b'\'' => Class::BetweenBoth,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::stem::{Algorithm, Generation, Language};
    use proptest::prelude::*;

    fn stemmer() -> Stemmer {
        Stemmer::new(Algorithm::Snowball, Language::English, Generation::Two).unwrap()
    }

    fn stemmed(text: &str) -> String {
        let mut out = String::new();
        Running::new(stemmer()).stem(text, &mut out);
        out
    }

    /// The definition: one segment after another.
    fn slowly(stemmer: &Stemmer, text: &str) -> String {
        let mut out = String::new();
        for segment in text.split_word_bounds() {
            if segment.chars().any(char::is_alphabetic) {
                stemmer.stem(segment, &mut out);
            } else {
                out.push_str(segment);
            }
        }
        out
    }

    #[test]
    fn all_that_is_no_word_is_copied() {
        assert_eq!(
            stemmed("  The boys'\tdogs, 3.14 (barking)…\r\n\nand_so\0 on "),
            "  the boy'\tdog, 3.14 (bark)…\r\n\nand_so\0 on "
        );
    }

    #[test]
    fn a_joiner_makes_a_sign_and_a_letter_one_segment() {
        let text = "'\u{200d}Ⓜ  \u{200d}Ⓜ\n\u{200d}Ⓜ";
        assert_eq!(stemmed(text), slowly(&stemmer(), text));
    }

    #[test]
    fn both_apostrophes_give_one_stem() {
        assert_eq!(stemmed("cat's cat’s"), "cat cat");
    }

    #[test]
    fn words_longer_than_the_cache_has_room_for_are_stemmed() {
        assert_eq!(
            stemmed(&"internationalizations ".repeat(2)),
            "internation ".repeat(2)
        );
        let long = "a".repeat(40) + "s ";
        assert_eq!(stemmed(&long.repeat(2)), ("a".repeat(40) + " ").repeat(2));
        let endless = "a".repeat(100_000) + "s";
        assert_eq!(stemmed(&endless), endless);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn the_ascii_path_is_equal_to_the_definition(
            text in "([a-cA-CsS]|[0-9]|[_:.,;'\"-]|[ \r\n\t\u{b}\u{c}]|ing|ed){0,40}"
        ) {
            prop_assert_eq!(stemmed(&text), slowly(&stemmer(), &text));
        }

        #[test]
        fn text_of_mixed_scripts_is_equal_to_the_definition(
            text in "([a-c]|[0-9]|[_:.,;'\"]|[ \r\n\u{b}\u{c}\u{85}\u{2028}\u{3000}]|[éßЖ日カאⓂ😀]|[\u{301}\u{200d}\u{ad}\u{2019}\u{b7}“”—–]|🇩|ing){0,40}"
        ) {
            prop_assert_eq!(stemmed(&text), slowly(&stemmer(), &text));
        }

        #[test]
        fn text_cut_at_its_lines_gives_the_same(text in "\\PC{0,20}(\n\\PC{0,20}){0,4}") {
            let lines: String = text.split_inclusive('\n').map(stemmed).collect();
            prop_assert_eq!(stemmed(&text), lines);
        }
    }
}
