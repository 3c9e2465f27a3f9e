//! The shape of a Transformer: what is stored with its weights and must match them.

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

/// Which tables of words are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tied {
    /// Source, target and output: one table, one vocabulary
    All,
    /// Target and output
    Target,
    /// Three tables
    None,
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

/// What to train with so many sentence pairs when nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    pub preset: Preset,
    pub dropout: f32,
    /// Pieces of the subword models.
    pub vocabulary: usize,
    pub lr: f32,
    pub warmup: u64,
    /// Steps from one evaluation to the next.
    pub evaluate_every: u64,
}

impl Recipe {
    /// Little data wants a small model and much dropout; large models want a small rate and a long warm-up.
    pub fn of(pairs: u64) -> Recipe {
        match pairs {
            0..2_000 => Recipe {
                preset: Preset::Tiny,
                dropout: 0.1,
                vocabulary: 2_000,
                lr: 2e-3,
                warmup: 200,
                evaluate_every: 100,
            },
            2_000..100_000 => Recipe {
                preset: Preset::Tiny,
                dropout: 0.3,
                vocabulary: 8_000,
                lr: 3e-3,
                warmup: 1_000,
                evaluate_every: 250,
            },
            100_000..1_000_000 => Recipe {
                preset: Preset::Small,
                dropout: 0.2,
                vocabulary: 12_000,
                lr: 2e-3,
                warmup: 2_000,
                evaluate_every: 1_000,
            },
            _ => Recipe {
                preset: Preset::Base,
                dropout: 0.1,
                vocabulary: 32_000,
                lr: 7e-4,
                warmup: 4_000,
                evaluate_every: 5_000,
            },
        }
    }
}

/// Why sizes do not go together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} is 0")]
    Zero(&'static str),
    #[error("dim {dim} is no multiple of {heads} heads")]
    Heads { dim: usize, heads: usize },
    #[error("dim {0} is no even number: half of it is for each direction")]
    Odd(usize),
    #[error("input feeding needs attention, whose context it feeds")]
    NothingToFeed,
    #[error("one table for source and target needs one vocabulary")]
    Vocabularies,
}

impl Config {
    /// Whether a model can have this shape.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(&self) -> Result<(), ConfigError> {
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
