//! GloVe: vectors whose products are the logarithms of co-occurrence counts.
//!
//! ```text
//! J = ½ Σ f(X(i,j)) · (w(i)·w̃(j) + b(i) + b̃(j) − ln X(i,j))²        over the pairs with X(i,j) > 0
//! f(x) = min(1, (x/x_max)^α)
//! ```
//!
//! Each pair is a step of AdaGrad: θ ← θ − η g/√(1 + Σ (η g')²), with g' the gradients of the steps before, the form of
//! the authors' program. Pennington, Socher and Manning (2014), GloVe: Global Vectors for Word Representation; Duchi,
//! Hazan and Singer (2011), Adaptive Subgradient Methods.
//!
//! | module | what is in it |
//! |---|---|
//! | [`kernel`] | one step, in registers |
//! | [`tiles`] | pairs grouped by the blocks of words that they touch |
//! | [`schedule`] | which tile may run when, so that any number of threads gives the same bytes |
//! | [`train`] | the loop |

pub mod kernel;
pub mod schedule;
pub mod tiles;
pub mod train;

/// What is fitted, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    pub dim: usize,
    pub epochs: u32,
    /// η
    pub rate: f32,
    /// Counts from here on weigh 1.
    pub x_max: f64,
    /// α
    pub alpha: f64,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            dim: 100,
            epochs: 25,
            rate: 0.05,
            x_max: 10.0,
            alpha: 0.75,
            seed: 1,
        }
    }
}

/// Which vectors are handed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// w + w̃
    #[default]
    Sum,
    /// w
    Word,
    /// w and w̃, one behind the other
    Both,
}
