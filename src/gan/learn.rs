//! Two networks that learn from each other: what the training loop asks of them.
//!
//! ```text
//! for each step of the generator: k steps of the critic, each on a batch of its own; then one of the generator
//! ```
//!
//! Or each learns alone for as long as it takes to see all of the data once: a step is then k of the critic's or one of the
//! generator's.
//!
//! With Wasserstein's loss and clipping, weights of the critic are kept within ±c (Arjovsky et al. 2017). What the
//! critic's batch normalisation sees is never used again, so that it is not kept; the generator's is. On a device no step
//! waits for it: what was seen is summed there, and read when it is told. Ranks have parts of each batch, on the host or a
//! device each, and sum their gradients; the first evaluates.
//!
//! A device may lack memory for the generator's part of a step, when the critic has learned already. So that there is a
//! checkpoint of whole steps then, the device has a copy of what the critic began the step with ([`Learning::begin`]): 12 bytes
//! for each of its weights, where learning takes 16 for each of both networks besides all that batches need. It is made once in
//! a step, and moves less memory than one update does.
//!
//! [`Learning::begin`]: crate::nn::ops::cuda::learning::Learning::begin

mod here;
mod there;

use super::feed::{Feed, Position};
use super::model::Model;
use super::spectral::Spectral;
use super::step::{Objective, Reals, Seen};
use super::sums::Sums;
use super::there::Place;
use super::turns::{Alternate, Turn};
use crate::nn::adam::{self, Adam};
use crate::nn::event::{Evaluation, Values};
use crate::nn::ops::batch_norm::Moments;
use crate::nn::ops::cuda::adversarial;
use crate::nn::parameters::Weights;
use crate::nn::part::Part;
use crate::nn::plan::Plan;
use crate::nn::run::{Learned, RunError, Stepped, Task};
use crate::random::Random;
use crate::ranks::Ranks;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How the two learn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    #[serde(flatten)]
    pub objective: Objective,
    /// Samples of a batch.
    pub batch: usize,
    /// Steps of the critic for one of the generator.
    pub critic_steps: u32,
    #[serde(default)]
    pub alternate: Alternate,
    /// The critic's learning rate, as a multiple of the generator's.
    pub critic_rate: f32,
    pub beta1: f32,
    pub beta2: f32,
    /// Bound of the critic's weights; 0 for none.
    pub weight_clip: f32,
}

/// How good samples are, in the eyes of someone outside: of the averaged weights, after a step, with the share of samples
/// that the critic has taken for what they are since the last time.
pub type Measure<'a> = dyn FnMut(&Weights, u64, Option<f64>) -> Option<Evaluation> + Send + 'a;

/// Model, data, and what is known about how good it gets.
pub struct Learner<'a> {
    model: &'a Model,
    recipe: &'a Recipe,
    feed: Feed<'a>,
    spectral: Option<Spectral>,
    measure: Box<Measure<'a>>,
    seen: Sums,
    /// Share of samples that the critic took for what they are, since the last evaluation: sum and number.
    right: (f64, u64),
    /// Whether the generator has learned anything since then.
    has_moved: bool,
    /// What a device has of its own.
    there: Option<Place>,
    /// All that compute a batch together, if there are others.
    ranks: Option<&'a dyn Ranks>,
}

impl<'a> Learner<'a> {
    pub fn new(
        model: &'a Model,
        recipe: &'a Recipe,
        feed: Feed<'a>,
        measure: Box<Measure<'a>>,
    ) -> Learner<'a> {
        Learner {
            model,
            recipe,
            feed,
            spectral: model.shape.spectral.then(|| Spectral::new(model)),
            measure,
            seen: Sums::default(),
            right: (0.0, 0),
            has_moved: true,
            there: None,
            ranks: None,
        }
    }

    /// The same as one of several.
    ///
    /// # Panics
    /// When a step is made of a batch that has fewer groups of samples than there are ranks.
    pub fn among(self, ranks: Option<&'a dyn Ranks>) -> Learner<'a> {
        Learner { ranks, ..self }
    }

    /// The samples of a batch that are computed here, if not all.
    fn part(&self) -> Option<Part<'a>> {
        let ranks = self.ranks?;
        Some(Part::of(ranks, self.recipe.batch, self.model.shape.pack))
    }

    /// Changes the weights of one network by their gradients; gives ‖g‖, which a device keeps to itself.
    fn update(
        &self,
        learned: &mut Learned,
        part: Range<usize>,
        (updates, lr): (u64, f32),
        (loss, plan): (f64, &Plan),
    ) -> Result<Option<f64>, RunError> {
        let adam = Adam {
            beta1: self.recipe.beta1,
            beta2: self.recipe.beta2,
            epsilon: 1e-8,
            decay: 0.0,
        };
        if let Some(there) = &learned.there {
            let which = (usize::from(part.start > 0), part);
            let (step, weights) = (learned.step, &learned.weights);
            there.update_part(weights, &adam, which, (updates, step), (lr, plan.clip));
            let checked = there.gpu().check();
            checked.map_err(|fault| RunError::of_device(step, fault))?;
            return Ok(None);
        }
        let gradient = adam::norm(&learned.gradients[part.clone()]);
        learned.check(loss, gradient, lr)?;
        let clip = match plan.clip {
            most if most > 0.0 && gradient > f64::from(most) => (f64::from(most) / gradient) as f32,
            _ => 1.0,
        };
        let moments = &mut learned.moments;
        let updates = moments.made(usize::from(part.start > 0), updates);
        let moments = (
            &mut moments.first[part.clone()],
            &mut moments.second[part.clone()],
        );
        let weights = learned.weights.part_mut(part.clone());
        adam.update_part(
            weights,
            &mut learned.gradients[part],
            moments,
            updates,
            (lr, clip),
        );
        Ok(Some(gradient))
    }

    /// Keeps the critic's weights within their bound, if they have one.
    fn bound(&self, learned: &mut Learned) {
        let (most, part) = (self.recipe.weight_clip, self.model.of_critic());
        if most <= 0.0 {
            return;
        }
        match (&learned.there, learned.weights.there()) {
            (Some(own), Some(there)) => adversarial::bound(own.gpu(), there, part, most),
            _ => {
                let weights = learned.weights.part_mut(part).iter_mut();
                weights.for_each(|w| *w = w.clamp(-most, most));
            }
        }
    }

    fn step_of_critic(
        &mut self,
        learned: &mut Learned,
        plan: &Plan,
        updates: u64,
    ) -> Result<Reals, RunError> {
        let lr = plan.schedule.rate(learned.step) * self.recipe.critic_rate;
        let reals = self.feed.next(self.recipe.batch);
        let mut random = Random::new(plan.seed ^ 0x6372_6974, updates);
        let seen = match self.critic_there(learned, &reals, &mut random)? {
            true => Seen::default(),
            false => self.critic_here(learned, &reals, &mut random),
        };
        let part = self.model.of_critic();
        let loss = seen.loss + seen.penalty;
        let gradient = self.update(learned, part, (updates, lr), (loss, plan))?;
        self.seen.critic_gradient = gradient.unwrap_or(f64::NAN);
        self.bound(learned);
        let sums = &mut self.seen;
        sums.seen += seen;
        sums.critic_steps += 1;
        sums.samples += self.recipe.batch as u64;
        self.right.0 += seen.right;
        self.right.1 += 1;
        Ok(reals)
    }

    /// Steps of the critic, after so many before them; gives what it saw last.
    fn steps_of_critic(
        &mut self,
        learned: &mut Learned,
        plan: &Plan,
        before: u64,
    ) -> Result<Reals, RunError> {
        let mut reals = self.step_of_critic(learned, plan, before + 1)?;
        for i in 2..=u64::from(self.recipe.critic_steps) {
            reals = self.step_of_critic(learned, plan, before + i)?;
        }
        Ok(reals)
    }

    /// The `update`-th step of the generator, beside real samples; gives ‖g‖, which a device keeps to itself.
    fn step_of_generator(
        &mut self,
        learned: &mut Learned,
        (plan, lr): (&Plan, f32),
        (reals, update): (&Reals, u64),
    ) -> Result<Option<f64>, RunError> {
        let mut random = Random::new(plan.seed ^ 0x6765_6e65, learned.step);
        let moments = Moments::default();
        let with = (&mut random, &moments);
        let loss = match self.generator_there(learned, reals, with)? {
            true => 0.0,
            false => self.generator_here(learned, reals, (&mut random, &moments)),
        };
        let part = self.model.of_generator();
        let gradient = self.update(learned, part, (update, lr), (loss, plan))?;
        moments.update(&mut learned.weights);
        self.seen.generator += loss;
        self.seen.steps += 1;
        self.has_moved = true;
        self.seen.generator_gradient = gradient.unwrap_or(f64::NAN);
        learned.update_average(plan.average);
        Ok(gradient)
    }
}

impl Task for Learner<'_> {
    type Position = Position;

    const EVALUATES_THERE: bool = true;

    fn position(&self) -> Position {
        self.feed.position()
    }

    fn epoch(&self) -> u64 {
        self.feed.position().round
    }

    fn step(&mut self, learned: &mut Learned, plan: &Plan) -> Result<Stepped, RunError> {
        let lr = plan.schedule.rate(learned.step);
        let Recipe {
            alternate,
            batch,
            critic_steps,
            ..
        } = *self.recipe;
        let batches = self.feed.batches(batch);
        let turn = alternate.turn(learned.step, batches, critic_steps.into());
        self.begin(learned, turn)?;
        let gradient = match turn {
            Turn::Both { update, before } => {
                let reals = self.steps_of_critic(learned, plan, before)?;
                self.step_of_generator(learned, (plan, lr), (&reals, update))?
            }
            Turn::Critic { before } => {
                self.steps_of_critic(learned, plan, before)?;
                Some(self.seen.critic_gradient).filter(|_| learned.there.is_none())
            }
            Turn::Generator { update } => {
                let reals = self.feed.next(batch);
                self.seen.samples += batch as u64;
                self.step_of_generator(learned, (plan, lr), (&reals, update))?
            }
        };
        if let Some(there) = &mut learned.there {
            there.end();
        }
        learned.moments.updates = learned.step;
        Ok(Stepped { lr, gradient })
    }

    fn told(&mut self, learned: &Learned, seconds: f64) -> Values {
        self.collect();
        if let Some(there) = &learned.there {
            self.seen.generator_gradient = there.seen_of(0).gradient;
            self.seen.critic_gradient = there.seen_of(1).gradient;
        }
        let sums = std::mem::take(&mut self.seen);
        let Objective {
            gradient_penalty,
            r1,
            r2,
            ..
        } = self.recipe.objective;
        sums.told(seconds, gradient_penalty + r1 + r2 > 0.0)
    }

    fn says_numbers(&self, _learned: &Learned) -> bool {
        self.there.as_ref().is_none_or(Place::is_sound)
    }

    fn gather(&mut self) {
        self.collect();
    }

    fn evaluate(&mut self, weights: &mut Weights, step: u64) -> Option<Evaluation> {
        if !std::mem::replace(&mut self.has_moved, false) {
            // In a long turn of the critic there is nothing new to be seen.
            return None;
        }
        let (sum, n) = std::mem::take(&mut self.right);
        let right = (n > 0).then(|| sum / n as f64);
        let found = (self.measure)(weights, step, right);
        if (weights.there()).is_some_and(|there| there.values.gpu().check().is_err()) {
            // It is asked for again, of the host.
            (self.has_moved, self.right) = (true, (sum, n));
        }
        found
    }
}

#[cfg(test)]
mod tests;
