//! Trends of pairs of columns: the Column Pair Trends of SDMetrics 0.32.
//!
//! ```text
//! two numbers     1 − |ρ_real − ρ_made| / 2                   Pearson; rows where both are known
//! otherwise       1 − ½ Σ |share_real − share_made|           over pairs of categories, missing being one
//! ```
//!
//! Beside categories a number is cut into ten bins of equal width between the smallest and the largest *of its own table*;
//! the largest itself and what is missing make an eleventh. A pair counts if the real table has a trend to be matched:
//! |ρ| above 0.5, or Cramér's V above 0.3. Older versions let all pairs count, which is the second mean of
//! [`super::quality::Quality`]. Where the package draws 50,000 rows of larger tables, all are used here.

use super::schema::{Category, Shape, Table, Values};
use rayon::prelude::*;
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// |ρ| of real columns that have a trend is above this.
const CORRELATED: f64 = 0.5;

/// Cramér's V of real columns that have a trend is above this.
const ASSOCIATED: f64 = 0.3;

const BINS: usize = 10;

/// Pairs of categories up to which counts are kept in an array.
const DENSE: usize = 1 << 20;

/// How well made rows follow the trend of two columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    pub columns: [String; 2],
    pub kind: PairKind,
    /// From 0 to 1; none where a number is constant.
    pub score: Option<f64>,
    /// ρ or V of the real columns.
    pub real: Option<f64>,
    /// Whether that is high enough for the pair to count.
    pub counts: bool,
}

/// The measure of a pair, by the names of SDMetrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PairKind {
    CorrelationSimilarity,
    ContingencySimilarity,
}

/// The pairs of all columns of two tables with the same columns, in order.
pub fn pairs(real: &Table, made: &Table) -> Vec<Pair> {
    let (real_codes, made_codes) = (coded(real), coded(made));
    let count = real.schema.columns.len();
    let places = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b)));
    let places: Vec<(usize, usize)> = places.collect();
    let pair = |&(a, b): &(usize, usize)| {
        let columns = [a, b].map(|place| real.schema.columns[place].name.clone());
        let numbers = |table: &'_ Table| match (&table.values[a], &table.values[b]) {
            (Values::Numbers(a), Values::Numbers(b)) => Some(correlation(a, b)),
            _ => None,
        };
        match (numbers(real), numbers(made)) {
            (Some(of_real), Some(of_made)) => correlated(columns, of_real, of_made),
            _ => contingent(
                columns,
                [&real_codes[a], &real_codes[b]],
                [&made_codes[a], &made_codes[b]],
            ),
        }
    };
    places.par_iter().map(pair).collect()
}

fn correlated(columns: [String; 2], real: Option<f64>, made: Option<f64>) -> Pair {
    let score = real.zip(made).map(|(a, b)| 1.0 - (a - b).abs() / 2.0);
    Pair {
        columns,
        kind: PairKind::CorrelationSimilarity,
        score,
        real,
        counts: score.is_some() && real.is_some_and(|real| real.abs() > CORRELATED),
    }
}

/// Pearson's coefficient of rows where both are known; none where one of them is constant.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let known: Vec<(f64, f64)> = (a.iter().copied().zip(b.iter().copied()))
        .filter(|(a, b)| !a.is_nan() && !b.is_nan())
        .collect();
    let rows = known.len() as f64;
    let mean_a = known.iter().map(|&(a, _)| a).sum::<f64>() / rows;
    let mean_b = known.iter().map(|&(_, b)| b).sum::<f64>() / rows;
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for &(a, b) in &known {
        let (a, b) = (a - mean_a, b - mean_b);
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    let varies = |get: fn(&(f64, f64)) -> f64| known.iter().any(|row| get(row) != get(&known[0]));
    let defined = varies(|row| row.0) && varies(|row| row.1);
    defined.then(|| (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0))
}

/// A column of categories, numbers by their bins.
struct Codes {
    codes: Vec<u32>,
    categories: usize,
}

fn coded(table: &Table) -> Vec<Codes> {
    let columns = table.schema.columns.iter().zip(&table.values);
    let columns = columns.map(|(column, values)| match (values, &column.shape) {
        (Values::Codes(codes), Shape::Categorical { categories }) => {
            let merged = merged(categories);
            let codes = codes.iter().map(|&code| merged[code as usize]).collect();
            let categories = categories.len();
            Codes { codes, categories }
        }
        (Values::Codes(codes), Shape::Continuous { .. }) => Codes {
            categories: codes.iter().max().map_or(0, |&code| code as usize + 1),
            codes: codes.clone(),
        },
        (Values::Numbers(numbers), _) => Codes {
            codes: bins(numbers),
            categories: BINS + 2,
        },
    });
    columns.collect()
}

/// The codes of categories in which all that is missing is the same.
fn merged(categories: &[Category]) -> Vec<u32> {
    let missing = categories.iter().position(|category| category.missing);
    let codes = categories.iter().enumerate().map(|(code, category)| {
        let code = if category.missing {
            missing.unwrap_or(code)
        } else {
            code
        };
        code as u32
    });
    codes.collect()
}

/// The bins of numbers, from 1, by the edges of numpy's histogram: smallest + i · width, the last one the largest.
fn bins(numbers: &[f64]) -> Vec<u32> {
    let mut min = numbers.iter().copied().fold(f64::NAN, f64::min);
    let mut max = numbers.iter().copied().fold(f64::NAN, f64::max);
    if min.is_nan() {
        (min, max) = (0.0, 1.0);
    } else if min == max {
        (min, max) = (min - 0.5, max + 0.5);
    }
    let width = (max - min) / BINS as f64;
    let edge = |i: usize| match i {
        BINS => max,
        i => i as f64 * width + min,
    };
    let edges: [f64; BINS + 1] = std::array::from_fn(edge);
    // No edge is above NaN: it lies behind the last.
    let above = |edge: &f64, value: f64| edge.partial_cmp(&value) == Some(Ordering::Greater);
    let bin = |&value: &f64| edges.iter().filter(|edge| !above(edge, value)).count() as u32;
    numbers.iter().map(bin).collect()
}

fn contingent(columns: [String; 2], real: [&Codes; 2], made: [&Codes; 2]) -> Pair {
    let width = real[1].categories.max(made[1].categories);
    let height = real[0].categories.max(made[0].categories);
    let counts = counted(real, made, height, width);
    let rows = |codes: &Codes| codes.codes.len().max(1) as f64;
    let (real_rows, made_rows) = (rows(real[0]), rows(made[0]));
    let apart = counts.iter().map(|&(_, [of_real, of_made])| {
        (f64::from(of_real) / real_rows - f64::from(of_made) / made_rows).abs()
    });
    let score = Some(1.0 - apart.sum::<f64>() / 2.0);
    let real = association(&counts, height, width);
    Pair {
        columns,
        kind: PairKind::ContingencySimilarity,
        score,
        real,
        counts: real.is_some_and(|real| real > ASSOCIATED),
    }
}

/// Pairs of categories, and how many rows of the real and of the made table have them.
type Counts = Vec<((usize, usize), [u32; 2])>;

fn counted(real: [&Codes; 2], made: [&Codes; 2], height: usize, width: usize) -> Counts {
    let cells = |codes: [&Codes; 2]| -> Vec<usize> {
        let rows = codes[0].codes.iter().zip(&codes[1].codes);
        rows.map(|(&a, &b)| a as usize * width + b as usize)
            .collect()
    };
    let tables = [cells(real), cells(made)];
    let place = |cell: usize| (cell / width, cell % width);
    if height.saturating_mul(width) <= DENSE {
        let mut counts = vec![[0; 2]; height * width];
        for (table, cells) in tables.iter().enumerate() {
            cells.iter().for_each(|&cell| counts[cell][table] += 1);
        }
        let counts = counts.into_iter().enumerate();
        let counts = counts.filter(|(_, counts)| *counts != [0; 2]);
        return counts.map(|(cell, counts)| (place(cell), counts)).collect();
    }
    let mut counts = BTreeMap::new();
    for (table, cells) in tables.iter().enumerate() {
        for &cell in cells {
            counts.entry(cell).or_insert([0; 2])[table] += 1;
        }
    }
    let counts = counts.into_iter();
    counts.map(|(cell, counts)| (place(cell), counts)).collect()
}

/// Cramér's V of the real table: √(χ² / n (k − 1)), k being the lower number of categories; none where that is 1.
fn association(counts: &Counts, height: usize, width: usize) -> Option<f64> {
    let (mut of_a, mut of_b) = (vec![0.0; height], vec![0.0; width]);
    for &((a, b), [count, _]) in counts {
        of_a[a] += f64::from(count);
        of_b[b] += f64::from(count);
    }
    let used = |sums: &[f64]| sums.iter().filter(|&&sum| sum > 0.0).count();
    let categories = used(&of_a).min(used(&of_b));
    if categories < 2 {
        return None;
    }
    // χ² / n = Σ n_ab² / n_a n_b − 1.
    let cells = counts.iter().filter(|(_, [count, _])| *count > 0);
    let cells = cells.map(|&((a, b), [count, _])| f64::from(count).powi(2) / of_a[a] / of_b[b]);
    let square = (cells.sum::<f64>() - 1.0).max(0.0) / (categories - 1) as f64;
    Some(square.sqrt())
}
