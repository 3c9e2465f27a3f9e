//! Trains a [`Lemmatizer`] from annotated words and from lists of inflected forms.
//!
//! The rule of every (form, tag) seen is known; the classifier learns on types, weighted by the root of their counts,
//! with candidates from endings alone, as it will meet unknown words. Then the lexicon keeps the types that the
//! classifier would get wrong, and those that were seen with several lemmas.

use super::degrees::Degrees;
use super::exceptions::{add_exceptions, add_forms};
use super::rule::Rule;
use super::view::{LONGEST_ENDING, View, folded};
use super::{Lemmatizer, Mode, ask, strips};
use crate::text::document::{Sentence, Word};
use crate::text::inflection::is_rich;
use crate::text::lexicon::{LexiconBuilder, by_frequency};
use crate::text::pos::train::shuffle;
use crate::text::tagger::{Lattice, train::Perceptron};
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
pub(super) const ENDING_RULES: usize = 12;

/// A form with its tags, and the rules it was seen with.
pub(super) struct Type {
    pub form: String,
    pub word: Word,
    pub rules: BTreeMap<u16, u32>,
    /// Seen in running text, not in a list only.
    pub attested: bool,
    /// Whether FEATS belong to the tag.
    pub rich: bool,
}

/// Trains on `sentences` and on `inflections` (words with form, lemma, UPOS and XPOS); `report` hears of each epoch
/// and the share of types it got right.
pub fn train(
    sentences: &[&Sentence],
    inflections: &[Word],
    options: &Options,
    mut report: impl FnMut(u32, f32),
) -> Lemmatizer {
    let rich = is_rich(sentences);
    let (mut rules, types) = collect(sentences, inflections, rich);
    let degrees = Degrees::train(sentences, inflections, &mut rules);
    let endings = ending_lexicon(&types, &rules.list);
    let lemmas = rich.then(|| count_lemmas(&types));
    let known = lemmas.as_ref().map(|counts| {
        let mut builder = LexiconBuilder::default();
        counts.keys().for_each(|key| builder.insert(*key, vec![0]));
        builder.build()
    });
    let mut lemmatizer = Lemmatizer {
        mode: Mode::default(),
        strips: strips(&rules.list),
        rules: rules.list,
        lexicon: endings.clone().build(),
        degrees,
        weights: Weights {
            table: vec![0],
            scale: 1.0,
        },
        lemmas: known,
    };
    if !lemmas
        .as_ref()
        .is_some_and(|lemmas| stems_are_lemmas(&types, &lemmatizer, lemmas))
    {
        lemmatizer.strips.clear();
    }
    let perceptron = learn(&types, &lemmatizer, lemmas.as_ref(), options, &mut report);
    lemmatizer.weights = Weights::quantize(&perceptron.averaged(options.min_changes), 8.0);
    let mut known = endings;
    if rich {
        add_forms(&types, &mut known);
        lemmatizer.lexicon = known.clone().build();
    }
    lemmatizer.lexicon = add_exceptions(&types, known, &lemmatizer);
    lemmatizer
}

/// Of how many forms each lemma is.
fn count_lemmas(types: &[Type]) -> BTreeMap<u64, u32> {
    let mut counts = BTreeMap::new();
    let mut scratch = String::new();
    for seen in types {
        let key = seen.view(&mut scratch).lemma_key(&seen.word.lemma);
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// Rules, numbered as they come.
#[derive(Default)]
pub(super) struct Rules {
    pub(super) list: Vec<Rule>,
    numbers: HashMap<Rule, u16>,
}

impl Rules {
    /// The number of a rule; nothing for a new one when there are as many as can be numbered.
    pub(super) fn number(&mut self, rule: Rule) -> Option<u16> {
        if let Some(number) = self.numbers.get(&rule) {
            return Some(*number);
        }
        let number = u16::try_from(self.list.len())
            .ok()
            .filter(|n| *n < u16::MAX)?;
        self.list.push(rule.clone());
        self.numbers.insert(rule, number);
        Some(number)
    }
}

fn collect(sentences: &[&Sentence], inflections: &[Word], rich: bool) -> (Rules, Vec<Type>) {
    let mut types: BTreeMap<(String, &str, &str, &str), Type> = BTreeMap::new();
    let mut rules = Rules::default();
    let ignored = ignores_lowered_names(sentences);
    let attested = sentences
        .iter()
        .flat_map(|s| s.words.iter().enumerate())
        .map(|(i, w)| (w, i == 0, true));
    for (word, initial, attested) in attested.chain(inflections.iter().map(|w| (w, false, false))) {
        let form = folded(word, initial).into_owned();
        if word.lemma.is_empty() || ignored && is_lowered_name(word) {
            continue;
        }
        let Some(id) = rules.number(Rule::between(&form, &word.lemma)) else {
            continue;
        };
        let feats = if rich || word.xpos.is_empty() {
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
            rich,
        };
        let entry = types.entry(key).or_insert_with(new);
        if entry.attested == attested {
            *entry.rules.entry(id).or_default() += 1;
        }
    }
    (rules, types.into_values().collect())
}

/// Whether a name has lost its capital in the lemma.
fn is_lowered_name(word: &Word) -> bool {
    word.upos == "PROPN"
        && word.form.starts_with(char::is_uppercase)
        && word.lemma.starts_with(char::is_lowercase)
}

/// A treebank that has most names with their capital has the others by mistake: fewer than one in twenty.
fn ignores_lowered_names(sentences: &[&Sentence]) -> bool {
    let names = || {
        let words = sentences.iter().flat_map(|s| &s.words);
        words.filter(|w| w.upos == "PROPN" && w.form.starts_with(char::is_uppercase))
    };
    20 * names().filter(|w| is_lowered_name(w)).count() < names().count()
}

impl Type {
    pub fn gold(&self) -> u16 {
        by_frequency(self.rules.clone(), 1)[0]
    }

    pub fn is_name(&self) -> bool {
        self.word.upos == "PROPN" && self.attested && !self.word.xpos.is_empty()
    }

    /// Whether a lemma is known from other forms. Its own lemma a form will not know when it is new.
    fn knows(&self, view: &View, lemma: &str, lemmas: &BTreeMap<u64, u32>) -> bool {
        let count = lemmas.get(&view.lemma_key(lemma)).copied().unwrap_or(0);
        count > u32::from(lemma == self.word.lemma)
    }

    pub fn view(&self, scratch: &mut String) -> View {
        View::new(&self.form, &self.word, self.rich, scratch)
    }
}

/// Lemmas of which nothing stands in the form say nothing about other forms.
fn ending_lexicon(types: &[Type], rules: &[Rule]) -> LexiconBuilder {
    let mut counts: BTreeMap<u64, BTreeMap<u16, u32>> = BTreeMap::new();
    let mut scratch = String::new();
    for seen in types {
        let view = seen.view(&mut scratch);
        let keys = (0..=LONGEST_ENDING).flat_map(|n| [view.ending_key(n), view.tag_ending_key(n)]);
        for key in keys.flatten() {
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
            let enough = enough.filter(|c| !matches!(rules[usize::from(c.0)], Rule::Whole(_)));
            let list = by_frequency(enough, ENDING_RULES);
            if !list.is_empty() {
                builder.insert(key, list);
            }
        }
    }
    builder
}

/// Whether, where no ending leads to a known lemma, the longest known lemma that a form begins with is often its own: in more
/// than a fifth of such forms. In Turkish it is in 33 % (and lemmas of held-back sentences rise from 92.7 to 93.5), in
/// French in 3 % (and they would fall from 98.3 to 98.0).
fn stems_are_lemmas(types: &[Type], lemmatizer: &Lemmatizer, lemmas: &BTreeMap<u64, u32>) -> bool {
    let (mut candidates, mut scratch) = (Vec::new(), String::new());
    let (mut added, mut right) = (0, 0);
    for seen in types {
        let view = seen.view(&mut scratch);
        view.guess(&lemmatizer.lexicon, &mut candidates);
        let guesses = candidates.len();
        let knows = |lemma: &str| seen.knows(&view, lemma, lemmas);
        lemmatizer.add_stem(&seen.form, knows, &mut candidates);
        for stem in &candidates[guesses..] {
            added += 1;
            right += usize::from(*stem == seen.gold());
        }
    }
    5 * right > added
}

fn learn(
    types: &[Type],
    lemmatizer: &Lemmatizer,
    lemmas: Option<&BTreeMap<u64, u32>>,
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
    let mut candidates = Vec::new();
    for epoch in 0..options.epochs {
        shuffle(&mut order, options.seed.wrapping_add(u64::from(epoch)));
        let mut right = 0;
        for &i in &order {
            let seen = &types[i];
            let view = seen.view(&mut scratch);
            view.guess(&lemmatizer.lexicon, &mut candidates);
            let knows = |lemma: &str| lemmas.is_some_and(|lemmas| seen.knows(&view, lemma, lemmas));
            if lemmas.is_some() {
                lemmatizer.add_stem(&seen.form, knows, &mut candidates);
            }
            if candidates.is_empty() {
                continue;
            }
            view.fill(&candidates, &mut lattice);
            let gold = seen.gold();
            lattice.allow(0, gold);
            if lemmas.is_some() {
                ask(&mut lattice, &lemmatizer.rules, &seen.form, knows);
            }
            right += u32::from(perceptron.learn(&lattice, &[gold]));
        }
        report(epoch, right as f32 / order.len() as f32);
    }
    perceptron
}
