//! Many sentences at once: what has finished makes room for what waits.
//!
//! ```text
//! worker 1   rows of sentences 0 3 4 …      a step: all rows, each a token further
//! worker 2   rows of sentences 1 2 5 …
//! ```
//!
//! A worker is one thread with sentences of its own, though an encoder may let others help; all share the weights. Two workers of one thread each are faster
//! than one with two threads, which would wait for each other several times a layer. Long sentences go first, so that no
//! worker is left alone with one at the end.

use super::search::Search;
use super::words::{Found, Wanted};
use super::{Hypothesis, Model, Options, Row, Task};
use crate::nn::packed::Packed;
use crate::translate::batch::EOS;
use rayon::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What a worker has under way at once, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    pub sentences: usize,
    /// Tokens of their sources; a longer sentence goes alone.
    pub tokens: usize,
}

impl Load {
    /// What is fastest for a beam. More rows than 80 no longer make products faster, but their keys and values leave
    /// the caches: with a small model and beam 5, 16 sentences are an eighth faster than 64.
    pub fn of_beam(beam: usize) -> Load {
        Load {
            sentences: (80 / beam.max(1)).clamp(4, 48),
            tokens: 4096,
        }
    }

    /// The same on a GPU, which is quick with many rows and no quicker with few.
    pub fn on_device(beam: usize) -> Load {
        Load {
            sentences: (2048 / beam.max(1)).clamp(16, 1024),
            tokens: 1 << 15,
        }
    }
}

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
    how: (usize, Load),
) -> Vec<Vec<Hypothesis>> {
    translate_until(models, tasks, options, how, &AtomicBool::new(false))
}

/// The same until it is to stop: then some have none.
pub fn translate_until<M: Model>(
    models: &[M],
    tasks: &[Task],
    options: &Options,
    (workers, load): (usize, Load),
    stop: &AtomicBool,
) -> Vec<Vec<Hypothesis>> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(tasks[i].source.len()));
    let queue = Queue {
        tasks,
        order,
        next: AtomicUsize::new(0),
        stop,
    };
    let results = Mutex::new(vec![Vec::new(); tasks.len()]);
    (0..workers.max(1)).into_par_iter().for_each(|_| {
        let worker = Worker {
            models,
            options,
            queue: &queue,
            load,
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
    stop: &'a AtomicBool,
}

struct Worker<'a, M> {
    models: &'a [M],
    options: &'a Options,
    queue: &'a Queue<'a>,
    load: Load,
}

impl<'a, M: Model> Worker<'a, M> {
    fn run(&self) -> Vec<(usize, Vec<Hypothesis>)> {
        let (mut seats, mut done) = (Vec::new(), Vec::new());
        loop {
            // Few newcomers at a time would be encoded in products of few rows.
            if seats.len() * 4 <= self.load.sentences * 3 {
                self.admit(&mut seats);
            }
            if seats.is_empty() || self.queue.stop.load(Ordering::Acquire) {
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
        while seats.len() + taken.len() < self.load.sentences.max(1)
            && (tokens < self.load.tokens || seats.len() + taken.len() == 0)
        {
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
            return find(model, seats, 0, rows, &wanted);
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
            let all = find(model, seats, m, rows, &all);
            for (i, found) in all.into_iter().enumerate() {
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
fn find<M: Model>(
    model: &M,
    seats: &mut [Seat<M::State>],
    m: usize,
    rows: &[Row],
    wanted: &[Wanted],
) -> Vec<Found> {
    let mut states: Vec<&mut M::State> = seats.iter_mut().map(|seat| &mut seat.states[m]).collect();
    model.find(&mut states, rows, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::dense::Precision;
    use crate::translate::architecture::Tied;
    use crate::translate::decode::check::{self, options, tasks};
    use crate::translate::transformer::config::{Config, PositionKind};
    use crate::translate::transformer::decode::Decoder;
    use crate::translate::transformer::model::Transformer;

    fn model(pre_norm: bool) -> Transformer {
        Transformer::new(Config {
            source_vocabulary: 300,
            target_vocabulary: 300,
            dim: 24,
            encoder_layers: 2,
            decoder_layers: 2,
            heads: 3,
            ffn: 40,
            pre_norm,
            positions: PositionKind::Sinusoidal,
            tied: Tied::All,
            max_positions: 40,
        })
        .unwrap()
    }

    #[test]
    fn a_translation_depends_neither_on_its_company_nor_on_threads() {
        let model = model(false);
        let weights = model.initial_weights(3);
        let sample = crate::translate::decode::Sample {
            temperature: 1.0,
            top_k: 0,
            top_p: 0.9,
            seed: 4,
        };
        let drawn = Options {
            sample: Some(sample),
            ..options(2)
        };
        let ways = [options(1), options(3), drawn];
        check::company(&model, &weights, &tasks(30, 300), &ways);
    }

    #[test]
    fn a_given_translation_has_the_score_that_the_tape_gives_it() {
        for pre_norm in [false, true] {
            let model = model(pre_norm);
            let weights = model.initial_weights(5);
            check::score(&model, &weights, &tasks(30, 300), &[7, 250, 31, 4]);
        }
    }

    #[test]
    fn a_model_in_company_with_itself_says_the_same() {
        let model = model(false);
        let weights = model.initial_weights(3);
        let decoder = || Decoder::new(&model, &weights, Precision::Single);
        let of = |models: &[Decoder]| {
            let found = translate(models, &tasks(30, 300), &options(2), (2, Load::of_beam(2)));
            found
                .iter()
                .map(|all| all[0].tokens.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&[decoder()]), of(&[decoder(), decoder()]));
    }

    #[test]
    fn a_source_beyond_the_limit_is_cut_and_an_empty_one_is_translated() {
        let model = model(false);
        let weights = model.initial_weights(3);
        let decoder = [Decoder::new(&model, &weights, Precision::Single)];
        let of = |n: usize| Task {
            source: vec![9; n],
            ..Task::default()
        };
        let tasks = [of(500), of(0), of(3)];
        let found = translate(&decoder, &tasks, &options(2), (1, Load::of_beam(2)));
        assert!(found.iter().all(|all| !all.is_empty()));
        assert!(found[0][0].tokens.len() <= 40);
        let aligned =
            |hypothesis: &Hypothesis| hypothesis.alignment.len() == hypothesis.tokens.len();
        assert!(found.iter().flatten().all(aligned));
    }
}
