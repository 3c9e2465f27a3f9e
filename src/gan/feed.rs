//! Real samples in batches: every one once in each round, in an order that the seed and the round decide.

use super::model::Given;
use super::step::Reals;
use crate::nn::ops::spans::Asked;
use crate::random::Random;
use serde::{Deserialize, Serialize};

/// What is learned from.
pub trait Data: Sync {
    /// How many samples there are.
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values of a sample.
    fn values(&self) -> usize;

    /// Writes a sample.
    fn write(&self, index: usize, random: &mut Random, to: &mut [f32]);

    /// Its class; none where there are no classes.
    fn label(&self, index: usize) -> Option<u32>;

    /// Length of the conditions on samples; 0 where there are none.
    fn condition(&self) -> usize {
        0
    }

    /// Draws a condition and a sample that meets it, in place of one by its number.
    fn draw(&self, random: &mut Random, to: &mut [f32], condition: &mut [f32]) -> Option<Asked> {
        let _ = (random, to, condition);
        None
    }
}

/// Where the next batch begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub round: u64,
    pub at: usize,
    /// Batches so far.
    pub batches: u64,
}

/// Batches of data, without an end.
pub struct Feed<'d> {
    data: &'d dyn Data,
    seed: u64,
    position: Position,
    order: Vec<u32>,
}

impl<'d> Feed<'d> {
    pub fn new(data: &'d dyn Data, seed: u64, position: Position) -> Feed<'d> {
        let mut feed = Feed {
            data,
            seed,
            position,
            order: Vec::new(),
        };
        feed.shuffle();
        feed
    }

    pub fn position(&self) -> Position {
        self.position
    }

    /// Batches of `n` samples in a round.
    pub fn batches(&self, n: usize) -> u64 {
        (self.data.len() / n.max(1)).max(1) as u64
    }

    fn shuffle(&mut self) {
        self.order = (0..u32::try_from(self.data.len()).unwrap_or(u32::MAX)).collect();
        Random::new(self.seed ^ 0x6665_6564, self.position.round).shuffle(&mut self.order);
    }

    /// The next `n` samples. A round that ends within them goes over into the next.
    pub fn next(&mut self, n: usize) -> Reals {
        let size = self.data.values();
        let mut values = vec![0.0; n * size];
        let (mut labels, mut asked) = (Vec::new(), Vec::new());
        let width = self.data.condition();
        let mut conditions = vec![0.0; n * width];
        let mut random = Random::new(self.seed ^ 0x6461_7461, self.position.batches);
        for (i, to) in values.chunks_exact_mut(size).enumerate() {
            if self.position.at == self.order.len() {
                self.position.round += 1;
                self.position.at = 0;
                self.shuffle();
            }
            let index = self.order[self.position.at] as usize;
            self.position.at += 1;
            if width > 0 {
                let condition = &mut conditions[i * width..(i + 1) * width];
                asked.push(self.data.draw(&mut random, to, condition));
            } else {
                self.data.write(index, &mut random, to);
                labels.extend(self.data.label(index));
            }
        }
        self.position.batches += 1;
        Reals {
            values,
            given: Given {
                labels: labels.into(),
                conditions: conditions.into(),
                asked: asked.into(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers from 0 on.
    struct Numbers(usize);

    impl Data for Numbers {
        fn len(&self) -> usize {
            self.0
        }
        fn values(&self) -> usize {
            1
        }
        fn write(&self, index: usize, _: &mut Random, to: &mut [f32]) {
            to[0] = index as f32;
        }
        fn label(&self, index: usize) -> Option<u32> {
            Some(index as u32 % 3)
        }
    }

    #[test]
    fn every_sample_comes_once_in_a_round() {
        let data = Numbers(10);
        let mut feed = Feed::new(&data, 1, Position::default());
        let values: Vec<f32> = (0..5).flat_map(|_| feed.next(4).values).collect();
        for round in values.chunks(10) {
            let mut round = round.to_vec();
            round.sort_by(f32::total_cmp);
            assert_eq!(round, (0..10).map(|i| i as f32).collect::<Vec<_>>());
        }
        assert_ne!(values[..10], values[10..]);
    }

    #[test]
    fn a_feed_goes_on_where_another_was() {
        let data = Numbers(7);
        let mut whole = Feed::new(&data, 3, Position::default());
        whole.next(5);
        let position = whole.position();
        let rest = whole.next(5);
        let again = Feed::new(&data, 3, position).next(5);
        assert_eq!(rest.values, again.values);
        assert_eq!(rest.given.labels, again.given.labels);
    }
}
