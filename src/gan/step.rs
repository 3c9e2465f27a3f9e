//! The gradients of one step of the critic, and of one of the generator.
//!
//! ```text
//! critic      made samples without a way back, both kinds judged, the loss back to the critic's weights; penalties
//! generator   made samples judged, the loss back through the critic to the generator's weights
//! ```
//!
//! Where ranks compute parts of a batch, each draws for all of it what is random, makes and judges what is its own, and its
//! losses are its share of the batch's. Real and made samples are judged in passes of their own, so that batch
//! normalisation sees them apart. What the generator makes for the critic is made anew for itself, as in the programs that
//! this is compared with.

use super::layers::Pass;
use super::losses::Loss;
use super::model::{Given, Model};
use super::penalty::{Penalty, give};
use super::shape::Shape;
use crate::nn::buffer::Buffer;
use crate::nn::dropout::Dropout;
use crate::nn::ops::augment::Augment;
use crate::nn::ops::batch_norm::{Moments, Source};
use crate::nn::ops::spans;
use crate::nn::parameters::Weights;
use crate::nn::part::Part;
use crate::nn::tape::Tape;
use crate::random::Random;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::{AddAssign, Range};

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

impl Reals {
    /// Some of them, for a model of that shape.
    fn part(&self, samples: Range<usize>, shape: &Shape) -> Reals {
        let of = |width: usize| width * samples.start..width * samples.end;
        let Given {
            labels,
            conditions,
            asked,
        } = &self.given;
        Reals {
            values: self.values[of(shape.values())].to_vec(),
            given: Given {
                labels: labels.get(samples.clone()).unwrap_or_default().into(),
                conditions: conditions[of(shape.condition)].into(),
                asked: asked.get(samples).unwrap_or_default().into(),
            },
        }
    }
}

/// What a step has seen: of a part of a batch its share.
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

impl AddAssign for Seen {
    fn add_assign(&mut self, other: Seen) {
        self.loss += other.loss;
        self.real += other.real;
        self.made += other.made;
        self.right += other.right;
        self.penalty += other.penalty;
    }
}

impl Seen {
    /// The sum of what all ranks have seen of a batch.
    fn whole(self, part: Option<&Part>) -> Seen {
        let Some(part) = part else {
            return self;
        };
        let mut sums = [self.loss, self.real, self.made, self.right, self.penalty];
        part.sum(&mut sums);
        let [loss, real, made, right, penalty] = sums;
        Seen {
            loss,
            real,
            made,
            right,
            penalty,
        }
    }
}

/// A model, what it learns from, and the samples of a batch that are computed here, if not all.
#[derive(Clone, Copy)]
pub struct Step<'m> {
    pub model: &'m Model,
    pub objective: &'m Objective,
    pub part: Option<&'m Part<'m>>,
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len().max(1) as f64
}

impl Step<'_> {
    /// The share of the batch that is computed here.
    pub(super) fn share(&self) -> f64 {
        self.part
            .map_or(1.0, |part| part.own().len() as f64 / part.all() as f64)
    }

    /// What goes into the generator for the samples of this step, beside the real ones of the whole batch.
    pub(super) fn inputs(&self, reals: &Reals, random: &mut Random) -> Buffer {
        let n = reals.values.len() / self.model.shape.values();
        let inputs = self.model.noise(n, &reals.given, random);
        let Some(part) = self.part else {
            return inputs;
        };
        let (own, width) = (part.own(), self.model.shape.inputs());
        Buffer::copy_of(&inputs[width * own.start..width * own.end])
    }

    /// The real samples of this step, of those of the whole batch.
    pub(super) fn own<'r>(&self, reals: &'r Reals) -> Cow<'r, Reals> {
        match self.part {
            None => Cow::Borrowed(reals),
            Some(part) => Cow::Owned(reals.part(part.own(), &self.model.shape)),
        }
    }

    /// Places between real and made samples, for so many groups of those of this step; other ranks take those before and after.
    pub(super) fn places(&self, groups: usize, random: &mut Random) -> Vec<f32> {
        let others = self.part.map_or([0; 2], Part::others);
        let [before, after] = others.map(|samples| samples / self.model.shape.pack);
        random.skip(before);
        let places = (0..groups).map(|_| random.unit()).collect();
        random.skip(after);
        places
    }

    /// Samples of random z, with the moments of their batch.
    fn make(&self, weights: &Weights, reals: &Reals, random: &mut Random) -> Buffer {
        let tape = Tape::plain(weights).among(self.part);
        let z = self.inputs(reals, random);
        let made = (self.model).generate(&tape, z, Pass::plain(Source::Unseen), Some(random));
        Buffer::copy_of(made.values())
    }

    /// Adds the gradient of the critic's loss, beside the real samples of a batch: of a part its own, which is to be summed over
    /// ranks. What was seen is of the whole batch.
    pub fn critic(
        &self,
        weights: &Weights,
        gradients: Vec<f32>,
        reals: &Reals,
        random: &mut Random,
    ) -> (Vec<f32>, Seen) {
        let (model, loss) = (self.model, self.objective.loss);
        let (channels, values) = (model.shape.channels, model.shape.values());
        let made = self.make(weights, reals, random);
        let (reals, share) = (&*self.own(reals), self.share());
        let tape = Tape::recording(weights, gradients, Dropout::none())
            .learning(model.of_critic())
            .among(self.part);
        let mut judge = |x: &[f32]| {
            let x = tape.var(Buffer::copy_of(x), channels, false);
            let x = self
                .objective
                .augment
                .apply(&tape, &x, model.shape.size(), random);
            model.judge(&tape, &x, &reals.given, Pass::plain(Source::Unseen))
        };
        let (real, fake) = (judge(&reals.values), judge(&made));
        let judged = loss.critic(real.values(), fake.values()).of_share(share);
        let mut seen = Seen {
            loss: judged.loss,
            real: share * mean(real.values()),
            made: share * mean(fake.values()),
            right: share * loss.right(real.values(), fake.values()),
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
            // One place for all samples that are seen together.
            let mut x = Buffer::copy_of(&made);
            let group = values * model.shape.pack;
            let real = reals.values.chunks_exact(group);
            let places = self.places(real.len(), random);
            let groups = x.chunks_exact_mut(group).zip(real).zip(places);
            for ((x, real), place) in groups {
                x.iter_mut()
                    .zip(real)
                    .for_each(|(x, r)| *x += place * (r - *x));
            }
            x
        };
        // A penalty is a mean over the batch, too.
        let share = share as f32;
        let mut penalise = |penalty: Penalty, x: Buffer| {
            let before = std::mem::take(&mut gradients);
            let (after, value) = penalty.add(model, weights, before, (x, &reals.given));
            gradients = after;
            seen.penalty += value;
        };
        if gradient_penalty > 0.0 {
            penalise(Penalty::Slope(share * gradient_penalty), between(random));
        }
        if r1 > 0.0 {
            penalise(Penalty::Square(share * r1), Buffer::copy_of(&reals.values));
        }
        if r2 > 0.0 {
            penalise(Penalty::Square(share * r2), Buffer::copy_of(&made));
        }
        (gradients, seen.whole(self.part))
    }

    /// The same of the generator's loss; its moments are remembered in `moments`.
    pub fn generator(
        &self,
        weights: &Weights,
        gradients: Vec<f32>,
        reals: &Reals,
        (random, moments): (&mut Random, &Moments),
    ) -> (Vec<f32>, f64) {
        let (model, loss) = (self.model, self.objective.loss);
        let augment = self.objective.augment;
        let plain = Pass::plain(Source::Unseen);
        let (batch, reals) = (reals, &*self.own(reals));
        let real = match loss.is_relative() {
            true => {
                let tape = Tape::plain(weights).among(self.part);
                let x = tape.var(Buffer::copy_of(&reals.values), model.shape.channels, false);
                let x = augment.apply(&tape, &x, model.shape.size(), random);
                model
                    .judge(&tape, &x, &reals.given, plain)
                    .values()
                    .to_vec()
            }
            false => Vec::new(),
        };
        let tape = Tape::recording(weights, gradients, Dropout::none())
            .learning(model.of_generator())
            .among(self.part);
        let z = self.inputs(batch, random);
        let pass = Pass::plain(Source::Batch(moments));
        let (choices, made) = model.outputs(&tape, z, pass, Some(random));
        let mut value = 0.0;
        if !reals.given.asked.is_empty() {
            value += spans::asked(&tape, &choices, &reals.given.asked);
        }
        let shown = augment.apply(&tape, &made, model.shape.size(), random);
        let verdicts = model.judge(&tape, &shown, &reals.given, plain);
        let judged = loss.generator(&real, verdicts.values());
        let judged = judged.of_share(self.share());
        give(&tape, &verdicts, Buffer::copy_of(&judged.made));
        drop((choices, made, shown, verdicts));
        let mut value = [value + judged.loss];
        let gradients = tape.backward();
        if let Some(part) = self.part {
            part.sum(&mut value);
        }
        (gradients, value[0])
    }
}
