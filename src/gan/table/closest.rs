//! Whether made rows are copies of real ones: the distance to the closest record.
//!
//! ```text
//! d(a, b) = mean over columns of     |a − b| / range, at most 1       numbers
//!                                    a ≠ b                            categories, and numbers of which one is missing
//! ```
//!
//! (Gower 1971). Real rows that were held out say what is usual: a generator that has learned a distribution is as far from
//! the rows it has seen as they are; one that has learned rows by heart is closer.

use super::schema::{Shape, Table, Values};
use crate::random::Random;
use rayon::prelude::*;
use serde::Serialize;

/// Rows whose distances are summed at once, so that they stay in the cache.
const BLOCK: usize = 1024;

/// A missing number, farther from all others than the longest distance.
const MISSING: f32 = 4.0;

/// How close rows come to the rows of another table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Closest {
    /// Rows that were looked at.
    pub rows: usize,
    /// The share with a distance of 0, as far as an f32 can tell.
    pub copies: f64,
    /// Of the distances to the closest row: 5 % are lower, half, 95 %.
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

/// The distances of `queries` to the closest rows of `real`; both read with the same schema. At most `most` rows are drawn.
pub fn closest(real: &Table, queries: &Table, most: usize, seed: u64) -> Closest {
    let mut order: Vec<usize> = (0..queries.rows).collect();
    if queries.rows > most {
        Random::new(seed, 0).shuffle(&mut order);
        order.truncate(most);
    }
    let scales = scales(real);
    let targets = scaled(real, &scales);
    let queries = scaled(queries, &scales);
    let mut distances: Vec<f32> = (order.par_iter())
        .map(|&row| {
            let row: Vec<f32> = queries.iter().map(|column| column[row]).collect();
            distance(&row, &targets, real.rows)
        })
        .collect();
    distances.sort_by(f32::total_cmp);
    let columns = targets.len() as f64;
    let quantile = |share: f64| {
        let place = (share * distances.len().saturating_sub(1) as f64).round() as usize;
        distances
            .get(place)
            .map_or(f64::NAN, |&d| f64::from(d) / columns)
    };
    let copies = distances
        .iter()
        .filter(|&&distance| distance == 0.0)
        .count();
    Closest {
        rows: distances.len(),
        copies: copies as f64 / distances.len() as f64,
        low: quantile(0.05),
        median: quantile(0.5),
        high: quantile(0.95),
    }
}

/// The smallest number and the inverse of the range of each column; none of categories.
fn scales(table: &Table) -> Vec<Option<(f64, f64)>> {
    let columns = table.schema.columns.iter();
    let scales = columns.map(|column| match column.shape {
        Shape::Continuous { min, max, .. } if max > min => Some((min, 1.0 / (max - min))),
        Shape::Continuous { min, .. } => Some((min, 1.0)),
        Shape::Categorical { .. } => None,
    });
    scales.collect()
}

/// Columns in which the distance of any two values is their difference, at most 1.
fn scaled(table: &Table, scales: &[Option<(f64, f64)>]) -> Vec<Vec<f32>> {
    let columns = table.values.iter().zip(scales);
    let columns = columns.map(|(values, scale)| match (values, scale) {
        (Values::Numbers(numbers), scale) => {
            let (min, factor) = scale.unwrap_or((0.0, 1.0));
            let scaled = |value: f64| match value.is_nan() {
                true => MISSING,
                // Beyond 2 all real numbers are 1 away.
                false => ((value - min) * factor).clamp(-1.0, 2.0) as f32,
            };
            numbers.iter().map(|&value| scaled(value)).collect()
        }
        // Exact up to 2^24 categories.
        (Values::Codes(codes), _) => codes.iter().map(|&code| code as f32).collect(),
    });
    columns.collect()
}

fn distance(row: &[f32], targets: &[Vec<f32>], rows: usize) -> f32 {
    let mut sums = [0.0f32; BLOCK];
    let mut best = f32::INFINITY;
    for start in (0..rows).step_by(BLOCK) {
        let end = (start + BLOCK).min(rows);
        let sums = &mut sums[..end - start];
        sums.fill(0.0);
        for (value, column) in row.iter().zip(targets) {
            for (sum, other) in sums.iter_mut().zip(&column[start..end]) {
                *sum += (value - other).abs().min(1.0);
            }
        }
        best = sums.iter().fold(best, |best, &sum| best.min(sum));
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::read::{ReadOptions, read, read_like};
    use super::*;

    fn tables(real: &str, made: &str) -> (Table, Table) {
        let options = ReadOptions {
            categories: vec!["c".to_owned()],
            numbers: vec!["n".to_owned()],
            ..ReadOptions::default()
        };
        let real = read("real", real.as_bytes(), &options).unwrap();
        let made = read_like("made", made.as_bytes(), &options, &real.schema).unwrap();
        (real, made)
    }

    fn median(made: &str) -> f64 {
        let (real, made) = tables("n,c\n0,a\n10,b\nNA,a\n", made);
        closest(&real, &made, 10, 0).median
    }

    /// The mean of two columns: |n − n′| / 10 and whether the categories differ.
    #[test]
    fn distances_are_means_over_columns() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(close(median("n,c\n3,a\n"), 0.15));
        // 10, b is as far as a is: 0.6 / 2 against (0.4 + 1) / 2.
        assert!(close(median("n,c\n4,b\n"), 0.3));
        assert!(close(median("n,c\nNA,b\n"), 0.5));
        assert!(close(median("n,c\nNA,a\n"), 0.0));
        assert!(close(median("n,c\n-5000,a\n"), 0.5));
        assert!(close(median("n,c\n10,new\n"), 0.5));
    }

    #[test]
    fn copies_are_counted() {
        let (real, made) = tables("n,c\n0,a\n10,b\n5,a\n", "n,c\n5,a\n6,a\n10,b\n10,a\n");
        assert_eq!(closest(&real, &made, 10, 0).copies, 0.5);
    }

    #[test]
    fn blocks_leave_no_row_out() {
        let rows = |from: usize| -> String {
            let rows = (from..2500).map(|i| format!("{i},a\n"));
            format!("n,c\n{}", rows.collect::<String>())
        };
        let (real, made) = tables(&rows(0), &rows(1200));
        let found = closest(&real, &made, usize::MAX, 0);
        assert_eq!((found.rows, found.copies, found.high), (1300, 1.0, 0.0));
        assert_eq!(closest(&real, &made, 100, 0).rows, 100);
    }
}
