//! The stems of words seen before: a table of fixed size in which a new word takes the place of an old one.
//!
//! Half of a book consists of some hundred words, so that a table without chains answers nearly always. Word and stem
//! are each one 128-bit number, 15 letters and in the top byte how many they are, so that finding a word is one
//! comparison; longer words (one in 4,000) are not kept. A cache line holds two entries, the newer one first. Words are
//! kept as they were written, capitals included: an answer costs no lower-casing either.
//!
//! On four books (7.4 MB, 35,000 different words) and one thread of a busy machine this reads 90 MB/s, where a table of
//! 64-byte entries with byte slices read 62 (timed once, by a program that was not kept).

use super::Stemmer;
use crate::text::hash;

/// Cache lines, 64 bytes each: 2 MB, which the second-level cache of a server core holds.
const LINES: usize = 1 << 15;

/// Letters of a word or stem that fit.
const ROOM: usize = 15;

pub(super) struct Cache(Box<[Line]>);

#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Line([Entry; 2]);

/// Both 0 while nothing is stored.
#[derive(Clone, Copy, Default)]
struct Entry {
    word: u128,
    stem: u128,
}

impl Cache {
    pub(super) fn new() -> Cache {
        Cache(vec![Line::default(); LINES].into_boxed_slice())
    }

    /// Appends the stem of the word `text[start..end]` to `out`; `stem` is asked for it when it is not stored.
    #[inline]
    pub(super) fn stem(
        &mut self,
        text: &str,
        (start, end): (usize, usize),
        out: &mut Vec<u8>,
        stem: impl FnOnce(&str, &mut String),
    ) {
        let Some(word) = packed(text.as_bytes(), start, end) else {
            let mut fresh = String::new();
            stem(&text[start..end], &mut fresh);
            out.extend_from_slice(fresh.as_bytes());
            return;
        };
        let slot = hash::mix(word as u64, (word >> 64) as u64) as usize % LINES;
        let Line(entries) = &mut self.0[slot];
        let found = if entries[0].word == word {
            entries[0].stem
        } else if entries[1].word == word {
            entries[1].stem
        } else {
            let mut fresh = String::new();
            stem(&text[start..end], &mut fresh);
            out.extend_from_slice(fresh.as_bytes());
            if let Some(stem) = packed(fresh.as_bytes(), 0, fresh.len()) {
                entries[1] = entries[0];
                entries[0] = Entry { word, stem };
            }
            return;
        };
        // Copying all the room and cutting it back is one fixed-size move.
        let bytes = found.to_le_bytes();
        let end = out.len() + usize::from(bytes[ROOM]);
        out.extend_from_slice(&bytes);
        out.truncate(end);
    }
}

/// Stems of single words, with those found so far.
pub struct CachedStemmer {
    cache: Cache,
    stem: Vec<u8>,
}

impl Default for CachedStemmer {
    fn default() -> CachedStemmer {
        CachedStemmer {
            cache: Cache::new(),
            stem: Vec::new(),
        }
    }
}

impl CachedStemmer {
    /// The stem of a word in UTF-8; always by the same `stemmer`.
    #[inline]
    pub fn stem(&mut self, stemmer: &Stemmer, word: &str) -> &[u8] {
        self.stem.clear();
        let whole = (0, word.len());
        (self.cache).stem(word, whole, &mut self.stem, |word, stem| {
            stemmer.stem(word, stem);
        });
        &self.stem
    }
}

/// The bytes from `start` to `end` as a number, if they fit: never 0 for a word.
#[inline]
fn packed(text: &[u8], start: usize, end: usize) -> Option<u128> {
    let length = end - start;
    if length > ROOM {
        return None;
    }
    let mut window = [0; 16];
    match text.get(start..start + 16) {
        // A move of fixed size; what follows the word is masked out.
        Some(bytes) => window.copy_from_slice(bytes),
        None => window[..length].copy_from_slice(&text[start..end]),
    }
    let letters = u128::from_le_bytes(window) & ((1 << (8 * length)) - 1);
    Some(letters | (length as u128) << (8 * ROOM))
}
