//! What can be chosen about a run of word2vec.

use super::subwords::Subwords;
use serde::{Deserialize, Serialize};

/// What predicts what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Every neighbour predicts the word.
    SkipGram,
    /// The mean of the neighbours predicts the word.
    Cbow,
}

/// How the prediction is scored.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Against words drawn at random.
    Negative,
    /// Along the word's path in a Huffman tree.
    Hierarchical,
}

impl Objective {
    /// The better one for skip-gram of a text of so many tokens. By the odd sections of the analogies and MTurk-287,
    /// hierarchical softmax is better for 0.8 and 3.3 million tokens of Wikipedia, negatives are for 8.3 million.
    pub fn for_text(tokens: u64) -> Objective {
        match tokens < 5_000_000 {
            true => Objective::Hierarchical,
            false => Objective::Negative,
        }
    }
}

/// All that decides the vectors, but for the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    pub model: Model,
    pub objective: Objective,
    /// Values of a vector.
    pub dim: usize,
    /// Words on each side at most.
    pub window: u32,
    /// Negatives to a word.
    pub negative: usize,
    /// Frequency above which words are thinned out; 0 keeps all.
    pub sample: f64,
    pub epochs: u32,
    /// Learning rate at the beginning.
    pub rate: f32,
    /// CBOW: each neighbour takes its share of the gradient, 1/C, not all of it.
    pub shares_gradient: bool,
    pub subwords: Option<Subwords>,
    /// Lines are cut after so many words.
    pub max_sentence: usize,
    pub seed: u64,
}

impl Options {
    /// How often to go over a text of so many tokens: five times, and small texts more often.
    pub fn epochs_for(tokens: u64) -> u32 {
        (20_000_000 / tokens.max(1) * 5).clamp(5, 15) as u32
    }
}
