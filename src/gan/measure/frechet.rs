//! The Fréchet distance between two sets of features, each taken for a Gaussian.
//!
//! ```text
//! d² = ‖μ_a − μ_b‖² + tr C_a + tr C_b − 2 tr √(√C_a · C_b · √C_a)
//! C = Σ_i (x_i − μ)(x_i − μ)ᵀ / (n − 1)
//! ```
//!
//! Heusel et al. 2017, "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", where the
//! features are those of Inception and the number is called FID. The number depends on how many samples there are; it
//! is to be compared at the same n, and with the floor.

use super::gram::Columns;
use super::{MeasureError, Points, symmetric};
use std::sync::OnceLock;

/// Mean and covariance of a set of features; the square root of the covariance is kept once it was needed.
#[derive(Clone, Debug)]
pub struct Gaussian {
    /// (dim)
    pub mean: Vec<f64>,
    /// (dim, dim)
    pub covariance: Vec<f64>,
    root: OnceLock<Vec<f64>>,
}

impl Gaussian {
    /// The Gaussian of a set of features.
    ///
    /// # Errors
    /// When there are fewer than two samples.
    pub fn of(points: &Points) -> Result<Gaussian, MeasureError> {
        points.comparable(points, "the Fréchet distance", 2)?;
        let mean = mean(points);
        let mut covariance = scatter(points, &mean);
        let n = (points.n() - 1) as f64;
        covariance.iter_mut().for_each(|x| *x /= n);
        Ok(Gaussian {
            mean,
            covariance,
            root: OnceLock::new(),
        })
    }

    /// The squared Fréchet distance to another Gaussian, never below 0.
    ///
    /// # Errors
    /// When the dimensions are not the same.
    pub fn distance(&self, other: &Gaussian) -> Result<f64, MeasureError> {
        let (left, right) = (self.mean.len(), other.mean.len());
        if left != right {
            return Err(MeasureError::Widths { left, right });
        }
        let n = left;
        let apart: f64 = (self.mean.iter().zip(&other.mean))
            .map(|(a, b)| (a - b).powi(2))
            .sum();
        let trace = |matrix: &[f64]| -> f64 { matrix.iter().step_by(n + 1).sum() };
        let root = self.root()?;
        // All three are symmetric, so rows serve as columns.
        let columns = |matrix: &[f64]| Columns::new((n, n), |i, j| matrix[i * n + j]);
        let root = columns(root);
        let half = columns(&other.covariance).products(&root);
        let mut product = root.products(&columns(&half));
        make_symmetric(&mut product, n);
        let values = symmetric::values(&product, n)?;
        // What rounding leaves of an eigenvalue of 0 has a root that counts: it is taken for 0. Set much higher the limit
        // takes small values that are real.
        const LIMIT: f64 = 8.0 * f64::EPSILON;
        let noise = LIMIT * values.last().map_or(0.0, |largest| *largest);
        let common: f64 = (values.into_iter().filter(|value| *value > noise))
            .map(f64::sqrt)
            .sum();
        let sum = apart + trace(&self.covariance) + trace(&other.covariance);
        Ok((sum - 2.0 * common).max(0.0))
    }

    fn root(&self) -> Result<&[f64], MeasureError> {
        if let Some(root) = self.root.get() {
            return Ok(root);
        }
        let root = symmetric::square_root(&self.covariance, self.mean.len())?;
        Ok(self.root.get_or_init(|| root))
    }
}

/// The squared Fréchet distance between two sets of features.
///
/// # Errors
/// When a set has fewer than two samples, or the dimensions are not the same.
pub fn distance(a: &Points, b: &Points) -> Result<f64, MeasureError> {
    a.comparable(b, "the Fréchet distance", 2)?;
    Gaussian::of(a)?.distance(&Gaussian::of(b)?)
}

fn mean(points: &Points) -> Vec<f64> {
    let mut sums = vec![0.0; points.dim()];
    for row in points.values().chunks_exact(points.dim()) {
        (sums.iter_mut().zip(row)).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    sums.iter_mut().for_each(|sum| *sum /= points.n() as f64);
    sums
}

/// Σ_i (x_i − μ)(x_i − μ)ᵀ, samples in blocks so that few are in memory as f64.
fn scatter(points: &Points, mean: &[f64]) -> Vec<f64> {
    const BLOCK: usize = 1024;
    let dim = points.dim();
    let mut sum = vec![0.0; dim * dim];
    for start in (0..points.n()).step_by(BLOCK) {
        let rows = BLOCK.min(points.n() - start);
        let centred = Columns::new((rows, dim), |i, j| {
            f64::from(points.row(start + i)[j]) - mean[j]
        });
        let products = centred.squares();
        (sum.iter_mut().zip(products)).for_each(|(sum, x)| *sum += x);
    }
    sum
}

/// Takes the mean of what rounding made of two values that are one.
fn make_symmetric(matrix: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            let middle = (matrix[i * n + j] + matrix[j * n + i]) / 2.0;
            (matrix[i * n + j], matrix[j * n + i]) = (middle, middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{correlated, on_threads};
    use super::*;

    fn of(a: &[f32], b: &[f32], dim: usize) -> f64 {
        let points = |values| Points::new(values, dim).unwrap();
        distance(&points(a), &points(b)).unwrap()
    }

    #[test]
    fn in_one_dimension_it_is_the_difference_of_means_and_of_deviations() {
        // Means 2 and 7, variances 4 + 0 + 4 over 2 = 4 and 1 + 0 + 1 over 2 = 1: 5² + (2 − 1)² = 26.
        let found = of(&[0.0, 2.0, 4.0], &[6.0, 7.0, 8.0], 1);
        assert!((found - 26.0).abs() < 1e-13, "{found}");
    }

    #[test]
    fn along_axes_it_is_the_sum_over_them() {
        // Crosses of half-axes 3 and 1, and 1 and 2, about (0, 0) and (1, 0): variances 2·9/3 = 6 and 2/3, 2/3 and 8/3.
        // 1 + (√6 − √(2/3))² + (√(2/3) − √(8/3))² = 1 + 6 − 4 + 2/3 + 2/3 = 1 + 8/3 + 2/3
        let a = [3.0, 0.0, -3.0, 0.0, 0.0, 1.0, 0.0, -1.0];
        let b = [2.0, 0.0, 0.0, 0.0, 1.0, 2.0, 1.0, -2.0];
        assert!((of(&a, &b, 2) - 13.0 / 3.0).abs() < 1e-13);
    }

    #[test]
    fn an_order_of_samples_is_no_difference() {
        let a = correlated(300, 20, 1);
        let b: Vec<f32> = a.chunks(20).rev().flatten().copied().collect();
        // What √ makes of rounding: 20 values of about 10, each to √(1e-16 · 10²).
        assert!(of(&a, &b, 20) < 1e-6);
    }

    #[test]
    fn sets_that_lie_in_a_plane_have_the_distance_of_the_plane() {
        // The same samples in two dimensions, and spread over 32 by two directions at right angles, of length 1: 30
        // eigenvalues are 0, the roots of whose rounding would add up to about 1e-6.
        let turn = |x: &[f32]| -> Vec<f32> {
            (x.chunks(2))
                .flat_map(|x| (0..32).map(|i| if i < 16 { x[0] / 4.0 } else { x[1] / 4.0 }))
                .collect()
        };
        let (a, b) = (correlated(300, 2, 1), correlated(300, 2, 2));
        let (plane, space) = (of(&a, &b, 2), of(&turn(&a), &turn(&b), 32));
        assert!(
            (plane - space).abs() < 1e-12 * plane.max(1.0),
            "{plane} {space}"
        );
    }

    #[test]
    fn either_set_may_be_the_first() {
        let (a, b) = (correlated(300, 20, 1), correlated(200, 20, 2));
        let (there, back) = (of(&a, &b, 20), of(&b, &a, 20));
        assert!((there - back).abs() < 1e-9 * there, "{there} {back}");
    }

    #[test]
    fn a_gaussian_used_twice_gives_the_same_distance() {
        let (a, b) = (correlated(100, 8, 1), correlated(100, 8, 2));
        let points = |values| Points::new(values, 8).unwrap();
        let (a, b) = (points(&a), points(&b));
        let [first, second] = [Gaussian::of(&a).unwrap(), Gaussian::of(&b).unwrap()];
        let once = first.distance(&second).unwrap();
        assert_eq!(first.distance(&second).unwrap(), once);
        assert_eq!(distance(&a, &b).unwrap(), once);
    }

    #[test]
    fn one_sample_has_no_covariance() {
        let (a, b) = ([1.0, 2.0], [1.0, 2.0, 3.0, 4.0]);
        let [a, b] = [&a[..], &b].map(|values| Points::new(values, 2).unwrap());
        let error = distance(&a, &b).unwrap_err();
        let text = "the Fréchet distance needs at least 2 samples in each set, found 1";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn one_thread_finds_the_same_as_many() {
        let (a, b) = (correlated(1500, 40, 1), correlated(1200, 40, 2));
        let [one, many] = on_threads(|| of(&a, &b, 40));
        assert_eq!(one, many);
    }
}
