//! A run of several ranks, each of which trains on its share of the text.
//!
//! ```text
//! w = Σ_r w_r / n        of each row, over the n ranks that have changed it, when all have trained on as many tasks
//! ```
//!
//! (The mean of all would take from a rare word, which few ranks meet, most of what was learned of it.) Tasks, their random
//! numbers and their rates are those of a run of one; which rank has which follows from its number. Averaged models: McDonald,
//! Hall and Mann 2010.

use super::checkpoint::fingerprint;
use super::train::{Ended, Progress, Tasks, TrainError, Trainer};
use super::window::Loss;
use crate::ranks::{Ranks, have_same, share_values};
use std::sync::atomic::{AtomicBool, Ordering};

/// Tasks of a rank between two averages: a million words.
const INTERVAL: usize = 5;

impl Trainer<'_> {
    /// Trains to the end, or until a rank is told to stop, which all do after an average; `report` hears of what all have
    /// seen. Rank 0 gives the others what it begins with.
    ///
    /// # Errors
    /// The ranks have not read the same text; the loss is infinite or no number.
    pub fn run_among(
        &mut self,
        ranks: &dyn Ranks,
        (threads, stop): (usize, &AtomicBool),
        mut report: impl FnMut(Progress),
    ) -> Result<Ended, TrainError> {
        if !have_same(ranks, fingerprint(self.corpus()).into()) {
            return Err(TrainError::OtherText);
        }
        self.share(ranks);
        let (mut course, all) = (self.course(), self.all_tasks());
        let mut kept = [self.input.values().to_vec(), self.output.values().to_vec()];
        let never = AtomicBool::new(false);
        while self.next < all {
            let end = all.min(self.next + INTERVAL * ranks.size());
            let tasks = Tasks {
                first: self.next + ranks.rank(),
                step: ranks.size(),
                end,
            };
            let (mut words, mut loss) = (0, Loss::default());
            let trained = self.run_tasks(tasks, (threads, &never), |_, (seen, of)| {
                words += seen;
                loss.sum += of.sum;
                loss.pairs += of.pairs;
            });
            let is_stopped = stop.load(Ordering::Acquire);
            // A rank that has diverged makes the sum no number, and so all do.
            let mut sums = [words as f64, loss.sum, loss.pairs, f64::from(is_stopped)];
            ranks.sum_f64(&mut sums);
            let [words, sum, pairs, stops] = sums;
            let progress = course.advance(end - 1, (words as u64, Loss { sum, pairs }));
            trained?;
            if !sum.is_finite() {
                let Progress { words, rate, .. } = progress;
                return Err(TrainError::Diverged { words, rate });
            }
            let stride = self.input.stride();
            average(ranks, self.input.values_mut(), &mut kept[0], stride);
            average(ranks, self.output.values_mut(), &mut kept[1], stride);
            self.next = end;
            report(progress);
            if stops > 0.0 && end < all {
                return Ok(Ended::Stopped);
            }
        }
        Ok(Ended::Done)
    }

    /// All begin where rank 0 does.
    fn share(&mut self, ranks: &dyn Ranks) {
        let mut next = [if ranks.rank() == 0 {
            self.next as f64
        } else {
            0.0
        }];
        ranks.sum_f64(&mut next);
        self.next = next[0] as usize;
        share_values(ranks, self.input.values_mut());
        share_values(ranks, self.output.values_mut());
    }
}

/// Rows become the mean of what the ranks that have changed them made of `kept`, which is then the same.
fn average(ranks: &dyn Ranks, rows: &mut [f32], kept: &mut [f32], stride: usize) {
    let mut changed = vec![0.0; rows.len() / stride];
    let each = rows.chunks_exact_mut(stride).zip(kept.chunks_exact(stride));
    for ((row, kept), changed) in each.zip(&mut changed) {
        match row == kept {
            true => row.fill(0.0),
            false => *changed = 1.0,
        }
    }
    ranks.sum(rows);
    ranks.sum(&mut changed);
    let each = (rows.chunks_exact_mut(stride)).zip(kept.chunks_exact_mut(stride));
    for ((row, kept), changed) in each.zip(changed) {
        if changed == 0.0 {
            row.copy_from_slice(kept);
            continue;
        }
        row.iter_mut().for_each(|value| *value /= changed);
        kept.copy_from_slice(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::threads;

    #[test]
    fn a_row_is_the_mean_of_those_that_have_changed_it() {
        let found = threads::run(3, |ranks| {
            let mut kept = [1.0, 1.0, 2.0, 2.0, 3.0, 3.0];
            let mut rows = kept;
            if ranks.rank() > 0 {
                // Two change the first row, one the second, nobody the last.
                rows[0] += ranks.rank() as f32;
            }
            if ranks.rank() == 2 {
                rows[3] += 8.0;
            }
            average(ranks, &mut rows, &mut kept, 2);
            (rows, kept)
        });
        let expected = [2.5, 1.0, 2.0, 10.0, 3.0, 3.0];
        assert_eq!(found, [(expected, expected); 3]);
    }
}
