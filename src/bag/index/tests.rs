//! Indexes against plain sums over all documents.

use super::*;
use crate::bag::counter::{Cell, Total};
use crate::bag::matrix::Names;
use crate::bag::weight::{Idf, Norm, Weights, WeightsBuilder};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Documents of random terms, the first ones frequent.
struct Collection {
    rows: Vec<Vec<Cell>>,
    totals: Vec<Total>,
    header: Header,
}

const TERMS: u32 = 60;

fn collection(seed: u64, documents: usize, weights: Option<WeightOptions>) -> Collection {
    let mut random = StdRng::seed_from_u64(seed);
    let rows: Vec<Vec<Cell>> = (0..documents).map(|_| row(&mut random, 20)).collect();
    let mut totals = vec![Total::default(); TERMS as usize];
    for &(column, count) in rows.iter().flatten() {
        totals[column as usize].add(Total {
            count: count as u64,
            df: 1,
        });
    }
    Collection {
        header: Header {
            documents: documents as u64,
            tokens: rows.iter().map(|row| length(row)).sum(),
            options: Options {
                weights,
                ..Options::default()
            },
        },
        rows,
        totals,
    }
}

/// Terms in order of columns; some rows have none, and some counts are beyond any table.
fn row(random: &mut StdRng, most: u32) -> Vec<Cell> {
    let mut row: Vec<Cell> = Vec::new();
    for _ in 0..random.random_range(0..most) {
        let column = random.random_range(0..TERMS) * random.random_range(0..TERMS) / TERMS;
        let count = 1 + random.random_range(0..10) * random.random_range(0..10);
        if row.iter().all(|&(other, _)| other != column) {
            row.push((column, count));
        }
    }
    row.sort_unstable();
    row
}

fn length(row: &[Cell]) -> u64 {
    row.iter().map(|&(_, count)| count as u64).sum()
}

impl Collection {
    fn weights(&self, options: WeightOptions) -> Weights {
        let header = &self.header;
        let mut builder = WeightsBuilder::new(options, header.documents, header.tokens);
        for &total in &self.totals {
            builder.column(b"", total);
        }
        builder.finish()
    }

    fn bytes(&self) -> Vec<u8> {
        let dfs = self.totals.iter().map(|total| total.df);
        let mut builder = IndexBuilder::new(dfs, &std::env::temp_dir()).unwrap();
        let options = cosine_weights(self.header.options.weights).unwrap();
        let weights = self.weights(WeightOptions {
            norm: Norm::None,
            ..options
        });
        let mut values = Vec::new();
        for (i, row) in self.rows.iter().enumerate() {
            weights.row(row, length(row), &mut values);
            let square: f64 = values.iter().map(|(_, weight)| weight * weight).sum();
            let about = (&*format!("d{i}"), "first words");
            builder.add(about, row, length(row), square.sqrt()).unwrap();
        }
        let mut terms = Names::default();
        (0..TERMS).for_each(|i| terms.push(format!("t{i:02}").as_bytes()));
        let mut out = Vec::new();
        builder.finish(&self.header, &terms, &mut out).unwrap();
        out
    }
}

fn opened(bytes: &[u8]) -> Result<Index, IndexError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Index::open(file.path())
}

fn dot(a: &[(u32, f64)], b: &[(u32, f64)]) -> f64 {
    let of = |column: u32| b.iter().find(|cell| cell.0 == column);
    a.iter()
        .filter_map(|&(column, x)| Some(x * of(column)?.1))
        .sum()
}

/// Scores agree, and hits come in the order of their scores; where two scores are as good as equal either may be first.
fn assert_best(hits: &[Hit], mut expected: Vec<(f64, u32)>, most: usize) {
    expected.retain(|&(score, _)| score > 0.0);
    assert_eq!(hits.len(), expected.len().min(most));
    assert!(hits.is_sorted_by(|a, b| (b.score, a.document) <= (a.score, b.document)));
    let of = |document| expected.iter().find(|found| found.1 == document).unwrap().0;
    let worst = hits.last().map_or(0.0, |hit| f64::from(hit.score));
    for hit in hits {
        let score = of(hit.document);
        assert!((score - f64::from(hit.score)).abs() < 1e-5 * score.max(1.0));
    }
    let better = expected
        .iter()
        .filter(|found| found.0 > worst * (1.0 + 1e-5));
    assert!(better.count() <= hits.len());
}

fn all_weights() -> Vec<Option<WeightOptions>> {
    let bm25 = WeightOptions {
        tf: Tf::Bm25 { k1: 1.5, b: 0.5 },
        idf: Idf::Bm25,
        norm: Norm::None,
    };
    let sublinear = WeightOptions {
        tf: Tf::Sublinear,
        idf: Idf::Standard,
        norm: Norm::L2,
    };
    vec![
        None,
        Some(bm25),
        Some(sublinear),
        WeightOptions::smart("lnc"),
        WeightOptions::smart("bpn"),
    ]
}

#[test]
fn cosines_are_those_of_the_weighted_rows() {
    for (seed, stored) in (1..).zip(all_weights()) {
        let all = collection(seed, 300, stored);
        let index = opened(&all.bytes()).unwrap();
        let options = index.cosine_weights().unwrap();
        let weights = all.weights(WeightOptions {
            norm: Norm::L2,
            ..options
        });
        let weighted = |row: &[Cell]| {
            let mut values = Vec::new();
            weights.row(row, length(row), &mut values);
            values
        };
        let rows: Vec<_> = all.rows.iter().map(|row| weighted(row)).collect();
        let mut searcher = Searcher::new(&index, Ranking::Cosine(options));
        let mut random = StdRng::seed_from_u64(seed);
        for most in [1, 10, 1000] {
            let query = row(&mut random, 6);
            let weighted = weighted(&query);
            let scores = rows.iter().map(|row| dot(&weighted, row));
            assert_best(
                &searcher.search(&query, most),
                scores.zip(0..).collect(),
                most,
            );
        }
        let mut neighbours = Neighbours::new(&index, options);
        let found: Vec<_> = Neighbours::blocks(&index)
            .flat_map(|block| neighbours.of_block(block, 5))
            .collect();
        assert_eq!(found.len(), rows.len());
        for (i, hits) in found.iter().enumerate() {
            let scores = rows.iter().map(|row| dot(&rows[i], row)).zip(0..);
            let others = scores.filter(|found| found.1 != i as u32);
            assert_best(hits, others.collect(), 5);
        }
    }
}

#[test]
fn bm25_is_that_of_the_weighted_rows() {
    let all = collection(7, 300, None);
    let index = opened(&all.bytes()).unwrap();
    let (k1, b) = (0.9, 0.4);
    let weights = all.weights(WeightOptions {
        tf: Tf::Bm25 { k1, b },
        idf: Idf::Bm25,
        norm: Norm::None,
    });
    let mut searcher = Searcher::new(&index, Ranking::Bm25 { k1, b });
    let mut random = StdRng::seed_from_u64(8);
    for most in [1, 7, 1000] {
        let query = row(&mut random, 6);
        let counts: Vec<_> = query.iter().map(|&(c, f)| (c, f64::from(f))).collect();
        let scores = all.rows.iter().map(|row| {
            let mut values = Vec::new();
            weights.row(row, length(row), &mut values);
            dot(&counts, &values)
        });
        assert_best(
            &searcher.search(&query, most),
            scores.zip(0..).collect(),
            most,
        );
    }
}

#[test]
fn terms_and_names_are_found_again() {
    let all = collection(3, 20, None);
    let index = opened(&all.bytes()).unwrap();
    assert_eq!(index.header, all.header);
    assert_eq!(index.column(b"t00"), Some(0));
    assert_eq!(index.column(b"t59"), Some(59));
    assert_eq!(index.column(b"t5"), None);
    assert_eq!(index.column(b""), None);
    assert_eq!(
        (&*index.id(19), &*index.snippet(19)),
        ("d19", "first words")
    );
    assert!(
        Searcher::new(&index, Ranking::Bm25 { k1: 1.0, b: 1.0 })
            .search(&[], 5)
            .is_empty()
    );
}

#[test]
fn an_index_of_nothing_answers_nothing() {
    let all = collection(3, 0, None);
    let index = opened(&all.bytes()).unwrap();
    let options = index.cosine_weights().unwrap();
    let mut searcher = Searcher::new(&index, Ranking::Cosine(options));
    assert!(searcher.search(&[(0, 1)], 5).is_empty());
    assert_eq!(Neighbours::blocks(&index).count(), 0);
}

#[test]
fn what_is_damaged_is_refused_or_answers_without_a_panic() {
    let all = collection(5, 40, None);
    let whole = all.bytes();
    for end in (0..whole.len()).step_by(whole.len() / 40) {
        assert!(opened(&whole[..end]).is_err(), "{end}");
    }
    let mut random = StdRng::seed_from_u64(6);
    for _ in 0..300 {
        let mut bytes = whole.clone();
        for _ in 0..random.random_range(1..20) {
            let at = random.random_range(0..bytes.len());
            bytes[at] = random.random();
        }
        let Ok(index) = opened(&bytes) else { continue };
        let Ok(options) = index.cosine_weights() else {
            continue;
        };
        let query: Vec<Cell> = (0..TERMS + 2).map(|column| (column, 1)).collect();
        for ranking in [Ranking::Cosine(options), Ranking::Bm25 { k1: 1.2, b: 0.75 }] {
            for hit in Searcher::new(&index, ranking).search(&query, 10) {
                index.id(hit.document);
                index.snippet(hit.document);
            }
        }
        let mut neighbours = Neighbours::new(&index, options);
        Neighbours::blocks(&index).for_each(|block| drop(neighbours.of_block(block, 3)));
        index.column(b"t30");
    }
}

#[test]
fn weights_that_look_at_whole_documents_allow_no_cosine() {
    let stored = WeightOptions::smart("anc");
    assert!(matches!(cosine_weights(stored), Err(IndexError::Tf)));
}
