//! How often words stand near each other: the sparse matrix that GloVe is fitted to.
//!
//! ```text
//! X(i,j) = Σ 1/d    over all places of word i and of word j that are d ≤ window words apart in one sentence
//! ```
//!
//! The sum is kept exactly, as an integer: every 1/d is a whole number of units of 1/lcm(1..window), so counts of parts
//! of a text add up to those of the whole, in any order. A symmetric matrix is kept as its lower triangle, j ≤ i; on
//! the diagonal both places of a pair see each other, so X(i,i) has 2/d of each pair. Pennington, Socher and Manning
//! (2014), GloVe: Global Vectors for Word Representation.
//!
//! | module | what is in it |
//! |---|---|
//! | [`count`] | from a corpus to rows |
//! | [`rows`] | rows packed into bytes, in memory or in a mapped file, and their sums |
//! | [`mod@file`] | the file they are kept in |

pub mod count;
pub mod file;
pub mod rows;

use super::vocabulary::Vocabulary;
use rows::Rows;
use serde::{Deserialize, Serialize};

/// The widest window: with more, units of 1/lcm could overflow 64 bits on texts that people have.
pub const WIDEST: u32 = 20;

/// What a pair of words d apart adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// 1/d, as GloVe does
    #[default]
    Harmonic,
    /// (window + 1 − d)/window, as word2vec's windows of random width do on average
    Linear,
    /// 1, however far apart
    Flat,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Words further apart are not counted; at most [`WIDEST`].
    pub window: u32,
    /// Context is what stands before and behind a word; else only what stands before it.
    pub symmetric: bool,
    pub weighting: Weighting,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            window: 10,
            symmetric: true,
            weighting: Weighting::Harmonic,
        }
    }
}

impl Options {
    /// Units to a count of 1.
    pub fn unit(&self) -> u64 {
        let window = u64::from(self.window);
        match self.weighting {
            Weighting::Harmonic => (1..=window).fold(1, |all, d| all / gcd(all, d) * d),
            Weighting::Linear => window,
            Weighting::Flat => 1,
        }
    }

    /// Units for each distance from 1 on.
    fn weights(&self) -> Vec<u64> {
        let (unit, window) = (self.unit(), u64::from(self.window));
        let weight = |d| match self.weighting {
            Weighting::Harmonic => unit / d,
            Weighting::Linear => window + 1 - d,
            Weighting::Flat => 1,
        };
        (1..=window).map(weight).collect()
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    match b {
        0 => a,
        _ => gcd(b, a % b),
    }
}

/// The parts of a text that were counted, of so many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    pub counted: Vec<u64>,
    pub of: u64,
}

impl Parts {
    /// All of them.
    pub fn whole() -> Parts {
        Parts {
            counted: vec![0],
            of: 1,
        }
    }

    /// One of so many.
    pub fn one(part: u64, of: u64) -> Parts {
        Parts {
            counted: vec![part],
            of,
        }
    }

    pub fn are_all(&self) -> bool {
        self.counted.len() as u64 == self.of
    }
}

/// Counts with what is needed to understand them.
pub struct Cooccurrence {
    pub options: Options,
    pub vocabulary: Vocabulary,
    pub parts: Parts,
    pub rows: Rows,
}

/// Why counts cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("counted with other options than the first file")]
    Options,
    #[error("has other words, or other counts of them, than the first file")]
    Vocabulary,
    #[error("is a part of a text that was cut into another number of parts")]
    Parts,
    #[error("has a part of the text that is counted already")]
    Twice,
}

impl Cooccurrence {
    /// Whether the counts of `other` may be added to these.
    ///
    /// # Errors
    /// When they are of another text, or of the same part of it.
    pub fn check_addend(&self, other: &Cooccurrence) -> Result<(), Mismatch> {
        let has = |part| self.parts.counted.contains(part);
        match () {
            () if self.options != other.options => Err(Mismatch::Options),
            () if self.vocabulary != other.vocabulary => Err(Mismatch::Vocabulary),
            () if self.parts.of != other.parts.of => Err(Mismatch::Parts),
            () if other.parts.counted.iter().any(has) => Err(Mismatch::Twice),
            () => Ok(()),
        }
    }

    /// The sum of counts of different parts; `memory` bytes of rows are kept in memory, more in a temporary file.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    ///
    /// # Panics
    /// When there are none.
    pub fn sum(mut shards: Vec<Cooccurrence>, memory: u64) -> std::io::Result<Cooccurrence> {
        let rows: Vec<&Rows> = shards.iter().map(|shard| &shard.rows).collect();
        let rows = rows::sum(&rows, memory)?;
        let mut counted: Vec<u64> = (shards.iter())
            .flat_map(|shard| shard.parts.counted.iter().copied())
            .collect();
        counted.sort_unstable();
        let first = shards.swap_remove(0);
        let of = first.parts.of;
        let parts = match counted.len() as u64 == of {
            true => Parts::whole(),
            false => Parts { counted, of },
        };
        Ok(Cooccurrence {
            parts,
            rows,
            ..first
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_distance_weighs_a_whole_number_of_units() {
        let options = Options {
            window: 10,
            ..Options::default()
        };
        assert_eq!(options.unit(), 2520);
        assert_eq!(
            options.weights(),
            [2520, 1260, 840, 630, 504, 420, 360, 315, 280, 252]
        );
        let widest = Options {
            window: WIDEST,
            ..options
        };
        assert_eq!(widest.unit(), 232_792_560);
        let linear = Options {
            window: 3,
            weighting: Weighting::Linear,
            ..options
        };
        assert_eq!((linear.unit(), linear.weights()), (3, vec![3, 2, 1]));
    }
}
