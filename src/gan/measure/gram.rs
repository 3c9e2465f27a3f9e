//! Products of columns in f64: covariances, kernels, and what is left of a matrix between eigenvectors.
//!
//! ```text
//! G[i, j] = Σ_r A[r, i] · B[r, j]
//! ```
//!
//! Columns are packed as in [`crate::nn::matmul`], 16 to a panel, rows one after the other; zeros stand past the
//! last. The sum runs over r in order, in blocks of 256 rows, for every i and j alike: threads and instruction sets
//! change nothing, for a product and its sum are rounded apart.

use crate::simd::{Lanes, Level, dispatch};
use rayon::prelude::*;

const PANEL: usize = Columns::PANEL;

/// Columns of A whose sums stay in registers together.
const TILE: usize = 4;

/// Rows that are summed before the sums go back to memory: a panel of them fills a first cache.
const DEPTH: usize = 256;

/// A matrix (k, n) whose columns are multiplied with those of others.
#[derive(Clone, Debug)]
pub struct Columns {
    values: Vec<f64>,
    k: usize,
    n: usize,
}

impl Columns {
    /// Columns of a panel.
    pub const PANEL: usize = 16;

    /// The matrix (k, n) of which `value` gives row and column.
    pub fn new((k, n): (usize, usize), value: impl Fn(usize, usize) -> f64 + Sync) -> Columns {
        let mut values = vec![0.0; k * n.div_ceil(PANEL) * PANEL];
        let panels = values.par_chunks_exact_mut((k * PANEL).max(1));
        panels.enumerate().for_each(|(p, panel)| {
            let columns = p * PANEL..n.min((p + 1) * PANEL);
            for (r, to) in panel.chunks_exact_mut(PANEL).enumerate() {
                for (to, j) in to.iter_mut().zip(columns.clone()) {
                    *to = value(r, j);
                }
            }
        });
        Columns { values, k, n }
    }

    /// Columns.
    pub fn n(&self) -> usize {
        self.n
    }

    fn panel(&self, p: usize) -> &[f64] {
        &self.values[p * self.k * PANEL..(p + 1) * self.k * PANEL]
    }

    /// Columns in whole panels.
    pub fn width(&self) -> usize {
        self.n.div_ceil(PANEL) * PANEL
    }

    /// The products of 16 columns of this matrix, a panel, and all of another from panel `first` on: 16 rows, as long
    /// as those columns are in whole panels.
    ///
    /// # Panics
    /// When the matrices have different numbers of rows, or there are fewer panels.
    pub fn multiply(&self, panel: usize, other: &Columns, first: usize, g: &mut Vec<f64>) {
        assert!(self.k == other.k);
        let width = other.width() - first * PANEL;
        g.clear();
        g.resize(PANEL * width, 0.0);
        let b = &other.values[first * self.k * PANEL..];
        // SAFETY: the level is that of this processor; all slices are checked where they are cut.
        unsafe { products(Level::best(), self.panel(panel), b, g, (self.k, width)) }
    }

    /// All products with the columns of another matrix, (n, n of the other), on all threads.
    pub fn products(&self, other: &Columns) -> Vec<f64> {
        self.strips(other, |_| 0)
    }

    /// All products of the columns with each other, (n, n), each computed once.
    pub fn squares(&self) -> Vec<f64> {
        let n = self.n;
        let mut out = self.strips(self, |panel| panel);
        for i in 1..n {
            for j in 0..i {
                out[i * n + j] = out[j * n + i];
            }
        }
        out
    }

    /// The products of each panel with those of another matrix from a first one on; zeros before it.
    fn strips(&self, other: &Columns, first: impl Fn(usize) -> usize + Sync) -> Vec<f64> {
        let n = other.n;
        let mut out = vec![0.0; self.n * n];
        let strips = out.par_chunks_mut((PANEL * n).max(1)).enumerate();
        strips.for_each_init(Vec::new, |g, (panel, strip)| {
            let start = first(panel) * PANEL;
            self.multiply(panel, other, first(panel), g);
            let width = other.width() - start;
            for (to, from) in strip.chunks_exact_mut(n).zip(g.chunks_exact(width)) {
                to[start..].copy_from_slice(&from[..n - start]);
            }
        });
        out
    }
}

dispatch!(unsafe fn products(
    a: &[f64], b: &[f64], g: &mut [f64], sizes: (usize, usize)
) = products_in);

/// # Safety
/// None beyond the instruction set.
#[inline(always)]
unsafe fn products_in<L: Lanes>(a: &[f64], b: &[f64], g: &mut [f64], (k, width): (usize, usize)) {
    for start in (0..k).step_by(DEPTH) {
        let rows = start * PANEL..k.min(start + DEPTH) * PANEL;
        for (j, b) in b.chunks_exact(k * PANEL).enumerate() {
            let (a, b) = (&a[rows.clone()], &b[rows.clone()]);
            for i in (0..PANEL).step_by(TILE) {
                let g = &mut g[i * width + j * PANEL..];
                // Sixteen registers hold the sums of half a panel.
                match L::REGISTERS < 32 {
                    true => {
                        tile::<8>((a, i), (b, 0), g, width);
                        tile::<8>((a, i), (b, 8), &mut g[8..], width);
                    }
                    false => tile::<16>((a, i), (b, 0), g, width),
                }
            }
        }
    }
}

/// Adds four columns of A times W of B to G.
#[inline(always)]
fn tile<const W: usize>(
    (a, i): (&[f64], usize),
    (b, j): (&[f64], usize),
    g: &mut [f64],
    width: usize,
) {
    let mut sums = [[0.0f64; W]; TILE];
    // Rows of a known length, and loops that are counted out: the sums stay in registers.
    let (a, b) = (a.as_chunks::<PANEL>().0, b.as_chunks::<PANEL>().0);
    for (a, b) in a.iter().zip(b) {
        let mut right = [0.0; W];
        right.copy_from_slice(&b[j..j + W]);
        for t in 0..TILE {
            let x = a[i + t];
            for w in 0..W {
                sums[t][w] += x * right[w];
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        let to = &mut g[row * width..row * width + W];
        to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_columns_with_each_other_are_computed_once() {
        let a = Columns::new((9, 35), |r, i| ((r * 7 + i * 3) as f64 * 0.37).sin());
        assert_eq!(a.squares(), a.products(&a));
    }

    #[test]
    fn products_of_any_shape_are_those_of_the_formula() {
        for (k, m, n) in [(1, 1, 1), (3, 17, 5), (700, 18, 33), (0, 2, 2)] {
            let a = |r: usize, i: usize| ((r * 7 + i * 3) as f64 * 0.37).sin();
            let b = |r: usize, j: usize| ((r * 5 + j * 2) as f64 * 0.71).cos();
            let found = Columns::new((k, m), a).products(&Columns::new((k, n), b));
            for (at, found) in found.iter().enumerate() {
                let exact: f64 = (0..k).map(|r| a(r, at / n) * b(r, at % n)).sum();
                // 700 sums of numbers up to 1, half a unit in the last place each.
                assert!((found - exact).abs() < 1e-12, "{k} {m} {n}");
            }
        }
    }
}
