//! Multi-word tokens: surface tokens that stand for several words, learned from a treebank.
//!
//! ```text
//! dictionary   du → de le        zum → zu dem      dont → do nt     o'clock → (one word)
//! suffixes     …n't → … n't      …'s → … 's        …dnt → …d nt
//! ```
//!
//! A surface in the dictionary is split as the data mostly does; where the data does both (*its* for *it's*, French *des*),
//! a linear model asks the neighbours. For the others the longest known suffix decides; a
//! suffix is kept when it was split so in most tokens of at least three different surfaces. Surfaces are compared in
//! small letters with straight apostrophes, and the words get the letters and the case of the surface back.

mod entry;
mod learn;
pub mod neighbours;

use super::classes::fold;
use crate::text::hash;
use crate::text::model::{ModelError, Section};
use compact_str::CompactString;
use entry::{Case, Entry, Split, fold_all};
use std::collections::{BTreeSet, HashMap};

/// The multi-word tokens of a language.
#[derive(Clone, Debug, Default)]
pub struct Multiwords {
    /// Sorted.
    entries: Vec<Entry>,
    /// Hashes of folded surfaces and suffixes to indices of `entries`.
    surfaces: HashMap<u64, u32>,
    suffixes: HashMap<u64, u32>,
    /// The lengths in bytes that occur among surfaces (at most) and suffixes (descending).
    longest: usize,
    lengths: Vec<usize>,
    /// A bit for the last two bytes of each entry: most words are turned away here.
    endings: Vec<u64>,
}

impl Multiwords {
    /// The split of a surface token: a number for [`Multiwords::words`], or nothing for a single word.
    #[inline]
    pub fn find(&self, surface: &str) -> Option<u32> {
        let bytes = surface.as_bytes();
        if bytes.len() < 2 || !self.ends_like_one(bytes) {
            return None;
        }
        self.find_folded(surface)
    }

    fn ends_like_one(&self, bytes: &[u8]) -> bool {
        // A curly apostrophe is three bytes and folds to one: such tokens always go on.
        let (a, b) = (bytes[bytes.len() - 2], bytes[bytes.len() - 1]);
        if self.endings.is_empty() {
            return false;
        }
        !a.is_ascii() || !b.is_ascii() || self.bit(a.to_ascii_lowercase(), b.to_ascii_lowercase())
    }

    fn bit(&self, a: u8, b: u8) -> bool {
        self.endings[usize::from(a)] >> (b & 63) & 1 == 1
    }

    fn find_folded(&self, surface: &str) -> Option<u32> {
        let mut buffer = [0u8; 64];
        let mut length = 0;
        if surface.len() > self.longest.max(48) {
            return self.find_suffix(&fold_all(surface));
        }
        // The folded surface, in a buffer: no allocation for each word.
        for c in surface.chars() {
            let mut utf8 = [0; 4];
            let folded = fold(c).encode_utf8(&mut utf8).as_bytes();
            let Some(room) = buffer.get_mut(length..length + folded.len()) else {
                return self.find_suffix(&fold_all(surface));
            };
            room.copy_from_slice(folded);
            length += folded.len();
        }
        let folded = std::str::from_utf8(&buffer[..length]).ok()?;
        match self.surfaces.get(&hash::bytes(1, folded.as_bytes())) {
            Some(&i) if self.entries[i as usize].key == folded => {
                (self.entries[i as usize].split != Split::Whole).then_some(i)
            }
            _ => self.find_suffix(folded),
        }
    }

    fn find_suffix(&self, folded: &str) -> Option<u32> {
        for &length in &self.lengths {
            // Before the suffix stands at least one character of the first word.
            if length < folded.len() && folded.is_char_boundary(folded.len() - length) {
                let suffix = &folded[folded.len() - length..];
                if let Some(&i) = self.suffixes.get(&hash::bytes(2, suffix.as_bytes()))
                    && self.entries[i as usize].key == suffix
                    && folded[..folded.len() - length].ends_with(char::is_alphanumeric)
                {
                    return Some(i);
                }
            }
        }
        None
    }

    /// Whether a split holds only where the neighbours of the token say so.
    pub fn asks(&self, number: u32) -> bool {
        self.entries
            .get(number as usize)
            .is_some_and(|entry| entry.asks)
    }

    /// The words of `surface`, by the number that [`Multiwords::find`] gave for it.
    pub fn words(&self, number: u32, surface: &str, words: &mut Vec<CompactString>) {
        words.clear();
        match self.entries.get(number as usize).map(|entry| &entry.split) {
            Some(Split::Cut(lengths)) => {
                let count = surface.chars().count();
                let tail: usize = lengths.iter().map(|l| usize::from(*l)).sum();
                let mut rest = surface;
                let mut take = count.saturating_sub(tail);
                for length in lengths.iter().map(|l| usize::from(*l)).chain([usize::MAX]) {
                    let at = rest
                        .char_indices()
                        .nth(take)
                        .map_or(rest.len(), |(at, _)| at);
                    words.push(rest[..at].into());
                    rest = &rest[at..];
                    take = length;
                }
            }
            Some(Split::Replace { drop, first, rest }) => {
                let count = surface.chars().count();
                let keep = count.saturating_sub(usize::from(*drop));
                let end = surface
                    .char_indices()
                    .nth(keep)
                    .map_or(surface.len(), |(at, _)| at);
                let case = Case::of(surface);
                let mut word = CompactString::from(&surface[..end]);
                word.push_str(&case.apply(first, end == 0));
                words.push(word);
                words.extend(
                    rest.iter()
                        .map(|word| CompactString::from(case.apply(word, false))),
                );
            }
            Some(Split::Whole) | None => words.push(surface.into()),
        }
        // A damaged model may cut off more than there is.
        if words.iter().any(|word| word.is_empty()) {
            words.clear();
            words.push(surface.into());
        }
    }

    pub(super) fn index(&mut self) {
        self.entries.sort();
        *self = Multiwords {
            entries: std::mem::take(&mut self.entries),
            ..Multiwords::default()
        };
        if !self.entries.is_empty() {
            self.endings = vec![0; 256];
        }
        let mut lengths = BTreeSet::new();
        for (i, Entry { key, is_suffix, .. }) in self.entries.iter().enumerate() {
            if *is_suffix {
                self.suffixes
                    .insert(hash::bytes(2, key.as_bytes()), i as u32);
                lengths.insert(key.len());
            } else {
                self.surfaces
                    .insert(hash::bytes(1, key.as_bytes()), i as u32);
                self.longest = self.longest.max(key.len());
            }
            match key.as_bytes() {
                [.., a, b] => self.endings[usize::from(*a)] |= 1 << (b & 63),
                [b] => (0..256).for_each(|a| self.endings[a] |= 1 << (b & 63)),
                [] => {}
            }
        }
        self.lengths = lengths.into_iter().rev().collect();
    }

    /// Stores the entries in a model.
    pub fn save(&self, section: &mut Section) {
        let lines: Vec<String> = self.entries.iter().map(Entry::print).collect();
        section.save_strings("multiwords", &lines);
    }

    /// Reads the entries of a model.
    ///
    /// # Errors
    /// The tensor is missing or holds something else.
    pub fn load(section: &Section) -> Result<Multiwords, ModelError> {
        let wrong = || ModelError::Tensor {
            tensor: "multiwords".to_owned(),
        };
        let lines = section.strings("multiwords")?;
        let entries: Option<Vec<_>> = lines.iter().map(|line| Entry::parse(line)).collect();
        let mut multiwords = Multiwords {
            entries: entries.ok_or_else(wrong)?,
            ..Multiwords::default()
        };
        multiwords.index();
        Ok(multiwords)
    }
}

#[cfg(test)]
mod tests {
    use super::super::gold::GoldToken;
    use super::*;

    fn learned() -> Multiwords {
        let mut text = String::new();
        let mut tokens = Vec::new();
        let mut add = |surface: &str, words: &[&str]| {
            let start = text.len();
            text.push_str(surface);
            tokens.push(GoldToken {
                span: start..text.len(),
                ends_sentence: false,
                words: words.iter().map(|w| (*w).to_owned()).collect(),
            });
        };
        for stem in ["do", "is", "did", "have"] {
            add(&format!("{stem}n't"), &[stem, "n't"]);
        }
        for stem in ["it", "John", "dog"] {
            add(&format!("{stem}'s"), &[stem, "'s"]);
        }
        for _ in 0..2 {
            add("du", &["de", "le"]);
            add("zum", &["zu", "dem"]);
            add("cannot", &["can", "not"]);
            add("not", &[]);
        }
        Multiwords::train(&tokens, &text)
    }

    #[test]
    fn a_damaged_list_gives_no_empty_words() {
        // Found by fuzzing: cuts as long as the surface, and nothing in place of all of it.
        for line in ["ab\t2", "ab\t0", "ab\t-2\t\tx", "ab\t-0\t\t"] {
            let mut list = Multiwords {
                entries: vec![Entry::parse(line).unwrap()],
                ..Multiwords::default()
            };
            list.index();
            let mut words = Vec::new();
            list.words(0, "ab", &mut words);
            assert_eq!(words, ["ab"], "{line:?}");
        }
    }

    fn split(surface: &str) -> String {
        let learned = learned();
        let mut words = Vec::new();
        match learned.find(surface) {
            Some(number) => learned.words(number, surface, &mut words),
            None => words.push(surface.into()),
        }
        words.join(" ")
    }

    #[test]
    fn suffixes_split_words_never_seen() {
        assert_eq!(split("wouldn't"), "would n't");
        assert_eq!(split("WOULDN’T"), "WOULD N’T");
        assert_eq!(split("Größe's"), "Größe 's");
    }

    #[test]
    fn the_dictionary_gives_the_case_of_the_surface_back() {
        assert_eq!(split("du"), "de le");
        assert_eq!(split("Du"), "De le");
        assert_eq!(split("ZUM"), "ZU DEM");
        assert_eq!(split("Cannot"), "Can not");
    }

    #[test]
    fn a_suffix_alone_is_one_word() {
        assert_eq!(split("'s"), "'s");
        assert_eq!(split("not"), "not");
    }

    #[test]
    fn save_then_load_is_the_identity() {
        let (learned, mut section) = (learned(), Section::default());
        learned.save(&mut section);
        assert_eq!(Multiwords::load(&section).unwrap().entries, learned.entries);
    }
}
