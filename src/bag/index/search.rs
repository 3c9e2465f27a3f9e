//! The documents that answer a query best.
//!
//! cosine(q, d) = Σₜ w(t, q) w(t, d) / (|q| |d|), with w = tf · idf; |d| comes from the index.
//!
//! bm25(q, d) = Σₜ f(t, q) idf(t) f(t, d) (k₁ + 1) / (f(t, d) + k₁ (1 − b + b |d| / d̄)), with lengths in terms.
//!
//! A list of postings after the other is added up, document by document (term at a time).

use super::Index;
use crate::bag::counter::Cell;
use crate::bag::weight::{Idf, Tf, WeightOptions};
use std::cmp::Ordering;

/// How documents are ranked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ranking {
    /// By the weights of [`Index::cosine_weights`]: the norms of the documents were made with them.
    Cosine(WeightOptions),
    Bm25 {
        k1: f64,
        b: f64,
    },
}

/// A document that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub score: f32,
    pub document: u32,
}

/// Answers one query after the other.
pub struct Searcher<'a> {
    index: &'a Index,
    ranking: Ranking,
    /// Of every document; 0 between queries.
    scores: Vec<f32>,
    touched: Vec<u32>,
    hits: Vec<Hit>,
}

impl<'a> Searcher<'a> {
    pub fn new(index: &'a Index, ranking: Ranking) -> Searcher<'a> {
        Searcher {
            index,
            ranking,
            scores: vec![0.0; index.documents()],
            touched: Vec::new(),
            hits: Vec::new(),
        }
    }

    /// The `most` best documents for the terms of a query, best first; of equals the earlier first. Documents without
    /// any of the terms are no answer.
    pub fn search(&mut self, query: &[Cell], most: usize) -> Vec<Hit> {
        let n = self.index.header.documents;
        let mut square = 0.0;
        for &(column, count) in query {
            let df = self.index.postings(column).documents.len() as u64;
            if df == 0 {
                continue;
            }
            match self.ranking {
                Ranking::Cosine(WeightOptions { tf, idf, .. }) => {
                    let idf = idf.of(df, n);
                    let weight = tf.of_count(f64::from(count)) * idf;
                    square += weight * weight;
                    self.add_cosine(column, tf, weight * idf);
                }
                Ranking::Bm25 { k1, b } => {
                    let weight = f64::from(count) * Idf::Bm25.of(df, n) * (k1 + 1.0);
                    self.add_bm25(column, weight as f32, (k1, b));
                }
            }
        }
        let norm = (square as f32).sqrt();
        let norms = self.index.norms();
        for document in self.touched.drain(..) {
            let sum = std::mem::take(&mut self.scores[document as usize]);
            let score = match self.ranking {
                Ranking::Cosine(_) => sum / (norm * norms.get(document as usize)),
                Ranking::Bm25 { .. } => sum,
            };
            // A document of weight 0 has no direction.
            if score.is_finite() {
                self.hits.push(Hit { score, document });
            }
        }
        best(&mut self.hits, most)
    }

    fn add_cosine(&mut self, column: u32, tf: Tf, weight: f64) {
        let table: [f32; 64] = std::array::from_fn(|f| (tf.of_count(f as f64) * weight) as f32);
        self.add(column, |count, _| match table.get(count as usize) {
            Some(&score) => score,
            None => (tf.of_count(f64::from(count)) * weight) as f32,
        });
    }

    fn add_bm25(&mut self, column: u32, weight: f32, (k1, b): (f64, f64)) {
        let header = &self.index.header;
        let mean = header.tokens as f64 / header.documents.max(1) as f64;
        let (fixed, slope) = ((k1 * (1.0 - b)) as f32, (k1 * b / mean) as f32);
        let lengths = self.index.arrays.numbers("lengths");
        self.add(column, |count, document| {
            let f = count as f32;
            weight * f / (f + fixed + slope * lengths.get(document as usize) as f32)
        });
    }

    fn add(&mut self, column: u32, score: impl Fn(u32, u32) -> f32) {
        let postings = self.index.postings(column);
        for (document, count) in postings.documents.iter().zip(postings.counts.iter()) {
            // A damaged file may name documents that are not there.
            let Some(sum) = self.scores.get_mut(document as usize) else {
                continue;
            };
            if *sum == 0.0 {
                self.touched.push(document);
            }
            // A score of 0 would be found to be untouched again.
            *sum += score(count, document).max(f32::MIN_POSITIVE);
        }
    }
}

/// The `most` best of `hits`, best first; `hits` is empty then, and keeps its room.
pub fn best(hits: &mut Vec<Hit>, most: usize) -> Vec<Hit> {
    let order = |a: &Hit, b: &Hit| -> Ordering {
        (b.score.total_cmp(&a.score)).then(a.document.cmp(&b.document))
    };
    if hits.len() > most {
        hits.select_nth_unstable_by(most, order);
        hits.truncate(most);
    }
    hits.sort_unstable_by(order);
    let found = hits.clone();
    hits.clear();
    found
}
