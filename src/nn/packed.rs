//! Sentences as a model takes them: one behind the other, without padding.
//!
//! ```text
//! sentences   (5 6 2)  (8 2)        ids 5 6 2 8 2     starts 0 3 5     positions 0 1 2 0 1
//! ```

use std::ops::Range;

/// Sentences one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Tokens of all sentences.
    pub ids: Vec<u32>,
    /// Where each begins in `ids`, and where the last ends: a number more than there are sentences.
    pub starts: Vec<u32>,
}

impl Default for Packed {
    fn default() -> Packed {
        Packed {
            ids: Vec::new(),
            starts: vec![0],
        }
    }
}

impl Packed {
    /// Sentences.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The tokens of a sentence.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.ids[self.starts[row] as usize..self.starts[row + 1] as usize]
    }

    /// The rows of each sentence, among the tokens of all.
    pub fn sentences(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        (self.starts.windows(2)).map(|ends| ends[0] as usize..ends[1] as usize)
    }

    /// The position of each token in its sentence, from 0.
    pub fn positions(&self) -> Vec<u32> {
        (self.sentences().flat_map(|rows| 0..rows.len() as u32)).collect()
    }

    /// Tokens of the longest sentence.
    pub fn longest(&self) -> usize {
        let lengths = self.starts.windows(2).map(|ends| ends[1] - ends[0]);
        lengths.max().unwrap_or(0) as usize
    }

    /// Adds a sentence.
    pub fn push(&mut self, tokens: impl IntoIterator<Item = u32>) {
        self.ids.extend(tokens);
        self.starts.push(self.ids.len() as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_have_rows_and_their_tokens_positions() {
        let mut packed = Packed::default();
        packed.push([5, 6, 2]);
        packed.push([]);
        packed.push([8, 2]);
        assert_eq!(packed.positions(), [0, 1, 2, 0, 1]);
        assert_eq!(packed.sentences().collect::<Vec<_>>(), [0..3, 3..3, 3..5]);
        assert_eq!(
            (packed.rows(), packed.longest(), packed.row(2)),
            (3, 3, &[8, 2][..])
        );
    }
}
