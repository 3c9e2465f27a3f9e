//! The gradients of one step of the critic, and of one of the generator.
//!
//! ```text
//! critic      made samples without a way back, both kinds judged, the loss back to the critic's weights; penalties
//! generator   made samples judged, the loss back through the critic to the generator's weights
//! ```
//!
//! Real and made samples are judged in passes of their own, so that batch normalisation sees them apart. What the
//! generator makes for the critic is made anew for itself, as in the programs that this is compared with.

use super::layers::Pass;
use super::losses::Loss;
use super::model::{Given, Model};
use super::penalty::{Penalty, give};
use crate::nn::buffer::Buffer;
use crate::nn::dropout::Dropout;
use crate::nn::ops::augment::Augment;
use crate::nn::ops::batch_norm::{Moments, Source};
use crate::nn::ops::spans;
use crate::nn::parameters::Weights;
use crate::nn::tape::Tape;
use crate::random::Random;
use serde::{Deserialize, Serialize};

/// What the two learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    pub loss: Loss,
    /// Weight of the gradient penalty between real and made samples; 0 for none.
    pub gradient_penalty: f32,
    /// Weights of the penalties at real and at made samples; 0 for none.
    pub r1: f32,
    pub r2: f32,
    /// How images are changed before the critic sees them.
    #[serde(default)]
    pub augment: Augment,
}

/// Real samples, and what both networks are told of them.
#[derive(Clone, Debug)]
pub struct Reals {
    /// Sample after sample.
    pub values: Vec<f32>,
    pub given: Given,
}

/// What a step has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    pub loss: f64,
    /// Means of what the critic said of real and of made samples.
    pub real: f64,
    pub made: f64,
    /// Share of samples that the critic took for what they are.
    pub right: f64,
    pub penalty: f64,
}

/// A model and what it learns from.
#[derive(Clone, Copy)]
pub struct Step<'m> {
    pub model: &'m Model,
    pub objective: &'m Objective,
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len().max(1) as f64
}

impl Step<'_> {
    /// Samples of random z, with the moments of their batch.
    fn make(&self, weights: &Weights, n: usize, given: &Given, random: &mut Random) -> Buffer {
        let tape = Tape::plain(weights);
        let z = self.model.noise(n, given, random);
        let made = (self.model).generate(&tape, z, Pass::plain(Source::Unseen), Some(random));
        Buffer::copy_of(made.values())
    }

    /// Adds the gradient of the critic's loss.
    pub fn critic(
        &self,
        weights: &Weights,
        gradients: Vec<f32>,
        reals: &Reals,
        random: &mut Random,
    ) -> (Vec<f32>, Seen) {
        let (model, loss) = (self.model, self.objective.loss);
        let (channels, values) = (model.shape.channels, model.shape.values());
        let n = reals.values.len() / values;
        let made = self.make(weights, n, &reals.given, random);
        let tape = Tape::recording(weights, gradients, Dropout::none()).learning(model.of_critic());
        let mut judge = |x: &[f32]| {
            let x = tape.var(Buffer::copy_of(x), channels, false);
            let x = self
                .objective
                .augment
                .apply(&tape, &x, model.shape.size(), random);
            model.judge(&tape, &x, &reals.given, Pass::plain(Source::Unseen))
        };
        let (real, fake) = (judge(&reals.values), judge(&made));
        let judged = loss.critic(real.values(), fake.values());
        let mut seen = Seen {
            loss: judged.loss,
            real: mean(real.values()),
            made: mean(fake.values()),
            right: loss.right(real.values(), fake.values()),
            penalty: 0.0,
        };
        give(&tape, &real, Buffer::copy_of(&judged.real));
        give(&tape, &fake, Buffer::copy_of(&judged.made));
        drop((real, fake));
        let mut gradients = tape.backward();
        let Objective {
            gradient_penalty,
            r1,
            r2,
            ..
        } = *self.objective;
        let between = |random: &mut Random| {
            // One share for all samples that are seen together.
            let mut x = Buffer::copy_of(&made);
            let group = values * model.shape.pack;
            for (x, real) in x
                .chunks_exact_mut(group)
                .zip(reals.values.chunks_exact(group))
            {
                let share = random.unit();
                x.iter_mut()
                    .zip(real)
                    .for_each(|(x, r)| *x += share * (r - *x));
            }
            x
        };
        let mut penalise = |penalty: Penalty, x: Buffer| {
            let before = std::mem::take(&mut gradients);
            let (after, value) = penalty.add(model, weights, before, (x, &reals.given));
            gradients = after;
            seen.penalty += value;
        };
        if gradient_penalty > 0.0 {
            penalise(Penalty::Slope(gradient_penalty), between(random));
        }
        if r1 > 0.0 {
            penalise(Penalty::Square(r1), Buffer::copy_of(&reals.values));
        }
        if r2 > 0.0 {
            penalise(Penalty::Square(r2), Buffer::copy_of(&made));
        }
        (gradients, seen)
    }

    /// Adds the gradient of the generator's loss; its moments are remembered in `moments`.
    pub fn generator(
        &self,
        weights: &Weights,
        gradients: Vec<f32>,
        reals: &Reals,
        (random, moments): (&mut Random, &Moments),
    ) -> (Vec<f32>, f64) {
        let (model, loss) = (self.model, self.objective.loss);
        let augment = self.objective.augment;
        let n = reals.values.len() / model.shape.values();
        let plain = Pass::plain(Source::Unseen);
        let real = match loss.is_relative() {
            true => {
                let tape = Tape::plain(weights);
                let x = tape.var(Buffer::copy_of(&reals.values), model.shape.channels, false);
                let x = augment.apply(&tape, &x, model.shape.size(), random);
                model
                    .judge(&tape, &x, &reals.given, plain)
                    .values()
                    .to_vec()
            }
            false => Vec::new(),
        };
        let tape =
            Tape::recording(weights, gradients, Dropout::none()).learning(model.of_generator());
        let z = model.noise(n, &reals.given, random);
        let pass = Pass::plain(Source::Batch(moments));
        let (choices, made) = model.outputs(&tape, z, pass, Some(random));
        let mut value = 0.0;
        if !reals.given.asked.is_empty() {
            value += spans::asked(&tape, &choices, &reals.given.asked);
        }
        let shown = augment.apply(&tape, &made, model.shape.size(), random);
        let verdicts = model.judge(&tape, &shown, &reals.given, plain);
        let judged = loss.generator(&real, verdicts.values());
        give(&tape, &verdicts, Buffer::copy_of(&judged.made));
        drop((choices, made, shown, verdicts));
        (tape.backward(), value + judged.loss)
    }
}
