//! The different words of a sentence pair as the numbers 1, 2, 3, …: what is compared often is compared fast.

use crate::text::hash;
use hashbrown::HashTable;

/// Words and their numbers.
#[derive(Default)]
pub struct Numbers<'a> {
    table: HashTable<(&'a str, u32)>,
}

impl<'a> Numbers<'a> {
    /// The number of a word: that of the same word before, or the next.
    pub fn number(&mut self, word: &'a str) -> u32 {
        let hash = |word: &str| hash::bytes(0, word.as_bytes());
        let next = self.table.len() as u32 + 1;
        let entry = (self.table).entry(hash(word), |slot| slot.0 == word, |slot| hash(slot.0));
        entry.or_insert((word, next)).get().1
    }

    /// The numbers of words.
    pub fn all(&mut self, words: impl Iterator<Item = &'a str>) -> Vec<u32> {
        words.map(|word| self.number(word)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_words_have_equal_numbers() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.all("a rose is a rose".split(' ')), [1, 2, 3, 1, 2]);
        assert_eq!(numbers.all("is it".split(' ')), [3, 4]);
    }
}
