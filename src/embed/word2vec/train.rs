//! The run: the text in tasks, tasks on threads, and the learning rate over all of it.
//!
//! An epoch is cut into tasks of some thousand words. Threads take the next one when they are done with theirs; a task's
//! random numbers follow from the seed and its number, and so does its learning rate. One thread therefore gives the
//! same bytes every time, stopped and resumed or not. Several threads write to the same rows without locks, and what
//! they learn depends a little on who comes first.

use super::compose::{Parts, gather};
use super::huffman::Huffman;
use super::matrix::Matrix;
use super::negatives::Negatives;
use super::options::{Objective, Options};
use super::window::{Loss, Outputs, Shop, Worker};
use crate::embed::corpus::{BREAK, Corpus, sentences};
use crate::embed::vectors::View;
use crate::random::Random;
use crate::simd::Level;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// Tokens to a task: enough that taking one costs nothing, few enough that a stop is soon obeyed.
const TASK: usize = 200_000;

/// Words between two looks at the learning rate.
const RATE_EVERY: usize = 1000;

/// A run, between tasks.
pub struct Trainer<'a> {
    corpus: &'a Corpus,
    options: Options,
    pub input: Matrix,
    pub output: Matrix,
    outputs: Outputs,
    parts: Option<Parts>,
    /// For each word, which share of 2^32 of its tokens is kept.
    keep: Vec<u32>,
    /// Words of the text, which may be a part of what the vocabulary was counted in.
    length: u64,
    /// The next task of all epochs.
    pub next: usize,
}

/// Why there are no vectors.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("no words are left to learn from")]
    NoWords,
    #[error("the processes have not read the same text")]
    OtherText,
    #[error(
        "{negative} negatives need a vocabulary of more than {negative} words, this one has {words}"
    )]
    TooManyNegatives { negative: usize, words: usize },
    #[error("{rows} vectors of {dim} values: {error}")]
    Memory {
        rows: usize,
        dim: usize,
        error: std::io::Error,
    },
    #[error("the loss is no number any more after {words} words at learning rate {rate}")]
    Diverged { words: u64, rate: f32 },
}

/// What has been done.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Tokens of the vocabulary seen, in all epochs.
    pub words: u64,
    /// Of them, those seen since [`Trainer::run`] was called.
    pub here: u64,
    /// Tokens there will have been at the end.
    pub total: u64,
    pub epoch: u32,
    /// Per pair, since the last report.
    pub loss: f64,
    pub rate: f32,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// On demand; [`Trainer::next`] says where to go on.
    Stopped,
}

impl<'a> Trainer<'a> {
    /// A new run.
    ///
    /// # Errors
    /// The vocabulary is empty or too small for the negatives, or the matrices do not fit in memory.
    pub fn new(corpus: &'a Corpus, options: Options) -> Result<Trainer<'a>, TrainError> {
        let words = corpus.vocabulary.len();
        let length = (corpus.tokens().iter().filter(|token| **token != BREAK)).count() as u64;
        if words == 0 || length == 0 {
            return Err(TrainError::NoWords);
        }
        let negative = options.negative;
        if options.objective == Objective::Negative && negative >= words {
            return Err(TrainError::TooManyNegatives { negative, words });
        }
        let counts = &corpus.vocabulary.counts;
        let outputs = match options.objective {
            Objective::Negative => Outputs::Negative(Negatives::new(counts)),
            Objective::Hierarchical => Outputs::Hierarchical(Huffman::new(counts)),
        };
        let parts = options
            .subwords
            .map(|subwords| Parts::new(&corpus.vocabulary.words, &subwords));
        let rows = words
            + options
                .subwords
                .map_or(0, |subwords| subwords.buckets as usize);
        let matrix = |rows| {
            let dim = options.dim;
            Matrix::new(rows, dim).map_err(|error| TrainError::Memory { rows, dim, error })
        };
        let (mut input, output) = (matrix(rows)?, matrix(words)?);
        input.fill(&mut Random::new(options.seed, u64::MAX));
        let tokens = corpus.vocabulary.tokens();
        let keep = counts
            .iter()
            .map(|&n| share_kept(n, tokens, options.sample))
            .collect();
        Ok(Trainer {
            corpus,
            options,
            input,
            output,
            outputs,
            parts,
            keep,
            length,
            next: 0,
        })
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    pub fn corpus(&self) -> &'a Corpus {
        self.corpus
    }

    /// Tasks of an epoch.
    fn tasks(&self) -> usize {
        self.corpus.tokens().len().div_ceil(TASK)
    }

    /// Tasks of all epochs.
    pub(super) fn all_tasks(&self) -> usize {
        self.tasks() * self.options.epochs as usize
    }

    /// How far the run is, before it goes on.
    pub(super) fn course(&self) -> Course {
        let all = self.all_tasks();
        let total = self.length * u64::from(self.options.epochs);
        Course {
            tasks: self.tasks(),
            all,
            rate: self.options.rate,
            progress: Progress {
                words: (self.next as f64 / all as f64 * total as f64) as u64,
                here: 0,
                total,
                epoch: 0,
                loss: 0.0,
                rate: 0.0,
            },
        }
    }

    /// Trains to the end, or until `stop`; `report` hears of every task that is done.
    ///
    /// # Errors
    /// The loss is infinite or no number.
    pub fn run(
        &mut self,
        threads: usize,
        stop: &AtomicBool,
        mut report: impl FnMut(Progress),
    ) -> Result<Ended, TrainError> {
        let (mut course, all) = (self.course(), self.all_tasks());
        let tasks = Tasks {
            first: self.next,
            step: 1,
            end: all,
        };
        self.next = self.run_tasks(tasks, (threads, stop), |task, done| {
            report(course.advance(task, done));
        })?;
        Ok(if self.next == all {
            Ended::Done
        } else {
            Ended::Stopped
        })
    }

    /// Trains on some tasks, or until `stop`, and gives the first that was not done; `report` hears of every one that is.
    ///
    /// # Errors
    /// The loss is infinite or no number.
    pub(super) fn run_tasks(
        &mut self,
        Tasks { first, step, end }: Tasks,
        (threads, stop): (usize, &AtomicBool),
        mut report: impl FnMut(usize, (u64, Loss)),
    ) -> Result<usize, TrainError> {
        let (tasks, all) = (self.tasks(), self.all_tasks());
        let parts = self.corpus.parts(tasks);
        let taken = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let mut words = self.course().progress.words;
        let shop = Shop {
            options: &self.options,
            outputs: &self.outputs,
            parts: self.parts.as_ref(),
            input: self.input.shared(),
            output: self.output.shared(),
            level: Level::best(),
        };
        let (keep, rate) = (&self.keep, self.options.rate);
        let mut diverged = None;
        let (sender, receiver) = mpsc::channel::<(usize, u64, Loss)>();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let (sender, taken, parts, failed) = (sender.clone(), &taken, &parts, &failed);
                scope.spawn(move || {
                    let mut worker = Worker::new(&shop);
                    while !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed) {
                        let task = first + step * taken.fetch_add(1, Ordering::Relaxed);
                        if task >= end {
                            break;
                        }
                        let part = parts[task % tasks];
                        let words = run_task(&shop, &mut worker, keep, part, (task, all));
                        // The receiver listens until all senders are gone.
                        let _ = sender.send((task, words, std::mem::take(&mut worker.loss)));
                    }
                });
            }
            drop(sender);
            for (task, done, loss) in receiver {
                words += done;
                if !loss.sum.is_finite() {
                    failed.store(true, Ordering::Relaxed);
                    let rate = rate_at(rate, task as f64 / all as f64);
                    diverged.get_or_insert(TrainError::Diverged { words, rate });
                }
                report(task, (done, loss));
            }
        });
        match diverged {
            Some(error) => Err(error),
            None => Ok((first + step * taken.into_inner()).min(end)),
        }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    /// Of an epoch, and of all.
    tasks: usize,
    all: usize,
    /// At the begin.
    rate: f32,
    pub progress: Progress,
}

impl Course {
    /// How far it is when a task is done that has seen so many words.
    pub fn advance(&mut self, task: usize, (words, loss): (u64, Loss)) -> Progress {
        let progress = &mut self.progress;
        progress.words += words;
        progress.here += words;
        progress.epoch = (task / self.tasks) as u32;
        progress.loss = loss.sum / loss.pairs.max(1.0);
        progress.rate = rate_at(self.rate, task as f64 / self.all as f64);
        *progress
    }
}

/// Every `step`-th task from the first on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tasks {
    pub first: usize,
    pub step: usize,
    pub end: usize,
}

impl Trainer<'_> {
    /// The vectors of the words as they are now: (words, stride). With subwords they are put together in place of the
    /// words' own rows, and the run cannot go on.
    pub fn vectors(&mut self) -> View<'_> {
        let words = &self.corpus.vocabulary.words;
        let stride = self.input.stride();
        if let Some(parts) = &self.parts {
            let mut mean = vec![0.0; stride];
            for word in 0..words.len() {
                mean_of(&mut self.input, parts.of(word as u32), &mut mean);
                self.input.values_mut()[word * stride..][..stride].copy_from_slice(&mean);
            }
        }
        View {
            words,
            dim: self.input.dim(),
            stride,
            data: &self.input.values()[..words.len() * stride],
        }
    }

    /// The vector of a word that was not seen, from its n-grams; none without subwords, and for a word too short to have
    /// any.
    pub fn vector_of_unknown(&mut self, word: &str) -> Option<Vec<f32>> {
        let first = self.corpus.vocabulary.len() as u32;
        let rows: Vec<u32> = (self.options.subwords?.of(word).into_iter())
            .map(|bucket| first + bucket)
            .collect();
        let mut mean = vec![0.0; self.input.stride()];
        (!rows.is_empty()).then(|| {
            mean_of(&mut self.input, &rows, &mut mean);
            mean
        })
    }
}

/// The mean of rows.
fn mean_of(matrix: &mut Matrix, rows: &[u32], mean: &mut [f32]) {
    assert!(
        mean.len() == matrix.stride() && rows.iter().all(|&row| (row as usize) < matrix.rows())
    );
    let shared = matrix.shared();
    let rows: Vec<*mut f32> = rows.iter().map(|&row| shared.row(row)).collect();
    // SAFETY: the rows exist and `mean` is as long; the matrix is borrowed mutably, so that no thread trains.
    unsafe { gather(Level::best(), &rows, mean.as_mut_ptr(), mean.len()) };
}

/// How many of 2^32 tokens of a word are kept: √(t/f) + t/f.
fn share_kept(count: u64, tokens: u64, threshold: f64) -> u32 {
    if threshold <= 0.0 {
        return u32::MAX;
    }
    let ratio = threshold * tokens as f64 / count as f64;
    ((ratio.sqrt() + ratio).min(1.0) * f64::from(u32::MAX)) as u32
}

/// The learning rate when a share of the run is over.
fn rate_at(start: f32, done: f64) -> f32 {
    start * (1.0 - done).max(1e-4) as f32
}

/// Trains on a part of the text; how many words it has.
fn run_task(
    shop: &Shop,
    worker: &mut Worker,
    keep: &[u32],
    part: &[u32],
    (task, all): (usize, usize),
) -> u64 {
    worker.begin();
    let mut random = Random::new(shop.options.seed, task as u64);
    let mut thinned = Vec::new();
    let (mut words, mut looked) = (0, 0);
    let mut rate = rate_at(shop.options.rate, task as f64 / all as f64);
    for sentence in sentences(part, shop.options.max_sentence) {
        if words - looked >= RATE_EVERY {
            looked = words;
            let done = task as f64 + words as f64 / part.len() as f64;
            rate = rate_at(shop.options.rate, done / all as f64);
        }
        words += sentence.len();
        thinned.clear();
        thinned.extend(sentence.iter().filter(|&&word| {
            let share = keep[word as usize];
            share == u32::MAX || (random.bits() >> 32) as u32 <= share
        }));
        worker.sentence(shop, &thinned, rate, &mut random);
    }
    words as u64
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
