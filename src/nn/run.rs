//! The loop that trains a network: the same order of things for every model.
//!
//! ```text
//! learning rate → batches → loss → not finite? stop → backward → clip → update → report → evaluate → checkpoint → stop?
//! ```
//!
//! What is learned from, and how weights change in a step, is a [`Task`]'s: [`Predicted`] for models that predict tokens,
//! with two that alternate for adversarial networks. The loop has the weights and their average, the optimizer's moments,
//! the checkpoints, and the reasons to stop. A run that was stopped and goes on gives the same bytes as one that was not:
//! the checkpoint holds weights, moments, averages, and the place in the data, and every step draws its random numbers
//! from the seed and its own number.

mod predicted;
mod saved;
mod there;
mod together;

use super::adam::{self, Moments};
use super::device::Fault;
use super::event::{Ended, Evaluation, Event, Report, Values};
use super::folder::{Folder, FolderError};
use super::ops::cuda::learning::Learning;
use super::parameters::{Layout, Weights};
use super::plan::Plan;
use crate::ranks::Ranks;
pub use predicted::{Predict, Predicted};
use saved::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is learned, from what.
pub trait Task {
    /// A place in the data.
    type Position: Serialize + DeserializeOwned + Clone;

    /// Whether a device that computes steps computes evaluations, too.
    const EVALUATES_THERE: bool = false;

    /// Where the next step begins.
    fn position(&self) -> Self::Position;

    /// How often the data has been gone over.
    fn epoch(&self) -> u64;

    /// One update of the weights.
    ///
    /// # Errors
    /// When the loss or the gradient is no number any more.
    fn step(&mut self, learned: &mut Learned, plan: &Plan) -> Result<Stepped, RunError>;

    /// What the steps since the last call have seen, in so many seconds.
    fn told(&mut self, learned: &Learned, seconds: f64) -> Values;

    /// Whether the losses that a device has summed here since then are numbers.
    fn says_numbers(&self, _learned: &Learned) -> bool {
        true
    }

    /// Brings together what all ranks have seen, before the first evaluates: all of them call it.
    fn gather(&mut self) {}

    /// How good weights are, on data that is not learned from, after a step. They may lie on a device, and may leave it.
    /// Nothing where there is no such data, or where a signal asks to stop while it is measured.
    fn evaluate(&mut self, weights: &mut Weights, step: u64) -> Option<Evaluation>;
}

/// All that training changes.
#[derive(Debug)]
pub struct Learned {
    pub weights: Weights,
    /// The average of the weights, where one is kept.
    pub average: Option<Weights>,
    pub gradients: Vec<f32>,
    pub moments: Moments,
    /// The number of the step, from 1 on.
    pub step: u64,
    /// All of this on a device, which computes; what the host has is older, until it is fetched.
    pub there: Option<Learning>,
}

impl Learned {
    /// Brings the average up to date, if there is one: `share` of the old one stays.
    pub fn update_average(&mut self, share: f32) {
        if let Some(average) = &mut self.average {
            // A young average forgets faster, so that it does not hang on to the first weights.
            let share = share.min((1 + self.step) as f32 / (10 + self.step) as f32);
            if let Some(there) = &self.there {
                return there.update_average(&self.weights, share);
            }
            adam::average(average.values_mut(), self.weights.values(), share);
        }
    }

    /// # Errors
    /// When one of them is no number.
    pub fn check(&self, loss: f64, gradient: f64, lr: f32) -> Result<(), RunError> {
        match loss.is_finite() && gradient.is_finite() {
            true => Ok(()),
            false => Err(RunError::Diverged {
                step: self.step,
                loss,
                gradient,
                lr,
            }),
        }
    }
}

/// An update that was made.
#[derive(Clone, Copy, Debug)]
pub struct Stepped {
    pub lr: f32,
    /// ‖g‖ before clipping; nothing where it is known on the device alone.
    pub gradient: Option<f64>,
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
    #[error("step {step}: another process has failed")]
    Other { step: u64 },
    #[error("the processes have not read the same: this one is at step {step}")]
    Apart { step: u64 },
    #[error("step {step}{}: {fault}", batch(*tokens))]
    Device {
        step: u64,
        fault: Fault,
        /// Source and target tokens of its batch, where they are known.
        tokens: Option<(usize, usize)>,
    },
}

fn batch(tokens: Option<(usize, usize)>) -> String {
    tokens.map_or_else(String::new, |(source, target)| {
        format!(", with {source} source and {target} target tokens")
    })
}

impl RunError {
    /// A device that failed.
    pub fn of_device(step: u64, fault: Fault) -> RunError {
        RunError::Device {
            step,
            fault,
            tokens: None,
        }
    }
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
    learned: Learned,
    state: State<T::Position>,
    /// All that learn together, if there are others.
    ranks: Option<&'a dyn Ranks>,
    tell: &'a mut (dyn FnMut(&Event) + Send),
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
        let average = (plan.average > 0.0).then(|| {
            let mut average = Weights::zeros(layout);
            average.values_mut().copy_from_slice(weights.values());
            average
        });
        Run {
            folder,
            layout,
            state: State {
                step: 0,
                position: task.position(),
                updates: 0,
                best: None,
                waited: 0,
                is_unmeasured: false,
                scales: None,
                seconds: 0.0,
            },
            learned: Learned {
                weights,
                average,
                gradients: vec![0.0; layout.len()],
                moments: Moments::zeros(layout.len()),
                step: 0,
                there: None,
            },
            plan,
            task,
            ranks: None,
            tell,
        }
    }

    /// Trains until something ends it.
    ///
    /// # Errors
    /// When the loss or the gradient is no number any more.
    pub fn train(mut self, limits: Limits) -> Result<Ended, RunError> {
        let measured = self.state.is_unmeasured.then_some(self.state.step);
        if measured.is_some() {
            self.evaluate(limits.stop);
            self.save();
        }
        let (mut since, mut clock) = (Instant::now(), Instant::now());
        let mut ended = loop {
            if let Some(reason) = self.reason(&limits) {
                break reason;
            }
            let stepped = match self.step() {
                Err(error @ RunError::Device { .. }) => return Err(self.save_what_can_be(error)),
                stepped => stepped?,
            };
            self.wait_when_due()?;
            self.state.seconds += std::mem::replace(&mut clock, Instant::now())
                .elapsed()
                .as_secs_f64();
            let step = self.state.step;
            if step.is_multiple_of(self.plan.report_every) {
                self.report(std::mem::replace(&mut since, Instant::now()), stepped)?;
            }
            let (evaluates, saves) = (
                step.is_multiple_of(self.plan.evaluate_every),
                step.is_multiple_of(self.plan.save_every),
            );
            if evaluates || saves {
                self.fetch(stepped.lr)?;
            }
            if evaluates {
                self.evaluate(limits.stop);
            }
            if saves {
                self.save();
            }
            // What was spent on evaluations is no time of training.
            let paused = clock.elapsed();
            since += paused;
            clock = Instant::now();
        };
        self.fetch(self.plan.schedule.rate(self.state.step))?;
        let is_due = !self.state.step.is_multiple_of(self.plan.evaluate_every)
            && measured != Some(self.state.step);
        if is_due && ended != Ended::Stopped {
            self.evaluate(limits.stop);
            if self.state.is_unmeasured {
                ended = Ended::Stopped;
            }
        }
        if !self.state.step.is_multiple_of(self.plan.save_every) || ended != Ended::Stopped {
            self.save();
        }
        self.check_there()?;
        let State {
            step,
            best,
            seconds,
            ..
        } = self.state;
        self.tell(&Event::Ended {
            step,
            reason: ended,
            best,
            seconds,
        });
        Ok(ended)
    }

    /// The steps it has made.
    pub fn steps(&self) -> u64 {
        self.state.step
    }

    fn reason(&self, limits: &Limits) -> Option<Ended> {
        let plan = &self.plan;
        let is_late = limits
            .time
            .is_some_and(|time| self.state.seconds >= time.as_secs_f64());
        let is_stopped = limits.stop.load(Ordering::Acquire);
        let [is_stopped, is_late] = self.agree([is_stopped, is_late]);
        [
            (is_stopped, Ended::Stopped),
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

    fn step(&mut self) -> Result<Stepped, RunError> {
        self.learned.step = self.state.step + 1;
        let stepped = self.task.step(&mut self.learned, &self.plan)?;
        self.state.step = self.learned.step;
        self.state.updates = self.learned.moments.updates;
        self.state.position = self.task.position();
        Ok(stepped)
    }

    fn report(
        &mut self,
        since: Instant,
        Stepped { lr, gradient }: Stepped,
    ) -> Result<(), RunError> {
        let gradient = match gradient {
            Some(gradient) => gradient,
            None => self.seen(lr)?,
        };
        let report = Report {
            step: self.state.step,
            epoch: self.task.epoch(),
            lr,
            gradient,
            seconds: self.state.seconds,
            values: self.told(since.elapsed().as_secs_f64().max(1e-9)),
        };
        self.tell(&Event::Report(report));
        Ok(())
    }

    fn evaluate(&mut self, stop: &AtomicBool) {
        self.task.gather();
        let evaluation = self.is_first().then(|| self.evaluation()).flatten();
        let found = evaluation.as_ref().map(|own| own.score(&self.plan.metric));
        let Some(score) = self.share_score(found) else {
            // What was to be measured when a signal came is measured when the run goes on.
            self.state.is_unmeasured = self.is_of_any(stop.load(Ordering::Acquire));
            return;
        };
        self.state.is_unmeasured = false;
        let step = self.state.step;
        let is_best =
            score.is_some_and(|score| self.state.best.is_none_or(|(_, best)| score > best));
        match score.filter(|_| is_best) {
            Some(score) => {
                self.state.best = Some((step, score));
                self.state.waited = 0;
            }
            None => self.state.waited += 1,
        }
        let (epoch, seconds) = (self.task.epoch(), self.state.seconds);
        if let Some(evaluation) = evaluation {
            self.tell(&Event::Evaluation {
                step,
                epoch,
                seconds,
                is_best,
                evaluation,
            });
        }
        if is_best && !step.is_multiple_of(self.plan.save_every) {
            self.save();
        }
    }
}
