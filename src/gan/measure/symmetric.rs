//! Eigenvalues and eigenvectors of a symmetric matrix, and the square root of a positive semi-definite one.
//!
//! ```text
//! A = Q T Qᵀ      T tridiagonal, Q = H₀ H₁ …, H = I − β v vᵀ      (Householder)
//! T = Z Λ Zᵀ      by implicit QR steps with Wilkinson's shift
//! √A = Σ_i √λ_i · x_i x_iᵀ                                        x_i the columns of Q Z
//! ```
//!
//! Golub and Van Loan 2013, *Matrix Computations*, sections 8.3.2 and 8.3.3; [`super::householder`] has the first
//! half. Eigenvectors are kept as 16 rows of Q side by side, which the rotations pass through one after the other, so
//! threads change nothing.
//!
//! Weighed and left: `nalgebra`, which brings some twenty crates, and `faer`, which brings some ninety, for one
//! function used on matrices of a few hundred rows.

use super::MeasureError;
use super::gram::Columns;
use super::householder::{STRIP, Tridiagonal, reduce};
use rayon::prelude::*;

/// What a symmetric matrix does to the directions that it only stretches.
#[derive(Clone, Debug)]
pub struct Eigen {
    /// From the smallest to the largest.
    pub values: Vec<f64>,
    /// (n, n): row i is the vector of the i-th value, of length 1.
    pub vectors: Vec<f64>,
}

/// The eigenvalues of a symmetric matrix (n, n), from the smallest to the largest.
///
/// # Errors
/// When the values of the matrix are not finite.
pub fn values(matrix: &[f64], n: usize) -> Result<Vec<f64>, MeasureError> {
    let (mut tridiagonal, _) = reduce(matrix.to_vec(), n);
    tridiagonal.diagonalise(|_| ())?;
    let mut values = tridiagonal.diagonal;
    values.sort_by(f64::total_cmp);
    Ok(values)
}

/// The eigenvalues and eigenvectors of a symmetric matrix (n, n).
///
/// # Errors
/// When the values of the matrix are not finite.
pub fn eigen(matrix: &[f64], n: usize) -> Result<Eigen, MeasureError> {
    let (mut tridiagonal, reflections) = reduce(matrix.to_vec(), n);
    let mut strips = reflections.product();
    tridiagonal.diagonalise(|rotations| rotate(&mut strips, n, rotations))?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| tridiagonal.diagonal[i].total_cmp(&tridiagonal.diagonal[j]));
    let mut vectors = vec![0.0; n * n];
    for (to, &i) in vectors.chunks_exact_mut(n.max(1)).zip(&order) {
        for (r, to) in to.iter_mut().enumerate() {
            *to = strips[r / STRIP * n * STRIP + i * STRIP + r % STRIP];
        }
    }
    let values = order.iter().map(|&i| tridiagonal.diagonal[i]).collect();
    Ok(Eigen { values, vectors })
}

/// The symmetric square root of a positive semi-definite matrix (n, n); eigenvalues that rounding made negative count
/// as 0.
///
/// # Errors
/// When the values of the matrix are not finite.
pub fn square_root(matrix: &[f64], n: usize) -> Result<Vec<f64>, MeasureError> {
    let Eigen { values, vectors } = eigen(matrix, n)?;
    // √A = Yᵀ Y with the rows λ^¼ xᵀ, so that it is symmetric to the last bit.
    let scales: Vec<f64> = values.iter().map(|v| v.max(0.0).sqrt().sqrt()).collect();
    let rows = Columns::new((n, n), |i, j| scales[i] * vectors[i * n + j]);
    Ok(rows.squares())
}

/// A turn of the columns i and i + 1 by cosine and sine.
#[derive(Clone, Copy)]
struct Rotation {
    i: usize,
    c: f64,
    s: f64,
}

/// Turns the columns of strips of rows.
fn rotate(strips: &mut [f64], n: usize, rotations: &[Rotation]) {
    strips
        .par_chunks_exact_mut((STRIP * n).max(1))
        .for_each(|strip| {
            let (columns, _) = strip.as_chunks_mut::<STRIP>();
            for &Rotation { i, c, s } in rotations {
                let [left, right] = &mut columns[i..i + 2] else {
                    return;
                };
                for (x, y) in left.iter_mut().zip(right) {
                    (*x, *y) = (c * *x + s * *y, c * *y - s * *x);
                }
            }
        });
}

impl Tridiagonal {
    /// Turns the matrix until nothing stands beside its diagonal; says the turns, some at a time.
    fn diagonalise(&mut self, mut turned: impl FnMut(&[Rotation])) -> Result<(), MeasureError> {
        /// Turns that are said together.
        const TOGETHER: usize = 1 << 16;
        let size = self.diagonal.len();
        let negligible = self.negligible();
        let mut rotations = Vec::new();
        // Two steps to a value are usual.
        let mut steps = 60 * size;
        let mut high = size.saturating_sub(1);
        while high > 0 {
            if self.beside[high - 1].abs() <= negligible {
                self.beside[high - 1] = 0.0;
                high -= 1;
                continue;
            }
            let mut low = high - 1;
            while low > 0 && self.beside[low - 1].abs() > negligible {
                low -= 1;
            }
            steps -= 1;
            if steps == 0 {
                return Err(MeasureError::NotConverged { size });
            }
            self.step(low, high, &mut rotations);
            if rotations.len() >= TOGETHER {
                turned(&rotations);
                rotations.clear();
            }
        }
        turned(&rotations);
        Ok(())
    }

    /// What a value beside the diagonal may be taken for 0 below: the reduction was not more exact.
    fn negligible(&self) -> f64 {
        let largest = |values: &[f64]| values.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        f64::EPSILON * largest(&self.diagonal).max(largest(&self.beside))
    }

    /// An implicit QR step on the rows from `low` to `high`.
    fn step(&mut self, low: usize, high: usize, rotations: &mut Vec<Rotation>) {
        let (d, e) = (&mut self.diagonal, &mut self.beside);
        let last = e[high - 1];
        let half = (d[high - 1] - d[high]) / 2.0;
        // The eigenvalue of the last two rows that is nearer to the last.
        let shift = d[high] - last * (last / (half + half.hypot(last).copysign(half)));
        let (mut x, mut z) = (d[low] - shift, e[low]);
        for i in low..high {
            let length = x.hypot(z);
            let (c, s) = match length {
                0.0 => (1.0, 0.0),
                _ => (x / length, z / length),
            };
            if i > low {
                e[i - 1] = length;
            }
            let (a, b, f) = (d[i], d[i + 1], e[i]);
            let twice = 2.0 * c * s * f;
            d[i] = c * c * a + twice + s * s * b;
            d[i + 1] = s * s * a - twice + c * c * b;
            e[i] = c * s * (b - a) + (c * c - s * s) * f;
            if i + 1 < high {
                (x, z) = (e[i], s * e[i + 1]);
                e[i + 1] *= c;
            }
            rotations.push(Rotation { i, c, s });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::householder::dot;
    use super::super::tests::on_threads;
    use super::*;

    /// 2 on the diagonal and −1 beside it, whose eigenvalues are 2 − 2 cos(π i / (n + 1)).
    fn string(n: usize) -> Vec<f64> {
        let value = |i: usize, j: usize| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        (0..n * n).map(|at| value(at / n, at % n)).collect()
    }

    /// A matrix without zeros: Lᵀ · diag(1 … n) · L with a reflection L, which leaves the eigenvalues 1 … n.
    fn reflected(n: usize) -> Vec<f64> {
        let u: Vec<f64> = (0..n).map(|i| 1.0 + (i as f64 * 0.9).sin()).collect();
        let length = dot(&u, &u);
        let l = |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * u[i] * u[j] / length;
        let element = |i: usize, j: usize| -> f64 {
            (0..n).map(|r| l(r, i) * (r + 1) as f64 * l(r, j)).sum()
        };
        (0..n * n).map(|at| element(at / n, at % n)).collect()
    }

    #[test]
    fn eigenvalues_of_a_string_are_those_of_its_tones() {
        let n = 30;
        for (i, found) in values(&string(n), n).unwrap().into_iter().enumerate() {
            let exact = 2.0 - 2.0 * (std::f64::consts::PI * (i + 1) as f64 / (n + 1) as f64).cos();
            assert!((found - exact).abs() < 1e-14, "{i}");
        }
    }

    #[test]
    fn eigenvalues_of_a_full_matrix_are_those_that_made_it() {
        for n in [1, 2, 3, 16, 50, 200] {
            for (i, found) in values(&reflected(n), n).unwrap().into_iter().enumerate() {
                assert!((found - (i + 1) as f64).abs() < 1e-12 * n as f64, "{n} {i}");
            }
        }
    }

    #[test]
    fn eigenvectors_are_only_stretched() {
        for n in [1, 2, 5, 17, 60] {
            let a = reflected(n);
            let Eigen { values, vectors } = eigen(&a, n).unwrap();
            for (value, x) in values.iter().zip(vectors.chunks(n)) {
                for (row, x_i) in a.chunks(n).zip(x) {
                    assert!((dot(row, x) - value * x_i).abs() < 1e-12 * n as f64);
                }
            }
        }
    }

    #[test]
    fn eigenvectors_stand_at_right_angles_where_values_are_equal() {
        // A projection: 20 values of 1 and 30 of 0.
        let n = 50;
        let from = eigen(&reflected(n), n).unwrap().vectors;
        let rows = Columns::new((20, n), |i, j| from[i * n + j]);
        let Eigen { values, vectors } = eigen(&rows.products(&rows), n).unwrap();
        for (i, x) in vectors.chunks(n).enumerate() {
            assert!((values[i] - f64::from(u8::from(i >= 30))).abs() < 1e-13);
            for (j, y) in vectors.chunks(n).enumerate() {
                assert!((dot(x, y) - f64::from(u8::from(i == j))).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn eigenvalues_of_few_directions_among_many_are_found() {
        // One value, and 399 of 0: what is left after the first step is rounding, after the second rounding of that.
        let n = 400;
        let rows = Columns::new((1, n), |r, j| ((r * 31 + j * 17) % 101) as f64 * 0.01 - 0.5);
        let matrix = rows.squares();
        let found = values(&matrix, n).unwrap();
        let trace: f64 = matrix.iter().step_by(n + 1).sum();
        assert!((found.iter().sum::<f64>() - trace).abs() < 1e-12 * trace);
        assert!(
            found[..n - 1]
                .iter()
                .all(|value| value.abs() < 1e-13 * trace)
        );
    }

    #[test]
    fn a_square_root_times_itself_is_the_matrix() {
        let n = 40;
        let a = reflected(n);
        let root = square_root(&a, n).unwrap();
        let rows = Columns::new((n, n), |i, j| root[i * n + j]);
        for (found, exact) in rows.products(&rows).iter().zip(&a) {
            assert!((found - exact).abs() < 1e-11);
        }
    }

    #[test]
    fn matrices_of_zeros_and_of_one_number_are_their_own() {
        assert_eq!(values(&[0.0; 9], 3).unwrap(), [0.0; 3]);
        assert_eq!(values(&[-7.0], 1).unwrap(), [-7.0]);
        assert!(values(&[], 0).unwrap().is_empty());
        assert!(eigen(&[], 0).unwrap().vectors.is_empty());
    }

    #[test]
    fn sizes_of_values_do_not_matter() {
        for scale in [1e-200, 1e200] {
            let a: Vec<f64> = reflected(5).iter().map(|x| x * scale).collect();
            for (i, found) in values(&a, 5).unwrap().into_iter().enumerate() {
                assert!((found / scale - (i + 1) as f64).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn values_that_are_not_finite_are_refused() {
        assert!(values(&[1.0, f64::NAN, f64::NAN, 1.0], 2).is_err());
    }

    #[test]
    fn one_thread_finds_the_same_as_many() {
        let a = reflected(210);
        let [one, many] = on_threads(|| eigen(&a, 210).unwrap());
        assert_eq!((one.values, one.vectors), (many.values, many.vectors));
    }
}
