//! Sums over the rows of a matrix, column by column, in an order that does not depend on the number of threads.
//!
//! ```text
//! s[c] = Σ_r X[r, c]
//! ```
//!
//! Blocks of rows are summed each for itself, and their sums in order.

use crate::simd::{Lanes, Level, dispatch};
use rayon::prelude::*;

/// Values of a block: whole rows, so many that a block is worth a task.
pub fn size(columns: usize) -> usize {
    const VALUES: usize = 1 << 14;
    (VALUES / columns.max(1)).max(1) * columns
}

/// Sums of blocks of rows by `sum`, which adds what it makes of a block to zeros; added up in order.
pub fn blocks<const N: usize>(
    len: usize,
    columns: usize,
    sum: impl Fn(std::ops::Range<usize>, &mut [Vec<f32>; N]) + Sync,
) -> [Vec<f64>; N] {
    let size = size(columns);
    let parts: Vec<[Vec<f32>; N]> = (0..len.div_ceil(size))
        .into_par_iter()
        .map(|i| {
            let mut sums = std::array::from_fn(|_| vec![0.0; columns]);
            sum(i * size..len.min((i + 1) * size), &mut sums);
            sums
        })
        .collect();
    let mut all = std::array::from_fn(|_| vec![0.0; columns]);
    for part in parts {
        for (all, part) in all.iter_mut().zip(part) {
            for (all, part) in all.iter_mut().zip(part) {
                *all += f64::from(part);
            }
        }
    }
    all
}

/// Adds the sums of the columns of `values`, of which there are as many as `sums`.
pub fn add_sums(values: &[f32], sums: &mut [f32]) {
    let columns = sums.len();
    let [found] = blocks(values.len(), columns, |range, [sums]| {
        // SAFETY: the level is that of this processor.
        unsafe { sum(Level::best(), &values[range], sums) }
    });
    sums.iter_mut()
        .zip(found)
        .for_each(|(sum, v)| *sum += v as f32);
}

dispatch!(pub(super) unsafe fn sum(values: &[f32], sums: &mut [f32]) = sum_in);

#[inline(always)]
unsafe fn sum_in<L: Lanes>(values: &[f32], sums: &mut [f32]) {
    for row in values.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
    }
}
