//! The loop that trains a network: the same order of things for every model.
//!
//! ```text
//! learning rate → batches → loss → not finite? stop → backward → clip → update → report → evaluate → checkpoint → stop?
//! ```
//!
//! What is learned from, and how, is a [`Task`]'s; the loop has the schedule, the optimizer, the average of the weights,
//! the checkpoints, and the reasons to stop. A run that was stopped and goes on gives the same bytes as one that was not:
//! the checkpoint holds weights, moments, averages, and the place in the data, and every step draws its random numbers
//! from the seed and its own number.

mod saved;

use super::adam::{self, Adam, Moments};
use super::dropout::Dropout;
use super::event::{Ended, Evaluation, Event, Report};
use super::folder::{Folder, FolderError};
use super::ops::projection::Loss;
use super::parameters::{Layout, Weights};
use super::plan::Plan;
use super::tape::Tape;
use saved::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is learned, from what.
pub trait Task {
    /// Data of one pass.
    type Batch;
    /// A place in the data.
    type Position: Serialize + DeserializeOwned + Clone;

    /// The next batch; the data never ends.
    fn next(&mut self) -> Self::Batch;

    /// Where the next batch is.
    fn position(&self) -> Self::Position;

    /// How often the data has been gone over.
    fn epoch(&self) -> u64;

    /// Tokens of a batch that are read, and that are predicted.
    fn tokens(&self, batch: &Self::Batch) -> (usize, usize);

    /// The loss of a batch; its gradients times `weight` are left on the tape.
    fn loss(&self, tape: &Tape, batch: &Self::Batch, weight: f32) -> Loss;

    /// How good weights are, on data that is not learned from.
    fn evaluate(&mut self, weights: &Weights) -> Option<Evaluation>;
}

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(
        "diverged at step {step}: the loss is {loss}, the gradient's length {gradient}, the learning rate {lr:.2e}"
    )]
    Diverged {
        step: u64,
        loss: f64,
        gradient: f64,
        lr: f32,
    },
    #[error("no gradient came of the data")]
    NoTokens,
}

/// What ends a run from outside.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    pub stop: &'a AtomicBool,
    pub time: Option<Duration>,
}

/// A run under way.
pub struct Run<'a, T: Task> {
    folder: &'a Folder,
    layout: &'a Layout,
    plan: Plan,
    task: T,
    weights: Weights,
    /// The average of the weights, where one is kept.
    average: Option<Weights>,
    gradients: Vec<f32>,
    moments: Moments,
    state: State<T::Position>,
    tell: &'a mut (dyn FnMut(&Event) + Send),
}

/// Sums since the last report.
struct Since {
    start: Instant,
    loss: Loss,
    source: usize,
}

impl Since {
    fn now() -> Since {
        Since {
            start: Instant::now(),
            loss: Loss::default(),
            source: 0,
        }
    }
}

impl<'a, T: Task> Run<'a, T> {
    /// A run that begins with `weights`.
    pub fn new(
        folder: &'a Folder,
        layout: &'a Layout,
        (plan, task): (Plan, T),
        weights: Weights,
        tell: &'a mut (dyn FnMut(&Event) + Send),
    ) -> Run<'a, T> {
        let mut run = Run {
            folder,
            layout,
            gradients: vec![0.0; layout.len()],
            moments: Moments::zeros(layout.len()),
            state: State {
                step: 0,
                position: task.position(),
                updates: 0,
                best: None,
                waited: 0,
                seconds: 0.0,
            },
            average: None,
            weights,
            plan,
            task,
            tell,
        };
        run.average = (run.plan.average > 0.0).then(|| run.copy(run.weights.values()));
        run
    }

    fn copy(&self, values: &[f32]) -> Weights {
        let mut weights = Weights::zeros(self.layout);
        weights.values_mut().copy_from_slice(values);
        weights
    }

    /// Trains until something ends it.
    ///
    /// # Errors
    /// When the loss or the gradient is no number any more.
    pub fn train(mut self, limits: Limits) -> Result<Ended, RunError> {
        let (mut since, mut clock) = (Since::now(), Instant::now());
        let ended = loop {
            if let Some(reason) = self.reason(&limits) {
                break reason;
            }
            let (lr, gradient) = self.step(&mut since)?;
            self.state.seconds += std::mem::replace(&mut clock, Instant::now())
                .elapsed()
                .as_secs_f64();
            let step = self.state.step;
            if step.is_multiple_of(self.plan.report_every) {
                self.report(std::mem::replace(&mut since, Since::now()), lr, gradient);
            }
            if step.is_multiple_of(self.plan.evaluate_every) {
                self.evaluate();
            }
            if step.is_multiple_of(self.plan.save_every) {
                self.save();
            }
            // What was spent on evaluations is no time of training.
            let paused = clock.elapsed();
            since.start += paused;
            clock = Instant::now();
        };
        if !self.state.step.is_multiple_of(self.plan.evaluate_every) && ended != Ended::Stopped {
            self.evaluate();
        }
        if !self.state.step.is_multiple_of(self.plan.save_every) || ended != Ended::Stopped {
            self.save();
        }
        let State {
            step,
            best,
            seconds,
            ..
        } = self.state;
        (self.tell)(&Event::Ended {
            step,
            reason: ended,
            best,
            seconds,
        });
        Ok(ended)
    }

    fn reason(&self, limits: &Limits) -> Option<Ended> {
        let plan = &self.plan;
        let is_late = limits
            .time
            .is_some_and(|time| self.state.seconds >= time.as_secs_f64());
        [
            (limits.stop.load(Ordering::Acquire), Ended::Stopped),
            (
                plan.max_steps.is_some_and(|most| self.state.step >= most),
                Ended::Steps,
            ),
            (
                plan.epochs.is_some_and(|most| self.task.epoch() >= most),
                Ended::Epochs,
            ),
            (
                plan.patience > 0 && self.state.waited >= plan.patience,
                Ended::Patience,
            ),
            (is_late, Ended::Time),
        ]
        .into_iter()
        .find_map(|(is_so, reason)| is_so.then_some(reason))
    }

    /// One update; gives the learning rate and ‖g‖.
    fn step(&mut self, since: &mut Since) -> Result<(f32, f64), RunError> {
        let step = self.state.step + 1;
        let lr = self.plan.schedule.rate(step);
        let batches: Vec<T::Batch> = (0..self.plan.accumulate.max(1))
            .map(|_| self.task.next())
            .collect();
        let tokens = batches.iter().map(|batch| self.task.tokens(batch));
        let (source, target) = tokens.fold((0, 0), |sum, n| (sum.0 + n.0, sum.1 + n.1));
        if target == 0 {
            return Err(RunError::NoTokens);
        }
        let mut total = Loss::default();
        for (i, batch) in batches.iter().enumerate() {
            let place = step * self.plan.accumulate.max(1) as u64 + i as u64;
            let seed = crate::text::hash::mix(self.plan.seed, place);
            let dropout = Dropout {
                rate: self.plan.dropout_at(step),
                seed,
            };
            let tape = Tape::recording(&self.weights, std::mem::take(&mut self.gradients), dropout);
            let loss = self.task.loss(&tape, batch, 1.0 / target as f32);
            self.gradients = tape.backward();
            total.add(loss);
        }
        let gradient = adam::norm(&self.gradients);
        let loss = total.smoothed / target as f64;
        if !loss.is_finite() || !gradient.is_finite() {
            return Err(RunError::Diverged {
                step,
                loss,
                gradient,
                lr,
            });
        }
        let clip = match self.plan.clip {
            most if most > 0.0 && gradient > f64::from(most) => (f64::from(most) / gradient) as f32,
            _ => 1.0,
        };
        let adam = Adam {
            decay: self.plan.decay,
            ..Adam::default()
        };
        let weights = self.weights.values_mut();
        adam.update(weights, &mut self.gradients, &mut self.moments, lr, clip);
        if let Some(average) = &mut self.average {
            // A young average forgets faster, so that it does not hang on to the first weights.
            let share = self
                .plan
                .average
                .min((1 + step) as f32 / (10 + step) as f32);
            adam::average(average.values_mut(), weights, share);
        }
        self.state.step = step;
        self.state.updates = self.moments.updates;
        self.state.position = self.task.position();
        since.loss.add(total);
        since.source += source;
        Ok((lr, gradient))
    }

    fn report(&mut self, since: Since, lr: f32, gradient: f64) {
        let seconds = since.start.elapsed().as_secs_f64().max(1e-9);
        let report = Report {
            step: self.state.step,
            epoch: self.task.epoch(),
            loss: since.loss.smoothed / since.loss.tokens.max(1) as f64,
            perplexity: since.loss.perplexity(),
            lr,
            gradient,
            source_tokens: since.source as f64 / seconds,
            target_tokens: since.loss.tokens as f64 / seconds,
            seconds: self.state.seconds,
        };
        (self.tell)(&Event::Report(report));
    }

    fn evaluate(&mut self) {
        let weights = self.average.as_ref().unwrap_or(&self.weights);
        let Some(evaluation) = self.task.evaluate(weights) else {
            return;
        };
        let (step, score) = (self.state.step, evaluation.score(&self.plan.metric));
        let is_best = self.state.best.is_none_or(|(_, best)| score > best);
        if is_best {
            self.state.best = Some((step, score));
            self.state.waited = 0;
        } else {
            self.state.waited += 1;
        }
        let (epoch, seconds) = (self.task.epoch(), self.state.seconds);
        (self.tell)(&Event::Evaluation {
            step,
            epoch,
            seconds,
            is_best,
            evaluation,
        });
        if is_best && !step.is_multiple_of(self.plan.save_every) {
            self.save();
        }
    }
}
