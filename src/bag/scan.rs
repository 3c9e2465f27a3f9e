//! Words and white space of texts, byte by byte where they are ASCII, 64 at a time where nothing else matters.

use super::ngrams::Pieces;
use super::word_class::{is_space, is_word};

/// Whether a byte of ASCII stands in words.
#[inline(always)]
fn is_word_byte(b: u8) -> bool {
    // Not short-circuited: many bytes at once are looked at.
    ((b | 0x20).wrapping_sub(b'a') < 26) | (b.wrapping_sub(b'0') < 10) | (b == b'_')
}

/// The bytes that stand in words or are not ASCII, as bits.
#[inline]
fn word_bits(bytes: &[u8; 64]) -> u64 {
    let flags = bytes.map(|b| u8::from(is_word_byte(b) | (b >= 0x80)));
    let (eights, _) = flags.as_chunks::<8>();
    let gathered = eights.iter().map(|eight| {
        // The product moves the lowest bit of byte i to bit 56 + i.
        u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56
    });
    gathered.rev().fold(0, |bits, eight| bits << 8 | eight)
}

/// Finds what has two bytes or more between those of ASCII that part words; `pieces` has the text as it is but for
/// capitals of ASCII.
pub(super) fn words_and_beyond(text: &[u8], lower: bool, pieces: &mut Pieces) {
    let first = pieces.text.len();
    pieces.text.extend_from_slice(text);
    if lower {
        pieces.text[first..].make_ascii_lowercase();
    }
    // What is behind the text ends its last word.
    let padded = (text.len() + 1).next_multiple_of(64);
    pieces.text.resize(first + padded, b' ');
    let (chunks, _) = pieces.text[first..].as_chunks::<64>();
    let mut in_word = 0;
    let mut start = None;
    for (from, chunk) in (first..).step_by(64).zip(chunks) {
        let bits = word_bits(chunk);
        // Words begin and end where neighbours differ.
        let mut edges = bits ^ (bits << 1 | in_word);
        in_word = bits >> 63;
        while edges != 0 {
            let at = from + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            match start.take() {
                None => start = Some(at),
                Some(start) if at - start >= 2 => pieces.words.push((start, at)),
                Some(_) => {}
            }
        }
    }
}

/// The next run of word characters from `start` on.
#[inline]
pub(super) fn next_word(text: &str, start: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = start;
    let mut from = None;
    while at < bytes.len() {
        let (is_word, length) = match bytes[at] {
            b if b.is_ascii() => (is_word_byte(b), 1),
            _ => match text[at..].chars().next() {
                Some(c) => (is_word(c), c.len_utf8()),
                None => break,
            },
        };
        match (is_word, from) {
            (true, None) => from = Some(at),
            (false, Some(from)) => return Some((from, at)),
            _ => {}
        }
        at += length;
    }
    Some((from?, at))
}

/// Appends the text with every run of two or more white space characters as one space.
pub(super) fn one_space(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.find(is_space) {
        let behind = rest[at..].trim_start_matches(is_space);
        let run = &rest[at..rest.len() - behind.len()];
        out.extend_from_slice(&rest.as_bytes()[..at]);
        match run.chars().nth(1) {
            Some(_) => out.push(b' '),
            None => out.extend_from_slice(run.as_bytes()),
        }
        rest = behind;
    }
    out.extend_from_slice(rest.as_bytes());
}
