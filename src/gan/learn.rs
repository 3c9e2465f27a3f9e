//! Two networks that learn from each other: what the training loop asks of them.
//!
//! ```text
//! for each step of the generator: k steps of the critic, each on a batch of its own; then one of the generator
//! ```
//!
//! With Wasserstein's loss and clipping, weights of the critic are kept within ±c (Arjovsky et al. 2017). What the
//! critic's batch normalisation sees is never used again, so that it is not kept; the generator's is.

use super::feed::{Feed, Position};
use super::model::Model;
use super::spectral::Spectral;
use super::step::{Objective, Reals, Seen, Step};
use crate::nn::adam::{self, Adam};
use crate::nn::event::{Evaluation, Values};
use crate::nn::ops::batch_norm::Moments;
use crate::nn::parameters::Weights;
use crate::nn::plan::Plan;
use crate::nn::run::{Learned, RunError, Stepped, Task};
use crate::random::Random;
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
}

/// Sums since the last report.
#[derive(Default)]
struct Sums {
    seen: Seen,
    critic_steps: u64,
    generator: f64,
    steps: u64,
    samples: u64,
    /// ‖g‖ of the last step.
    critic_gradient: f64,
    generator_gradient: f64,
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
        }
    }

    /// Changes the weights of one network by their gradients; gives ‖g‖.
    fn update(
        &self,
        learned: &mut Learned,
        part: Range<usize>,
        (updates, lr): (u64, f32),
        (loss, plan): (f64, &Plan),
    ) -> Result<f64, RunError> {
        let gradient = adam::norm(&learned.gradients[part.clone()]);
        learned.check(loss, gradient, lr)?;
        let clip = match plan.clip {
            most if most > 0.0 && gradient > f64::from(most) => (f64::from(most) / gradient) as f32,
            _ => 1.0,
        };
        let adam = Adam {
            beta1: self.recipe.beta1,
            beta2: self.recipe.beta2,
            epsilon: 1e-8,
            decay: 0.0,
        };
        let moments = &mut learned.moments;
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
        Ok(gradient)
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
        let step = Step {
            model: self.model,
            objective: &self.recipe.objective,
        };
        let gradients = std::mem::take(&mut learned.gradients);
        let (gradients, seen) = match &mut self.spectral {
            None => step.critic(&learned.weights, gradients, &reals, &mut random),
            Some(spectral) => {
                let divided = spectral.divide(&mut learned.weights, true);
                let (mut gradients, seen) = step.critic(&divided, gradients, &reals, &mut random);
                spectral.pull_back(&learned.weights, &mut gradients);
                (gradients, seen)
            }
        };
        learned.gradients = gradients;
        let part = self.model.of_critic();
        let loss = seen.loss + seen.penalty;
        self.seen.critic_gradient =
            self.update(learned, part.clone(), (updates, lr), (loss, plan))?;
        let bound = self.recipe.weight_clip;
        if bound > 0.0 {
            let weights = learned.weights.part_mut(part).iter_mut();
            weights.for_each(|w| *w = w.clamp(-bound, bound));
        }
        let sums = &mut self.seen;
        sums.seen.loss += seen.loss;
        sums.seen.real += seen.real;
        sums.seen.made += seen.made;
        sums.seen.right += seen.right;
        sums.seen.penalty += seen.penalty;
        sums.critic_steps += 1;
        sums.samples += self.recipe.batch as u64;
        self.right.0 += seen.right;
        self.right.1 += 1;
        Ok(reals)
    }

    /// One step of the generator, beside the real samples that the critic saw last; gives ‖g‖.
    fn step_of_generator(
        &mut self,
        learned: &mut Learned,
        (plan, lr): (&Plan, f32),
        reals: &Reals,
    ) -> Result<f64, RunError> {
        let mut random = Random::new(plan.seed ^ 0x6765_6e65, learned.step);
        let moments = Moments::default();
        let step = Step {
            model: self.model,
            objective: &self.recipe.objective,
        };
        let spectral = self.spectral.as_mut();
        let divided = spectral.map(|spectral| spectral.divide(&mut learned.weights, false));
        let weights = divided.as_ref().unwrap_or(&learned.weights);
        let gradients = std::mem::take(&mut learned.gradients);
        let (gradients, loss) = step.generator(weights, gradients, reals, (&mut random, &moments));
        learned.gradients = gradients;
        let part = self.model.of_generator();
        let gradient = self.update(learned, part.clone(), (learned.step, lr), (loss, plan))?;
        moments.update(learned.weights.part_mut(part));
        self.seen.generator += loss;
        self.seen.steps += 1;
        self.seen.generator_gradient = gradient;
        Ok(gradient)
    }
}

impl Task for Learner<'_> {
    type Position = Position;

    fn position(&self) -> Position {
        self.feed.position()
    }

    fn epoch(&self) -> u64 {
        self.feed.position().round
    }

    fn step(&mut self, learned: &mut Learned, plan: &Plan) -> Result<Stepped, RunError> {
        let lr = plan.schedule.rate(learned.step);
        let before = (learned.step - 1) * u64::from(self.recipe.critic_steps);
        let mut reals = self.step_of_critic(learned, plan, before + 1)?;
        for i in 2..=u64::from(self.recipe.critic_steps) {
            reals = self.step_of_critic(learned, plan, before + i)?;
        }
        let gradient = self.step_of_generator(learned, (plan, lr), &reals)?;
        learned.moments.updates = learned.step;
        learned.update_average(plan.average);
        Ok(Stepped {
            lr,
            gradient: Some(gradient),
        })
    }

    fn told(&mut self, _learned: &Learned, seconds: f64) -> Values {
        let sums = std::mem::take(&mut self.seen);
        let (critic, steps) = (sums.critic_steps.max(1) as f64, sums.steps.max(1) as f64);
        let mut values = vec![
            ("critic_loss", sums.seen.loss / critic),
            ("generator_loss", sums.generator / steps),
            ("real", sums.seen.real / critic),
            ("made", sums.seen.made / critic),
            ("right", sums.seen.right / critic),
            ("critic_gradient", sums.critic_gradient),
            ("generator_gradient", sums.generator_gradient),
            ("samples_per_second", sums.samples as f64 / seconds),
        ];
        let Objective {
            gradient_penalty,
            r1,
            r2,
            ..
        } = self.recipe.objective;
        if gradient_penalty + r1 + r2 > 0.0 {
            values.push(("penalty", sums.seen.penalty / critic));
        }
        (values.into_iter())
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn evaluate(&mut self, weights: &Weights, step: u64) -> Option<Evaluation> {
        let (sum, n) = std::mem::take(&mut self.right);
        let right = (n > 0).then(|| sum / n as f64);
        (self.measure)(weights, step, right)
    }
}
