//! Dot products, and rows times a matrix: what the words of a sentence give to the hidden layers around them.
//!
//! ```text
//! out_r[j] = Σ_k in_r[k] · W[k, j]
//! ```
//!
//! A tile of four rows by four registers stays in registers over all k. Sums run over k in order, whatever the other rows:
//! what is computed of a word does not depend on the words that are computed with it, nor on threads.

use crate::simd::{Lanes, Level, dispatch};

/// Columns of W: a multiple of the widest tile there is.
pub const COLUMNS: usize = 64;

/// Rows that are in registers together.
const ROWS: usize = 4;

/// Multiplies rows of `k` values with `weights`, (k, n); n is a multiple of [`COLUMNS`].
pub fn product(rows: &[f32], weights: &[f32], (k, n): (usize, usize), out: &mut [f32]) {
    let count = rows.len() / k;
    assert!(n.is_multiple_of(COLUMNS) && weights.len() == k * n);
    assert!(rows.len() == count * k && out.len() == count * n);
    let level = Level::best();
    for (rows, out) in rows.chunks(ROWS * k).zip(out.chunks_mut(ROWS * n)) {
        // SAFETY: the lengths were checked above; the level is that of this processor.
        unsafe {
            match rows.len() / k {
                4 => four(level, rows, weights, (k, n), out),
                3 => three(level, rows, weights, (k, n), out),
                2 => two(level, rows, weights, (k, n), out),
                _ => one(level, rows, weights, (k, n), out),
            }
        }
    }
}

dispatch!(unsafe fn four(rows: &[f32], weights: &[f32], sizes: (usize, usize), out: &mut [f32]) = four_in);
dispatch!(unsafe fn three(rows: &[f32], weights: &[f32], sizes: (usize, usize), out: &mut [f32]) = three_in);
dispatch!(unsafe fn two(rows: &[f32], weights: &[f32], sizes: (usize, usize), out: &mut [f32]) = two_in);
dispatch!(unsafe fn one(rows: &[f32], weights: &[f32], sizes: (usize, usize), out: &mut [f32]) = one_in);

macro_rules! of_rows {
    ($name:ident, $rows:literal) => {
        #[inline(always)]
        unsafe fn $name<L: Lanes>(
            rows: &[f32],
            weights: &[f32],
            sizes: (usize, usize),
            out: &mut [f32],
        ) {
            // SAFETY: as the caller promised.
            unsafe { tiles::<L, $rows>(rows, weights, sizes, out) }
        }
    };
}

of_rows!(four_in, 4);
of_rows!(three_in, 3);
of_rows!(two_in, 2);
of_rows!(one_in, 1);

/// M rows, tile by tile.
///
/// # Safety
/// `rows` has M · k values, `weights` k · n, `out` M · n; n is a multiple of four registers.
#[inline(always)]
unsafe fn tiles<L: Lanes, const M: usize>(
    rows: &[f32],
    weights: &[f32],
    (k, n): (usize, usize),
    out: &mut [f32],
) {
    const WIDE: usize = 4;
    // SAFETY: `at` + four registers stays within n, and all else within the lengths above.
    unsafe {
        for at in (0..n).step_by(WIDE * L::N) {
            let mut sums = [[L::zero(); WIDE]; M];
            for i in 0..k {
                let row = weights.as_ptr().add(i * n + at);
                let w: [L; WIDE] = std::array::from_fn(|j| L::load(row.add(j * L::N)));
                for (r, sums) in sums.iter_mut().enumerate() {
                    let x = L::splat(*rows.get_unchecked(r * k + i));
                    for j in 0..WIDE {
                        sums[j] = x.mul_add(w[j], sums[j]);
                    }
                }
            }
            for (r, sums) in sums.into_iter().enumerate() {
                let to = out.as_mut_ptr().add(r * n + at);
                for (j, sum) in sums.into_iter().enumerate() {
                    sum.store(to.add(j * L::N));
                }
            }
        }
    }
}

/// Σ a_i b_i; both have the same number of values, a multiple of 16.
#[inline]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    assert!(a.len() == b.len() && a.len().is_multiple_of(16));
    // SAFETY: the lengths were checked; the level is that of this processor.
    unsafe { dot_of(Level::best(), a, b) }
}

dispatch!(unsafe fn dot_of(a: &[f32], b: &[f32]) -> f32 = dot_in);

/// # Safety
/// `b` is as long as `a`, a multiple of a register.
#[inline(always)]
unsafe fn dot_in<L: Lanes>(a: &[f32], b: &[f32]) -> f32 {
    // SAFETY: `at` + a register stays within both.
    unsafe {
        let mut sum = L::zero();
        for at in (0..a.len()).step_by(L::N) {
            sum = L::load(a.as_ptr().add(at)).mul_add(L::load(b.as_ptr().add(at)), sum);
        }
        sum.sum()
    }
}

/// Appends values in steps of 1/`steps`, rounded; what is beyond 16 bits is cut off.
pub fn round(values: &[f32], steps: f32, out: &mut Vec<i16>) {
    let start = out.len();
    out.resize(start + values.len(), 0);
    // SAFETY: the level is that of this processor.
    unsafe { round_of(Level::best(), values, steps, &mut out[start..]) }
}

dispatch!(unsafe fn round_of(values: &[f32], steps: f32, out: &mut [i16]) = round_in);

/// Plain loops, made vector code under the features of each level.
#[allow(
    clippy::extra_unused_type_parameters,
    reason = "dispatch! instantiates kernels by their registers"
)]
#[inline(always)]
unsafe fn round_in<L: Lanes>(values: &[f32], steps: f32, out: &mut [i16]) {
    for (out, value) in out.iter_mut().zip(values) {
        #[allow(
            clippy::manual_clamp,
            reason = "what is no number must become one: the least"
        )]
        let value = (value * steps).max(-32768.0).min(32767.0);
        // SAFETY: a number from 0.5 to 65535.5.
        let above = unsafe { (value + 32768.5).to_int_unchecked::<i32>() };
        *out = (above - 32768) as i16;
    }
}

/// Adds a row to sums of the same length.
pub fn add(row: &[i16], sums: &mut [i32]) {
    // SAFETY: the level is that of this processor.
    unsafe { add_of(Level::best(), row, sums) }
}

dispatch!(unsafe fn add_of(row: &[i16], sums: &mut [i32]) = add_in);

#[allow(
    clippy::extra_unused_type_parameters,
    reason = "dispatch! instantiates kernels by their registers"
)]
#[inline(always)]
unsafe fn add_in<L: Lanes>(row: &[i16], sums: &mut [i32]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum = sum.wrapping_add(i32::from(*value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_and_cut_off() {
        let mut steps = vec![7];
        round(&[0.26, -0.26, 1e9, -1e9, f32::NAN], 4.0, &mut steps);
        assert_eq!(steps, [7, 1, -1, i16::MAX, i16::MIN, i16::MIN]);
    }

    #[test]
    fn a_row_is_the_same_alone_and_among_others() {
        let (k, n) = (5, 2 * COLUMNS);
        let weights: Vec<f32> = (0..k * n).map(|i| (i as f32 * 0.37).sin()).collect();
        let rows: Vec<f32> = (0..7 * k).map(|i| (i as f32 * 0.71).cos()).collect();
        let mut all = vec![f32::NAN; 7 * n];
        product(&rows, &weights, (k, n), &mut all);
        for r in 0..7 {
            let mut alone = vec![f32::NAN; n];
            let row = &rows[r * k..][..k];
            product(row, &weights, (k, n), &mut alone);
            assert_eq!(alone, all[r * n..][..n]);
            for (j, found) in alone.iter().enumerate() {
                let exact: f64 = (0..k)
                    .map(|i| f64::from(row[i]) * f64::from(weights[i * n + j]))
                    .sum();
                assert!((f64::from(*found) - exact).abs() < 1e-5);
            }
        }
        product(&[], &weights, (k, n), &mut []);
    }
}
