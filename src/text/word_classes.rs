//! Classes of words learned from running text, as features: a word that was never annotated shares them with words that
//! were.
//!
//! Every word of the table has one class of each of a few lists: coarse and fine classes of the words around it
//! ([`crate::embed::classes`]), or what a first model calls it in text that nobody annotated.

use super::lexicon::{Lexicon, LexiconBuilder};
use super::model::{ModelError, Section};
use super::word_shape::WordShape;
use std::collections::BTreeMap;

/// The most lists of classes.
pub const LISTS: usize = 4;

/// Classes of lower-cased words.
#[derive(Clone, Debug, PartialEq)]
pub struct WordClasses(Lexicon);

/// The class of a word in a list in which it does not stand.
const NONE: u16 = u16::MAX - 1;

impl WordClasses {
    /// From lists of words with their classes; lists past [`LISTS`] are left out.
    pub fn new(lists: &[Vec<(String, u16)>]) -> WordClasses {
        let mut words: BTreeMap<u64, Vec<u16>> = BTreeMap::new();
        let mut scratch = String::new();
        for (n, list) in lists.iter().take(LISTS).enumerate() {
            for (word, class) in list {
                let key = WordShape::new(word, &mut scratch).lower;
                words
                    .entry(key)
                    .or_insert_with(|| vec![NONE; lists.len().min(LISTS)])[n] = *class;
            }
        }
        let mut builder = LexiconBuilder::default();
        words
            .into_iter()
            .for_each(|(key, classes)| builder.insert(key, classes));
        WordClasses(builder.build())
    }

    /// How many lists there are.
    pub fn lists(&self) -> usize {
        self.0.longest()
    }

    /// The classes of a word as features; 0 where it has none.
    #[inline]
    pub fn of(&self, word: &WordShape) -> [u64; LISTS] {
        let mut features = [0; LISTS];
        if let Some(number) = self.0.find(word.lower) {
            for (feature, class) in features.iter_mut().zip(self.0.list(number)) {
                *feature = if *class == NONE {
                    0
                } else {
                    u64::from(*class) + 1
                };
            }
        }
        features
    }

    /// Adds the classes to a model's section.
    pub fn save(&self, section: &mut Section) {
        self.0.save(section, "classes");
    }

    /// Reads them back.
    ///
    /// # Errors
    /// A tensor is missing or does not fit the others.
    pub fn load(section: &Section) -> Result<WordClasses, ModelError> {
        Ok(WordClasses(Lexicon::load(
            section,
            "classes",
            usize::from(u16::MAX),
        )?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_a_class_of_each_list_whatever_its_case() {
        let lists = [
            vec![("ohio".to_owned(), 3)],
            vec![("ohio".to_owned(), 0), ("fish".to_owned(), 7)],
        ];
        let classes = WordClasses::new(&lists);
        let of = |word: &str| classes.of(&WordShape::new(word, &mut String::new()));
        assert_eq!(
            [of("Ohio"), of("fish"), of("unseen")],
            [[4, 1, 0, 0], [0, 8, 0, 0], [0; LISTS]]
        );
        assert_eq!(classes.lists(), 2);
        let mut section = Section::default();
        classes.save(&mut section);
        assert_eq!(WordClasses::load(&section).unwrap(), classes);
    }
}
