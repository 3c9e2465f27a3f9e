//! The words and marks that rules speak of, numbered.

use crate::text::hash;
use hashbrown::HashTable;

/// The number of everything else.
pub const UNKNOWN: u32 = 0;

/// Lower-cased words and marks by number, from 1.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    numbers: HashTable<u32>,
    words: Vec<String>,
}

impl Vocabulary {
    /// The number of a lower-cased word; [`UNKNOWN`] if no rule speaks of it.
    pub fn get(&self, word: &str) -> u32 {
        let found = self.numbers.find(hash_of(word), |&number| {
            self.words[number as usize - 1] == word
        });
        found.copied().unwrap_or(UNKNOWN)
    }

    /// The number of a lower-cased word, which it gets now if it has none.
    pub fn add(&mut self, word: &str) -> u32 {
        match self.get(word) {
            UNKNOWN => {
                self.words.push(word.to_owned());
                let number = self.words.len() as u32;
                let words = &self.words;
                self.numbers
                    .insert_unique(hash_of(word), number, |&n| hash_of(&words[n as usize - 1]));
                number
            }
            number => number,
        }
    }

    /// One more than the greatest number.
    pub fn len(&self) -> usize {
        self.words.len() + 1
    }
}

fn hash_of(word: &str) -> u64 {
    hash::bytes(0, word.as_bytes())
}
