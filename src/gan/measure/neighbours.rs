//! Precision and recall, density and coverage: how much of what was made lies among the real, and the other way round.
//!
//! Around every sample of a set lies a ball that reaches to its k-th nearest neighbour in the set.
//!
//! ```text
//! precision   share of made samples inside a ball of a real one
//! recall      share of real samples inside a ball of a made one
//! density     balls of real samples around a made one, on average, divided by k
//! coverage    share of real samples whose ball has a made one inside
//! ```
//!
//! Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing generative models"; Naeem et al.
//! 2020, "Reliable fidelity and diversity metrics for generative models". Inside is nearer than the radius, as in the
//! code of the latter; the former counts the surface too. Density may be above 1. All four depend on the numbers of
//! samples.

use super::distances::{Set, sets};
use super::{MeasureError, Points};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};

/// How two sets lie in each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    pub precision: f64,
    pub recall: f64,
    pub density: f64,
    pub coverage: f64,
}

/// How real and made features lie in each other, by balls that reach to the `k`-th neighbour; k is at least 1.
///
/// # Errors
/// When a set has no more than k samples, or the dimensions are not the same.
pub fn overlap(real: &Points, made: &Points, k: usize) -> Result<Overlap, MeasureError> {
    let k = k.max(1);
    real.comparable(made, "precision, recall, density and coverage", k + 1)?;
    let [real, made] = sets(*real, *made)?;
    let (real_radii, made_radii) = (radii(&real, k), radii(&made, k));
    // For every made sample, how many balls it is in.
    let balls: Vec<AtomicU32> = (0..made.n()).map(|_| AtomicU32::new(0)).collect();
    let rows = real.rows(&made, |row| {
        let own = real_radii[row.i];
        let (mut is_covered, mut is_recalled) = (false, false);
        for (j, (ball, radius)) in balls.iter().zip(&made_radii).enumerate() {
            // Most pairs are far from both radii.
            if row.bounds(j).0 > own.max(*radius) as f32 {
                continue;
            }
            if row.is_below(j, own) {
                is_covered = true;
                // Whole numbers: any order of adding gives the same sum.
                ball.fetch_add(1, Ordering::Relaxed);
            }
            is_recalled = is_recalled || row.is_below(j, *radius);
        }
        (is_covered, is_recalled)
    });
    let balls: Vec<u32> = balls.into_iter().map(AtomicU32::into_inner).collect();
    let share = |count: usize, of: usize| count as f64 / of as f64;
    let all: u64 = balls.iter().map(|n| u64::from(*n)).sum();
    Ok(Overlap {
        precision: share(balls.iter().filter(|n| **n > 0).count(), made.n()),
        recall: share(rows.iter().filter(|row| row.1).count(), real.n()),
        density: all as f64 / (k * made.n()) as f64,
        coverage: share(rows.iter().filter(|row| row.0).count(), real.n()),
    })
}

/// The squared distance of every sample from its k-th nearest other.
fn radii(set: &Set, k: usize) -> Vec<f64> {
    set.rows(set, |row| {
        let near = row.nearest(k, Some(row.i));
        near.last().map_or(f64::INFINITY, |(square, _)| *square)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{correlated, on_threads};
    use super::*;

    fn of(real: &[f32], made: &[f32], dim: usize, k: usize) -> Overlap {
        let points = |values| Points::new(values, dim).unwrap();
        overlap(&points(real), &points(made), k).unwrap()
    }

    fn four(found: Overlap) -> [f64; 4] {
        let Overlap {
            precision,
            recall,
            density,
            coverage,
        } = found;
        [precision, recall, density, coverage]
    }

    #[test]
    fn on_a_line_they_can_be_counted() {
        // Real 0 1 3 6, radii of the first neighbour 1 1 2 3; made 0.5 2.5 20, radii 2 2 17.5.
        // 0.5 is inside the balls of 0 and 1, 2.5 inside that of 3 alone, 20 inside none: three balls, of 0, 1 and 3.
        // Of the made balls 0.5 ± 2 has 0 and 1, 2.5 ± 2 has 1 and 3, 20 ± 17.5 has 3 and 6.
        let found = of(&[0.0, 1.0, 3.0, 6.0], &[0.5, 2.5, 20.0], 1, 1);
        assert_eq!(four(found), [2.0 / 3.0, 1.0, 3.0 / 3.0, 3.0 / 4.0]);
    }

    #[test]
    fn a_sample_on_a_surface_is_not_inside() {
        // Balls of 0, 2 and 5: radii 2 2 3; the made 8 lies at 3 from 5. Made 8 and 9: radii 1 1.
        let found = of(&[0.0, 2.0, 5.0], &[8.0, 9.0], 1, 1);
        assert_eq!(four(found), [0.0; 4]);
    }

    #[test]
    fn a_set_beside_itself_is_precise_and_covered() {
        let a = correlated(200, 8, 1);
        // Inside each ball are its own sample and k − 1 others, for the k-th lies on its surface.
        assert_eq!(four(of(&a, &a, 8, 5)), [1.0; 4]);
    }

    #[test]
    fn a_collapsed_generator_is_precise_and_covers_little() {
        let real = correlated(300, 4, 1);
        let made = real[..4].repeat(300);
        let found = of(&real, &made, 4, 5);
        assert_eq!([found.precision, found.recall], [1.0, 0.0]);
        assert!(found.coverage < 0.1, "{found:?}");
    }

    #[test]
    fn as_many_samples_as_neighbours_are_too_few() {
        let points = Points::new(&[1.0, 2.0, 3.0], 1).unwrap();
        assert!(overlap(&points, &points, 3).is_err());
        assert!(overlap(&points, &points, 2).is_ok());
    }

    #[test]
    fn one_thread_finds_the_same_as_many() {
        let (a, b) = (correlated(500, 20, 1), correlated(400, 20, 2));
        let [one, many] = on_threads(|| of(&a, &b, 20, 5));
        assert_eq!(one, many);
    }
}
