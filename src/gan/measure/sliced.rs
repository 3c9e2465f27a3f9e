//! The sliced Wasserstein distance: what moving one set onto the other costs along random lines, pixel by pixel.
//!
//! ```text
//! d² = mean over lines of ∫₀¹ (F_a⁻¹(u) − F_b⁻¹(u))² du
//! ```
//!
//! F⁻¹ are the quantile functions of the samples' positions on a line, which are steps: of equal numbers of samples
//! the integral is the mean over both in order, of different ones each pair of steps counts by how long they meet.
//! Lines point in directions drawn evenly from the sphere, the same for a seed.
//!
//! Rabin et al. 2012, "Wasserstein barycenter and its application to texture mixing"; Bonneel et al. 2015, "Sliced
//! and Radon Wasserstein barycenters of measures".

use super::gram::Columns;
use super::{MeasureError, Points};
use crate::random::Random;
use rayon::prelude::*;

/// Where the numbers of the directions are drawn.
const PLACE: u64 = 1 << 32;

/// The distance along `lines` random directions; at least one.
///
/// # Errors
/// When a set is empty, or the dimensions are not the same.
pub fn distance(a: &Points, b: &Points, lines: usize, seed: u64) -> Result<f64, MeasureError> {
    distance_along(a, b, &directions(a.dim(), lines.max(1), seed))
}

/// Directions (lines, dim) of length 1, all equally likely.
pub fn directions(dim: usize, lines: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed, PLACE);
    let mut values = Vec::with_capacity(lines * dim);
    while values.len() < lines * dim {
        let line: Vec<f64> = (0..dim).map(|_| f64::from(random.normal())).collect();
        let length = line.iter().map(|x| x * x).sum::<f64>().sqrt();
        // In one dimension a number may be 0, which is no direction.
        if length > 0.0 {
            values.extend(line.iter().map(|x| x / length));
        }
    }
    values
}

/// The distance along given directions (lines, dim).
///
/// # Errors
/// When a set is empty, or the dimensions are not the same.
///
/// # Panics
/// When there are no directions.
pub fn distance_along(a: &Points, b: &Points, directions: &[f64]) -> Result<f64, MeasureError> {
    a.comparable(b, "the sliced distance", 1)?;
    let dim = a.dim();
    let lines = directions.len() / dim;
    assert!(lines > 0);
    let columns = Columns::new((dim, lines), |r, line| directions[line * dim + r]);
    let (a, b) = (positions(a, &columns), positions(b, &columns));
    let costs: Vec<f64> = (a.into_par_iter().zip(b))
        .map(|(mut a, mut b)| {
            a.sort_unstable_by(f64::total_cmp);
            b.sort_unstable_by(f64::total_cmp);
            cost(&a, &b)
        })
        .collect();
    Ok((costs.iter().sum::<f64>() / lines as f64).sqrt())
}

/// The positions of all samples on each line.
fn positions(points: &Points, lines: &Columns) -> Vec<Vec<f64>> {
    /// Samples that are in memory as f64 together.
    const BLOCK: usize = 512;
    let dim = points.dim();
    let mut found: Vec<Vec<f64>> = (0..lines.n())
        .map(|_| Vec::with_capacity(points.n()))
        .collect();
    for start in (0..points.n()).step_by(BLOCK) {
        let n = BLOCK.min(points.n() - start);
        let samples = Columns::new((dim, n), |r, i| f64::from(points.row(start + i)[r]));
        let products = lines.products(&samples);
        for (found, row) in found.iter_mut().zip(products.chunks_exact(n)) {
            found.extend_from_slice(row);
        }
    }
    found
}

/// ∫ (F_a⁻¹ − F_b⁻¹)² of sorted positions.
fn cost(a: &[f64], b: &[f64]) -> f64 {
    let (n, m) = (a.len() as u64, b.len() as u64);
    // In units of 1 / (n m) a step of a is m long, one of b is n long.
    let (mut i, mut j, mut at) = (0, 0, 0u64);
    let mut sum = 0.0;
    while i < a.len() && j < b.len() {
        let (a_end, b_end) = ((i as u64 + 1) * m, (j as u64 + 1) * n);
        let end = a_end.min(b_end);
        sum += (end - at) as f64 * (a[i] - b[j]).powi(2);
        at = end;
        i += usize::from(a_end == end);
        j += usize::from(b_end == end);
    }
    sum / (n * m) as f64
}

#[cfg(test)]
mod tests {
    use super::super::tests::{correlated, on_threads};
    use super::*;

    fn of(a: &[f32], b: &[f32], dim: usize) -> f64 {
        let points = |values| Points::new(values, dim).unwrap();
        distance(&points(a), &points(b), 128, 1).unwrap()
    }

    #[test]
    fn in_one_dimension_every_line_is_the_same() {
        // 0 → 1 and 2 → 5: (1 + 9) / 2.
        assert!((of(&[2.0, 0.0], &[1.0, 5.0], 1) - 5f64.sqrt()).abs() < 1e-7);
    }

    #[test]
    fn sets_of_different_sizes_are_compared_step_by_step() {
        // 0 for two thirds, 3 for one; 1 for a half, 2 for the other: ½·1 + ⅙·4 + ⅓·1 = 1.5.
        assert!((cost(&[0.0, 0.0, 3.0], &[1.0, 2.0]) - 1.5).abs() < 1e-15);
    }

    #[test]
    fn a_set_written_twice_is_the_same_set() {
        let a = correlated(50, 7, 1);
        assert_eq!(of(&a, &a.repeat(2), 7), 0.0);
    }

    #[test]
    fn an_order_of_samples_is_no_difference() {
        let a = correlated(50, 7, 1);
        let b: Vec<f32> = a.chunks(7).rev().flatten().copied().collect();
        assert_eq!(of(&a, &b, 7), 0.0);
    }

    #[test]
    fn moving_a_set_costs_what_the_lines_see_of_it() {
        // ‖move‖² / dim on average: 16 / 4, within what 128 lines spread by.
        let a = correlated(50, 4, 1);
        let b: Vec<f32> = a
            .chunks(4)
            .flat_map(|x| [x[0], x[1] + 4.0, x[2], x[3]])
            .collect();
        assert!(
            (of(&a, &b, 4).powi(2) - 4.0).abs() < 1.2,
            "{}",
            of(&a, &b, 4)
        );
    }

    #[test]
    fn an_empty_set_is_refused() {
        let [some, none] = [&[1.0][..], &[]].map(|values| Points::new(values, 1).unwrap());
        assert!(distance(&some, &none, 4, 1).is_err());
    }

    #[test]
    fn one_thread_finds_the_same_as_many() {
        let (a, b) = (correlated(1100, 30, 1), correlated(900, 30, 2));
        let [one, many] = on_threads(|| of(&a, &b, 30));
        assert_eq!(one, many);
    }
}
