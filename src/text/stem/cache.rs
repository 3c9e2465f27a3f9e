//! The stems of words seen before: a table of fixed size in which a new word takes the place of the old one.
//!
//! Half of a book consists of some hundred words, so that a table without chains or ages answers nearly always. An
//! entry is one cache line: the two lengths, then word and stem. Words are kept as they were written, capitals included,
//! so that an answer costs no lower-casing either.

use crate::text::hash;

/// Entries, 64 bytes each: 2 MB, which the second-level cache of a server core holds.
const ENTRIES: usize = 1 << 15;

/// Bytes of a word or stem that an entry has room for; 31 bytes are more than 99.99 % of the words of English prose.
const ROOM: usize = 31;

pub(super) struct Cache(Box<[Entry]>);

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Entry {
    /// 0 while nothing is stored.
    word_length: u8,
    stem_length: u8,
    word: [u8; ROOM],
    stem: [u8; ROOM],
}

impl Cache {
    pub(super) fn new() -> Cache {
        let empty = Entry {
            word_length: 0,
            stem_length: 0,
            word: [0; ROOM],
            stem: [0; ROOM],
        };
        Cache(vec![empty; ENTRIES].into_boxed_slice())
    }

    /// Appends the stem of `word` to `out`; `stem` is asked for it when it is not stored.
    #[inline]
    pub(super) fn stem(
        &mut self,
        word: &str,
        out: &mut Vec<u8>,
        stem: impl FnOnce(&str, &mut String),
    ) {
        let bytes = word.as_bytes();
        let slot = hash::bytes(0, bytes) as usize % ENTRIES;
        let entry = &mut self.0[slot];
        if usize::from(entry.word_length) == bytes.len()
            && entry.word.get(..bytes.len()) == Some(bytes)
        {
            // Copying all the room and cutting it back is one fixed-size move.
            let end = out.len() + usize::from(entry.stem_length);
            out.extend_from_slice(&entry.stem);
            out.truncate(end);
            return;
        }
        let mut fresh = String::new();
        stem(word, &mut fresh);
        out.extend_from_slice(fresh.as_bytes());
        entry.store(bytes, fresh.as_bytes());
    }
}

impl Entry {
    fn store(&mut self, word: &[u8], stem: &[u8]) {
        if word.len() > ROOM || stem.len() > ROOM {
            return;
        }
        self.word_length = word.len() as u8;
        self.stem_length = stem.len() as u8;
        self.word[..word.len()].copy_from_slice(word);
        self.stem[..stem.len()].copy_from_slice(stem);
    }
}
