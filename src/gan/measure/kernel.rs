//! The kernel distance between two sets of features: how far apart the means of a kernel are.
//!
//! ```text
//! k(x, y) = (x·y / dim + 1)³
//! d² = Σ_{i≠j} k(a_i, a_j) / (n (n − 1)) + Σ_{i≠j} k(b_i, b_j) / (n (n − 1)) − 2 Σ_{i,j} k(a_i, b_j) / n²
//! ```
//!
//! Bińkowski et al. 2018, "Demystifying MMD GANs", where the features are those of Inception and the number is called
//! KID. Its mean does not depend on how many samples there are, so it may be below 0 for sets that are alike. It is
//! taken over subsets of n samples drawn without putting back; the deviation is that of the subsets, divided by their
//! number.

use super::gram::Columns;
use super::{MeasureError, Points};
use crate::random::Random;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How subsets are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subsets {
    pub count: usize,
    /// Samples of each set; all of the smaller set where it has fewer.
    pub size: usize,
    pub seed: u64,
}

impl Default for Subsets {
    fn default() -> Subsets {
        Subsets {
            count: 20,
            size: 1000,
            seed: 1,
        }
    }
}

/// The squared distance, and how far those of subsets spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kernel {
    pub mean: f64,
    pub deviation: f64,
}

/// The squared kernel distance between two sets of features.
///
/// # Errors
/// When a set or a subset has fewer than two samples, or the dimensions are not the same.
pub fn distance(a: &Points, b: &Points, subsets: Subsets) -> Result<Kernel, MeasureError> {
    let measure = "the kernel distance";
    a.comparable(b, measure, 2)?;
    let size = subsets.size.min(a.n()).min(b.n());
    if size < 2 {
        return Err(MeasureError::TooFew {
            measure,
            needed: 2,
            found: size,
        });
    }
    // Where a subset is all there is, each is the same.
    let is_all = size == a.n() && size == b.n();
    let count = if is_all { 1 } else { subsets.count.max(1) };
    let found: Vec<f64> = (0..count)
        .into_par_iter()
        .map(|place| {
            let mut random = Random::new(subsets.seed, place as u64);
            let [a, b] = [a, b].map(|set| columns(set, &draw(set.n(), size, &mut random)));
            let among = |x: &Columns| sum(x, x, true) / (size as f64 * (size - 1) as f64);
            among(&a) + among(&b) - 2.0 * sum(&a, &b, false) / (size as f64).powi(2)
        })
        .collect();
    let n = count as f64;
    let mean = found.iter().sum::<f64>() / n;
    let squares: f64 = found.iter().map(|x| (x - mean).powi(2)).sum();
    let deviation = (squares / n).sqrt();
    Ok(Kernel { mean, deviation })
}

/// `count` different numbers below `n`, each set of them as likely as the others.
fn draw(n: usize, count: usize, random: &mut Random) -> Vec<usize> {
    let mut all: Vec<usize> = (0..n).collect();
    for i in 0..count {
        all.swap(i, i + random.below((n - i) as u32) as usize);
    }
    all.truncate(count);
    all
}

/// Samples as columns, divided by √dim.
fn columns(set: &Points, samples: &[usize]) -> Columns {
    let scale = (set.dim() as f64).sqrt();
    Columns::new((set.dim(), samples.len()), |r, i| {
        f64::from(set.row(samples[i])[r]) / scale
    })
}

/// The sum of the kernel over all pairs of columns; of one set, over those that are two.
fn sum(a: &Columns, b: &Columns, is_one_set: bool) -> f64 {
    let mut products = Vec::new();
    let mut sum = 0.0;
    for panel in 0..a.width() / Columns::PANEL {
        let first = if is_one_set { panel } else { 0 };
        a.multiply(panel, b, first, &mut products);
        let start = panel * Columns::PANEL;
        let rows = products.chunks_exact(b.width() - first * Columns::PANEL);
        for (i, row) in (start..a.n()).zip(rows) {
            // Of one set each pair is met once, and counts twice.
            sum += match is_one_set {
                true => 2.0 * cubes(&row[i + 1 - start..b.n() - start]),
                false => cubes(&row[..b.n()]),
            };
        }
    }
    sum
}

/// Σ (x + 1)³, eight sums side by side.
fn cubes(products: &[f64]) -> f64 {
    let (eights, rest) = products.as_chunks::<8>();
    let cube = |x: &f64| (x + 1.0) * (x + 1.0) * (x + 1.0);
    let mut sums = [0.0; 8];
    for eight in eights {
        (sums.iter_mut().zip(eight)).for_each(|(sum, x)| *sum += cube(x));
    }
    sums.iter().sum::<f64>() + rest.iter().map(cube).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{correlated, on_threads};
    use super::*;

    fn of(a: &[f32], b: &[f32], dim: usize, subsets: Subsets) -> Kernel {
        let points = |values| Points::new(values, dim).unwrap();
        distance(&points(a), &points(b), subsets).unwrap()
    }

    #[test]
    fn on_two_points_each_it_is_what_the_formula_gives() {
        // {0, 1} and {1, 2}: k(0, 1) = 1, k(1, 2) = 27; across 1, 1, 8, 27.
        // 2·1/2 + 2·27/2 − 2·37/4 = 28 − 18.5
        let found = of(&[0.0, 1.0], &[1.0, 2.0], 1, Subsets::default());
        assert_eq!((found.mean, found.deviation), (9.5, 0.0));
    }

    #[test]
    fn the_product_is_divided_by_the_dimension() {
        // k = (2/2 + 1)³ = 8 within the first set, (8/2 + 1)³ = 125 within the second, (4/2 + 1)³ = 27 across.
        let found = of(&[1.0; 4], &[2.0; 4], 2, Subsets::default());
        assert!((found.mean - (8.0 + 125.0 - 54.0)).abs() < 1e-12);
    }

    #[test]
    fn sets_of_one_distribution_are_at_no_distance_within_what_subsets_spread() {
        let (a, b) = (correlated(4000, 6, 1), correlated(4000, 6, 2));
        let subsets = Subsets {
            size: 200,
            ..Subsets::default()
        };
        let found = of(&a, &b, 6, subsets);
        // The mean of 20 subsets spreads by about a fifth of what they spread by.
        assert!(found.mean.abs() < found.deviation, "{found:?}");
    }

    #[test]
    fn what_is_drawn_is_different_and_not_always_the_same() {
        let mut random = Random::new(1, 0);
        let mut drawn = [0; 2].map(|_| draw(10, 6, &mut random));
        assert_ne!(drawn[0], drawn[1]);
        drawn[0].sort();
        drawn[0].dedup();
        assert_eq!(drawn[0].len(), 6);
    }

    #[test]
    fn one_sample_is_too_few() {
        let points = Points::new(&[1.0, 2.0], 2).unwrap();
        assert!(distance(&points, &points, Subsets::default()).is_err());
    }

    #[test]
    fn one_thread_finds_the_same_as_many() {
        let (a, b) = (correlated(500, 40, 1), correlated(400, 40, 2));
        let subsets = Subsets {
            size: 100,
            ..Subsets::default()
        };
        let [one, many] = on_threads(|| of(&a, &b, 40, subsets));
        assert_eq!(one, many);
    }
}
