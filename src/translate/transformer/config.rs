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
