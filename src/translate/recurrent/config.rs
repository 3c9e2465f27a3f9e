//! The shape of a recurrent translator: what is stored with its weights and must match them.

use crate::nn::ops::cell::Kind;
use crate::translate::architecture::{ConfigError, Recipe, Tied, Units};
use serde::{Deserialize, Serialize};

/// Sizes and kinds of layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Words of the source and of the target vocabulary.
    pub source_vocabulary: usize,
    pub target_vocabulary: usize,
    /// Values of an embedded token.
    pub embedding: usize,
    /// Units of a layer; half of them in each direction of the encoder.
    pub dim: usize,
    /// Layers of the encoder, and as many of the decoder.
    pub layers: usize,
    pub cell: Kind,
    pub attention: Attention,
    /// Whether the context of a step enters the next.
    pub input_feeding: bool,
    /// Normalise embeddings, what each layer of the encoder gives, and what the decoder gives.
    pub layer_norm: bool,
    pub tied: Tied,
    /// Share of the last state's units that are dropped in training, the same at every step of a sentence.
    pub recurrent_dropout: f32,
    /// Share of the decoder's input words that are its own guesses in training.
    pub scheduled_sampling: f32,
    /// The longest sentence in tokens.
    pub max_positions: usize,
}

/// How the decoder looks back at the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attention {
    /// Not at all: all it knows is the encoder's last state (Sutskever et al. 2014)
    None,
    /// Products of states (Luong et al. 2015)
    Dot,
    /// Products of states, one of them mapped (Luong et al. 2015)
    General,
    /// A layer over the sum of states (Bahdanau et al. 2015, and `concat` of Luong et al. 2015)
    Additive,
}

/// How to train on so many pairs when nothing else is said. Characters are easily learned, from many small steps.
pub fn recipe(pairs: u64, units: Units) -> Recipe {
    let (dropout, vocabulary, lr, warmup, evaluate_every) = match pairs {
        0..2_000 => (0.1, 2_000, 2e-3, 100, 100),
        2_000..100_000 => (0.3, 8_000, 2e-3, 300, 250),
        _ => (0.2, 16_000, 1e-3, 1_000, 1_000),
    };
    let recipe = Recipe {
        dropout,
        // Little data wants much dropout, later.
        dropout_ramp: if pairs < 100_000 { 1_000 } else { 0 },
        vocabulary,
        batch_tokens: 4096,
        lr,
        warmup,
        evaluate_every,
    };
    match units {
        Units::Pieces => recipe,
        Units::Characters => Recipe {
            dropout: 0.1,
            dropout_ramp: 0,
            batch_tokens: 1024,
            lr: 5e-3,
            ..recipe
        },
    }
}

/// Values of a token, units and layers for so many pairs. Characters make long sequences of few words, for which small
/// models do.
pub fn sizes(pairs: u64, units: Units) -> (usize, usize, usize) {
    match (units, pairs) {
        (Units::Characters, _) => (64, 128, 1),
        (Units::Pieces, 0..2_000) => (128, 128, 1),
        (Units::Pieces, 2_000..100_000) => (256, 512, 1),
        (Units::Pieces, _) => (512, 512, 2),
    }
}

impl Config {
    /// Whether a model can have this shape.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("embedding", self.embedding),
            ("dim", self.dim),
            ("layers", self.layers),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(ConfigError::Zero(name));
        }
        let shares = [
            ("recurrent-dropout", self.recurrent_dropout),
            ("scheduled-sampling", self.scheduled_sampling),
        ];
        if let Some((name, _)) = shares.iter().find(|(_, share)| !(0.0..1.0).contains(share)) {
            return Err(ConfigError::Share(name));
        }
        if self.max_positions < 2 {
            return Err(ConfigError::Positions(self.max_positions));
        }
        if !self.dim.is_multiple_of(2) {
            return Err(ConfigError::Odd(self.dim));
        }
        if self.input_feeding && self.attention == Attention::None {
            return Err(ConfigError::NothingToFeed);
        }
        if self.tied == Tied::All && self.source_vocabulary != self.target_vocabulary {
            return Err(ConfigError::Vocabularies);
        }
        Ok(())
    }
}
