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
    /// Of a part of a larger batch: what is in the parts before it.
    pub before: Before,
}

/// How much of a larger batch lies before a part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    pub tokens: usize,
    pub sentences: usize,
}

impl Default for Packed {
    fn default() -> Packed {
        Packed {
            ids: Vec::new(),
            starts: vec![0],
            before: Before::default(),
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

    /// Some of the sentences, which know where they stand among all.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn part(&self, sentences: Range<usize>) -> Packed {
        let starts = &self.starts[sentences.start..=sentences.end];
        let (first, end) = (starts[0], starts[sentences.len()]);
        Packed {
            ids: self.ids[first as usize..end as usize].to_vec(),
            starts: starts.iter().map(|start| start - first).collect(),
            before: Before {
                tokens: self.before.tokens + first as usize,
                sentences: self.before.sentences + sentences.start,
            },
        }
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
    fn a_part_of_a_part_knows_where_it_stands_among_all() {
        let mut packed = Packed::default();
        for tokens in [&[5, 6, 2][..], &[8, 2], &[2], &[9, 7, 2]] {
            packed.push(tokens.iter().copied());
        }
        let part = packed.part(1..4).part(1..3);
        assert_eq!(part.ids, [2, 9, 7, 2]);
        assert_eq!(part.starts, [0, 1, 4]);
        assert_eq!((part.before.tokens, part.before.sentences), (5, 2));
        assert!(packed.part(2..2).ids.is_empty());
    }

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
