//! The steps of sentences that are worked on together, and their rows.

use crate::nn::ops::context::Pairs;
use std::ops::Range;

/// The steps of a block: where its rows are among all, and where its weights are.
#[derive(Debug)]
pub struct Block {
    pub sentences: Vec<usize>,
    /// Rows of each step, among those of the block.
    pub steps: Vec<Range<usize>>,
    /// The token of each row, among those of the batch.
    pub tokens: Vec<usize>,
    /// Weights of each row, among those of the block.
    pub weights: Vec<Range<usize>>,
}

impl Block {
    pub fn of(pairs: &Pairs, sentences: &[usize]) -> Block {
        let sequences = &pairs.target;
        let mut block = Block {
            sentences: sentences.to_vec(),
            steps: Vec::new(),
            tokens: Vec::new(),
            weights: Vec::new(),
        };
        let mut end = 0;
        for t in 0..sequences.steps(sentences) {
            let start = block.tokens.len();
            for sentence in &sentences[..sequences.active(sentences, t)] {
                block.tokens.push(sequences.rows[*sentence].start + t);
                let n = pairs.source.rows[*sentence].len();
                block.weights.push(end..end + n);
                end += n;
            }
            block.steps.push(start..block.tokens.len());
        }
        block
    }

    pub fn weights(&self) -> usize {
        self.weights.last().map_or(0, |last| last.end)
    }

    /// The rows of the step before that go on.
    pub fn before(&self, t: usize) -> Option<Range<usize>> {
        let start = self.steps[t.checked_sub(1)?].start;
        Some(start..start + self.steps[t].len())
    }
}
