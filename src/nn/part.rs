//! The samples of a batch that one of several ranks computes.
//!
//! ```text
//! rank r of R has groups ⌊r G / R⌋ … ⌊(r + 1) G / R⌋ of G
//! ```
//!
//! What is drawn at random is drawn for all samples of the batch, and each rank takes what is its own; what is a mean over
//! the batch is a sum over all ranks. So they learn what one would, but for the order of sums.

use super::device::Memory;
use super::reduce;
use crate::ranks::Ranks;
use std::ops::Range;

/// Samples that stand together in a batch, and who computes the others.
pub struct Part<'r> {
    ranks: &'r dyn Ranks,
    own: Range<usize>,
    all: usize,
}

impl<'r> Part<'r> {
    /// The part of a rank of a batch of so many samples, in whole groups of `group`.
    ///
    /// # Panics
    /// When there are fewer groups than ranks.
    pub fn of(ranks: &'r dyn Ranks, all: usize, group: usize) -> Part<'r> {
        let (groups, size) = (all / group, ranks.size());
        assert!(groups >= size, "{groups} groups for {size} ranks");
        let first = |rank: usize| rank * groups / size * group;
        Part {
            ranks,
            own: first(ranks.rank())..first(ranks.rank() + 1),
            all,
        }
    }

    /// Its samples.
    pub fn own(&self) -> Range<usize> {
        self.own.clone()
    }

    /// Rows of the whole batch, of which so many belong to its own samples.
    pub fn rows(&self, own: usize) -> usize {
        own * self.all / self.own.len()
    }

    /// How many samples the batch has.
    pub fn all(&self) -> usize {
        self.all
    }

    /// How many of them come before its own, and how many after.
    pub fn others(&self) -> [usize; 2] {
        [self.own.start, self.all - self.own.end]
    }

    /// Each value becomes its sum over the whole batch.
    pub fn sum(&self, values: &mut [f64]) {
        self.ranks.sum_f64(values);
    }

    /// The same of f32 on a device.
    pub fn sum_there(&self, values: &Memory) {
        reduce::sum_there(self.ranks, values, 0..values.len());
    }

    /// The same for gradients.
    pub fn sum_gradients(&self, gradients: &mut [f32]) {
        self.ranks.sum(gradients);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::threads;

    #[test]
    fn parts_are_whole_groups_and_together_the_batch() {
        let found = threads::run(3, |ranks| {
            let part = Part::of(ranks, 14, 2);
            let mut sum = [part.own().len() as f64];
            part.sum(&mut sum);
            (part.own(), part.others(), sum)
        });
        let all = [14.0];
        let expected = [
            (0..4, [0, 10], all),
            (4..8, [4, 6], all),
            (8..14, [8, 0], all),
        ];
        assert_eq!(found, expected);
    }
}
