//! The words that vectors are learned for, with their counts.

use compact_str::CompactString;

/// Words, the most frequent first, those of equal counts in byte order. A word's place is its number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vocabulary {
    pub words: Vec<CompactString>,
    pub counts: Vec<u64>,
}

impl Vocabulary {
    pub fn len(&self) -> usize {
        self.words.len()
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Tokens of all words.
    pub fn tokens(&self) -> u64 {
        self.counts.iter().sum()
    }
}
