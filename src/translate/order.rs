//! The order of pairs in an epoch, and where batches are cut.
//!
//! ```text
//! blocks of pairs    shuffled by seed and epoch
//! windows            as many blocks in a row as hold some 100,000 pairs, all windows of about one size
//! in a window        pairs shuffled, sorted by the longer side, then by the target, cut into batches, batches shuffled
//! ```
//!
//! Only numbers of blocks are shuffled as a whole, 2 MB for 50 million pairs, and blocks are read from disk in one
//! piece. Pairs that were neighbours in the data share a window, not a batch.

use super::store::BLOCK;
use crate::random::Random;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How much a batch holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// Rows × the longer of padded source and target, marks included, is at most so much.
    Tokens(u32),
    /// So many rows.
    Rows(u32),
}

impl Budget {
    /// Whether so many rows, the longest of so many tokens, are within it. What 32 bits cannot number is not.
    fn holds(self, rows: usize, longest: usize) -> bool {
        let padded = rows as u64 * longest as u64;
        match self {
            Budget::Tokens(most) => padded <= u64::from(most),
            Budget::Rows(most) => rows as u64 <= u64::from(most) && padded <= u64::from(u32::MAX),
        }
    }

    /// Cuts pairs into batches, as many to a batch as are within the budget; a pair that alone is too long for it is a
    /// batch of its own. `lengths` are of the longer side of each, marks included.
    pub fn cut(self, lengths: impl IntoIterator<Item = usize>) -> Vec<Range<usize>> {
        let mut batches = Vec::new();
        let (mut start, mut end, mut longest) = (0, 0, 0);
        for length in lengths {
            let with = length.max(longest);
            let fits = start == end || self.holds(end - start + 1, with);
            longest = if fits { with } else { length };
            if !fits {
                batches.push(start..end);
                start = end;
            }
            end += 1;
        }
        if start < end {
            batches.push(start..end);
        }
        batches
    }
}

/// The order of blocks.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub seed: u64,
    pub blocks: u32,
    /// Blocks of a window at most.
    per_window: u32,
}

/// What random numbers of an epoch are for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    Blocks,
    Window,
    Encoding,
}

impl Order {
    /// The order of `blocks` blocks in windows of about `window` pairs.
    pub fn new(seed: u64, blocks: u32, window: u32) -> Order {
        Order {
            seed,
            blocks,
            per_window: (window / BLOCK as u32).max(1),
        }
    }

    /// Windows of an epoch.
    pub fn windows(&self) -> u32 {
        self.blocks.div_ceil(self.per_window)
    }

    /// All blocks, in the order of an epoch.
    pub fn epoch(&self, epoch: u64) -> Vec<u32> {
        let mut blocks: Vec<u32> = (0..self.blocks).collect();
        Random::new(self.seed_of(epoch, Purpose::Blocks), 0).shuffle(&mut blocks);
        blocks
    }

    /// Where the blocks of a window stand in that order.
    pub fn window(&self, window: u32) -> Range<usize> {
        let cut = |at: u32| {
            let (blocks, windows) = (u64::from(self.blocks), u64::from(self.windows()));
            (blocks * u64::from(at) / windows) as usize
        };
        cut(window)..cut(window + 1)
    }

    /// A seed of its own for everything that is random in an epoch.
    pub fn seed_of(&self, epoch: u64, purpose: Purpose) -> u64 {
        let of_epoch = Random::new(self.seed, epoch).bits();
        Random::new(of_epoch, purpose as u64).bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_rows_times_the_longest() {
        let cut = |most, lengths: &[usize]| Budget::Tokens(most).cut(lengths.iter().copied());
        assert_eq!(cut(12, &[3, 4, 4, 4, 6, 6]), [0..3, 3..5, 5..6]);
        assert_eq!(cut(12, &[4, 3, 3, 3]), [0..3, 3..4]);
        assert_eq!(cut(12, &[]), [] as [Range<usize>; 0]);
    }

    #[test]
    fn a_pair_that_is_too_long_is_a_batch_of_its_own() {
        assert_eq!(
            Budget::Tokens(5).cut([2, 2, 9, 9, 2]),
            [0..2, 2..3, 3..4, 4..5]
        );
        assert_eq!(Budget::Tokens(0).cut([2, 2]), [0..1, 1..2]);
    }

    #[test]
    fn rows_can_be_counted_instead() {
        assert_eq!(Budget::Rows(2).cut([9, 1, 5, 1, 1]), [0..2, 2..4, 4..5]);
        let huge = 1 << 31;
        assert_eq!(Budget::Rows(9).cut([huge, huge, huge]), [0..1, 1..2, 2..3]);
    }

    #[test]
    fn windows_are_of_about_one_size_and_hold_every_block() {
        let order = Order::new(1, 2100, 100_000);
        assert_eq!(order.windows(), 3);
        assert_eq!(
            [order.window(0), order.window(1), order.window(2)],
            [0..700, 700..1400, 1400..2100]
        );
        assert_eq!(Order::new(1, 0, 100_000).windows(), 0);
        assert_eq!(Order::new(1, 5, 1).windows(), 5);
    }

    #[test]
    fn epochs_and_seeds_have_orders_of_their_own() {
        let epoch = |seed, epoch| Order::new(seed, 50, 1000).epoch(epoch);
        assert_eq!(epoch(1, 0), epoch(1, 0));
        assert_ne!(epoch(1, 0), epoch(1, 1));
        assert_ne!(epoch(1, 0), epoch(0, 1));
        let mut sorted = epoch(1, 3);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<u32>>());
    }

    proptest::proptest! {
        #[test]
        fn every_pair_is_in_one_batch_and_no_batch_could_take_the_next(
            lengths in proptest::collection::vec(1..30usize, 0..60),
            most in 1..100u32,
        ) {
            let batches = Budget::Tokens(most).cut(lengths.iter().copied());
            let all: Vec<usize> = batches.iter().cloned().flatten().collect();
            proptest::prop_assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
            let padded = |range: Range<usize>| {
                let longest = lengths[range.clone()].iter().max().copied();
                range.len() * longest.unwrap_or(0)
            };
            for batch in batches {
                proptest::prop_assert!(batch.len() == 1 || padded(batch.clone()) <= most as usize);
                if batch.end < lengths.len() {
                    proptest::prop_assert!(padded(batch.start..batch.end + 1) > most as usize);
                }
            }
        }
    }
}
