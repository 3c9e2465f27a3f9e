//! What the lexicon of a lemmatizer knows of single forms, because guessing by endings gets it wrong.

use super::train::{ENDING_RULES, Type};
use super::view::{View, takes_any_tag};
use super::{LemmaScratch, Lemmatizer, Rule};
use crate::text::document::Word;
use crate::text::lexicon::{Lexicon, LexiconBuilder, by_frequency};
use compact_str::CompactString;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Adds the rules of each form with its UPOS, and with any: what is known of a word when it was not seen with all of its
/// tag.
pub(super) fn add_forms(types: &[Type], lexicon: &mut LexiconBuilder) {
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
pub(super) fn add_exceptions(
    types: &[Type],
    mut lexicon: LexiconBuilder,
    lemmatizer: &Lemmatizer,
) -> Lexicon {
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
