//! Learns multi-word tokens by counting.

use super::super::gold::GoldToken;
use super::Multiwords;
use super::entry::{Entry, Split, fold_all};
use std::collections::{BTreeMap, BTreeSet};

/// How often each surface is split in each way.
type Counts = BTreeMap<String, BTreeMap<Split, u32>>;

/// A suffix is kept when at least this share of the tokens that bear it are split so.
const RELIABLE: f64 = 0.8;
/// …and they have at least this many different surfaces.
const SURFACES: usize = 3;

impl Multiwords {
    /// Learns the multi-word tokens of gold tokens.
    pub fn train(tokens: &[GoldToken], text: &str) -> Multiwords {
        let mut counts: Counts = BTreeMap::new();
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
            let found = learned
                .find(surface)
                .map_or(&Split::Whole, |i| &learned.entries[i as usize].split);
            let (best, asks) = decide(splits, found);
            if asks || found != best {
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
}

/// How a surface is split, and whether only sometimes: when each way is seen three times and in two tokens of a hundred.
/// Of ways that are equally frequent the one that its suffix tells is taken: `company's` as often stands for *companies* as
/// for *company 's*.
fn decide<'a>(splits: &'a BTreeMap<Split, u32>, by_suffix: &'a Split) -> (&'a Split, bool) {
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
        _ => match best(&|_| true) {
            Some((_, count)) if splits.get(by_suffix) == Some(count) => (by_suffix, false),
            Some((split, _)) => (split, false),
            None => (&Split::Whole, false),
        },
    }
}

/// For each way of splitting, the tokens and the surfaces split so.
type Kinds<'a> = BTreeMap<&'a Split, (u32, usize)>;

/// The suffixes that tell by themselves how a token is split.
fn reliable_suffixes(counts: &Counts) -> BTreeMap<String, Split> {
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
    let mut stats: BTreeMap<&str, (u32, Kinds)> = BTreeMap::new();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_equally_frequent_ways_the_suffix_tells_which() {
        let (mut text, mut tokens) = (String::new(), Vec::new());
        let mut add = |surface: &str, words: &[&str]| {
            let start = text.len();
            text.push_str(surface);
            tokens.push(GoldToken {
                span: start..text.len(),
                ends_sentence: false,
                words: words.iter().map(|word| (*word).to_owned()).collect(),
            });
        };
        for name in ["ann", "bob", "carl", "company", "dora", "emil"] {
            let times = if name == "ann" { 10 } else { 1 };
            (0..times).for_each(|_| add(&format!("{name}'s"), &[name, "'s"]));
        }
        add("company's", &[]);
        add("dora's", &[]);
        add("dora's", &[]);
        let learned = Multiwords::train(&tokens, &text);
        assert!(learned.find("company's").is_some());
        assert!(learned.find("dora's").is_none());
    }
}
