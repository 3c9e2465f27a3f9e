//! Trains a [`Lemmatizer`] from annotated words and from lists of inflected forms.
//!
//! The rule of every (form, tag) seen is known; the classifier learns on types, weighted by the root of their counts,
//! with candidates from endings alone, as it will meet unknown words. Then the lexicon keeps the types that the
//! classifier would get wrong, and those that were seen with several lemmas.

use super::{Lemmatizer, Rule, View, folded, guess};
use crate::text::document::{Sentence, Word};
use crate::text::lexicon::{Lexicon, LexiconBuilder, by_frequency};
use crate::text::pos::train::shuffle;
use crate::text::tagger::{Decoder, Lattice, train::Perceptron};
use crate::text::weights::Weights;
use std::collections::{BTreeMap, HashMap};

/// How a lemmatizer is trained.
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
            epochs: 10,
            bits: 19,
            min_changes: 2,
            seed: 1,
        }
    }
}

/// An ending gives rules from this many types on, and those with this share of them.
const ENDING_TYPES: u32 = 3;
const ENDING_SHARE: f32 = 0.003;
const ENDING_RULES: usize = 12;

/// A form with its tags, and the rules it was seen with.
struct Type {
    form: String,
    word: Word,
    rules: BTreeMap<u16, u32>,
    /// Seen in running text, not in a list only.
    attested: bool,
}

/// Trains on `sentences` and on `inflections` (words with form, lemma, UPOS and XPOS); `report` hears of each epoch
/// and the share of types it got right.
pub fn train(
    sentences: &[&Sentence],
    inflections: &[Word],
    options: &Options,
    mut report: impl FnMut(u32, f32),
) -> Lemmatizer {
    let (rules, types) = collect(sentences, inflections);
    let endings = ending_lexicon(&types);
    let guesses = endings.clone().build();
    let perceptron = learn(&types, &guesses, options, &mut report);
    let weights = Weights::quantize(&perceptron.averaged(options.min_changes), 8.0);
    let lexicon = add_exceptions(&types, endings, &guesses, &weights);
    Lemmatizer {
        rules,
        lexicon,
        weights,
    }
}

fn collect(sentences: &[&Sentence], inflections: &[Word]) -> (Vec<Rule>, Vec<Type>) {
    let mut ids: HashMap<Rule, u16> = HashMap::new();
    let mut types: BTreeMap<(String, &str, &str, &str), Type> = BTreeMap::new();
    let mut rules = Vec::new();
    let attested = sentences
        .iter()
        .flat_map(|s| s.words.iter().enumerate())
        .map(|(i, w)| (w, i == 0, true));
    for (word, initial, attested) in attested.chain(inflections.iter().map(|w| (w, false, false))) {
        let form = folded(word, initial).into_owned();
        let rule = Rule::between(&form, &word.lemma);
        if word.lemma.is_empty() || rules.len() == usize::from(u16::MAX) && !ids.contains_key(&rule)
        {
            continue;
        }
        let id = *ids.entry(rule).or_insert_with_key(|rule| {
            rules.push(rule.clone());
            rules.len() as u16 - 1
        });
        let feats = if word.xpos.is_empty() {
            word.feats.as_str()
        } else {
            ""
        };
        let key = (form.clone(), word.upos.as_str(), word.xpos.as_str(), feats);
        let new = || Type {
            form,
            word: word.clone(),
            rules: BTreeMap::new(),
            attested,
        };
        let entry = types.entry(key).or_insert_with(new);
        if entry.attested == attested {
            *entry.rules.entry(id).or_default() += 1;
        }
    }
    (rules, types.into_values().collect())
}

impl Type {
    fn gold(&self) -> u16 {
        by_frequency(self.rules.clone(), 1)[0]
    }

    fn view(&self, scratch: &mut String) -> View {
        View::new(&self.form, &self.word, scratch)
    }
}

fn ending_lexicon(types: &[Type]) -> LexiconBuilder {
    let mut counts: BTreeMap<u64, BTreeMap<u16, u32>> = BTreeMap::new();
    let mut scratch = String::new();
    for seen in types {
        let view = seen.view(&mut scratch);
        for key in (0..=super::LONGEST_ENDING).filter_map(|n| view.ending_key(n)) {
            *counts
                .entry(key)
                .or_default()
                .entry(seen.gold())
                .or_default() += 1;
        }
    }
    let mut builder = LexiconBuilder::default();
    for (key, counts) in counts {
        let total: u32 = counts.values().sum();
        if total >= ENDING_TYPES {
            let enough = counts
                .into_iter()
                .filter(|c| c.1 as f32 >= ENDING_SHARE * total as f32 && c.1 > 1);
            let list = by_frequency(enough, ENDING_RULES);
            if !list.is_empty() {
                builder.insert(key, list);
            }
        }
    }
    builder
}

fn learn(
    types: &[Type],
    guesses: &Lexicon,
    options: &Options,
    report: &mut impl FnMut(u32, f32),
) -> Perceptron {
    let mut perceptron = Perceptron::new(options.bits, 1);
    // A frequent word is met more often, but not so often that rare ones are forgotten.
    let mut order: Vec<usize> = Vec::new();
    for (i, seen) in types.iter().enumerate() {
        let count: u32 = seen.rules.values().sum();
        order.extend(std::iter::repeat_n(
            i,
            (f64::from(count).sqrt() as usize).clamp(1, 8),
        ));
    }
    let (mut lattice, mut scratch) = (Lattice::default(), String::new());
    for epoch in 0..options.epochs {
        shuffle(&mut order, options.seed.wrapping_add(u64::from(epoch)));
        let mut right = 0;
        for &i in &order {
            let view = types[i].view(&mut scratch);
            let Some(list) = guess(guesses, &view) else {
                continue;
            };
            view.fill(guesses.list(list), &mut lattice);
            let gold = types[i].gold();
            lattice.allow(0, gold);
            right += u32::from(perceptron.learn(&lattice, &[gold]));
        }
        report(epoch, right as f32 / order.len() as f32);
    }
    perceptron
}

/// Adds the types that guessing gets wrong.
fn add_exceptions(
    types: &[Type],
    endings: LexiconBuilder,
    guesses: &Lexicon,
    weights: &Weights,
) -> Lexicon {
    let mut lexicon = endings;
    let (mut lattice, mut scratch, mut chosen) = (Lattice::default(), String::new(), Vec::new());
    let mut decoder = Decoder::new(1);
    for seen in types {
        let view = seen.view(&mut scratch);
        let guessed = guess(guesses, &view).map(|list| {
            view.fill(guesses.list(list), &mut lattice);
            decoder.decode(&lattice, weights, &mut chosen);
            chosen[0]
        });
        if guessed != Some(seen.gold()) {
            lexicon.insert(view.form_key(), vec![seen.gold()]);
        }
    }
    lexicon.build()
}
