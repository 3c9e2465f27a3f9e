//! The shape of a Transformer: what is stored with its weights and must match them.

use crate::translate::architecture::{ConfigError, Recipe, Tied};
use serde::{Deserialize, Serialize};

/// Sizes and kinds of layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Words of the source and of the target vocabulary.
    pub source_vocabulary: usize,
    pub target_vocabulary: usize,
    /// Values of a token between layers.
    pub dim: usize,
    pub encoder_layers: usize,
    pub decoder_layers: usize,
    pub heads: usize,
    /// Values inside a feed-forward layer.
    pub ffn: usize,
    /// Normalise before each sublayer instead of after it.
    pub pre_norm: bool,
    pub positions: PositionKind,
    pub tied: Tied,
    /// Positions that there are: the longest sentence in tokens.
    pub max_positions: usize,
}

/// How a model knows where a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PositionKind {
    /// Fixed sine and cosine waves
    Sinusoidal,
    /// A learned vector for each position
    Learned,
}

/// Sizes that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    Tiny,
    Small,
    Base,
    Big,
}

/// What a preset stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub dim: usize,
    /// Of the encoder and of the decoder.
    pub layers: usize,
    pub heads: usize,
    pub ffn: usize,
}

impl Preset {
    /// Base and big are those of Vaswani et al. 2017.
    pub fn sizes(self) -> Sizes {
        let (dim, layers, heads, ffn) = match self {
            Preset::Tiny => (128, 4, 4, 256),
            Preset::Small => (256, 3, 4, 1024),
            Preset::Base => (512, 6, 8, 2048),
            Preset::Big => (1024, 6, 16, 4096),
        };
        Sizes {
            dim,
            layers,
            heads,
            ffn,
        }
    }
}

/// What to train with so many sentence pairs when nothing else is said: little data wants a small model and much dropout,
/// large models want a small rate and a long warm-up.
pub fn recipe(pairs: u64) -> (Preset, Recipe) {
    match pairs {
        0..2_000 => (
            Preset::Tiny,
            Recipe {
                dropout: 0.1,
                dropout_ramp: 0,
                vocabulary: 2_000,
                batch_tokens: 4096,
                lr: 2e-3,
                warmup: 200,
                evaluate_every: 100,
            },
        ),
        2_000..100_000 => (
            Preset::Tiny,
            Recipe {
                dropout: 0.3,
                dropout_ramp: 3_000,
                vocabulary: 8_000,
                batch_tokens: 4096,
                lr: 5e-3,
                warmup: 400,
                evaluate_every: 250,
            },
        ),
        100_000..1_000_000 => (
            Preset::Small,
            Recipe {
                dropout: 0.2,
                dropout_ramp: 5_000,
                vocabulary: 12_000,
                batch_tokens: 4096,
                lr: 2e-3,
                warmup: 2_000,
                evaluate_every: 1_000,
            },
        ),
        _ => (
            Preset::Base,
            Recipe {
                dropout: 0.1,
                dropout_ramp: 0,
                vocabulary: 32_000,
                batch_tokens: 4096,
                lr: 7e-4,
                warmup: 4_000,
                evaluate_every: 5_000,
            },
        ),
    }
}

impl Config {
    /// Whether a model can have this shape.
    ///
    /// # Errors
    /// When it cannot.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("dim", self.dim),
            ("encoder-layers", self.encoder_layers),
            ("decoder-layers", self.decoder_layers),
            ("heads", self.heads),
            ("ffn", self.ffn),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(ConfigError::Zero(name));
        }
        if self.max_positions < 2 {
            return Err(ConfigError::Positions(self.max_positions));
        }
        if !self.dim.is_multiple_of(self.heads) {
            return Err(ConfigError::Heads {
                dim: self.dim,
                heads: self.heads,
            });
        }
        if self.tied == Tied::All && self.source_vocabulary != self.target_vocabulary {
            return Err(ConfigError::Vocabularies);
        }
        Ok(())
    }
}
