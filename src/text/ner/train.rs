//! Trains an [`EntityRecognizer`] from sentences whose words carry `NER=B-X` and `NER=I-X` in MISC.

use super::calibration::{Calibration, fit, logit};
use super::{EntityRecognizer, Extractor, Label, NAME};
use crate::text::document::{Sentence, Word};
use crate::text::entity;
use crate::text::hash;
use crate::text::lexicon::{Lexicon, LexiconBuilder};
use crate::text::pos::train::{flatten, shuffle};
use crate::text::tagger::Lattice;
use crate::text::tagger::crf::{self, RandomField};
use crate::text::weights::Weights;
use crate::text::word_classes::WordClasses;
use crate::text::word_shape::WordShape;
use std::collections::{BTreeMap, BTreeSet};

/// How a recognizer is trained.
#[derive(Clone, Debug)]
pub struct Options {
    /// Types to learn, so that they are not taken for others, and not to show.
    pub hidden: Vec<String>,
    pub epochs: u32,
    pub beam: usize,
    /// The weight table has 2^bits entries.
    pub bits: u32,
    /// As in [`crf::Options`].
    pub dropout: f32,
    pub miss_cost: f32,
    /// Entries changed fewer times are left out.
    pub min_changes: u8,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            hidden: Vec::new(),
            epochs: 10,
            beam: 4,
            bits: 22,
            dropout: 0.3,
            miss_cost: 0.5,
            min_changes: 2,
            seed: 1,
        }
    }
}

/// Trains on sentences from several sources, the first being the one that later text is taken to resemble; `report`
/// hears of each epoch and the share of sentences it got right.
pub fn train(
    sources: &[Vec<&Sentence>],
    classes: WordClasses,
    options: &Options,
    mut report: impl FnMut(u32, f32),
) -> EntityRecognizer {
    let (sentences, source) = flatten(sources);
    let types = entity_types(&sentences);
    let labels = labels(&types);
    let ids: BTreeMap<&Label, u16> = labels
        .iter()
        .enumerate()
        .map(|(i, l)| (l, i as u16))
        .collect();
    let folds: Vec<Lexicon> = (0..NAME_FOLDS)
        .map(|fold| collect_names(&sentences, &types, Some(fold)))
        .collect();
    let mut field = RandomField::new(crf::Options {
        bits: options.bits,
        dropout: options.dropout,
        outside: 0, // as `labels` puts it
        miss_cost: options.miss_cost,
        seed: options.seed,
    });
    // Other sources have more names in them: met as often as the target, they would make it see too many.
    let repeats = |s: usize| {
        if source[s] == 0 && sources.len() > 1 {
            TARGET_REPEATS
        } else {
            1
        }
    };
    let mut order: Vec<usize> = (0..sentences.len())
        .flat_map(|s| std::iter::repeat_n(s, repeats(s)))
        .collect();
    let (mut lattice, mut extractor) = (Lattice::default(), Extractor::new(labels.len()));
    for epoch in 0..options.epochs {
        shuffle(&mut order, options.seed.wrapping_add(u64::from(epoch)));
        let mut right = 0;
        for &s in &order {
            extractor.fill(
                &sentences[s].words,
                (&folds[fold_of(s)], &classes),
                source[s],
                &mut lattice,
            );
            let gold: Vec<u16> = bioes(&sentences[s].words)
                .iter()
                .map(|label| ids[label])
                .collect();
            right += u32::from(field.learn(&lattice, &gold));
        }
        report(epoch, right as f32 / order.len() as f32);
    }
    let weights = Weights::quantize(&field.averaged(options.min_changes), CLIP);
    let names = collect_names(&sentences, &types, None);
    EntityRecognizer {
        labels,
        hidden: options.hidden.clone(),
        names,
        classes,
        weights,
        beam: options.beam,
        calibration: Calibration::NONE,
    }
}

/// Learns how often names of a probability are right: a recognizer of four fifths of the target, and of the other
/// sources, is asked for the names of the last fifth. Takes as long as training.
pub fn calibrate(
    recognizer: &mut EntityRecognizer,
    sources: &[Vec<&Sentence>],
    classes: WordClasses,
    options: &Options,
    report: impl FnMut(u32, f32),
) {
    let mut others = sources.to_vec();
    let mut held_back = Vec::new();
    if let Some(target) = others.first_mut() {
        let sentences = std::mem::take(target);
        for (i, sentence) in sentences.into_iter().enumerate() {
            let is_last = fold_of(i) == NAME_FOLDS - 1;
            if is_last {
                &mut held_back
            } else {
                &mut *target
            }
            .push(sentence);
        }
    }
    if held_back.is_empty() {
        return;
    }
    let part = train(&others, classes, options, report);
    let mut scratch = part.scratch();
    let mut seen: Vec<(f64, bool)> = Vec::new();
    for gold in held_back {
        let mut found = gold.clone();
        part.recognize(&mut found, true, &mut scratch);
        let right = entity::entities(gold);
        for entity in entity::entities(&found) {
            let score = found.words[entity.words.start].misc.get("Score");
            let probability = score.and_then(|score| score.parse().ok()).unwrap_or(0.5);
            seen.push((logit(probability), right.contains(&entity)));
        }
    }
    recognizer.calibration = fit(&seen);
}

fn entity_types(sentences: &[&Sentence]) -> Vec<String> {
    let entity = |word: &Word| Some(word.misc.get("NER")?.split_once('-')?.1.to_owned());
    let types: BTreeSet<String> = sentences
        .iter()
        .flat_map(|s| &s.words)
        .filter_map(entity)
        .collect();
    types.into_iter().collect()
}

fn labels(types: &[String]) -> Vec<Label> {
    let outside = Label {
        position: 'O',
        entity: String::new(),
    };
    let of = |t: &String| {
        ['B', 'I', 'E', 'S'].map(|position| Label {
            position,
            entity: t.clone(),
        })
    };
    std::iter::once(outside)
        .chain(types.iter().flat_map(of))
        .collect()
}

/// The labels of a sentence in the BIOES scheme; `I-X` after anything but X begins an entity.
fn bioes(words: &[Word]) -> Vec<Label> {
    let iob: Vec<Option<(bool, &str)>> = words
        .iter()
        .map(|w| {
            w.misc
                .get("NER")?
                .split_once('-')
                .map(|(position, entity)| (position == "B", entity))
        })
        .collect();
    let continues = |i: usize| match (
        iob.get(i).copied().flatten(),
        i.checked_sub(1).and_then(|p| iob[p]),
    ) {
        (Some((false, entity)), Some((_, before))) => entity == before,
        _ => false,
    };
    let label = |i: usize| {
        let Some((_, entity)) = iob[i] else {
            return Label {
                position: 'O',
                entity: String::new(),
            };
        };
        let position = match (continues(i), continues(i + 1)) {
            (false, false) => 'S',
            (false, true) => 'B',
            (true, true) => 'I',
            (true, false) => 'E',
        };
        Label {
            position,
            entity: entity.to_owned(),
        }
    };
    (0..words.len()).map(label).collect()
}

/// Where weights are clipped, in units of their root mean square. The few of the commonest features are far larger than
/// the many of rare ones: clipped at 8, as a perceptron's can be, they cost points in cross-validation (models/en/ner.md).
const CLIP: f32 = 40.0;

/// How often an epoch meets a sentence of the target, where there are other sources.
const TARGET_REPEATS: usize = 4;

/// A form is a name of a type when it was seen in entities of that type this often.
const NAME_COUNT: u32 = 2;
/// A sentence learns with the names of the other folds: with its own it would learn to trust the list blindly.
const NAME_FOLDS: usize = 5;

/// The fold of a sentence. Neighbours share one: a document names the same persons again and again.
fn fold_of(sentence: usize) -> usize {
    sentence / 500 % NAME_FOLDS
}

/// The names of the sentences that are not in the fold `without`.
fn collect_names(sentences: &[&Sentence], types: &[String], without: Option<usize>) -> Lexicon {
    let mut counts: BTreeMap<u64, BTreeMap<u16, u32>> = BTreeMap::new();
    let mut scratch = String::new();
    let kept = sentences
        .iter()
        .enumerate()
        .filter(|(i, _)| Some(fold_of(*i)) != without);
    for word in kept.flat_map(|(_, s)| &s.words) {
        let Some((_, entity)) = word.misc.get("NER").and_then(|label| label.split_once('-')) else {
            continue;
        };
        let Some(id) = types.iter().position(|t| t == entity) else {
            continue;
        };
        let key = hash::pair(NAME, WordShape::new(&word.form, &mut scratch).lower, 0);
        *counts.entry(key).or_default().entry(id as u16).or_default() += 1;
    }
    let mut builder = LexiconBuilder::default();
    for (key, counts) in counts {
        let often: Vec<u16> = counts
            .into_iter()
            .filter(|c| c.1 >= NAME_COUNT)
            .map(|c| c.0)
            .collect();
        if !often.is_empty() {
            builder.insert(key, often);
        }
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iob_labels_become_bioes() {
        let labels = [
            "B-PER", "I-PER", "B-PER", "O", "I-LOC", "I-LOC", "I-LOC", "I-ORG",
        ];
        let words: Vec<Word> = labels
            .iter()
            .map(|label| {
                let mut word = Word::of("x");
                if *label != "O" {
                    word.misc.set("NER", label);
                }
                word
            })
            .collect();
        let found: Vec<String> = bioes(&words).iter().map(Label::to_line).collect();
        assert_eq!(
            found,
            [
                "B-PER", "E-PER", "S-PER", "O", "B-LOC", "I-LOC", "E-LOC", "S-ORG"
            ]
        );
    }
}
