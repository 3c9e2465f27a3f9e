//! The gradient of a weight matrix: sums of outer products over rows.
//!
//! ```text
//! G[i, j] = G[i, j] + Σ_r Y[r, i] · X[r, j]      g[i] = g[i] + Σ_r Y[r, i]
//! ```
//!
//! G is cut into strips of 64 rows, whatever the number of threads, and each sums over r in order: the bytes are the
//! same on one thread and on many.

use super::buffer::Buffer;
use super::matmul::{Into, PANEL, Rows, Tile};
use crate::simd::{Lanes, Level, dispatch};
use rayon::prelude::*;

/// Rows of G to a task.
const STRIP: usize = 64;

/// Rows of X and Y that are worked on together: a panel of X so long fills half of the first cache.
const CHUNK: usize = 128;

/// Adds the products of Y (rows, n) and X (rows, k) to G (n, k), and the sums of Y's columns to g (n), where wanted.
///
/// # Panics
/// When a slice is shorter than the shapes say.
pub fn add(
    y: Rows,
    x: Rows,
    (rows, n, k): (usize, usize, usize),
    g: &mut [f32],
    sums: Option<&mut [f32]>,
) {
    if rows == 0 || n == 0 || k == 0 {
        return;
    }
    assert!(
        y.values.len() >= (rows - 1) * y.stride + n && x.values.len() >= (rows - 1) * x.stride + k
    );
    assert!(g.len() == n * k);
    let mut unwanted = Vec::new();
    let sums = sums.unwrap_or_else(|| {
        unwanted.resize(n, 0.0);
        &mut unwanted
    });
    assert!(sums.len() == n);
    let strip = |(i, (g, sums)): (usize, (&mut [f32], &mut [f32]))| {
        let mut panel = Buffer::of(CHUNK * PANEL);
        // SAFETY: the lengths were checked above, and the level is that of this processor.
        unsafe {
            strip_of(
                Level::best(),
                y,
                x,
                (rows, i * STRIP, k),
                g,
                sums,
                &mut panel,
            )
        }
    };
    match n <= STRIP {
        true => strip((0, (g, sums))),
        false => {
            let parts = g.par_chunks_mut(STRIP * k).zip(sums.par_chunks_mut(STRIP));
            parts.enumerate().for_each(strip);
        }
    }
}

dispatch!(unsafe fn strip_of(
    y: Rows, x: Rows, sizes: (usize, usize, usize), g: &mut [f32], sums: &mut [f32], panel: &mut [f32]
) = strip_in);

/// # Safety
/// Y has `rows` rows with the columns of this strip from `first` on, X `rows` rows of k values, `panel` a chunk.
#[inline(always)]
unsafe fn strip_in<L: Lanes>(
    y: Rows,
    x: Rows,
    (rows, first, k): (usize, usize, usize),
    g: &mut [f32],
    sums: &mut [f32],
    panel: &mut [f32],
) {
    let (n, tall) = (g.len() / k, if L::REGISTERS < 32 { 6 } else { 8 });
    for start in (0..rows).step_by(CHUNK) {
        let depth = CHUNK.min(rows - start);
        for r in start..start + depth {
            let row = &y.values[r * y.stride + first..r * y.stride + first + n];
            sums.iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += value);
        }
        for j in (0..k).step_by(PANEL) {
            let width = PANEL.min(k - j);
            for (r, to) in panel.as_chunks_mut::<PANEL>().0[..depth]
                .iter_mut()
                .enumerate()
            {
                let from = &x.values[(start + r) * x.stride + j..];
                // A copy of known length is two registers, not a call.
                match from.first_chunk::<PANEL>() {
                    Some(from) if width == PANEL => *to = *from,
                    _ => to[..width].copy_from_slice(&from[..width]),
                }
            }
            for i in (0..n).step_by(tall) {
                let tile = Tile {
                    a: y.values[start * y.stride + first + i..].as_ptr(),
                    a_row: 1,
                    a_step: y.stride,
                    b: panel.as_ptr(),
                    b_step: PANEL,
                    depth,
                };
                // SAFETY: as the caller promised; past `width` the panel holds old values, which are not kept.
                unsafe {
                    let g = g[i * k + j..].as_mut_ptr();
                    tile.run::<L>((tall.min(n - i), width), g, k, Into::Add);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::matmul::tests::numbers;

    #[test]
    fn sums_of_outer_products_are_those_of_the_formula() {
        for (rows, n, k) in [(1, 1, 1), (200, 70, 40), (5, 9, 33), (129, 128, 64)] {
            let (y, x) = (numbers(rows * n, 0.4), numbers(rows * k, 0.9));
            let (mut g, mut sums) = (vec![1.0; n * k], vec![2.0; n]);
            add(
                Rows::dense(&y, n),
                Rows::dense(&x, k),
                (rows, n, k),
                &mut g,
                Some(&mut sums),
            );
            for i in 0..n {
                for j in 0..k {
                    let exact: f64 = (0..rows)
                        .map(|r| f64::from(y[r * n + i]) * f64::from(x[r * k + j]))
                        .sum();
                    assert!((f64::from(g[i * k + j]) - exact - 1.0).abs() < 1e-4);
                }
                let exact: f64 = (0..rows).map(|r| f64::from(y[r * n + i])).sum();
                assert!((f64::from(sums[i]) - exact - 2.0).abs() < 1e-4);
            }
        }
    }
}
