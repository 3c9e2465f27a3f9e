//! A symmetric matrix made tridiagonal by reflections, the first half of finding its eigenvalues.
//!
//! ```text
//! A = Q T Qᵀ      Q = H₀ H₁ …, H = I − β v vᵀ, which leaves of a row's values beside the diagonal only the first
//! H A H = A − v wᵀ − w vᵀ      p = β A v, w = p − (β / 2) (vᵀ p) v
//! ```
//!
//! Golub and Van Loan 2013, *Matrix Computations*, section 8.3.1. Each reflection is applied while the next one's
//! product is formed, so that the rows below pass through the cache once a step. Every row is worked on alone:
//! threads change nothing.

use rayon::prelude::*;

/// Rows of Q that stand side by side.
pub const STRIP: usize = 16;

/// Values in the rows that are left below which one thread is faster.
const LARGE: usize = 1 << 15;

/// T: its diagonal, and the values beside it.
pub struct Tridiagonal {
    pub diagonal: Vec<f64>,
    /// One fewer; (i) stands between i and i + 1.
    pub beside: Vec<f64>,
}

/// The factors of Q: row k of `vectors` (n, n) holds v from column k + 1 on.
pub struct Reflections {
    vectors: Vec<f64>,
    betas: Vec<f64>,
    n: usize,
}

/// A matrix (n, n) as Q T Qᵀ.
///
/// # Panics
/// When it does not have n · n values.
pub fn reduce(mut a: Vec<f64>, n: usize) -> (Tridiagonal, Reflections) {
    assert!(a.len() == n * n);
    // Scaled, so that no square of a value is out of range.
    let largest = a.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let scale = if largest > 0.0 { largest } else { 1.0 };
    a.iter_mut().for_each(|x| *x /= scale);
    let (mut diagonal, mut beside) = (vec![0.0; n], vec![0.0; n.saturating_sub(1)]);
    let mut betas = vec![0.0; n];
    // The reflection that is still to be taken from all rows below: A − v wᵀ − w vᵀ.
    let (mut v, mut w) = (vec![0.0; n], vec![0.0; n]);
    let mut p = vec![0.0; n];
    for k in 0..n {
        let (done, below) = a.split_at_mut((k + 1) * n);
        let row = &mut done[k * n..];
        for j in k..n {
            row[j] -= v[k] * w[j] + w[k] * v[j];
        }
        diagonal[k] = row[k];
        if k + 1 == n {
            break;
        }
        let (beta, beside_k) = reflection(&mut row[k + 1..]);
        (betas[k], beside[k]) = (beta, beside_k);
        let (next, from) = (&row[..], k + 1);
        let one = |(i, row): (usize, &mut [f64]), p: &mut f64| {
            let (v_i, w_i) = (v[from + i], w[from + i]);
            *p = beta
                * update(
                    &mut row[from..],
                    (v_i, &w[from..]),
                    (w_i, &v[from..]),
                    &next[from..],
                );
        };
        let rows = n - from;
        let p = &mut p[from..];
        match rows * rows < LARGE {
            true => (below.chunks_exact_mut(n).enumerate())
                .zip(p.iter_mut())
                .for_each(|(row, p)| one(row, p)),
            false => (below.par_chunks_exact_mut(n).enumerate())
                .zip(p.par_iter_mut())
                .with_min_len(16)
                .for_each(|(row, p)| one(row, p)),
        }
        v[from..].copy_from_slice(&next[from..]);
        let half = beta / 2.0 * dot(&v[from..], p);
        for (i, p) in p.iter().enumerate() {
            w[from + i] = p - half * v[from + i];
        }
    }
    diagonal.iter_mut().for_each(|x| *x *= scale);
    beside.iter_mut().for_each(|x| *x *= scale);
    let reflections = Reflections {
        vectors: a,
        betas,
        n,
    };
    (Tridiagonal { diagonal, beside }, reflections)
}

/// Turns x into the v of the reflection that leaves only its first value; β, and that value.
fn reflection(x: &mut [f64]) -> (f64, f64) {
    /// A square so far below 1, the largest value of the matrix, that it can be left out. When only rounding is left, each
    /// step leaves rounding of the last, until squares are too small for numbers.
    const NOTHING: f64 = 1e-60;
    let rest = dot(&x[1..], &x[1..]);
    if rest <= NOTHING {
        let first = x[0];
        x.fill(0.0);
        return (0.0, first);
    }
    let length = (x[0] * x[0] + rest).sqrt();
    // Away from zero, so that nothing cancels.
    let first = if x[0] > 0.0 { -length } else { length };
    x[0] -= first;
    (2.0 / (x[0] * x[0] + rest), first)
}

/// row ← row − v_i w − w_i v, and its product with the next v.
fn update(row: &mut [f64], (v_i, w): (f64, &[f64]), (w_i, v): (f64, &[f64]), next: &[f64]) -> f64 {
    let n = row.len();
    let (w, v, next) = (&w[..n], &v[..n], &next[..n]);
    for j in 0..n {
        row[j] -= v_i * w[j] + w_i * v[j];
    }
    dot(row, next)
}

/// Σ x_i y_i, eight sums side by side.
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (x_rest, y_rest) = (x.chunks_exact(8).remainder(), y.chunks_exact(8).remainder());
    for (x, y) in x.chunks_exact(8).zip(y.chunks_exact(8)) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

impl Reflections {
    /// Q in strips of 16 rows, side by side: (strip, column, row).
    pub fn product(&self) -> Vec<f64> {
        let n = self.n;
        let mut strips = vec![0.0; n.div_ceil(STRIP) * STRIP * n];
        let chunks = strips.par_chunks_exact_mut((STRIP * n).max(1)).enumerate();
        chunks.for_each(|(at, strip)| {
            let (columns, _) = strip.as_chunks_mut::<STRIP>();
            for r in 0..STRIP.min(n - at * STRIP) {
                columns[at * STRIP + r][r] = 1.0;
            }
            for (k, &beta) in self.betas.iter().enumerate() {
                let v = &self.vectors[k * n + k + 1..(k + 1) * n];
                let columns = &mut columns[k + 1..];
                if beta == 0.0 {
                    continue;
                }
                let mut dots = [0.0; STRIP];
                for (column, v) in columns.iter().zip(v) {
                    (dots.iter_mut().zip(column)).for_each(|(dot, x)| *dot += x * v);
                }
                dots.iter_mut().for_each(|dot| *dot *= beta);
                for (column, v) in columns.iter_mut().zip(v) {
                    (column.iter_mut().zip(&dots)).for_each(|(x, dot)| *x -= dot * v);
                }
            }
        });
        strips
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A symmetric matrix without zeros.
    fn matrix(n: usize) -> Vec<f64> {
        let value =
            |i: usize, j: usize| ((i + j) as f64 * 0.7).sin() + ((i * j) as f64 * 0.3).cos();
        (0..n * n).map(|at| value(at / n, at % n)).collect()
    }

    #[test]
    fn reflections_and_what_is_between_them_give_the_matrix_back() {
        for n in [1, 2, 3, 16, 35] {
            let a = matrix(n);
            let (t, reflections) = reduce(a.clone(), n);
            let strips = reflections.product();
            let q = |r: usize, i: usize| strips[r / STRIP * n * STRIP + i * STRIP + r % STRIP];
            for (at, exact) in a.iter().enumerate() {
                let (r, s) = (at / n, at % n);
                let on: f64 = (0..n).map(|i| q(r, i) * t.diagonal[i] * q(s, i)).sum();
                let beside: f64 = (1..n)
                    .map(|i| t.beside[i - 1] * (q(r, i - 1) * q(s, i) + q(r, i) * q(s, i - 1)))
                    .sum();
                assert!((on + beside - exact).abs() < 1e-13 * n as f64, "{n}");
            }
        }
    }

    #[test]
    fn a_row_that_is_done_already_is_left() {
        let (t, reflections) = reduce(vec![1.0, 5.0, 0.0, 5.0, 2.0, 6.0, 0.0, 6.0, 3.0], 3);
        assert_eq!(
            (t.diagonal, t.beside),
            (vec![1.0, 2.0, 3.0], vec![5.0, 6.0])
        );
        assert_eq!(reflections.betas[0], 0.0);
    }
}
