//! Whether a generator repeats what it learned from: how near made samples are to training samples, beside held-out
//! ones.
//!
//! A generator that learned the distribution makes samples as far from the training samples as others of the
//! distribution are, those that were held out. With m the distances of made samples from their nearest training
//! sample and h those of held-out ones:
//!
//! ```text
//! nearer         P(m < h) + P(m = h) / 2, over all pairs            ½ when as new, 1 when all are nearer
//! low share      share of m below the 5 % quantile of h             0.05 when as new
//! median ratio   median of m / median of h                          1 when as new, 0 for copies
//! low ratio      5 % quantile of m / 5 % quantile of h
//! copies         share of m that are 0
//! ```
//!
//! `nearer` is the statistic of Mann and Whitney 1947 as a share; comparing with held-out samples follows Meehan et
//! al. 2020, "A non-parametric test to detect data-copying in generative models". A generator that makes poor samples
//! is far from the training samples too: the report says something only beside a distance that is good.

use super::distances::sets;
use super::{MeasureError, Points};
use serde::{Deserialize, Serialize};

/// A sample among others, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    pub index: usize,
    pub distance: f64,
}

/// How near made samples are to training samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Copies {
    pub nearer: f64,
    pub low_share: f64,
    /// None where the median of the held-out is 0.
    pub median_ratio: Option<f64>,
    /// None where the quantile of the held-out is 0.
    pub low_ratio: Option<f64>,
    pub copies: f64,
}

/// The nearest of some samples to each of others; of equally near ones the first. `found` is called once for each,
/// from any thread.
///
/// # Errors
/// When there is nothing to be near to, or the dimensions are not the same.
pub fn nearest(
    of: &Points,
    among: &Points,
    found: impl Fn() + Sync,
) -> Result<Vec<Neighbour>, MeasureError> {
    if among.n() == 0 {
        return Err(too_few("the nearest neighbour"));
    }
    let [of, among] = sets(*of, *among)?;
    let rows = of.rows(&among, |row| {
        let nearest = row.nearest(1, None);
        found();
        nearest
    });
    let neighbour = |(square, index): (f64, usize)| Neighbour {
        index,
        distance: square.sqrt(),
    };
    Ok(rows.into_iter().flatten().map(neighbour).collect())
}

/// Compares the distances of made samples from the training samples with those of held-out ones.
///
/// # Errors
/// When there are none of either.
pub fn copies(made: &[Neighbour], held_out: &[Neighbour]) -> Result<Copies, MeasureError> {
    if made.is_empty() || held_out.is_empty() {
        return Err(too_few("the report on copies"));
    }
    let [made, held_out] = [made, held_out].map(|set| {
        let mut distances: Vec<f64> = set.iter().map(|near| near.distance).collect();
        distances.sort_by(f64::total_cmp);
        distances
    });
    let share = |count: usize| count as f64 / made.len() as f64;
    let twice_nearer: usize = (made.iter())
        .map(|m| {
            let below = held_out.partition_point(|h| h < m);
            let not_above = held_out.partition_point(|h| h <= m);
            2 * (held_out.len() - not_above) + (not_above - below)
        })
        .sum();
    let low = quantile(&held_out, 0.05);
    let ratio = |q: f64| match quantile(&held_out, q) {
        0.0 => None,
        of => Some(quantile(&made, q) / of),
    };
    Ok(Copies {
        nearer: share(twice_nearer) / (2 * held_out.len()) as f64,
        low_share: share(made.partition_point(|m| *m < low)),
        median_ratio: ratio(0.5),
        low_ratio: ratio(0.05),
        copies: share(made.partition_point(|m| *m == 0.0)),
    })
}

/// A quantile of sorted values, between two of them in proportion (type 7 of Hyndman and Fan 1996).
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (low, above) = (at as usize, at.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + above * (sorted[high] - sorted[low])
}

fn too_few(measure: &'static str) -> MeasureError {
    MeasureError::TooFew {
        measure,
        needed: 1,
        found: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{correlated, on_threads};
    use super::*;

    fn at(distances: &[f64]) -> Vec<Neighbour> {
        let neighbour = |&distance| Neighbour { index: 0, distance };
        distances.iter().map(neighbour).collect()
    }

    fn near(of: &[f32], among: &[f32], dim: usize) -> Vec<Neighbour> {
        let points = |values| Points::new(values, dim).unwrap();
        nearest(&points(of), &points(among), || ()).unwrap()
    }

    #[test]
    fn the_nearest_of_equally_near_ones_is_the_first() {
        let found = near(&[0.0, 5.0], &[9.0, -1.0, 1.0, 5.0], 1);
        let pairs: Vec<_> = found.iter().map(|n| (n.index, n.distance)).collect();
        assert_eq!(pairs, [(1, 1.0), (3, 0.0)]);
    }

    #[test]
    fn copies_among_many_are_found_at_no_distance() {
        let among = correlated(400, 30, 1);
        let found = near(&among[30 * 100..30 * 110], &among, 30);
        let pairs: Vec<_> = found.iter().map(|n| (n.index, n.distance)).collect();
        assert_eq!(pairs, (100..110).map(|i| (i, 0.0)).collect::<Vec<_>>());
    }

    #[test]
    fn the_report_is_that_of_its_formulas() {
        // Against 1, 2, 3: 0 is nearer than three, 2 than one and a half, 4 than none: 4.5 of 9.
        // 5 % of the held-out lie below 1.1; medians 2 and 2; 5 % of the made below 0.2.
        let found = copies(&at(&[4.0, 0.0, 2.0]), &at(&[1.0, 2.0, 3.0])).unwrap();
        assert_eq!((found.nearer, found.median_ratio), (0.5, Some(1.0)));
        assert_eq!((found.low_share, found.copies), (1.0 / 3.0, 1.0 / 3.0));
        assert!((found.low_ratio.unwrap() - 0.2 / 1.1).abs() < 1e-15);
    }

    #[test]
    fn held_out_samples_that_are_copies_leave_no_ratio() {
        let found = copies(&at(&[1.0]), &at(&[0.0, 0.0])).unwrap();
        assert_eq!((found.median_ratio, found.nearer), (None, 0.0));
    }

    #[test]
    fn nothing_to_compare_with_is_refused() {
        assert!(copies(&at(&[1.0]), &[]).is_err());
        let [some, none] = [&[1.0][..], &[]].map(|values| Points::new(values, 1).unwrap());
        assert!(nearest(&some, &none, || ()).is_err());
        assert_eq!(nearest(&none, &some, || ()).unwrap(), []);
    }

    #[test]
    fn one_thread_finds_the_same_as_many() {
        let (a, b) = (correlated(300, 20, 1), correlated(400, 20, 2));
        let [one, many] = on_threads(|| near(&a, &b, 20));
        assert_eq!(one, many);
    }
}
