//! Trains a [`Lemmatizer`] from annotated words and from lists of inflected forms.
//!
//! The rule of every (form, tag) seen is known; the classifier learns on types, weighted by the root of their counts,
//! with candidates from endings alone, as it will meet unknown words. Then the lexicon keeps the types that the
//! classifier would get wrong, and those that were seen with several lemmas.

use super::degrees::Degrees;
use super::rule::Rule;
use super::view::{LONGEST_ENDING, View, folded, takes_any_tag};
use super::{LemmaScratch, Lemmatizer, Mode, ask};
use crate::text::document::{Sentence, Word};
use crate::text::inflection::is_rich;
use crate::text::lexicon::{Lexicon, LexiconBuilder, by_frequency};
use crate::text::pos::train::shuffle;
use crate::text::tagger::{Lattice, train::Perceptron};
use crate::text::weights::Weights;
use compact_str::CompactString;
use std::collections::{BTreeMap, BTreeSet, HashMap};

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
    /// Whether FEATS belong to the tag.
    rich: bool,
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
        rules: rules.list,
        lexicon: endings.clone().build(),
        degrees,
        weights: Weights {
            table: vec![0],
            scale: 1.0,
        },
        lemmas: known,
    };
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
    fn gold(&self) -> u16 {
        by_frequency(self.rules.clone(), 1)[0]
    }

    fn is_name(&self) -> bool {
        self.word.upos == "PROPN" && self.attested && !self.word.xpos.is_empty()
    }

    fn view(&self, scratch: &mut String) -> View {
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
            if candidates.is_empty() {
                continue;
            }
            view.fill(&candidates, &mut lattice);
            let gold = seen.gold();
            lattice.allow(0, gold);
            if let Some(lemmas) = lemmas {
                // Known from other forms: its own lemma it will not know when it is new.
                let knows = |lemma: &str| {
                    let count = lemmas.get(&view.lemma_key(lemma)).copied().unwrap_or(0);
                    count > u32::from(lemma == seen.word.lemma)
                };
                ask(&mut lattice, &lemmatizer.rules, &seen.form, knows);
            }
            right += u32::from(perceptron.learn(&lattice, &[gold]));
        }
        report(epoch, right as f32 / order.len() as f32);
    }
    perceptron
}

/// Adds the rules of each form with its UPOS, and with any: what is known of a word when it was not seen with all of its
/// tag.
fn add_forms(types: &[Type], lexicon: &mut LexiconBuilder) {
    let mut rules: BTreeMap<u64, BTreeMap<u16, u32>> = BTreeMap::new();
    let mut scratch = String::new();
    for seen in types {
        let view = seen.view(&mut scratch);
        let any = takes_any_tag(&seen.word).then(|| view.any_tag_key());
        for key in any.into_iter().chain([view.upos_key()]) {
            let counts = rules.entry(key).or_default();
            for (rule, count) in &seen.rules {
                *counts.entry(*rule).or_default() += count;
            }
        }
    }
    for (key, counts) in rules {
        lexicon.insert(key, by_frequency(counts, ENDING_RULES));
    }
}

/// Adds the types that guessing gets wrong, and irregular forms alone where they have one lemma only.
fn add_exceptions(types: &[Type], mut lexicon: LexiconBuilder, lemmatizer: &Lemmatizer) -> Lexicon {
    let rules = &lemmatizer.rules;
    let lemmas = lemmas_of_forms(types, rules);
    let (mut lemma_scratch, mut scratch) = (LemmaScratch::default(), String::new());
    let mut guessed = |form: &str, word: &Word, view: &View| {
        lemmatizer.candidates(word, form, view, &mut lemma_scratch.candidates);
        lemmatizer.choose(form, view, &mut lemma_scratch)
    };
    for seen in types {
        let view = seen.view(&mut scratch);
        let gold = seen.gold();
        let is_exception = guessed(&seen.form, &seen.word, &view) != Some(gold);
        if is_exception {
            lexicon.insert(view.form_key(), vec![gold]);
        }
        let is_irregular = is_exception || rules[usize::from(gold)].changes_the_stem();
        let has_one_lemma = || lemmas[seen.form.as_str()].is_some();
        // Participles are adjectives too, with lemmas of their own.
        let is_kept = seen.word.upos == "VERB" || !takes_any_tag(&seen.word);
        if !seen.rich && is_irregular && !is_kept && has_one_lemma() {
            lexicon.insert(view.any_tag_key(), vec![gold]);
        }
    }
    for (seen, word) in names_under_other_tags(types) {
        let view = View::new(&seen.form, &word, seen.rich, &mut scratch);
        if guessed(&seen.form, &word, &view) != Some(seen.gold()) {
            lexicon.insert(view.form_key(), vec![seen.gold()]);
        }
    }
    lexicon.build()
}

/// The lemma of each form, if it has one only.
fn lemmas_of_forms<'a>(
    types: &'a [Type],
    rules: &[Rule],
) -> HashMap<&'a str, Option<CompactString>> {
    let mut lemmas: HashMap<&str, Option<CompactString>> = HashMap::new();
    for seen in types {
        let lemma = rules[usize::from(seen.gold())].apply(&seen.form);
        let entry = lemmas.entry(&seen.form).or_insert_with(|| lemma.clone());
        if *entry != lemma {
            *entry = None;
        }
    }
    lemmas
}

/// Names, and what they are under tags of names that they were not seen with: *Windows* is no plural there either.
fn names_under_other_tags(types: &[Type]) -> Vec<(&Type, Word)> {
    let mut names: BTreeMap<&str, Vec<&Type>> = BTreeMap::new();
    let mut tags = BTreeSet::new();
    for seen in types.iter().filter(|seen| seen.is_name()) {
        names.entry(&seen.form).or_default().push(seen);
        tags.insert(&seen.word.xpos);
    }
    let mut found = Vec::new();
    for seen in names.values() {
        // The tag that the name has most often says what it is.
        let count = |seen: &&&Type| seen.rules.values().sum::<u32>();
        let Some(most) = seen.iter().max_by_key(count) else {
            continue;
        };
        for xpos in &tags {
            if seen.iter().all(|other| other.word.xpos != **xpos) {
                let mut word = most.word.clone();
                word.xpos = (*xpos).clone();
                found.push((*most, word));
            }
        }
    }
    found
}
