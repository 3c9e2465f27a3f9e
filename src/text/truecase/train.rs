//! Trains a [`Truecaser`] from sentences that have their usual case, and from a list of forms of running text.

use super::extractor::{Extractor, usage, usage_key};
use super::{BEAM, Style, Truecaser, keyed, lacks_case, lowered};
use crate::text::document::{Sentence, Word};
use crate::text::lexicon::{Lexicon, LexiconBuilder};
use crate::text::pos::train::shuffle;
use crate::text::tagger::{Lattice, train::Perceptron};
use crate::text::weights::Weights;
use crate::text::word_shape::WordShape;
use std::collections::BTreeMap;

/// How a truecaser is trained.
#[derive(Clone, Debug)]
pub struct Options {
    pub epochs: u32,
    /// The weight table has 2^bits entries.
    pub bits: u32,
    /// Entries changed fewer times are left out.
    pub min_changes: u8,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            epochs: 5,
            bits: 18,
            min_changes: 2,
            seed: 1,
        }
    }
}

/// A word is listed when it was seen this often.
const LISTED: u64 = 3;
/// A word may be written in mixed case when it was so in this share of its occurrences.
const MIXED_SHARE: f64 = 0.3;

/// Trains on sentences, as far as they have case, and on `written`: forms of running text that do not begin a sentence,
/// with their counts. `report` hears of each epoch and the share of sentences it got right.
pub fn train(
    sentences: &[&Sentence],
    written: &[(String, u64)],
    options: &Options,
    mut report: impl FnMut(u32, f32),
) -> Truecaser {
    let (words, mixed) = list(written);
    let mixed = keyed(mixed.into_iter());
    let mut order: Vec<&[Word]> = (sentences.iter())
        .map(|sentence| &sentence.words[..])
        .filter(|words| has_usual_case(words))
        .collect();
    let mut perceptron = Perceptron::new(options.bits, BEAM);
    let (mut lattice, mut extractor) = (Lattice::default(), Extractor::default());
    let mut gold = Vec::new();
    for epoch in 0..options.epochs {
        shuffle(&mut order, options.seed.wrapping_add(u64::from(epoch)));
        let mut right = 0;
        for sentence in &order {
            extractor.fill(sentence, &words, &mixed, &mut lattice);
            gold.clear();
            for (i, (word, lower)) in sentence.iter().zip(extractor.words()).enumerate() {
                gold.push(gold_style(&word.form, lower, lattice.candidates(i)));
            }
            right += u32::from(perceptron.learn(&lattice, &gold));
        }
        report(epoch, right as f32 / order.len().max(1) as f32);
    }
    Truecaser {
        words,
        mixed,
        weights: Weights::quantize(&perceptron.averaged(options.min_changes), 8.0),
    }
}

/// The usages of words, and the forms in mixed case.
fn list(written: &[(String, u64)]) -> (Lexicon, Vec<&str>) {
    let mut words: BTreeMap<String, Vec<(&str, u64)>> = BTreeMap::new();
    for (form, count) in written {
        words.entry(lowered(form)).or_default().push((form, *count));
    }
    let mut usages = LexiconBuilder::default();
    let mut mixed = Vec::new();
    let mut scratch = String::new();
    for (lower, forms) in &words {
        let mut counts = [0; 4];
        let mut best = ("", 0);
        for &(form, count) in forms {
            let style = Style::of(form, lower);
            counts[style as usize] += count;
            if style == Style::Mixed && count > best.1 {
                best = (form, count);
            }
        }
        let all: u64 = counts.iter().sum();
        if all < LISTED {
            continue;
        }
        let shape = WordShape::new(lower, &mut scratch);
        usages.insert(usage_key(&shape), vec![usage(counts)]);
        if counts[Style::Mixed as usize] as f64 > MIXED_SHARE * all as f64 {
            mixed.push(best.0);
        }
    }
    (usages.build(), mixed)
}

/// Whether a sentence begins with a capital, is not without case and no headline in capitals.
fn has_usual_case(words: &[Word]) -> bool {
    let mut first = None;
    let (mut cased, mut capitals) = (0, 0);
    for word in words {
        let is_upper = word.form.contains(char::is_uppercase);
        let is_lower = word.form.contains(char::is_lowercase);
        if !is_upper && !is_lower {
            continue;
        }
        first.get_or_insert(word.form.chars().next().is_some_and(char::is_lowercase));
        cased += 1;
        capitals += u32::from(!is_lower && word.form.chars().nth(1).is_some());
    }
    first == Some(false) && 2 * capitals <= cased && !lacks_case(words)
}

/// The style of a form, or the nearest that it may have.
fn gold_style(form: &str, lower: &str, candidates: &[u16]) -> u16 {
    let style = Style::of(form, lower) as u16;
    match candidates.contains(&style) {
        true => style,
        false => *candidates.get(1).unwrap_or(&candidates[0]),
    }
}
