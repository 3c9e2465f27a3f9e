//! The nearest neighbours of every document: the products of all rows with all rows, a block of rows at a time.
//!
//! The rows of a block are gathered from the postings, where the documents of the block lie next to each other; then
//! every row is multiplied with the postings of its terms, as a query would be.

use super::Index;
use super::search::{Hit, best};
use crate::bag::weight::WeightOptions;
use std::ops::Range;

/// Finds neighbours; one for each worker.
pub struct Neighbours<'a> {
    index: &'a Index,
    weights: WeightOptions,
    scores: Vec<f32>,
    touched: Vec<u32>,
    hits: Vec<Hit>,
}

/// Documents of a block: so many that gathering them costs little, and few enough for any collection.
pub const BLOCK: usize = 1024;

impl<'a> Neighbours<'a> {
    /// `weights` are those of [`Index::cosine_weights`].
    pub fn new(index: &'a Index, weights: WeightOptions) -> Neighbours<'a> {
        Neighbours {
            index,
            weights,
            scores: vec![0.0; index.documents()],
            touched: Vec::new(),
            hits: Vec::new(),
        }
    }

    /// The blocks of all documents.
    pub fn blocks(index: &Index) -> impl Iterator<Item = Range<u32>> + use<> {
        let documents = index.documents();
        let starts = (0..documents).step_by(BLOCK);
        starts.map(move |start| start as u32..(start + BLOCK).min(documents) as u32)
    }

    /// For every document of a block, its `most` nearest others, nearest first.
    pub fn of_block(&mut self, block: Range<u32>, most: usize) -> Vec<Vec<Hit>> {
        let rows = self.rows(block.clone());
        let neighbours =
            |(document, row): (u32, Vec<(u32, f32)>)| self.of_row(document, &row, most);
        block.zip(rows).map(neighbours).collect()
    }

    /// The columns of the documents of a block, with w idf / |d|.
    fn rows(&self, block: Range<u32>) -> Vec<Vec<(u32, f32)>> {
        let n = self.index.header.documents;
        let norms = self.index.norms();
        let mut rows = vec![Vec::new(); block.len()];
        for column in 0..self.index.terms() as u32 {
            let postings = self.index.postings(column);
            let from = postings.documents.below(block.start);
            let idf = self.weights.idf.of(postings.documents.len() as u64, n);
            for i in from..postings.documents.len() {
                let document = postings.documents.get(i);
                if document >= block.end {
                    break;
                }
                let tf = self.weights.tf.of_count(f64::from(postings.counts.get(i)));
                let norm = f64::from(norms.get(document as usize));
                if let Some(row) = rows.get_mut((document - block.start) as usize) {
                    row.push((column, (tf * idf * idf / norm) as f32));
                }
            }
        }
        rows
    }

    fn of_row(&mut self, document: u32, row: &[(u32, f32)], most: usize) -> Vec<Hit> {
        let tf: [f32; 64] = std::array::from_fn(|f| self.weights.tf.of_count(f as f64) as f32);
        for &(column, weight) in row.iter().filter(|(_, weight)| weight.is_finite()) {
            let postings = self.index.postings(column);
            for (other, count) in postings.documents.iter().zip(postings.counts.iter()) {
                let Some(sum) = self.scores.get_mut(other as usize) else {
                    continue;
                };
                if *sum == 0.0 {
                    self.touched.push(other);
                }
                let tf = match tf.get(count as usize) {
                    Some(&tf) => tf,
                    None => self.weights.tf.of_count(f64::from(count)) as f32,
                };
                *sum += (weight * tf).max(f32::MIN_POSITIVE);
            }
        }
        let norms = self.index.norms();
        for other in self.touched.drain(..) {
            let sum = std::mem::take(&mut self.scores[other as usize]);
            let score = sum / norms.get(other as usize);
            if other != document && score.is_finite() {
                self.hits.push(Hit {
                    score,
                    document: other,
                });
            }
        }
        best(&mut self.hits, most)
    }
}
