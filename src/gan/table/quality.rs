//! How much made rows are like real ones: the single-table reports of SDMetrics 0.32, the same numbers.
//!
//! ```text
//! column shapes      numbers       KSComplement         1 − sup |F_real − F_made|
//!                    categories    TVComplement         1 − ½ Σ |share_real − share_made|
//! pair trends        see pairs
//! quality            the mean of the two, each the mean over columns or over pairs that count
//! validity           numbers       BoundaryAdherence    share of made numbers between the real smallest and largest
//!                    categories    CategoryAdherence    share of made values that a real row has
//! missing            MissingValueSimilarity             1 − |share missing in real − share missing in made|
//! ```
//!
//! Shapes are those of values that are known. What is missing in made rows is no valid value unless some real one is
//! missing; where real ones are, missing numbers are left out and missing categories are valid. A mean leaves out what has no
//! value: the shape of a column that is missing everywhere, say.

use super::pairs::{self, Pair};
use super::schema::{Shape, Table, Values};
use rayon::prelude::*;
use serde::Serialize;

/// What is said of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnQuality {
    pub name: String,
    pub kind: ShapeKind,
    /// From 0 to 1, as the others; none where a table has no values.
    pub shape: Option<f64>,
    /// Boundary or category adherence.
    pub validity: Option<f64>,
    pub missing: f64,
}

/// The measure of a column's shape, by the names of SDMetrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ShapeKind {
    KSComplement,
    TVComplement,
}

/// How much made rows are like real ones, from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quality {
    pub column_shapes: Option<f64>,
    /// Over pairs whose real columns have a trend; none where none has.
    pub pair_trends: Option<f64>,
    /// Over all pairs.
    pub all_pair_trends: Option<f64>,
    /// The mean of column shapes and pair trends.
    pub quality: Option<f64>,
    pub validity: Option<f64>,
    pub missing: Option<f64>,
    pub columns: Vec<ColumnQuality>,
    pub pairs: Vec<Pair>,
}

impl Quality {
    /// Measures made rows against real ones. `made` is read like `real`, so that their columns and categories agree.
    pub fn of(real: &Table, made: &Table) -> Quality {
        let places = 0..real.schema.columns.len();
        let columns = places.into_par_iter();
        let columns: Vec<ColumnQuality> = columns.map(|place| column(real, made, place)).collect();
        let pairs = pairs::pairs(real, made);
        let column_shapes = mean(columns.iter().map(|column| column.shape));
        let counted = pairs.iter().filter(|pair| pair.counts);
        let pair_trends = mean(counted.map(|pair| pair.score));
        Quality {
            column_shapes,
            pair_trends,
            all_pair_trends: mean(pairs.iter().map(|pair| pair.score)),
            quality: mean([column_shapes, pair_trends]),
            validity: mean(columns.iter().map(|column| column.validity)),
            missing: mean(columns.iter().map(|column| Some(column.missing))),
            columns,
            pairs,
        }
    }
}

/// The mean of what is known.
fn mean(values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let known: Vec<f64> = values.into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

fn column(real: &Table, made: &Table, place: usize) -> ColumnQuality {
    let name = real.schema.columns[place].name.clone();
    match (&real.values[place], &made.values[place]) {
        (Values::Numbers(of_real), Values::Numbers(of_made)) => ColumnQuality {
            name,
            kind: ShapeKind::KSComplement,
            shape: kolmogorov_smirnov(known(of_real), known(of_made)),
            validity: boundary(of_real, of_made),
            missing: 1.0 - (share(of_real) - share(of_made)).abs(),
        },
        _ => {
            let (of_real, of_made) = (Counts::of(real, place), Counts::of(made, place));
            ColumnQuality {
                name,
                kind: ShapeKind::TVComplement,
                shape: total_variation(&of_real, &of_made),
                validity: adherence(&of_real, &of_made),
                missing: 1.0 - (of_real.missing_share() - of_made.missing_share()).abs(),
            }
        }
    }
}

/// Numbers that are known, in order.
fn known(numbers: &[f64]) -> Vec<f64> {
    let mut known: Vec<f64> = (numbers.iter().copied())
        .filter(|value| !value.is_nan())
        .collect();
    known.sort_by(f64::total_cmp);
    known
}

/// The share of numbers that are known.
fn share(numbers: &[f64]) -> f64 {
    let known = numbers.iter().filter(|value| !value.is_nan()).count();
    known as f64 / numbers.len().max(1) as f64
}

fn kolmogorov_smirnov(real: Vec<f64>, made: Vec<f64>) -> Option<f64> {
    if real.is_empty() || made.is_empty() {
        return None;
    }
    let (mut i, mut j, mut furthest) = (0, 0, 0.0f64);
    while i < real.len() && j < made.len() {
        let value = real[i].min(made[j]);
        while i < real.len() && real[i] == value {
            i += 1;
        }
        while j < made.len() && made[j] == value {
            j += 1;
        }
        let apart = i as f64 / real.len() as f64 - j as f64 / made.len() as f64;
        furthest = furthest.max(apart.abs());
    }
    Some(1.0 - furthest)
}

fn boundary(real: &[f64], made: &[f64]) -> Option<f64> {
    let min = real.iter().copied().fold(f64::NAN, f64::min);
    let max = real.iter().copied().fold(f64::NAN, f64::max);
    let may_miss = real.iter().any(|value| value.is_nan());
    let (mut valid, mut all) = (0, 0);
    for value in made {
        all += usize::from(!(may_miss && value.is_nan()));
        valid += usize::from((min..=max).contains(value));
    }
    (all > 0).then(|| valid as f64 / all as f64)
}

/// How many rows have each category; those in which it is missing are counted apart.
struct Counts {
    known: Vec<u64>,
    missing: u64,
    rows: u64,
}

impl Counts {
    fn of(table: &Table, place: usize) -> Counts {
        let mut counts = Counts {
            known: Vec::new(),
            missing: 0,
            rows: table.rows as u64,
        };
        if let (Values::Codes(codes), Shape::Categorical { categories }) =
            (&table.values[place], &table.schema.columns[place].shape)
        {
            counts.known.resize(categories.len(), 0);
            for &code in codes {
                match categories[code as usize].missing {
                    true => counts.missing += 1,
                    false => counts.known[code as usize] += 1,
                }
            }
        }
        counts
    }

    fn of_category(&self, code: usize) -> u64 {
        self.known.get(code).copied().unwrap_or(0)
    }

    fn missing_share(&self) -> f64 {
        self.missing as f64 / self.rows.max(1) as f64
    }
}

fn total_variation(real: &Counts, made: &Counts) -> Option<f64> {
    let [in_real, in_made] = [real, made].map(|counts| counts.known.iter().sum::<u64>() as f64);
    if in_real == 0.0 || in_made == 0.0 {
        return None;
    }
    // Made rows may have more categories.
    let codes = 0..real.known.len().max(made.known.len());
    let apart = codes.map(|code| {
        let [of_real, of_made] = [real, made].map(|counts| counts.of_category(code) as f64);
        (of_real / in_real - of_made / in_made).abs()
    });
    Some(1.0 - apart.sum::<f64>() / 2.0)
}

fn adherence(real: &Counts, made: &Counts) -> Option<f64> {
    let there = |&code: &usize| real.of_category(code) > 0;
    let codes = (0..made.known.len()).filter(there);
    let valid: u64 = codes.map(|code| made.of_category(code)).sum();
    let missing = if real.missing > 0 { made.missing } else { 0 };
    (made.rows > 0).then(|| (valid + missing) as f64 / made.rows as f64)
}

#[cfg(test)]
mod tests {
    use super::super::read::{ReadOptions, read, read_like};
    use super::*;

    fn quality(real: &str, made: &str) -> Quality {
        let options = ReadOptions::default();
        let real = read("real", real.as_bytes(), &options).unwrap();
        let made = read_like("made", made.as_bytes(), &options, &real.schema).unwrap();
        Quality::of(&real, &made)
    }

    fn close(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 1e-12)
    }

    const REAL: &str = "n,m,c,d\n\
        1,1.5,a,x\n2,2.5,a,x\n3,2.0,b,y\n4,4.5,b,y\n5,5.0,b,x\n6,7.5,,y\n7,NA,a,x\n8,8.5,a,x\n9,8.0,b,y\n10,11.5,b,y\n11,9,b,y\n";

    #[test]
    fn a_table_is_wholly_like_itself() {
        let found = quality(REAL, REAL);
        let all = [
            found.column_shapes,
            found.pair_trends,
            found.all_pair_trends,
            found.quality,
            found.validity,
            found.missing,
        ];
        assert!(all.into_iter().all(|value| close(value, 1.0)), "{all:?}");
    }

    /// Numbers 1 to 4 against 3, 4, 5, 6: half of the real ones are below all made ones.
    #[test]
    fn shapes_of_numbers_are_how_far_their_distributions_part() {
        let found = quality("n\n1\n2\n3\n4\n", "n\n3\n4\n5\n6\n");
        assert!(close(found.columns[0].shape, 0.5));
        assert!(close(found.columns[0].validity, 0.5));
        assert_eq!(found.pair_trends, None);
        assert!(close(found.quality, 0.5));
    }

    /// a, b: ½, ½ of what is known against ¼, ¼ and ½ of c.
    #[test]
    fn shapes_of_categories_are_how_much_of_their_shares_agrees() {
        let found = quality(
            "c,k\na,1\nb,1\nNA,1\na,1\nb,1\n",
            "c,k\na,1\nb,1\nc,1\nc,1\n?,1\n",
        );
        let column = &found.columns[0];
        assert!(close(column.shape, 0.5));
        // Three of five: a, b, and what is missing.
        assert!(close(column.validity, 0.6));
        assert!(close(Some(column.missing), 1.0));
    }

    /// sdmetrics 0.32: `benches/peers/tables.py REAL MADE` with REAL and the rows below as files.
    #[test]
    fn reports_are_those_of_sdmetrics() {
        let made = "n,m,c,d\n\
            2,4.5,a,y\n3,2.5,b,x\n5,2.0,b,y\nNA,9.5,new,y\n9,NA,b,x\n12,7.5,,y\n4,1.25,a,x\n";
        let found = quality(REAL, made);
        let expected = [
            0.832_142_882_142_854_7,
            0.469_173_453_848_346_13,
            0.469_173_453_848_346_13,
            0.650_658_167_995_600_4,
            0.851_190_476_190_476_2,
        ];
        let all = [
            found.column_shapes,
            found.pair_trends,
            found.all_pair_trends,
            found.quality,
            found.validity,
        ];
        // The package adds a millionth of a row to categories that no real row has.
        for (found, expected) in all.into_iter().zip(expected) {
            assert!((found.unwrap() - expected).abs() < 1e-7, "{all:?}");
        }
        let expected = [
            (0.892_962_801_012_154_6, 0.946_633_668_971_227_6),
            (0.181_818_181_818_181_88, 1.0),
            (0.363_636_363_636_363_65, 1.0),
            (0.272_727_272_727_272_8, 0.629_152_869_605_895_9),
            (0.636_363_636_363_636_4, 0.516_397_779_494_322_2),
            (0.467_532_467_532_467_6, 0.833_333_333_333_333_1),
        ];
        for (pair, (score, real)) in found.pairs.iter().zip(expected) {
            assert!(
                close(pair.score, score) && close(pair.real, real),
                "{pair:?}"
            );
        }
    }

    /// n and m correlate by 10.5 / √(42 · 18.875) = 0.37; V of c and e is (3 · 3 − 1 · 1) / 16 = 0.5.
    #[test]
    fn pairs_without_a_trend_do_not_count() {
        let real = "n,m,c,e\n1,2,a,p\n2,1,a,p\n3,4,b,q\n4,3.5,b,q\n5,0.5,a,p\n6,5,b,q\n7,4.5,a,q\n8,2.5,b,p\n";
        let found = quality(real, real);
        let counts = |a: &str, b: &str| {
            let pair = found.pairs.iter().find(|pair| pair.columns == [a, b]);
            pair.unwrap().counts
        };
        assert!(!counts("n", "m") && counts("c", "e"));
    }

    #[test]
    fn a_made_column_that_is_constant_has_no_correlation() {
        let real = "n,m\n1,1.5\n2,2.5\n3,3.5\n4,4.5\n";
        let found = quality(real, "n,m\n1,1\n2,1\n3,1\n4,1\n");
        assert_eq!((found.pairs[0].score, found.pairs[0].counts), (None, false));
    }
}
