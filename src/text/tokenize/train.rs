//! Learns a segmenter from annotated documents.
//!
//! The raw text is laid out several times: as it is, wrapped at several widths, and one sentence a line. Cuts are learned
//! from the first of these only (they do not depend on line ends); boundaries from all, since what a line end means can
//! only be seen where there are some.

use super::boundary::{self, Smalls};
use super::exceptions::Exceptions;
use super::gold::{Gold, Layout};
use super::layout::Gap;
use super::logistic::{Examples, Training};
use super::multiword::{Multiwords, neighbours};
use super::pieces::paragraphs;
use super::segmenter::{Options, Segmenter, Workspace};
use super::shape::{Kind, Shape};
use super::signs;
use crate::text::document::{Document, Opens, Sentence};
use crate::text::hash::mix;
use crate::text::model::Section;
use crate::text::weights::Weights;
use std::collections::{BTreeMap, HashMap};

/// How a segmenter is learned.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    pub seed: u64,
    pub cuts: Steps,
    /// Cuts where every character may end a word.
    pub dense_cuts: Steps,
    pub boundaries: Steps,
}

/// How the weights of one decision are learned.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// Passes over the examples.
    pub epochs: u32,
    /// The table has 2^bits weights.
    pub bits: u32,
    /// Length of a step.
    pub rate: f32,
}

impl Steps {
    fn training(self, seed: u64) -> Training {
        Training {
            bits: self.bits,
            epochs: self.epochs,
            rate: self.rate,
            seed,
        }
    }
}

impl Default for TrainOptions {
    fn default() -> TrainOptions {
        let steps = |epochs, bits, rate| Steps { epochs, bits, rate };
        TrainOptions {
            seed: 1,
            cuts: steps(12, 17, 0.3),
            // Chosen on fifths of half of Japanese-GSD dev.
            dense_cuts: steps(20, 20, 0.1),
            boundaries: steps(12, 18, 0.04),
        }
    }
}

/// Learns a segmenter from documents that are not located (CoNLL-U as parsed); the `tokenize` layer of a model.
pub fn train(documents: &[Document], options: &TrainOptions) -> Section {
    let raw = Gold::of(documents, Layout::Raw);
    let mut segmenter = Segmenter {
        dense: is_dense(&raw),
        cuts: empty(),
        boundaries: empty(),
        splits: empty(),
        smalls: smalls(&raw),
        multiwords: Multiwords::train(&raw.tokens, &raw.text),
    };
    let mut cuts = Examples::default();
    collect(&segmenter, &raw, Some(&mut cuts), None);
    collect(&segmenter, &signs::added(&raw), Some(&mut cuts), None);
    let steps = match segmenter.dense {
        true => options.dense_cuts,
        false => options.cuts,
    };
    segmenter.cuts = cuts.train(&steps.training(options.seed));
    let split_steps = Steps {
        bits: SPLIT_BITS,
        ..options.cuts
    };
    segmenter.splits = splits(&segmenter, &raw).train(&split_steps.training(options.seed));
    let mut boundaries = Examples::default();
    collect(&segmenter, &raw, None, Some(&mut boundaries));
    for pass in 0..PASSES {
        let gold = laid_out(documents, mix(options.seed, 77 + pass));
        collect(&segmenter, &gold, None, Some(&mut boundaries));
    }
    segmenter.boundaries = boundaries.train(&options.boundaries.training(options.seed));
    segmenter.to_section()
}

/// Few surfaces are ambiguous.
const SPLIT_BITS: u32 = 16;

/// The tokens that are several words in some places only, and whether they are.
fn splits(segmenter: &Segmenter, gold: &Gold) -> Examples {
    let mut examples = Examples::default();
    let shapes = gold.tokens.iter().map(|token| {
        let gap = Gap::Space;
        Shape::of(&gold.text[token.span.clone()], 0, gap, 0)
    });
    let shapes: Vec<_> = shapes.collect();
    let mut features = Vec::new();
    for (i, token) in gold.tokens.iter().enumerate() {
        let number = segmenter.multiwords.find(&gold.text[token.span.clone()]);
        if number.is_some_and(|number| segmenter.multiwords.asks(number)) {
            features.clear();
            neighbours::features(&shapes, i, &mut features);
            examples.push(&features, !token.words.is_empty());
        }
    }
    examples
}

fn empty() -> Weights {
    Weights {
        table: vec![0],
        scale: 1.0,
    }
}

/// How many further passes there are over the text, in other layouts.
const PASSES: u64 = 2;

/// The documents in blocks, each with a layout of its own: one in three gets a line for each sentence, the others are
/// wrapped.
fn laid_out(documents: &[Document], seed: u64) -> Gold {
    let mut all = Gold::default();
    let mut random = seed;
    for block in documents
        .iter()
        .flat_map(|document| blocks(&document.sentences))
    {
        random = mix(random, 1 + all.tokens.len() as u64);
        let layout = match random % 3 {
            0 => Layout::SentenceLines,
            // Mail and books: 50 to 100 characters, most often some 75.
            _ => Layout::Wrapped(50 + (random >> 20) as usize % 30 + (random >> 40) as usize % 22),
        };
        all.append(Gold::of_sentences(block, layout));
    }
    all
}

/// Cuts a document at paragraphs behind at least twenty sentences, or behind fifty.
fn blocks(sentences: &[Sentence]) -> Vec<&[Sentence]> {
    let mut blocks = Vec::new();
    let mut start = 0;
    for (i, sentence) in sentences.iter().enumerate() {
        let length = i - start;
        if length >= 50 || length >= 20 && sentence.opens != Opens::Nothing {
            blocks.push(&sentences[start..i]);
            start = i;
        }
    }
    blocks.push(&sentences[start..]);
    blocks
}

/// Whether more than one token in a hundred ends inside a run of letters.
fn is_dense(gold: &Gold) -> bool {
    let glued = gold.tokens.windows(2).filter(|pair| {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        pair[0].span.end == pair[1].span.start
            && letter(gold.text[pair[0].span.clone()].chars().next_back())
            && letter(gold.text[pair[1].span.clone()].chars().next())
    });
    glued.count() * 100 > gold.tokens.len()
}

/// The words written small more often than with a capital.
fn smalls(gold: &Gold) -> Smalls {
    let mut counts: BTreeMap<u64, i32> = BTreeMap::new();
    for token in &gold.tokens {
        let unit = Shape::of(&gold.text[token.span.clone()], 0, Gap::None, 0);
        match unit.kind {
            Kind::Lower => *counts.entry(unit.form).or_default() += 1,
            Kind::Title => *counts.entry(unit.form).or_default() -= 1,
            _ => {}
        }
    }
    Smalls::of(
        counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(form, _)| form),
    )
}

/// Walks the gold text as the segmenter would, and writes down what it should have answered.
fn collect(
    segmenter: &Segmenter,
    gold: &Gold,
    mut cuts: Option<&mut Examples>,
    boundaries: Option<&mut Examples>,
) {
    let starts: HashMap<usize, usize> = gold
        .tokens
        .iter()
        .enumerate()
        .map(|(i, t)| (t.span.start, i))
        .collect();
    let ends: HashMap<usize, bool> = gold
        .tokens
        .iter()
        .map(|t| (t.span.end, t.ends_sentence))
        .collect();
    let mut work = Workspace::default();
    let mut features = Vec::new();
    let options = Options {
        multiwords: false,
        newline_breaks: false,
        exceptions: &Exceptions::default(),
    };
    let mut boundaries = boundaries;
    for paragraph in paragraphs(&gold.text, false) {
        segmenter.units(
            &gold.text,
            paragraph,
            &mut work,
            &options,
            |at, features| {
                let answer = starts.contains_key(&at);
                if let Some(cuts) = cuts.as_deref_mut() {
                    cuts.push(features, answer);
                }
                answer
            },
        );
        if let Some(boundaries) = boundaries.as_deref_mut() {
            let decide = |i: usize, features: &[u64]| {
                let answer = ends
                    .get(&(work.units[i].end as usize))
                    .copied()
                    .unwrap_or(false);
                boundaries.push(features, answer);
                answer
            };
            boundary::find(
                &work.units,
                &segmenter.smalls,
                &mut features,
                decide,
                |_| {},
            );
        }
    }
}
