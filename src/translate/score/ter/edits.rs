//! The edit distance of two sequences of words, near the diagonal of its table.
//!
//! ```text
//! d(i, j) = min( d(i−1, j−1) + [hᵢ ≠ rⱼ],  d(i−1, j) + 1,  d(i, j−1) + 1 )
//! ```
//!
//! where h is the hypothesis and r the reference; of equal ways the one that stands first is taken. Row i is filled
//! within 25 words of column i·|r|/|h| only, the last row to its end: what lies outside is out of reach. Rows that a
//! change further on leaves as they are are not filled again.

/// Words on either side of the diagonal that are compared.
const BEAM: usize = 25;

/// More than any distance, and still one more can be added.
const UNREACHED: u32 = u32::MAX / 2;

/// How a cell was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// From a word of both to the next of both: equal, or one in place of the other.
    Both { equal: bool },
    /// A word of the hypothesis is left out.
    Hypothesis,
    /// A word of the reference is put in.
    Reference,
}

/// The table for a reference and hypotheses of one length.
pub struct Table<'a> {
    reference: &'a [u32],
    /// Columns of row i that are filled, from and to.
    spans: Vec<(usize, usize)>,
    /// (words of the hypothesis + 1, words of the reference + 1): the hypothesis as it is.
    kept: Vec<u32>,
    /// The same for a hypothesis that is tried.
    tried: Vec<u32>,
}

impl<'a> Table<'a> {
    /// A table for hypotheses of `length` words.
    pub fn new(reference: &'a [u32], length: usize) -> Table<'a> {
        let columns = reference.len() + 1;
        let ratio = match length {
            0 => 1.0,
            _ => reference.len() as f64 / length as f64,
        };
        // Where the lengths differ so much that one row would end before the next begins, rows are longer.
        let beam = match BEAM as f64 >= ratio / 2.0 {
            true => BEAM,
            false => (ratio / 2.0 + BEAM as f64).ceil() as usize,
        };
        let span = |row: usize| {
            let diagonal = (row as f64 * ratio).floor() as usize;
            match row {
                0 => (0, columns),
                _ if row == length => (diagonal.saturating_sub(beam), columns),
                _ => (diagonal.saturating_sub(beam), columns.min(diagonal + beam)),
            }
        };
        let mut kept = vec![UNREACHED; (length + 1) * columns];
        (kept[..columns].iter_mut().zip(0..)).for_each(|(cell, j)| *cell = j);
        Table {
            reference,
            spans: (0..=length).map(span).collect(),
            tried: kept.clone(),
            kept,
        }
    }

    /// Fills the table for `hypothesis`, whose first `same` words are those it was filled for before, and gives the
    /// distance.
    pub fn keep(&mut self, hypothesis: &[u32], same: usize) -> u32 {
        fill(
            &mut self.kept,
            self.reference,
            &self.spans,
            hypothesis,
            same + 1,
        );
        last(&self.kept)
    }

    /// The distance of `hypothesis`, which is the one that is kept but for the words from `from` to `to`.
    pub fn distance(&mut self, hypothesis: &[u32], (from, to): (usize, usize)) -> u32 {
        let columns = self.reference.len() + 1;
        let row = |i: usize| i * columns..(i + 1) * columns;
        self.tried[row(from)].copy_from_slice(&self.kept[row(from)]);
        fill(
            &mut self.tried,
            self.reference,
            &self.spans[..=to],
            &hypothesis[..to],
            from + 1,
        );
        for i in to..hypothesis.len() {
            // From two equal rows on, equal words give equal rows.
            if self.tried[row(i)] == self.kept[row(i)] {
                return last(&self.kept);
            }
            fill(
                &mut self.tried,
                self.reference,
                &self.spans[..=i + 1],
                &hypothesis[..=i],
                i + 1,
            );
        }
        last(&self.tried)
    }

    /// The way to the distance that is kept, from its end to its beginning.
    pub fn steps_back(&self, hypothesis: &[u32]) -> Vec<Step> {
        let columns = self.reference.len() + 1;
        let cell = |i: usize, j: usize| self.kept[i * columns + j];
        let (mut i, mut j) = (hypothesis.len(), self.reference.len());
        let mut steps = Vec::with_capacity(i + j);
        while i > 0 || j > 0 {
            let equal = i > 0 && j > 0 && hypothesis[i - 1] == self.reference[j - 1];
            let step = if i == 0 {
                Step::Reference
            } else if j == 0 {
                Step::Hypothesis
            } else if cell(i, j) == cell(i - 1, j - 1) + u32::from(!equal) {
                Step::Both { equal }
            } else if cell(i, j) == cell(i - 1, j) + 1 {
                Step::Hypothesis
            } else {
                Step::Reference
            };
            i -= usize::from(step != Step::Reference);
            j -= usize::from(step != Step::Hypothesis);
            steps.push(step);
        }
        steps
    }
}

/// Fills the rows from `first` on.
fn fill(
    cells: &mut [u32],
    reference: &[u32],
    spans: &[(usize, usize)],
    hypothesis: &[u32],
    first: usize,
) {
    let columns = reference.len() + 1;
    for i in first..=hypothesis.len() {
        let (above, row) = cells.split_at_mut(i * columns);
        let above = &above[(i - 1) * columns..];
        let row = &mut row[..columns];
        let (from, to) = spans[i];
        let word = hypothesis[i - 1];
        let mut left = UNREACHED;
        let mut from = from;
        if from == 0 {
            left = above[0] + 1;
            row[0] = left;
            from = 1;
        }
        for j in from..to {
            let replaced = above[j - 1] + u32::from(reference[j - 1] != word);
            left = replaced.min(above[j] + 1).min(left + 1).min(UNREACHED);
            row[j] = left;
        }
    }
}

fn last(cells: &[u32]) -> u32 {
    // There is a cell: row 0, column 0.
    cells.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_words_put_in_left_out_and_replaced() {
        assert_eq!(Table::new(&[1, 2, 3], 3).keep(&[1, 4, 3], 0), 1);
        assert_eq!(Table::new(&[1, 2, 3], 0).keep(&[], 0), 3);
        assert_eq!(Table::new(&[], 2).keep(&[1, 2], 0), 2);
        assert_eq!(Table::new(&[1, 2, 3, 4], 3).keep(&[2, 3, 5], 0), 2);
    }

    #[test]
    fn a_change_is_measured_without_the_rows_before_it() {
        let (reference, before) = ([1, 2, 3, 4, 5, 6], [1, 2, 4, 3, 5, 6]);
        let mut table = Table::new(&reference, 6);
        assert_eq!(table.keep(&before, 0), 2);
        assert_eq!(table.distance(&[1, 2, 3, 4, 5, 6], (2, 4)), 0);
        // 1 put in, 1 replaced by 3, 3 left out.
        assert_eq!(table.distance(&[2, 1, 4, 3, 5, 6], (0, 2)), 3);
        assert_eq!(table.distance(&before, (1, 2)), 2);
    }

    #[test]
    fn the_way_back_prefers_both_words() {
        let both = |equal| Step::Both { equal };
        let mut table = Table::new(&[1, 2, 3], 2);
        table.keep(&[1, 3], 0);
        let expected = [both(true), Step::Reference, both(true)];
        assert_eq!(table.steps_back(&[1, 3]), expected);
    }

    #[test]
    fn words_far_from_the_diagonal_are_out_of_reach() {
        let reference: Vec<u32> = (1..=100).collect();
        let behind = |others: u32| -> Vec<u32> {
            let before = std::iter::repeat_n(1000, others as usize);
            before.chain(1..=100 - others).collect()
        };
        // 20 words are left out at the beginning and put in at the end; at 30, every word is replaced.
        assert_eq!(Table::new(&reference, 100).keep(&behind(20), 0), 40);
        assert_eq!(Table::new(&reference, 100).keep(&behind(30), 0), 100);
    }
}
