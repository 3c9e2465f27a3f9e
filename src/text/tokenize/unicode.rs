//! Words and sentences by UAX #29, in any language, with fast paths for ASCII.
//!
//! A word token is a segment between word boundaries that is not white space. unicode-segmentation knows the rules for
//! all of Unicode; where a segment and the character behind it are ASCII, the few rules that can apply are decided here
//! (WB5-13: letters, digits and `_` hold together; `. ' :` between letters, `. ' , ;` between digits), and likewise for
//! sentences (SB6-11 around `. ! ?`). Both rule sets look back no further than the last boundary, so that either side
//! can take over at one. A property test compares the two on random text.
//!
//! Standard: Unicode Standard Annex #29, Unicode Text Segmentation.

use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// Gives the word tokens of `text` in order.
pub fn words(text: &str, mut token: impl FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let b = bytes[at];
        let ascii_behind = |end: usize| bytes.get(end).is_none_or(u8::is_ascii);
        let end = if is_word_byte(b) {
            ascii_word(bytes, at)
        } else if b.is_ascii() && ascii_behind(at + 1) {
            Some(at + 1)
        } else {
            None
        };
        match end {
            Some(end) => {
                if !b.is_ascii_whitespace() && b != 0x0b {
                    token(at..end);
                }
                at = end;
            }
            None => {
                let segment = text[at..].split_word_bounds().next().unwrap_or(&text[at..]);
                let trimmed = segment.trim_start();
                let start = at + segment.len() - trimmed.len();
                at += segment.len();
                if !trimmed.is_empty() {
                    // White space can only begin a segment (a space with a combining mark), not end it.
                    token(start..at);
                }
            }
        }
    }
}

#[inline]
fn is_word_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// The end of the word that begins at `at`; nothing when a character beyond ASCII has a say in it.
#[inline]
fn ascii_word(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    loop {
        while end < bytes.len() && is_word_byte(bytes[end]) {
            end += 1;
        }
        let Some(&middle) = bytes.get(end) else {
            return Some(end);
        };
        if !middle.is_ascii() {
            return None;
        }
        let in_letters = matches!(middle, b'.' | b'\'' | b':');
        let in_digits = matches!(middle, b'.' | b'\'' | b',' | b';');
        if !in_letters && !in_digits {
            return Some(end);
        }
        let (before, after) = match bytes.get(end + 1) {
            None => return Some(end),
            Some(after) if !after.is_ascii() => return None,
            Some(after) => (bytes[end - 1], *after),
        };
        let joined = in_letters && before.is_ascii_alphabetic() && after.is_ascii_alphabetic()
            || in_digits && before.is_ascii_digit() && after.is_ascii_digit();
        if !joined {
            return Some(end);
        }
        end += 1;
    }
}

/// The end of the sentence that begins at `start`, a sentence boundary of `text`.
pub fn sentence_end(text: &str, start: usize) -> usize {
    match ascii_sentence_end(text.as_bytes(), start) {
        Some(end) => end,
        None => {
            let rest = &text[start..];
            start + rest.split_sentence_bounds().next().unwrap_or(rest).len()
        }
    }
}

/// The same, or nothing when a character beyond ASCII has a say in it.
fn ascii_sentence_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        while at < bytes.len() && !STOPS[usize::from(bytes[at])] {
            at += 1;
        }
        let Some(&b) = bytes.get(at) else {
            return Some(bytes.len());
        };
        match b {
            b'\n' | b'\r' => return Some(line_end(bytes, at)),
            b'.' | b'!' | b'?' => match behind_terminator(bytes, start, at)? {
                Behind::End(end) => return Some(end),
                Behind::Goes(on) => at = on,
            },
            _ => at += harmless(&bytes[at..])?,
        }
    }
}

/// Bytes that the search for a sentence's end must look at: terminators, line ends, and all beyond ASCII.
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut b = 0x80;
    while b < 256 {
        stops[b] = true;
        b += 1;
    }
    stops[b'.' as usize] = true;
    stops[b'!' as usize] = true;
    stops[b'?' as usize] = true;
    stops[b'\n' as usize] = true;
    stops[b'\r' as usize] = true;
    stops
};

/// The length of a character that neither ends a sentence nor parts paragraphs; nothing for all others.
fn harmless(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0xc3..=0xc9, _, ..] => Some(2), // Latin letters, × and ÷
        [0xc2, second, ..] if *second != 0x85 => Some(2), // Latin-1 but the control NEL
        [0xe2, 0x80, 0x90..=0xa3 | 0xa5 | 0xa6, ..] => Some(3), // dashes, quotes, bullets; not U+2024, a full stop
        _ => None,
    }
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    match bytes[at..] {
        [b'\r', b'\n', ..] => at + 2,
        _ => at + 1,
    }
}

enum Behind {
    End(usize),
    Goes(usize),
}

/// Rules SB6 to SB11 behind the terminator at `at`.
fn behind_terminator(bytes: &[u8], start: usize, at: usize) -> Option<Behind> {
    let full_stop = bytes[at] == b'.';
    let mut next = at + 1;
    if full_stop && let Some(&after) = bytes.get(next) {
        let before = if at > start { bytes[at - 1] } else { b' ' };
        if !before.is_ascii() {
            return None;
        }
        if after.is_ascii_digit() || before.is_ascii_alphabetic() && after.is_ascii_uppercase() {
            return Some(Behind::Goes(next));
        }
    }
    let close = |b: &u8| matches!(b, b'"' | b'\'' | b'(' | b')' | b'[' | b']' | b'{' | b'}');
    let space = |b: &u8| matches!(b, b' ' | b'\t' | 0x0b | 0x0c);
    next += bytes[next..].iter().take_while(|b| close(b)).count();
    next += bytes[next..].iter().take_while(|b| space(b)).count();
    let Some(&b) = bytes.get(next) else {
        return Some(Behind::End(next));
    };
    match b {
        0x80.. => return None,
        b'\r' | b'\n' => return Some(Behind::End(line_end(bytes, next))),
        b',' | b'-' | b':' | b';' | b'.' | b'!' | b'?' => return Some(Behind::Goes(next)),
        _ => {}
    }
    if full_stop {
        // SB8: a small letter goes on, whatever but letters and ends stands before it.
        let stop = |b: &u8| b.is_ascii_alphabetic() || STOPS[usize::from(*b)];
        match bytes[next..].iter().find(|b| stop(b)) {
            Some(b) if !b.is_ascii() => return None,
            Some(b) if b.is_ascii_lowercase() => return Some(Behind::Goes(next)),
            _ => {}
        }
    }
    Some(Behind::End(next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fast_words(text: &str) -> Vec<&str> {
        let mut words = Vec::new();
        super::words(text, |range| words.push(&text[range]));
        words
    }

    fn fast_sentences(text: &str) -> Vec<&str> {
        let mut at = 0;
        let mut sentences = Vec::new();
        while at < text.len() {
            let end = sentence_end(text, at);
            sentences.push(&text[at..end]);
            at = end;
        }
        sentences
    }

    /// Text of the characters that the rules are about.
    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            8 => "[a-zA-Z0-9_]{1,3}",
            4 => "[.!?,:;'\"()\\[\\]{}-]",
            3 => "[ \t\r\n\u{b}\u{c}]",
            2 => "[éÉß“”’…—\u{85}\u{a0}\u{2024}\u{2028}\u{3002}中のア]",
            1 => "[\u{301}\u{200d}\u{ad}👍🏽🇩🇪\u{5d0}\u{664}]",
            1 => any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn words_are_those_of_the_standard(text in texts()) {
            let slow: Vec<&str> =
                text.split_word_bounds().map(str::trim_start).filter(|w| !w.is_empty()).collect();
            prop_assert_eq!(fast_words(&text), slow);
        }

        #[test]
        fn sentences_are_those_of_the_standard(text in texts()) {
            let slow: Vec<&str> = text.split_sentence_bounds().collect();
            prop_assert_eq!(fast_sentences(&text), slow);
        }
    }

    #[test]
    fn contractions_numbers_and_marks_hold_together() {
        assert_eq!(
            fast_words("Don't pay 3,50.5 (e.g. a_b)!"),
            ["Don't", "pay", "3,50.5", "(", "e.g", ".", "a_b", ")", "!"]
        );
    }

    #[test]
    fn a_full_stop_before_a_small_letter_ends_nothing() {
        assert_eq!(
            fast_sentences("etc. and so. “Yes.” No"),
            ["etc. and so. ", "“Yes.” ", "No"]
        );
    }
}
