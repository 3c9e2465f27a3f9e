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

use super::classes::fold;
use super::gold::GoldToken;
use crate::text::hash;
use crate::text::model::{ModelError, Section};
use compact_str::CompactString;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is done with a surface or a suffix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Split {
    /// It is one word.
    Whole,
    /// The words are pieces of the surface: the lengths of all but the first, in characters, from the left.
    Cut(Vec<u8>),
    /// The first word is the surface with its last `drop` characters replaced by `first`; the others are given.
    Replace {
        drop: u8,
        first: String,
        rest: Vec<String>,
    },
}

/// What is known of a surface or a suffix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Folded.
    key: String,
    is_suffix: bool,
    /// Whether the data splits it sometimes only, so that its neighbours must be asked.
    asks: bool,
    split: Split,
}

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

/// A suffix is kept when at least this share of the tokens that bear it are split so.
const RELIABLE: f64 = 0.8;
/// …and they have at least this many different surfaces.
const SURFACES: usize = 3;

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
    }

    /// Learns the multi-word tokens of gold tokens.
    pub fn train(tokens: &[GoldToken], text: &str) -> Multiwords {
        let mut counts: BTreeMap<String, BTreeMap<Split, u32>> = BTreeMap::new();
        for token in tokens {
            let folded = fold_all(&text[token.span.clone()]);
            let split = Split::of(&folded, &token.words);
            *counts.entry(folded).or_default().entry(split).or_default() += 1;
        }
        let suffixes = reliable_suffixes(&counts);
        let mut learned = Multiwords::default();
        let suffix_entries = suffixes.into_iter().map(|(key, split)| Entry {
            key,
            is_suffix: true,
            asks: false,
            split,
        });
        learned.entries.extend(suffix_entries);
        learned.index();
        let mut surfaces = Vec::new();
        for (surface, splits) in &counts {
            let (best, asks) = decide(splits);
            let found = learned
                .find(surface)
                .map(|i| &learned.entries[i as usize].split);
            if asks || found.unwrap_or(&Split::Whole) != best {
                surfaces.push(Entry {
                    key: surface.clone(),
                    is_suffix: false,
                    asks,
                    split: best.clone(),
                });
            }
        }
        learned.entries.extend(surfaces);
        learned.index();
        learned
    }

    fn index(&mut self) {
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
        let lines: Vec<String> = self.entries.iter().map(print_entry).collect();
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
        let entries: Option<Vec<_>> = lines.iter().map(|line| parse_entry(line)).collect();
        let mut multiwords = Multiwords {
            entries: entries.ok_or_else(wrong)?,
            ..Multiwords::default()
        };
        multiwords.index();
        Ok(multiwords)
    }
}

/// How a surface is split, and whether only sometimes: when each way is seen three times and in two tokens of a hundred.
fn decide(splits: &BTreeMap<Split, u32>) -> (&Split, bool) {
    let total: u32 = splits.values().sum();
    let often = |count: u32| count >= 3 && count * 50 >= total;
    let whole = splits.get(&Split::Whole).copied().unwrap_or(0);
    // The most frequent; of equals the first, and `Whole` sorts first.
    let best = |kind: &dyn Fn(&Split) -> bool| {
        splits
            .iter()
            .rev()
            .filter(|(split, _)| kind(split))
            .max_by_key(|(_, count)| **count)
    };
    match best(&|split| *split != Split::Whole) {
        Some((split, count)) if often(*count) && often(whole) => (split, true),
        _ => (
            best(&|_| true).map_or(&Split::Whole, |(split, _)| split),
            false,
        ),
    }
}

/// The suffixes that tell by themselves how a token is split.
fn reliable_suffixes(counts: &BTreeMap<String, BTreeMap<Split, u32>>) -> BTreeMap<String, Split> {
    let mut candidates: BTreeSet<&str> = BTreeSet::new();
    for (surface, splits) in counts {
        for split in splits.keys() {
            let chars: Vec<usize> = surface.char_indices().map(|(at, _)| at).collect();
            let tail = split.tail();
            if tail > 0 {
                // The tail itself, and with one and two characters before it.
                let starts = (tail..tail + 3).filter(|length| *length < chars.len());
                candidates.extend(starts.map(|length| &surface[chars[chars.len() - length]..]));
            }
        }
    }
    let mut stats: BTreeMap<&str, (u32, BTreeMap<&Split, (u32, usize)>)> = BTreeMap::new();
    for (surface, splits) in counts {
        for (at, _) in surface.char_indices().skip(1) {
            let Some(suffix) = candidates.get(&surface[at..]) else {
                continue;
            };
            if !surface[..at].ends_with(char::is_alphanumeric) {
                continue;
            }
            let (total, kinds) = stats.entry(suffix).or_default();
            for (split, count) in splits {
                *total += count;
                let kind = kinds.entry(split).or_default();
                *kind = (kind.0 + count, kind.1 + 1);
            }
        }
    }
    let mut reliable: BTreeMap<String, Split> = BTreeMap::new();
    for (suffix, (total, kinds)) in stats {
        let best = kinds
            .into_iter()
            .filter(|(split, _)| **split != Split::Whole)
            .max_by_key(|kind| kind.1);
        if let Some((split, (count, surfaces))) = best
            && f64::from(count) >= RELIABLE * f64::from(total)
            && surfaces >= SURFACES
            && split.tail() <= suffix.chars().count()
        {
            reliable.insert(suffix.to_owned(), split.clone());
        }
    }
    // A longer suffix that says the same as a shorter one says nothing.
    let redundant = |suffix: &str| {
        suffix
            .char_indices()
            .skip(1)
            .find_map(|(at, _)| reliable.get(&suffix[at..]))
            == reliable.get(suffix)
    };
    let keep: Vec<String> = reliable
        .keys()
        .filter(|suffix| !redundant(suffix))
        .cloned()
        .collect();
    reliable
        .into_iter()
        .filter(|(suffix, _)| keep.contains(suffix))
        .collect()
}

impl Split {
    /// How `words` come out of a folded surface.
    fn of(surface: &str, words: &[String]) -> Split {
        if words.len() < 2 {
            return Split::Whole;
        }
        let words: Vec<String> = words.iter().map(|word| fold_all(word)).collect();
        if words.concat() == surface {
            let lengths = words[1..]
                .iter()
                .map(|word| word.chars().count().min(255) as u8);
            return Split::Cut(lengths.collect());
        }
        let common = surface
            .chars()
            .zip(words[0].chars())
            .take_while(|(a, b)| a == b)
            .count();
        Split::Replace {
            drop: (surface.chars().count() - common).min(255) as u8,
            first: words[0].chars().skip(common).collect(),
            rest: words[1..].to_vec(),
        }
    }

    /// How many characters at the end of the surface it concerns.
    fn tail(&self) -> usize {
        match self {
            Split::Whole => 0,
            Split::Cut(lengths) => lengths.iter().map(|l| usize::from(*l)).sum(),
            Split::Replace { drop, .. } => usize::from(*drop),
        }
    }
}

/// The case of a surface, for words that are not part of it.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    Small,
    Title,
    Capitals,
}

impl Case {
    fn of(surface: &str) -> Case {
        let mut letters = surface.chars().filter(|c| c.is_alphabetic());
        match (letters.next(), letters.next()) {
            (Some(first), Some(second)) if first.is_uppercase() => match second.is_uppercase() {
                true => Case::Capitals,
                false => Case::Title,
            },
            (Some(first), None) if first.is_uppercase() => Case::Title,
            _ => Case::Small,
        }
    }

    fn apply(self, word: &str, first: bool) -> String {
        match self {
            Case::Capitals => word.to_uppercase(),
            Case::Title if first => {
                let mut chars = word.chars();
                let initial = chars.next().map(char::to_uppercase).into_iter().flatten();
                initial.chain(chars.as_str().chars()).collect()
            }
            _ => word.to_owned(),
        }
    }
}

fn fold_all(word: &str) -> String {
    word.chars().map(fold).collect()
}

/// `key TAB kind …`: `=` one word, `2,1` lengths, `-3 TAB first TAB rest TAB rest` a replacement; `?` before the kind when
/// the neighbours are asked; suffixes begin with a TAB.
fn print_entry(entry: &Entry) -> String {
    let mark = if entry.is_suffix { "\t" } else { "" };
    let asks = if entry.asks { "?" } else { "" };
    let kind = match &entry.split {
        Split::Whole => "=".to_owned(),
        Split::Cut(lengths) => {
            let lengths: Vec<String> = lengths.iter().map(u8::to_string).collect();
            lengths.join(",")
        }
        Split::Replace { drop, first, rest } => format!("-{drop}\t{first}\t{}", rest.join("\t")),
    };
    format!("{mark}{}\t{asks}{kind}", entry.key)
}

fn parse_entry(line: &str) -> Option<Entry> {
    let (line, is_suffix) = match line.strip_prefix('\t') {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let mut fields = line.split('\t');
    let key = fields.next()?.to_owned();
    let kind = fields.next()?;
    let (kind, asks) = match kind.strip_prefix('?') {
        Some(rest) => (rest, true),
        None => (kind, false),
    };
    let split = if kind == "=" {
        Split::Whole
    } else if let Some(drop) = kind.strip_prefix('-') {
        Split::Replace {
            drop: drop.parse().ok()?,
            first: fields.next()?.to_owned(),
            rest: fields.map(str::to_owned).collect(),
        }
    } else {
        let lengths: Result<_, _> = kind.split(',').map(str::parse).collect();
        Split::Cut(lengths.ok()?)
    };
    Some(Entry {
        key,
        is_suffix,
        asks,
        split,
    })
}

#[cfg(test)]
mod tests {
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
