//! The loop of GloVe: rates and seeds to vectors, epoch by epoch.

use super::kernel::{self, Shape};
use super::schedule::{Schedule, Tile};
use super::tiles::{Tiles, shuffle};
use super::{Options, Side};
use crate::embed::cooccur::Cooccurrence;
use crate::random::Random;
use crate::simd::Level;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Why training ended early.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("no word stands near another")]
    NoPairs,
    #[error("the loss is no longer a number in epoch {epoch}, at a learning rate of {rate}")]
    NotFinite { epoch: u32, rate: f32 },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What one epoch came to.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    /// From 1 on.
    pub number: u32,
    /// J per pair.
    pub loss: f64,
    /// Steps a second: two for each pair of a symmetric matrix, but for those of a word with itself.
    pub speed: f64,
}

/// Parameters that are being fitted.
pub struct Model {
    shape: Shape,
    words: usize,
    tiles: Tiles,
    /// Rows of words, block by block.
    blocks: Vec<Vec<f32>>,
    steps: u64,
}

/// Streams of [`Random`] from here on are not those of tiles.
const ORDER: u64 = 1 << 40;
const START: u64 = 1 << 41;

impl Model {
    /// Random vectors, uniform over ±½/dim, for the words of `counts`; more than `memory` bytes of pairs lie in a temporary
    /// file.
    ///
    /// # Errors
    /// When there are no pairs, or the temporary file cannot be made.
    pub fn new(counts: &Cooccurrence, options: &Options, memory: u64) -> Result<Model, TrainError> {
        if counts.rows.is_empty() {
            return Err(TrainError::NoPairs);
        }
        let shape = Shape {
            dim: options.dim,
            rate: options.rate,
            alpha: options.alpha as f32,
            log_max: options.x_max.ln() as f32,
            symmetric: counts.options.symmetric,
        };
        let tiles = Tiles::new(counts, options.seed, memory)?;
        let words = counts.vocabulary.len();
        let blocks = (0..tiles.blocks)
            .map(|block| {
                let mut random = Random::new(options.seed, START + block as u64);
                let size = tiles.block_words(block, words) * shape.stride();
                let mut values = vec![0.0; size];
                for part in values.chunks_exact_mut(2 * shape.padded()) {
                    let (vector, sums) = part.split_at_mut(shape.padded());
                    vector[..=shape.dim].fill_with(|| (random.unit() - 0.5) / shape.dim as f32);
                    sums.fill(1.0);
                }
                values
            })
            .collect();
        let records = |(tile, (a, b))| {
            let records = tiles.records(tile);
            match shape.symmetric {
                true => {
                    let own = records.iter().filter(|r| a == b && r.row == r.column);
                    2 * records.len() as u64 - own.count() as u64
                }
                false => records.len() as u64,
            }
        };
        let steps = tiles.all().enumerate().map(records).sum();
        Ok(Model {
            shape,
            words,
            tiles,
            blocks,
            steps,
        })
    }

    /// Goes over all pairs `options.epochs` times, in an order of its own each time; `report` hears of every epoch.
    ///
    /// # Errors
    /// When the loss is not finite.
    pub fn fit(
        &mut self,
        options: &Options,
        mut report: impl FnMut(Epoch),
    ) -> Result<(), TrainError> {
        for number in 1..=options.epochs {
            let start = Instant::now();
            let mut order: Vec<Tile> = (self.tiles.all().enumerate())
                .map(|(number, (row, column))| Tile {
                    number,
                    row,
                    column,
                })
                .filter(|tile| !self.tiles.records(tile.number).is_empty())
                .collect();
            shuffle(
                &mut order,
                &mut Random::new(options.seed, ORDER + u64::from(number)),
            );
            let cost = self.epoch(order);
            if !cost.is_finite() {
                return Err(TrainError::NotFinite {
                    epoch: number,
                    rate: options.rate,
                });
            }
            report(Epoch {
                number,
                loss: 0.5 * cost / self.steps as f64,
                speed: self.steps as f64 / start.elapsed().as_secs_f64(),
            });
        }
        Ok(())
    }

    /// Goes over all pairs; Σ f (s − ln x)², summed in the order of the tiles' numbers.
    fn epoch(&mut self, order: Vec<Tile>) -> f64 {
        let costs: Vec<AtomicU64> = self.tiles.all().map(|_| AtomicU64::new(0)).collect();
        let level = Level::best();
        let schedule = Schedule::new(std::mem::take(&mut self.blocks), order);
        let (tiles, shape) = (&self.tiles, &self.shape);
        let work = || {
            while let Some(mut work) = schedule.begin() {
                let records = tiles.records(work.tile.number);
                let columns = work.columns.as_deref_mut();
                let cost = kernel::run(level, records, &mut work.rows, columns, shape);
                costs[work.tile.number].store(cost.to_bits(), Ordering::Relaxed);
                schedule.end(work);
                if !cost.is_finite() {
                    schedule.stop();
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..rayon::current_num_threads() {
                scope.spawn(work);
            }
            work();
        });
        self.blocks = schedule.into_blocks();
        let cost = |cost: &AtomicU64| f64::from_bits(cost.load(Ordering::Relaxed));
        costs.iter().map(cost).sum()
    }

    /// The vectors of all words in their order, with the dimension of each.
    pub fn vectors(&self, side: Side) -> (Vec<f32>, usize) {
        let (dim, padded, stride) = (self.shape.dim, self.shape.padded(), self.shape.stride());
        let mut all = Vec::with_capacity(self.words * dim);
        for word in 0..self.words {
            let place = word / self.tiles.blocks * stride;
            let row = &self.blocks[word % self.tiles.blocks][place..place + stride];
            let (vector, context) = (&row[..dim], &row[2 * padded..][..dim]);
            match side {
                Side::Sum => all.extend(vector.iter().zip(context).map(|(w, c)| w + c)),
                Side::Word => all.extend_from_slice(vector),
                Side::Both => {
                    all.extend_from_slice(vector);
                    all.extend_from_slice(context);
                }
            }
        }
        (all, if side == Side::Both { 2 * dim } else { dim })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::cooccur::{self, count::count};
    use crate::embed::corpus::{Limits, Reader};

    /// Sentences over so many words; neighbours in number are neighbours in the text.
    fn counts(words: usize, symmetric: bool) -> Cooccurrence {
        let mut text = String::new();
        let mut random = Random::new(3, 0);
        for _ in 0..2000 {
            let start = random.below(words as u32) as usize;
            for _ in 0..6 {
                let word = (start + random.below(8) as usize) % words;
                text += &format!("w{word} ");
            }
            text.push('\n');
        }
        let mut reader = Reader::default();
        reader.read(text.as_bytes(), false).unwrap();
        let limits = Limits {
            min_count: 1,
            max_words: None,
        };
        let options = cooccur::Options {
            symmetric,
            ..cooccur::Options::default()
        };
        count(reader.finish(limits).unwrap(), options, (0, 1), 1 << 20).unwrap()
    }

    const OPTIONS: Options = Options {
        dim: 10,
        epochs: 4,
        rate: 0.05,
        x_max: 10.0,
        alpha: 0.75,
        seed: 1,
    };

    fn fitted(counts: &Cooccurrence, memory: u64, threads: usize) -> (Vec<f32>, Vec<f64>) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let mut model = Model::new(counts, &OPTIONS, memory).unwrap();
            let mut losses = Vec::new();
            model
                .fit(&OPTIONS, |epoch| losses.push(epoch.loss))
                .unwrap();
            (model.vectors(Side::Both).0, losses)
        })
    }

    #[test]
    fn the_loss_falls_with_every_epoch() {
        for symmetric in [true, false] {
            let (_, losses) = fitted(&counts(50, symmetric), 1 << 20, 1);
            assert!(losses.is_sorted_by(|a, b| a > b), "{losses:?}");
        }
    }

    #[test]
    fn threads_and_a_file_of_pairs_change_no_byte() {
        for symmetric in [true, false] {
            let counts = counts(1200, symmetric); // several blocks
            let alone = fitted(&counts, 1 << 20, 1);
            assert_eq!(alone, fitted(&counts, 1 << 20, 2));
            assert_eq!(alone, fitted(&counts, 0, 3));
        }
    }

    #[test]
    fn a_loss_that_is_no_number_stops_the_run() {
        let counts = counts(50, true);
        let wild = Options {
            rate: 1e30,
            ..OPTIONS
        };
        let mut model = Model::new(&counts, &wild, 0).unwrap();
        let error = model.fit(&wild, |_| ()).unwrap_err();
        let named = matches!(error, TrainError::NotFinite { rate, .. } if rate == 1e30);
        assert!(named, "{error:?}");
    }

    #[test]
    fn the_sum_is_that_of_both() {
        let counts = counts(20, true);
        let model = Model::new(&counts, &OPTIONS, 0).unwrap();
        let ((both, wide), (sum, dim)) = (model.vectors(Side::Both), model.vectors(Side::Sum));
        assert_eq!((wide, dim), (20, 10));
        assert_eq!(sum[0], both[0] + both[10]);
        assert_eq!(model.vectors(Side::Word).0[10], both[20]);
    }
}
