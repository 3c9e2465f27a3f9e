//! Many sentences at once: what has finished makes room for what waits.
//!
//! ```text
//! worker 1   rows of sentences 0 3 4 …      a step: all rows, each a token further
//! worker 2   rows of sentences 1 2 5 …
//! ```
//!
//! A worker is one thread with sentences of its own; all share the weights. Two workers of one thread each are faster
//! than one with two threads, which would wait for each other several times a layer. Long sentences go first, so that no
//! worker is left alone with one at the end.

use super::search::Search;
use super::words::{Found, Wanted, find};
use super::{Hypothesis, Model, Options, Row, Task};
use crate::nn::buffer::Buffer;
use crate::nn::packed::Packed;
use crate::translate::batch::EOS;
use rayon::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Sentences that a worker has under way at once.
pub const SENTENCES: usize = 64;

/// Tokens of their sources at most; a longer sentence goes alone.
pub const TOKENS: usize = 4096;

/// A sentence that a worker has under way.
struct Seat<'o, S> {
    task: usize,
    search: Search<'o>,
    /// One for each model.
    states: Vec<S>,
}

/// The translations of each task, in order, by models whose probabilities are averaged. Sources longer than the limit
/// of a model are cut.
pub fn translate<M: Model>(
    models: &[M],
    tasks: &[Task],
    options: &Options,
    (workers, sentences): (usize, usize),
) -> Vec<Vec<Hypothesis>> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(tasks[i].source.len()));
    let queue = Queue {
        tasks,
        order,
        next: AtomicUsize::new(0),
    };
    let results = Mutex::new(vec![Vec::new(); tasks.len()]);
    (0..workers.max(1)).into_par_iter().for_each(|_| {
        let worker = Worker {
            models,
            options,
            queue: &queue,
            sentences: sentences.max(1),
        };
        let found = worker.run();
        let mut results = results
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        found
            .into_iter()
            .for_each(|(i, hypotheses)| results[i] = hypotheses);
    });
    results
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What waits.
struct Queue<'a> {
    tasks: &'a [Task],
    order: Vec<usize>,
    next: AtomicUsize,
}

struct Worker<'a, M> {
    models: &'a [M],
    options: &'a Options,
    queue: &'a Queue<'a>,
    sentences: usize,
}

impl<'a, M: Model> Worker<'a, M> {
    fn run(&self) -> Vec<(usize, Vec<Hypothesis>)> {
        let (mut seats, mut done) = (Vec::new(), Vec::new());
        loop {
            // Few newcomers at a time would be encoded in products of few rows.
            if seats.len() * 4 <= self.sentences * 3 {
                self.admit(&mut seats);
            }
            if seats.is_empty() {
                return done;
            }
            self.step(&mut seats, &mut done);
        }
    }

    /// Takes sentences from the queue.
    fn admit(&self, seats: &mut Vec<Seat<'a, M::State>>) {
        let limit = self.models.iter().map(M::limit).min().unwrap_or(usize::MAX);
        let (mut taken, mut sources) = (Vec::new(), Packed::default());
        let mut tokens: usize = seats
            .iter()
            .map(|seat| self.queue.tasks[seat.task].source.len())
            .sum();
        while seats.len() + taken.len() < self.sentences && (tokens < TOKENS) {
            let place = self.queue.next.fetch_add(1, Ordering::Relaxed);
            let Some(&i) = self.queue.order.get(place) else {
                break;
            };
            let task = &self.queue.tasks[i];
            let kept = task.source.len().min(limit - 1);
            sources.push(task.source[..kept].iter().copied().chain([EOS]));
            tokens += kept + 1;
            taken.push(i);
        }
        if taken.is_empty() {
            return;
        }
        let mut states: Vec<_> = (self.models.iter())
            .map(|model| model.begin(&sources).into_iter())
            .collect();
        for task in taken {
            seats.push(Seat {
                task,
                search: Search::new(self.options, self.queue.tasks[task].clone(), limit),
                states: states.iter_mut().filter_map(Iterator::next).collect(),
            });
        }
    }

    /// Takes all sentences a token further, and those that have ended out.
    fn step(&self, seats: &mut Vec<Seat<'a, M::State>>, done: &mut Vec<(usize, Vec<Hypothesis>)>) {
        let (mut rows, mut wanted, mut starts) = (Vec::new(), Vec::new(), vec![0]);
        for (sentence, seat) in seats.iter().enumerate() {
            rows.extend(seat.search.rows().map(|(parent, token)| Row {
                sentence: sentence as u32,
                parent,
                token,
            }));
            wanted.extend(seat.search.wanted());
            starts.push(rows.len());
        }
        let found = self.find(seats, &rows, wanted);
        let mut ended = vec![false; seats.len()];
        for ((seat, ended), rows) in seats.iter_mut().zip(&mut ended).zip(starts.windows(2)) {
            let (model, state) = (&self.models[0], &seat.states[0]);
            let alignment = |row| model.alignment(state, row);
            *ended = seat.search.advance(&found[rows[0]..rows[1]], alignment);
        }
        let mut ended = ended.into_iter();
        let (over, live) = (seats.drain(..)).partition(|_| ended.next().unwrap_or(false));
        *seats = live;
        done.extend(Vec::into_iter(over).map(|seat| (seat.task, seat.search.end())));
    }

    fn find(
        &self,
        seats: &mut [Seat<'a, M::State>],
        rows: &[Row],
        wanted: Vec<Wanted>,
    ) -> Vec<Found> {
        if let [model] = self.models {
            let mut h = Buffer::of(rows.len() * model.dim());
            step(model, seats, 0, rows, &mut h);
            return find(model.table(), &h, &wanted);
        }
        // Of several models all probabilities are needed; the logarithm of their mean is what is looked at.
        let all = Wanted {
            with_sum: true,
            with_all: true,
            ..Wanted::default()
        };
        let all = vec![all; rows.len()];
        let mut means: Vec<Vec<f32>> = Vec::new();
        for (m, model) in self.models.iter().enumerate() {
            let mut h = Buffer::of(rows.len() * model.dim());
            step(model, seats, m, rows, &mut h);
            for (i, found) in find(model.table(), &h, &all).into_iter().enumerate() {
                let normaliser = found.normaliser();
                let p = found.all.iter().map(|score| (score - normaliser).exp());
                match means.get_mut(i) {
                    Some(mean) => mean.iter_mut().zip(p).for_each(|(mean, p)| *mean += p),
                    None => means.push(p.collect()),
                }
            }
        }
        let share = 1.0 / self.models.len() as f32;
        let logarithms = means.into_iter().map(|mean| {
            mean.into_iter()
                .map(|p| (p * share).max(f32::MIN_POSITIVE).ln())
                .collect()
        });
        logarithms
            .zip(&wanted)
            .map(|(scores, wanted)| Found::among(scores, wanted))
            .collect()
    }
}

/// A step of the m-th model.
fn step<M: Model>(model: &M, seats: &mut [Seat<M::State>], m: usize, rows: &[Row], h: &mut [f32]) {
    let mut states: Vec<&mut M::State> = seats.iter_mut().map(|seat| &mut seat.states[m]).collect();
    model.step(&mut states, rows, h);
}
