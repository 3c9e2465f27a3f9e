//! A run of several ranks, each of which trains on its share of the text.
//!
//! ```text
//! Δ_r = w_r − w₀        w = w₀ + f Σ_r Δ_r        f = min(1, 2 Σ_r ‖Δ_r‖² / ‖Σ_r Δ_r‖²)
//! ```
//!
//! for each row, when all ranks have trained on as many tasks since all had w₀. What has nothing in common adds up (f = 1), as
//! it does where threads of one process write to the same rows; n ranks that have all gone the same way go twice as far as
//! their mean (f = 2/n), for the row of a frequent word has arrived where each of them went, and n times as far is beyond. The
//! idea is that of adaptive summation (Maleki et al. 2020), but for the 2: plain sums are as good as one process with two
//! ranks and diverge with eight; means are stable and worse (`benches/README.md`). A row that one rank alone has changed is that rank's, to the bit.
//!
//! Tasks, their random numbers and their rates are those of a run of one; which rank has which follows from its number.

use super::checkpoint::fingerprint;
use super::train::{Ended, Progress, Tasks, TrainError, Trainer};
use super::window::Loss;
use crate::ranks::{Ranks, have_same, share_values};
use std::sync::atomic::{AtomicBool, Ordering};

/// Tasks of a rank between two sums: a million words.
const INTERVAL: usize = 5;

impl Trainer<'_> {
    /// Trains to the end, or until a rank is told to stop, which all do after a sum; `report` hears of what all have
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
            add_up(ranks, self.input.values_mut(), &mut kept[0], stride);
            add_up(ranks, self.output.values_mut(), &mut kept[1], stride);
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

/// Rows become `kept` and what the ranks have added to it; `kept` is then the same.
fn add_up(ranks: &dyn Ranks, rows: &mut [f32], kept: &mut [f32], stride: usize) {
    // Of each row, whether it was changed, and the square of how far.
    let mut moved = vec![0.0; rows.len() / stride * 2];
    let each = rows.chunks_exact_mut(stride).zip(kept.chunks_exact(stride));
    for ((row, kept), moved) in each.zip(moved.chunks_exact_mut(2)) {
        match row == kept {
            // Those that have not changed a row say nothing of it, so that nothing is rounded where one has.
            true => row.fill(0.0),
            false => moved.copy_from_slice(&[1.0, square(row, kept, 1.0)]),
        }
    }
    ranks.sum(rows);
    ranks.sum(&mut moved);
    let each = (rows.chunks_exact_mut(stride)).zip(kept.chunks_exact_mut(stride));
    for ((row, kept), moved) in each.zip(moved.chunks_exact(2)) {
        let (changed, squares) = (moved[0], moved[1]);
        match changed {
            0.0 => row.copy_from_slice(kept),
            1.0 => {}
            _ => {
                let all = square(row, kept, changed);
                let share = if all > 2.0 * squares {
                    2.0 * squares / all
                } else {
                    1.0
                };
                let each = row.iter_mut().zip(&*kept);
                each.for_each(|(new, old)| *new = old + share * (*new - changed * old));
            }
        }
        kept.copy_from_slice(row);
    }
}

/// ‖sum − n · old‖²
fn square(sum: &[f32], old: &[f32], n: f32) -> f32 {
    let each = sum.iter().zip(old);
    each.map(|(sum, old)| (sum - n * old).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::threads;

    /// What three ranks make of rows (0 0) when each adds its own.
    fn added(changes: [[f32; 2]; 3]) -> [f32; 2] {
        let found = threads::run(3, |ranks| {
            let (mut rows, mut kept) = (changes[ranks.rank()], [0.0; 2]);
            add_up(ranks, &mut rows, &mut kept, 2);
            assert_eq!(rows, kept);
            rows
        });
        assert!(found.iter().all(|row| *row == found[0]));
        found[0]
    }

    #[test]
    fn changes_that_have_nothing_in_common_add_up() {
        assert_eq!(added([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]]), [3.0, 4.0]);
        assert_eq!(added([[3.0, 0.0], [0.0, 4.0], [-2.0, 0.0]]), [1.0, 4.0]);
    }

    #[test]
    fn of_changes_that_go_the_same_way_twice_the_mean_is_taken() {
        assert_eq!(added([[2.0, 4.0], [2.0, 4.0], [0.0, 0.0]]), [4.0, 8.0]);
        // 3 · 20 · 2 of 180
        let [a, b] = added([[2.0, 4.0]; 3]);
        assert!((a - 4.0).abs() < 1e-6 && (b - 8.0).abs() < 1e-6, "{a} {b}");
    }

    #[test]
    fn a_row_that_one_rank_has_changed_is_that_ranks_to_the_bit() {
        let found = threads::run(2, |ranks| {
            let mut kept = [0.1, 0.7, 0.3, 0.3];
            let mut rows = kept;
            if ranks.rank() == 1 {
                rows[1] = 1.0 / 3.0;
            }
            add_up(ranks, &mut rows, &mut kept, 2);
            (rows, kept)
        });
        let expected = [0.1, 1.0 / 3.0, 0.3, 0.3];
        assert_eq!(found, [(expected, expected); 2]);
    }
}
