//! Batches without end, from any position on: a run that goes on sees what it would have seen without stopping.
//!
//! A window is read and encoded as a whole, on all threads, and kept until its last batch is given. With 50 million
//! pairs of 30 tokens a side this takes some 60 MB: 100,000 × 60 tokens of 4 bytes, twice while it is read, and the
//! blocks and their order. At the worst, every side as long as the limit, it is 1.6 MB for each token of the limit.

use super::batch::Batch;
use super::order::{Budget, Order, Purpose};
use super::store::{Encode, Encoded, Store};
use crate::random::Random;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How pairs become batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub budget: Budget,
    /// Pairs sorted by length at a time, about.
    pub window: u32,
    pub seed: u64,
}

/// Pairs that are sorted at a time unless told otherwise.
pub const WINDOW: u32 = 100_000;

/// The next batch, all counted from 0. It means the same batch only for the same store and plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    pub epoch: u64,
    pub window: u32,
    /// In the window.
    pub batch: u32,
}

/// Gives one batch after the other, epoch after epoch; none at all from an empty store.
pub struct Feed<'a> {
    store: &'a Store,
    encode: &'a Encode<'a>,
    budget: Budget,
    order: Order,
    position: Position,
    /// The order of blocks of an epoch.
    blocks: Option<(u64, Vec<u32>)>,
    window: Option<Window>,
}

/// A window at hand.
struct Window {
    epoch: u64,
    number: u32,
    pairs: Encoded,
    /// Pairs in order of length.
    sorted: Vec<u32>,
    /// Parts of `sorted`, in the order they are given.
    batches: Vec<Range<usize>>,
}

impl<'a> Feed<'a> {
    /// Batches from a position on. `encode` is what the store was made with, and is called for a store of text only.
    pub fn new(
        store: &'a Store,
        encode: &'a Encode<'a>,
        plan: Plan,
        position: Position,
    ) -> Feed<'a> {
        Feed {
            store,
            encode,
            budget: plan.budget,
            order: Order::new(plan.seed, store.blocks(), plan.window),
            position,
            blocks: None,
            window: None,
        }
    }

    /// The position of the next batch. Behind the last batch of an epoch it is the begin of the next epoch.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The share of the epoch that has been given, from 0 to 1.
    pub fn share(&self) -> f64 {
        let at = self.position;
        let batches = match &self.window {
            Some(window) if window.is(at) => window.batches.len() as f64,
            _ => f64::INFINITY,
        };
        let windows = self.order.windows().max(1);
        (f64::from(at.window) + f64::from(at.batch) / batches) / f64::from(windows)
    }

    /// The window of the position.
    fn load(&mut self) -> Window {
        let Position { epoch, window, .. } = self.position;
        let blocks = match self.blocks.take() {
            Some((of, blocks)) if of == epoch => blocks,
            _ => self.order.epoch(epoch),
        };
        let seed = self.order.seed_of(epoch, Purpose::Encoding);
        let parts: Vec<Encoded> = blocks[self.order.window(window)]
            .par_iter()
            .map(|&block| self.store.read(block, self.encode, Some(seed)))
            .collect();
        self.blocks = Some((epoch, blocks));
        let mut pairs = Encoded::default();
        parts.iter().for_each(|part| pairs.append(part));
        let seed = self.order.seed_of(epoch, Purpose::Window);
        let mut random = Random::new(seed, u64::from(window));
        let mut sorted: Vec<u32> = (0..pairs.len() as u32).collect();
        // Pairs of the same lengths stay in the order of chance.
        random.shuffle(&mut sorted);
        let mut batches = sort_and_cut(&pairs, &mut sorted, self.budget);
        random.shuffle(&mut batches);
        Window {
            epoch,
            number: window,
            pairs,
            sorted,
            batches,
        }
    }

    fn end_window(&mut self) {
        let at = &mut self.position;
        (at.window, at.batch) = (at.window.saturating_add(1), 0);
        if at.window >= self.order.windows() {
            (at.epoch, at.window) = (at.epoch + 1, 0);
        }
    }
}

impl Window {
    fn is(&self, at: Position) -> bool {
        (self.epoch, self.number) == (at.epoch, at.window)
    }

    fn batch(&self, range: Range<usize>) -> Batch {
        let numbers = &self.sorted[range];
        Batch::of(
            numbers
                .iter()
                .map(|&number| self.pairs.pair(number as usize)),
        )
    }
}

impl Iterator for Feed<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        if self.store.is_empty() {
            return None;
        }
        // Of a position in another store or plan the next begin of a window is taken.
        if self.position.window >= self.order.windows() {
            self.end_window();
        }
        loop {
            let at = self.position;
            let window = match self.window.take() {
                Some(window) if window.is(at) => window,
                _ => self.load(),
            };
            let window = self.window.insert(window);
            let Some(range) = window.batches.get(at.batch as usize) else {
                self.end_window();
                continue;
            };
            let batch = window.batch(range.clone());
            let is_last = at.batch as usize + 1 == window.batches.len();
            self.position.batch += 1;
            if is_last {
                self.end_window();
            }
            return Some(batch);
        }
    }
}

/// Batches for validation: all pairs, in order of length, always the same, encoded without chance. Each comes with the
/// numbers of its pairs in the store.
pub fn fixed(store: &Store, encode: &Encode, budget: Budget) -> Vec<(Vec<u32>, Batch)> {
    let parts: Vec<Encoded> = (0..store.blocks())
        .into_par_iter()
        .map(|block| store.read(block, encode, None))
        .collect();
    let mut pairs = Encoded::default();
    parts.iter().for_each(|part| pairs.append(part));
    let mut sorted: Vec<u32> = (0..store.len()).collect();
    let batches = sort_and_cut(&pairs, &mut sorted, budget);
    let batch = |range: Range<usize>| {
        let numbers = sorted[range].to_vec();
        let rows = numbers.iter().map(|&number| pairs.pair(number as usize));
        let batch = Batch::of(rows);
        (numbers, batch)
    };
    batches.into_iter().map(batch).collect()
}

/// Sorts pairs by the longer side, then by the target, and cuts them into batches. The budget counts the longer side:
/// sorted by target length first, batches of Multi30k leave twice to three times as much of it unused.
fn sort_and_cut(pairs: &Encoded, numbers: &mut [u32], budget: Budget) -> Vec<Range<usize>> {
    let longer = |number: u32| {
        let (source, target) = pairs.lengths(number as usize);
        (source.max(target), target)
    };
    numbers.sort_by_cached_key(|&number| longer(number));
    // Each side has one mark.
    budget.cut(numbers.iter().map(|&number| longer(number).0 + 1))
}

#[cfg(test)]
mod tests;
