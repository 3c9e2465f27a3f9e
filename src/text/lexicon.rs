//! A lexicon: from hashed keys (forms, endings) to short lists of class numbers, the likeliest first.
//!
//! Keys are 32 bits of a 64-bit hash. With n keys an unknown word is taken for a known one with probability n / 2³²,
//! one in 40,000 for 100,000 keys, and a key costs about two bytes in a compressed model: sorted keys are stored as
//! differences, their bytes in four planes.

use super::model::{ModelError, Section, Tensor};
use std::collections::{BTreeMap, HashMap};

/// Lists of classes under hashed keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Lexicon {
    lists: Vec<Vec<u16>>,
    /// Open addressing; a slot of list [`EMPTY`] is free.
    slots: Vec<(u32, u32)>,
}

const EMPTY: u32 = u32::MAX;

/// Gathers a lexicon.
#[derive(Clone, Debug, Default)]
pub struct LexiconBuilder {
    lists: Vec<Vec<u16>>,
    ids: HashMap<Vec<u16>, u32>,
    keys: BTreeMap<u32, u32>,
}

impl LexiconBuilder {
    /// Gives `key` a list; a key given twice keeps the later.
    pub fn insert(&mut self, key: u64, list: Vec<u16>) {
        let id = *self.ids.entry(list).or_insert_with_key(|list| {
            self.lists.push(list.clone());
            self.lists.len() as u32 - 1
        });
        self.keys.insert(short(key), id);
    }

    /// The list of a key.
    pub fn get(&self, key: u64) -> Option<&[u16]> {
        self.keys
            .get(&short(key))
            .map(|id| &self.lists[*id as usize][..])
    }

    pub fn build(self) -> Lexicon {
        Lexicon::new(self.lists, &self.keys.into_iter().collect::<Vec<_>>())
    }
}

/// The half of a hash that is kept; the other half has chosen the slot of a weight table already.
fn short(key: u64) -> u32 {
    (key >> 32) as u32
}

impl Lexicon {
    fn new(lists: Vec<Vec<u16>>, entries: &[(u32, u32)]) -> Lexicon {
        let size = (entries.len() * 2).next_power_of_two().max(2);
        let mut slots = vec![(0, EMPTY); size];
        for &(key, list) in entries {
            let mut at = key as usize & (size - 1);
            while slots[at].1 != EMPTY {
                at = (at + 1) & (size - 1);
            }
            slots[at] = (key, list);
        }
        Lexicon { lists, slots }
    }

    /// The number of the list under a key.
    #[inline]
    pub fn find(&self, key: u64) -> Option<u32> {
        let key = short(key);
        let mask = self.slots.len() - 1;
        let mut at = key as usize & mask;
        loop {
            let (found, list) = self.slots[at];
            if list == EMPTY {
                return None;
            }
            if found == key {
                return Some(list);
            }
            at = (at + 1) & mask;
        }
    }

    /// The list of a number that [`Lexicon::find`] gave.
    #[inline]
    pub fn list(&self, number: u32) -> &[u16] {
        &self.lists[number as usize]
    }

    /// How many different lists there are. They are numbered as they came.
    pub fn lists(&self) -> usize {
        self.lists.len()
    }

    /// The length of the longest list.
    pub fn longest(&self) -> usize {
        self.lists.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Adds the lexicon to a model's section, as tensors `name.*`.
    pub fn save(&self, section: &mut Section, name: &str) {
        let mut entries: Vec<(u32, u32)> = self
            .slots
            .iter()
            .copied()
            .filter(|s| s.1 != EMPTY)
            .collect();
        entries.sort_unstable();
        let mut last = 0;
        let differences: Vec<u32> = entries
            .iter()
            .map(|e| e.0 - std::mem::replace(&mut last, e.0))
            .collect();
        let planes: Vec<u8> = (0..4)
            .flat_map(|b| differences.iter().map(move |d| (d >> (8 * b)) as u8))
            .collect();
        let lists: Vec<u32> = entries.iter().map(|e| e.1).collect();
        let lengths: Vec<u16> = self.lists.iter().map(|l| l.len() as u16).collect();
        let mut put = |part: &str, tensor| section.tensors.insert(format!("{name}.{part}"), tensor);
        put("keys", Tensor::from_u8(&planes));
        put("lists", Tensor::from_u32(&lists));
        put("lengths", Tensor::from_u16(&lengths));
        put("classes", Tensor::from_u16(&self.lists.concat()));
    }

    /// Reads the lexicon back; its classes are below `classes`.
    ///
    /// # Errors
    /// A tensor is missing or does not fit the others.
    pub fn load(section: &Section, name: &str, classes: usize) -> Result<Lexicon, ModelError> {
        let part = |part: &str| format!("{name}.{part}");
        let bad = |which: &str, found: usize| ModelError::Shape {
            tensor: part(which),
            found,
        };
        let all = section.u16s(&part("classes"))?;
        if let Some(&class) = all.iter().find(|c| usize::from(**c) >= classes) {
            return Err(bad("classes", usize::from(class)));
        }
        let mut lists = Vec::new();
        let mut rest = &all[..];
        for length in section.u16s(&part("lengths"))? {
            let split = rest
                .split_at_checked(usize::from(length))
                .filter(|s| !s.0.is_empty());
            let (list, after) = split.ok_or_else(|| bad("lengths", usize::from(length)))?;
            lists.push(list.to_vec());
            rest = after;
        }
        let numbers = section.u32s(&part("lists"))?;
        let planes = section.u8s(&part("keys"))?;
        if planes.len() != 4 * numbers.len() || numbers.iter().any(|n| *n as usize >= lists.len()) {
            return Err(bad("lists", numbers.len()));
        }
        let n = numbers.len();
        let mut key = 0u32;
        let entries: Vec<(u32, u32)> = (0..n)
            .map(|i| {
                let bytes = [
                    planes[i],
                    planes[n + i],
                    planes[2 * n + i],
                    planes[3 * n + i],
                ];
                key = key.wrapping_add(u32::from_le_bytes(bytes));
                (key, numbers[i])
            })
            .collect();
        Ok(Lexicon::new(lists, &entries))
    }
}

/// The classes of `counts`, the most frequent first, at most `most`.
pub fn by_frequency(counts: impl IntoIterator<Item = (u16, u32)>, most: usize) -> Vec<u16> {
    let mut sorted: Vec<(u16, u32)> = counts.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    sorted
        .into_iter()
        .take(most)
        .map(|(class, _)| class)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::hash;

    fn lexicon(n: u16) -> Lexicon {
        let mut builder = LexiconBuilder::default();
        for i in 0..n {
            builder.insert(hash::pair(1, u64::from(i), 0), vec![i % 7, 7]);
        }
        builder.build()
    }

    #[test]
    fn every_key_finds_its_list_and_others_find_none() {
        let lexicon = lexicon(1000);
        for i in 0..1000 {
            let found = lexicon.find(hash::pair(1, i, 0)).unwrap();
            assert_eq!(lexicon.list(found), [(i % 7) as u16, 7]);
        }
        assert_eq!(
            (1000..2000).find(|i| lexicon.find(hash::pair(1, *i, 0)).is_some()),
            None
        );
    }

    #[test]
    fn save_then_load_is_the_identity() {
        for n in [0, 1, 1000] {
            let mut section = Section::default();
            lexicon(n).save(&mut section, "lexicon");
            let read = Lexicon::load(&section, "lexicon", 8).unwrap();
            for i in 0..u64::from(n) {
                let list = read.list(read.find(hash::pair(1, i, 0)).unwrap()).to_vec();
                assert_eq!(list, [(i % 7) as u16, 7]);
            }
        }
    }

    #[test]
    fn a_class_that_is_not_there_is_refused() {
        let mut section = Section::default();
        lexicon(10).save(&mut section, "lexicon");
        assert!(Lexicon::load(&section, "lexicon", 7).is_err());
    }
}
