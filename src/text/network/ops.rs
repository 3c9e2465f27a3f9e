//! What training computes with: products of matrices, dropout, softmax.

use crate::random::Random;
use gemm::{Parallelism, gemm};

/// What values are multiplied by: 0 for some, and for the others what makes up for it.
pub fn masks(masks: &mut Vec<f32>, size: usize, dropout: f32, random: &mut Random) {
    let kept = 1.0 / (1.0 - dropout);
    masks.clear();
    masks.extend((0..size).map(|_| if random.unit() < dropout { 0.0 } else { kept }));
}

/// Puts probabilities in place of scores.
pub fn softmax(scores: &mut [f32]) -> &mut [f32] {
    let most = scores.iter().fold(f32::MIN, |most, s| most.max(*s));
    scores.iter_mut().for_each(|s| *s = (*s - most).exp());
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|s| *s /= sum);
    scores
}

/// C = A B, or C += A B, of (m, k) by (k, n): each of A and B with the steps from row to row and from column to column, C
/// with that from row to row.
pub fn product(
    (m, k, n): (usize, usize, usize),
    (a, a_row, a_column): (&[f32], usize, usize),
    (b, b_row, b_column): (&[f32], usize, usize),
    (c, c_row): (&mut [f32], usize),
    (adds, parallelism): (bool, Parallelism),
) {
    if m == 0 || n == 0 {
        return;
    }
    let reach = |rows: usize, row: usize, columns: usize, column: usize| {
        (rows.max(1) - 1) * row + (columns.max(1) - 1) * column
    };
    assert!(k > 0 && reach(m, a_row, k, a_column) < a.len());
    assert!(reach(k, b_row, n, b_column) < b.len());
    assert!(reach(m, c_row, n, 1) < c.len() && c_row >= n);
    // SAFETY: all places of the three matrices lie inside their slices, and C is borrowed alone.
    unsafe {
        gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            c_row as isize,
            adds,
            a.as_ptr(),
            a_column as isize,
            a_row as isize,
            b.as_ptr(),
            b_column as isize,
            b_row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}
