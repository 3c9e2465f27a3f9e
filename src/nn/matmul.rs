//! Products of matrices, the right one packed once and used many times.
//!
//! ```text
//! C[i, j] = Σ_p A[i, p] · B[p, j]      (+ C[i, j])
//! ```
//!
//! A packed matrix is a row of panels, each 32 columns wide and stored row after row, so that the inner loop reads it
//! as one stream:
//!
//! ```text
//! B (k, n) → panel 0: B[0, 0..32] B[1, 0..32] … B[k-1, 0..32] | panel 1: B[0, 32..64] …   (zeros past column n)
//! ```
//!
//! A tile of eight rows by two registers stays in registers over all p. The sum runs over p in order whatever the other
//! rows: a row's product does not depend on the rows that are multiplied with it, nor on threads.
//!
//! On one core the tile reaches 113 to 116 GFLOP/s (AVX-512, Zen 4) where the crate `gemm` has 100 to 115, and a product
//! of few rows does not pay for packing. On a decoder's step that packing is most of the time.

mod grid;

use super::buffer::Buffer;
use crate::simd::{Lanes, Level, dispatch};
pub use grid::{Shared, multiply_grid};
use rayon::prelude::*;

/// Columns of a panel: two of the widest registers.
pub const PANEL: usize = 32;

/// Rows of a tile at most.
const ROWS: usize = 8;

/// Rows of B that are worked on before the next: eight rows of A and a panel of B then stay in the second cache.
const DEPTH: usize = 2048;

/// A matrix (k, n), packed for standing on the right of a product.
#[derive(Debug, Default)]
pub struct Panels {
    values: Buffer,
    k: usize,
    n: usize,
}

/// What a product does with what is in C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// C = A · B
    Set,
    /// C = C + A · B
    Add,
}

/// Rows in memory, `stride` values apart.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub values: &'a [f32],
    pub stride: usize,
}

impl<'a> Rows<'a> {
    /// Rows without gaps, `width` values each.
    pub fn dense(values: &'a [f32], width: usize) -> Rows<'a> {
        Rows {
            values,
            stride: width,
        }
    }
}

impl Panels {
    /// Packs B (k, n), whose rows are `stride` values apart.
    pub fn of_rows(rows: Rows, (k, n): (usize, usize)) -> Panels {
        let mut packed = Panels::default();
        packed.set_rows(rows, (k, n));
        packed
    }

    /// Packs B (k, n) given as its transpose (n, k), whose rows are `stride` values apart.
    pub fn of_columns(columns: Rows, (k, n): (usize, usize)) -> Panels {
        let mut packed = Panels::default();
        packed.set_columns(columns, (k, n));
        packed
    }

    /// As [`Panels::of_rows`], in the memory of an earlier matrix.
    pub fn set_rows(&mut self, rows: Rows, (k, n): (usize, usize)) {
        self.resize(k, n);
        self.fill(|j, panel| {
            let width = PANEL.min(n - j * PANEL);
            for (p, to) in panel.chunks_exact_mut(PANEL).enumerate() {
                let from = p * rows.stride + j * PANEL;
                to[..width].copy_from_slice(&rows.values[from..from + width]);
                to[width..].fill(0.0);
            }
        });
    }

    /// As [`Panels::of_columns`], in the memory of an earlier matrix.
    pub fn set_columns(&mut self, columns: Rows, (k, n): (usize, usize)) {
        self.resize(k, n);
        self.fill(|j, panel| {
            let width = PANEL.min(n - j * PANEL);
            pack_transposed(columns, (j * PANEL, width), panel);
        });
    }

    /// Fills each panel, those of large matrices on all threads.
    fn fill(&mut self, panel: impl Fn(usize, &mut [f32]) + Sync) {
        const LARGE: usize = 1 << 16;
        let size = (self.k * PANEL).max(1);
        match self.values.len() < LARGE {
            true => {
                (self.values.chunks_exact_mut(size).enumerate()).for_each(|(j, to)| panel(j, to))
            }
            false => (self.values.par_chunks_exact_mut(size).enumerate())
                .for_each(|(j, to)| panel(j, to)),
        }
    }

    fn resize(&mut self, k: usize, n: usize) {
        (self.k, self.n) = (k, n);
        self.values.resize(k * n.div_ceil(PANEL) * PANEL);
    }

    /// Rows and columns, (k, n).
    pub fn shape(&self) -> (usize, usize) {
        (self.k, self.n)
    }

    /// The panels, k · 32 values each.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Packs `width` columns of B, given as rows of its transpose from `first` on, into a panel.
fn pack_transposed(columns: Rows, (first, width): (usize, usize), panel: &mut [f32]) {
    const BLOCK: usize = 16;
    let k = panel.len() / PANEL;
    if width < PANEL {
        panel.fill(0.0);
    }
    // Sixteen rows at a time: what is read and what is written both stay in the first cache.
    for start in (0..k).step_by(BLOCK) {
        let end = k.min(start + BLOCK);
        for c in 0..width {
            let row = (first + c) * columns.stride;
            let from = &columns.values[row + start..row + end];
            for (value, to) in from.iter().zip(panel[start * PANEL..].chunks_mut(PANEL)) {
                to[c] = *value;
            }
        }
    }
}

/// C (m, n) = A (m, k) · B (k, n), on this thread; the rows of C are `stride` values apart.
///
/// # Panics
/// When a slice is shorter than the shapes say.
pub fn multiply(a: Rows, m: usize, b: &Panels, c: &mut [f32], stride: usize, into: Into) {
    let columns = 0..b.n.div_ceil(PANEL);
    multiply_panels(a, m, b, columns, c, stride, into);
}

/// The same on all threads, each with rows of its own; the rows of C stand together.
///
/// # Panics
/// When a slice is shorter than the shapes say.
pub fn multiply_all(a: Rows, m: usize, b: &Panels, c: &mut [f32], into: Into) {
    /// Rows of a task.
    const TASK: usize = 64;
    if m == 0 || b.n == 0 {
        return;
    }
    c[..m * b.n]
        .par_chunks_mut(TASK * b.n)
        .enumerate()
        .for_each(|(i, c)| {
            let values = &a.values[i * TASK * a.stride..];
            let own = Rows { values, ..a };
            multiply(own, c.len() / b.n, b, c, b.n, into);
        });
}

/// The same for the columns of some panels of B; C begins at the first one's.
pub fn multiply_panels(
    a: Rows,
    m: usize,
    b: &Panels,
    panels: std::ops::Range<usize>,
    c: &mut [f32],
    stride: usize,
    into: Into,
) {
    let first = panels.start * PANEL;
    let columns = (panels.end * PANEL).min(b.n).saturating_sub(first);
    if m == 0 || columns == 0 {
        return;
    }
    if b.k == 0 {
        if into == Into::Set {
            c.chunks_mut(stride)
                .take(m)
                .for_each(|row| row[..columns].fill(0.0));
        }
        return;
    }
    assert!(stride >= columns && c.len() >= (m - 1) * stride + columns);
    // SAFETY: C is as long as it must be.
    unsafe { multiply_columns(a, m, b, panels, c.as_mut_ptr(), stride, into) }
}

/// The same, where several threads write columns of their own of the same rows.
///
/// # Safety
/// The columns of the panels can be written in m rows from `c` on, and nobody else touches them.
///
/// # Panics
/// When A is shorter than the shapes say, or has no rows or no columns.
pub unsafe fn multiply_columns(
    a: Rows,
    m: usize,
    b: &Panels,
    panels: std::ops::Range<usize>,
    c: *mut f32,
    stride: usize,
    into: Into,
) {
    assert!(m > 0 && b.k > 0 && a.values.len() >= (m - 1) * a.stride + b.k);
    let columns = (panels.end * PANEL).min(b.n) - panels.start * PANEL;
    let panels = &b.values[panels.start * b.k * PANEL..panels.end * b.k * PANEL];
    let sizes = (m, b.k, columns);
    // SAFETY: A was checked above, C is the caller's promise, and the level is that of this processor.
    unsafe { blocks(Level::best(), a, panels, sizes, c, stride, into) }
}

dispatch!(unsafe fn blocks(
    a: Rows, panels: &[f32], sizes: (usize, usize, usize), c: *mut f32, stride: usize, into: Into
) = blocks_in);

/// # Safety
/// A has m rows of k values, `panels` n columns in panels of k rows, C m rows of n values.
#[inline(always)]
unsafe fn blocks_in<L: Lanes>(
    a: Rows,
    panels: &[f32],
    (m, k, n): (usize, usize, usize),
    c: *mut f32,
    stride: usize,
    into: Into,
) {
    // Sixteen registers hold six rows of sums, 32 hold eight.
    let rows = if L::REGISTERS < 32 { 6 } else { ROWS };
    for start in (0..k).step_by(DEPTH) {
        let depth = DEPTH.min(k - start);
        let into = if start == 0 { into } else { Into::Add };
        for (j, panel) in panels.chunks_exact(k * PANEL).enumerate() {
            let width = PANEL.min(n - j * PANEL);
            let panel = &panel[start * PANEL..(start + depth) * PANEL];
            for i in (0..m).step_by(rows) {
                let tile = Tile {
                    a: a.values[i * a.stride + start..].as_ptr(),
                    a_row: a.stride,
                    a_step: 1,
                    b: panel.as_ptr(),
                    b_step: PANEL,
                    depth,
                };
                // SAFETY: as the caller promised; a tile narrower than a panel is copied from a whole one.
                unsafe {
                    let c = c.add(i * stride + j * PANEL);
                    tile.run::<L>((rows.min(m - i), width), c, stride, into);
                }
            }
        }
    }
}

/// One tile of C: up to eight rows, up to 32 columns.
pub struct Tile {
    /// A[0, 0]
    pub a: *const f32,
    /// From a row of A to the next.
    pub a_row: usize,
    /// From a column of A to the next.
    pub a_step: usize,
    /// B[0, 0]; 32 columns can be read.
    pub b: *const f32,
    /// From a row of B to the next.
    pub b_step: usize,
    /// Columns of A, rows of B.
    pub depth: usize,
}

impl Tile {
    /// Writes or adds the tile.
    ///
    /// # Safety
    /// A and B can be read as the fields say, C has the rows and columns.
    #[inline(always)]
    pub unsafe fn run<L: Lanes>(
        &self,
        (rows, columns): (usize, usize),
        c: *mut f32,
        stride: usize,
        into: Into,
    ) {
        // SAFETY: the caller's promise; the narrow case goes over a whole tile of its own.
        unsafe {
            if columns == PANEL {
                return self.rows::<L>(rows, c, stride, into);
            }
            let mut whole = [0.0f32; ROWS * PANEL];
            self.rows::<L>(rows, whole.as_mut_ptr(), PANEL, Into::Set);
            for (r, from) in whole.chunks_exact(PANEL).take(rows).enumerate() {
                let to = std::slice::from_raw_parts_mut(c.add(r * stride), columns);
                match into {
                    Into::Set => to.copy_from_slice(&from[..columns]),
                    Into::Add => to.iter_mut().zip(from).for_each(|(to, from)| *to += from),
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn rows<L: Lanes>(&self, rows: usize, c: *mut f32, stride: usize, into: Into) {
        // SAFETY: as above.
        unsafe {
            match rows {
                8 => self.columns::<L, 8>(c, stride, into),
                7 => self.columns::<L, 7>(c, stride, into),
                6 => self.columns::<L, 6>(c, stride, into),
                5 => self.columns::<L, 5>(c, stride, into),
                4 => self.columns::<L, 4>(c, stride, into),
                3 => self.columns::<L, 3>(c, stride, into),
                2 => self.columns::<L, 2>(c, stride, into),
                _ => self.columns::<L, 1>(c, stride, into),
            }
        }
    }

    /// M rows; registers narrower than half a panel take it in several turns.
    #[inline(always)]
    unsafe fn columns<L: Lanes, const M: usize>(&self, c: *mut f32, stride: usize, into: Into) {
        // SAFETY: `at` + two registers stays within a panel.
        unsafe {
            for at in (0..PANEL).step_by(2 * L::N) {
                let c = c.add(at);
                let mut sums = [[L::zero(); 2]; M];
                if into == Into::Add {
                    for (r, sums) in sums.iter_mut().enumerate() {
                        sums[0] = L::load(c.add(r * stride));
                        sums[1] = L::load(c.add(r * stride + L::N));
                    }
                }
                let (mut a, mut b) = (self.a, self.b.add(at));
                for _ in 0..self.depth {
                    let (left, right) = (L::load(b), L::load(b.add(L::N)));
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let x = L::splat(*a.add(r * self.a_row));
                        sums[0] = x.mul_add(left, sums[0]);
                        sums[1] = x.mul_add(right, sums[1]);
                    }
                    a = a.add(self.a_step);
                    b = b.add(self.b_step);
                }
                for (r, sums) in sums.into_iter().enumerate() {
                    sums[0].store(c.add(r * stride));
                    sums[1].store(c.add(r * stride + L::N));
                }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Numbers that are not round, the same every time.
    pub fn numbers(n: usize, seed: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 0.731 + seed).sin()).collect()
    }

    fn check(m: usize, k: usize, n: usize) {
        let (a, b) = (numbers(m * k, 0.1), numbers(k * n, 0.7));
        let transposed: Vec<f32> = (0..n * k).map(|i| b[i % k * n + i / k]).collect();
        let by_rows = Panels::of_rows(Rows::dense(&b, n), (k, n));
        let by_columns = Panels::of_columns(Rows::dense(&transposed, k), (k, n));
        assert_eq!(by_rows.values(), by_columns.values());
        let (mut set, mut sum) = (vec![9.0; m * n], vec![1.0; m * n]);
        multiply(Rows::dense(&a, k), m, &by_rows, &mut set, n, Into::Set);
        multiply(Rows::dense(&a, k), m, &by_rows, &mut sum, n, Into::Add);
        for i in 0..m {
            for j in 0..n {
                let exact: f64 = (0..k)
                    .map(|p| f64::from(a[i * k + p]) * f64::from(b[p * n + j]))
                    .sum();
                // Rounding: k sums of numbers up to 1, half a unit in the last place each.
                let bound = 1e-7 * (k as f64 + 1.0);
                assert!(
                    (f64::from(set[i * n + j]) - exact).abs() <= bound,
                    "{m} {k} {n}"
                );
                assert!((f64::from(sum[i * n + j]) - exact - 1.0).abs() <= bound + 1e-6);
            }
        }
    }

    #[test]
    fn products_of_any_shape_are_those_of_the_formula() {
        for (m, k, n) in [
            (1, 1, 1),
            (8, 16, 32),
            (7, 5, 31),
            (9, 3, 33),
            (17, 40, 100),
            (3, 2500, 5),
        ] {
            check(m, k, n);
        }
    }

    #[test]
    fn a_product_over_nothing_is_zero() {
        let b = Panels::of_rows(Rows::dense(&[], 3), (0, 3));
        let mut c = vec![5.0; 6];
        multiply(Rows::dense(&[], 0), 2, &b, &mut c, 3, Into::Set);
        assert_eq!(c, [0.0; 6]);
    }

    #[test]
    fn a_row_does_not_depend_on_the_rows_beside_it() {
        let (k, n) = (37, 45);
        let (a, b) = (numbers(20 * k, 0.3), numbers(k * n, 0.2));
        let b = Panels::of_rows(Rows::dense(&b, n), (k, n));
        let mut all = vec![0.0; 20 * n];
        multiply(Rows::dense(&a, k), 20, &b, &mut all, n, Into::Set);
        for i in 0..20 {
            let mut one = vec![0.0; n];
            multiply(Rows::dense(&a[i * k..], k), 1, &b, &mut one, n, Into::Set);
            assert_eq!(one, all[i * n..(i + 1) * n]);
        }
    }
}
