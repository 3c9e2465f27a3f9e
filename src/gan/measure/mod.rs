//! How good what a GAN makes is: distances between made samples and real ones, and what share of each the other
//! covers.
//!
//! | module | what is in it |
//! |---|---|
//! | [`frechet`], [`kernel`], [`sliced`] | distances: between Gaussians, of kernel means, along random lines |
//! | [`neighbours`] | precision, recall, density, coverage |
//! | [`copies`] | the nearest training samples of what was made: is it learned by heart? |
//! | [`modes`] | for toys, whose modes are known |
//! | [`scores`], [`floor`] | all numbers of a pair of sets, and the same between two halves of the real one |
//! | [`symmetric`], [`householder`], [`gram`], [`distances`] | eigenvalues, products in f64, distances in blocks |
//!
//! Samples are rows of f32: features of a network, pixels, or points. Sums run in f64 in an order that does not
//! depend on the number of threads, and all that is drawn at random is drawn from a seed.

pub mod copies;
pub mod distances;
pub mod floor;
pub mod frechet;
pub mod gram;
pub mod householder;
pub mod kernel;
pub mod modes;
pub mod neighbours;
pub mod scores;
pub mod sliced;
pub mod symmetric;

use rayon::prelude::*;

/// What turns images into the numbers that they are compared by.
pub trait Features {
    /// Numbers to an image.
    fn dim(&self) -> usize;

    /// The features (n, dim) of `n` images, whose values (n, height, width, channels) lie from −1 to 1.
    fn of(&self, images: &[f32], n: usize) -> Vec<f32>;
}

/// What can go wrong with measuring.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeasureError {
    /// Values that are no whole number of rows.
    #[error("{values} values are no rows of {dim}")]
    Shape { values: usize, dim: usize },
    /// A value that is infinite or not a number.
    #[error(
        "sample {sample} has a value that is not finite, so nothing can be measured; leave it out"
    )]
    NotFinite { sample: usize },
    /// Sets of different widths.
    #[error("samples of {left} values cannot be compared with samples of {right}")]
    Widths { left: usize, right: usize },
    /// Fewer samples than a measure is defined for.
    #[error("{measure} needs at least {needed} samples in each set, found {found}")]
    TooFew {
        measure: &'static str,
        needed: usize,
        found: usize,
    },
    /// Features and pixels of different numbers of samples.
    #[error("there are features of {features} samples and pixels of {pixels}")]
    Counts { features: usize, pixels: usize },
    /// Eigenvalues that were not found, which finite values never lead to.
    #[error("the eigenvalues of a matrix of {size} rows did not converge")]
    NotConverged { size: usize },
}

/// Samples as rows of finite numbers, (n, dim).
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    values: &'a [f32],
    dim: usize,
}

impl<'a> Points<'a> {
    /// Rows of `dim` values each, one after the other.
    ///
    /// # Errors
    /// When the values are no whole rows, or one is not finite; samples are numbered from 0.
    pub fn new(values: &'a [f32], dim: usize) -> Result<Points<'a>, MeasureError> {
        if dim == 0 || !values.len().is_multiple_of(dim) {
            let values = values.len();
            return Err(MeasureError::Shape { values, dim });
        }
        let bad = (values.par_chunks(dim)).position_first(|row| row.iter().any(|x| !x.is_finite()));
        match bad {
            Some(sample) => Err(MeasureError::NotFinite { sample }),
            None => Ok(Points { values, dim }),
        }
    }

    /// How many samples there are.
    pub fn n(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Values to a sample.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// All values.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// One sample.
    pub fn row(&self, i: usize) -> &'a [f32] {
        &self.values[i * self.dim..(i + 1) * self.dim]
    }

    /// The first samples, at most `n`.
    pub fn first(&self, n: usize) -> Points<'a> {
        Points {
            values: &self.values[..n.min(self.n()) * self.dim],
            dim: self.dim,
        }
    }

    /// Refuses sets that cannot be compared, or are smaller than a measure is defined for.
    fn comparable(
        &self,
        other: &Points,
        measure: &'static str,
        needed: usize,
    ) -> Result<(), MeasureError> {
        let (left, right) = (self.dim, other.dim);
        if left != right {
            return Err(MeasureError::Widths { left, right });
        }
        match self.n().min(other.n()) {
            found if found < needed => Err(MeasureError::TooFew {
                measure,
                needed,
                found,
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::random::Random;

    /// Rows (n, dim) of numbers that depend on each other, the same for a seed.
    pub fn correlated(n: usize, dim: usize, seed: u64) -> Vec<f32> {
        let mut random = Random::new(seed, 0);
        let mut values = Vec::with_capacity(n * dim);
        for _ in 0..n {
            let common = random.normal();
            let mut last = 0.0;
            for j in 0..dim {
                last = 0.6 * last + random.normal() + common * (j % 3) as f32;
                values.push(last);
            }
        }
        values
    }

    /// What a function gives on one thread and on several.
    pub fn on_threads<T: Send>(work: impl Fn() -> T + Sync) -> [T; 2] {
        [1, 3].map(|n| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
            pool.unwrap().install(&work)
        })
    }

    #[test]
    fn a_value_that_is_no_number_is_refused_by_the_number_of_its_sample() {
        let error = Points::new(&[1.0, 2.0, f32::NAN, 0.0], 2).unwrap_err();
        assert_eq!(error, MeasureError::NotFinite { sample: 1 });
    }

    #[test]
    fn values_that_are_no_whole_rows_are_refused() {
        let error = Points::new(&[1.0, 2.0, 3.0], 2).unwrap_err();
        assert_eq!(error, MeasureError::Shape { values: 3, dim: 2 });
    }
}
