//! Rows put together and taken apart: the mean of rows, and one change for all of them.
//!
//! ```text
//! gather    into = 1/n Σ_r x_r
//! scatter   x_r += scale · (after − before)      for every r
//! ```
//!
//! CBOW gathers the neighbours of a word, skip-gram with subwords the n-grams of a word; the mean is trained as a row of
//! its own, and what changed is scattered over all of them, as fastText adds a gradient to each n-gram.

use super::subwords::Subwords;
use crate::simd::{Lanes, dispatch};
use compact_str::CompactString;

#[inline(always)]
unsafe fn gather_in<L: Lanes>(rows: &[*mut f32], into: *mut f32, stride: usize) {
    // SAFETY: `at` stays below `stride`, a multiple of every width, and all rows have so many values.
    unsafe {
        let scale = L::splat(1.0 / rows.len() as f32);
        for at in (0..stride).step_by(L::N) {
            let mut sum = L::zero();
            for row in rows {
                sum = sum.add(L::load(row.add(at)));
            }
            sum.mul(scale).store(into.add(at));
        }
    }
}

dispatch!(pub(super) unsafe fn gather(rows: &[*mut f32], into: *mut f32, stride: usize) = gather_in);

/// Rows that all change by the same.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    pub rows: &'a [*mut f32],
    pub before: *const f32,
    pub after: *const f32,
    pub scale: f32,
}

#[inline(always)]
unsafe fn scatter_in<L: Lanes>(change: Change, stride: usize) {
    // SAFETY: as in `gather_in`.
    unsafe {
        let scale = L::splat(change.scale);
        let minus = L::splat(-1.0);
        for at in (0..stride).step_by(L::N) {
            let before = L::load(change.before.add(at));
            let moved = before
                .mul_add(minus, L::load(change.after.add(at)))
                .mul(scale);
            for row in change.rows {
                L::load(row.add(at)).add(moved).store(row.add(at));
            }
        }
    }
}

dispatch!(pub(super) unsafe fn scatter(change: Change, stride: usize) = scatter_in);

/// Which rows of the input matrix make each word: its own, and behind those of all words one for each bucket.
pub struct Parts {
    ends: Vec<usize>,
    rows: Vec<u32>,
}

impl Parts {
    pub fn new(words: &[CompactString], subwords: &Subwords) -> Parts {
        let mut parts = Parts {
            ends: Vec::new(),
            rows: Vec::new(),
        };
        for (number, word) in words.iter().enumerate() {
            parts.rows.push(number as u32);
            let buckets = subwords.of(word).into_iter();
            parts
                .rows
                .extend(buckets.map(|bucket| words.len() as u32 + bucket));
            parts.ends.push(parts.rows.len());
        }
        parts
    }

    pub fn of(&self, word: u32) -> &[u32] {
        let word = word as usize;
        let start = if word == 0 { 0 } else { self.ends[word - 1] };
        &self.rows[start..self.ends[word]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn gathering_is_the_mean_and_scattering_moves_every_row() {
        for level in Level::all() {
            let mut rows: Vec<Vec<f32>> = (0..3)
                .map(|r| (0..32).map(|k| (r * 32 + k) as f32).collect())
                .collect();
            let pointers: Vec<*mut f32> = rows.iter_mut().map(|row| row.as_mut_ptr()).collect();
            let (mut mean, after) = (vec![0.0; 32], vec![100.0; 32]);
            unsafe {
                gather(level, &pointers, mean.as_mut_ptr(), 32);
                let change = Change {
                    rows: &pointers,
                    before: mean.as_ptr(),
                    after: after.as_ptr(),
                    scale: 0.5,
                };
                scatter(level, change, 32);
            }
            for k in 0..32 {
                assert_eq!(mean[k], (32 + k) as f32);
                assert_eq!(
                    rows[2][k],
                    (64 + k) as f32 + (100.0 - (32 + k) as f32) / 2.0
                );
            }
        }
    }
}
