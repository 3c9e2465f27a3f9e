//! The gradients of one step of the critic, and of one of the generator, on a device: as `step.rs` and `penalty.rs` have
//! them. The same random numbers are drawn on the host; what verdicts come to is summed on the device, and read when it is
//! told. Where ranks have parts of a batch, each sums its own shares of the batch's means.

use super::layers::{Kept, Pass, Slopes};
use super::losses::Loss;
use super::model::{Given, Model};
use super::penalty::Penalty;
use super::shape::Shape;
use super::step::{self, Objective, Reals, Seen};
use crate::nn::buffer::Buffer;
use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::dropout::Dropout;
use crate::nn::ops::batch_norm::{Moments, Source};
use crate::nn::ops::cuda::spectral::Divided;
use crate::nn::ops::cuda::{adversarial, spans};
use crate::nn::parameters::Weights;
use crate::nn::tape::{Tape, Var};
use crate::random::Random;
use crate::ranks::Ranks;
use std::ops::Range;
use std::sync::Arc;

/// Sums of what steps have seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    pub loss: f64,
    pub real: f64,
    pub made: f64,
    pub right: f64,
    pub penalty: f64,
    pub generator: f64,
}

impl Sums {
    /// What the critic has seen.
    pub fn critic(&self) -> Seen {
        Seen {
            loss: self.loss,
            real: self.real,
            made: self.made,
            right: self.right,
            penalty: self.penalty,
        }
    }
}

/// What a device has of its own from step to step.
pub struct Place {
    /// Where what steps have seen is summed, in this order.
    sums: Memory,
    /// The weights as steps take them, if matrices of the critic are divided.
    divided: Option<Divided>,
}

impl Place {
    pub fn new(gpu: &Gpu, model: &Model) -> Place {
        let pairs = model.spectral();
        Place {
            sums: Memory::zeros(gpu, Kind::F64, 6),
            divided: (!pairs.is_empty()).then(|| Divided::new(gpu, model.layout(), pairs)),
        }
    }

    /// Whether the sums are numbers, of what was seen here. Waits for the device.
    pub fn is_sound(&self) -> bool {
        self.sums.to_f64().iter().all(|sum| sum.is_finite())
    }

    /// The sums since the last time, of all ranks. Waits for the device, and for the others.
    pub fn take(&self, ranks: Option<&dyn Ranks>) -> Sums {
        let mut found = self.sums.to_f64();
        self.sums.clear();
        if let Some(ranks) = ranks {
            ranks.sum_f64(&mut found);
        }
        let [loss, real, made, right, penalty, generator] = found[..] else {
            return Sums::default();
        };
        Sums {
            loss,
            real,
            made,
            right,
            penalty,
            generator,
        }
    }
}

/// The step of the host that this is, and where its gradients go.
#[derive(Clone, Copy)]
pub struct Step<'m> {
    pub host: step::Step<'m>,
    pub gradients: &'m Arc<Memory>,
    pub place: &'m Place,
    /// What gradients of the generator and of the critic are multiplied by, or nothing.
    pub scales: [Argument<'m>; 2],
}

impl Step<'_> {
    fn recording<'w>(&'w self, weights: &'w Weights, learned: Range<usize>) -> Tape<'w> {
        let gradients = Arc::clone(self.gradients);
        Tape::recording_there(weights, gradients, Dropout::none())
            .learning(learned)
            .among(self.host.part)
    }

    fn plain<'w>(&'w self, weights: &'w Weights) -> Tape<'w> {
        Tape::plain(weights).among(self.host.part)
    }

    /// How many verdicts of the whole batch there are, for so many of this step.
    fn all(&self, own: usize) -> usize {
        self.host.part.map_or(own, |part| part.rows(own))
    }

    /// The weights as a step takes them; if it `turns`, the critic's largest singular values are looked for again.
    fn divided<'w>(&'w self, weights: &'w Weights, turns: bool) -> &'w Weights {
        match (&self.place.divided, weights.there()) {
            (Some(divided), Some(there)) => divided.divide(there, turns),
            _ => weights,
        }
    }

    /// Samples as the critic is shown them.
    fn changed(&self, tape: &Tape, x: &Var, random: &mut Random) -> Var {
        let size = self.host.model.shape.size();
        self.host.objective.augment.apply(tape, x, size, random)
    }

    /// Adds the gradient of the critic's loss, and of its penalties, beside the real samples of a batch: of a part its own, which
    /// is to be summed over ranks.
    pub fn critic(&self, weights: &Weights, reals: &Reals, random: &mut Random) {
        self.critic_of(self.divided(weights, true), reals, random);
        if let (Some(divided), Some(there)) = (&self.place.divided, weights.there()) {
            divided.pull_back(there, self.gradients);
        }
    }

    fn critic_of(&self, weights: &Weights, reals: &Reals, random: &mut Random) {
        let (model, objective) = (self.host.model, self.host.objective);
        let (channels, values) = (model.shape.channels, model.shape.values());
        let (plain, [_, scale]) = (Pass::plain(Source::Unseen), self.scales);
        let made = {
            let tape = self.plain(weights);
            let z = self.host.inputs(reals, random);
            model.generate(&tape, z, plain, Some(random))
        };
        let reals = &*self.host.own(reals);
        let given = &reals.given;
        let tape = self.recording(weights, model.of_critic());
        let real_samples = tape.input(Buffer::copy_of(&reals.values), channels);
        let verdicts = [&real_samples, &made].map(|x| {
            let shown = self.changed(&tape, x, random);
            model.judge(&tape, &shown, given, plain)
        });
        let [real, fake] = [0, 1].map(|i| verdicts[i].memory().copy());
        let (loss, all) = (code(objective.loss), self.all(real.len()));
        adversarial::critic_loss(loss, (&real, &fake), all, &self.place.sums, scale);
        for (verdicts, gradient) in verdicts.iter().zip([real, fake]) {
            give(&tape, verdicts, gradient);
        }
        drop(verdicts);
        tape.backward();
        let Objective {
            gradient_penalty,
            r1,
            r2,
            ..
        } = *objective;
        // A penalty is a mean over the batch, too.
        let share = self.host.share() as f32;
        if gradient_penalty > 0.0 {
            // One place for all samples that are seen together.
            let group = values * model.shape.pack;
            let places = self.host.places(made.len() / group, random);
            let x = adversarial::mix(made.memory(), real_samples.memory(), &places, group);
            self.penalise(Penalty::Slope(share * gradient_penalty), weights, x, given);
        }
        if r1 > 0.0 {
            let x = real_samples.memory().copy();
            self.penalise(Penalty::Square(share * r1), weights, x, given);
        }
        if r2 > 0.0 {
            let x = made.memory().copy();
            self.penalise(Penalty::Square(share * r2), weights, x, given);
        }
    }

    /// Adds the gradient of a penalty at samples `x`.
    fn penalise(&self, penalty: Penalty, weights: &Weights, x: Memory, given: &Given) {
        let model = self.host.model;
        let Shape { channels, pack, .. } = model.shape;
        let [_, scale] = self.scales;
        let group = model.shape.values() * pack;
        let kept = Kept::default();
        let pass = |slopes| Pass {
            norms: Source::Unseen,
            slopes,
        };
        let tape = self.recording(weights, 0..0);
        let x = tape.var_there(x, channels, true);
        let verdicts = model.judge(&tape, &x, given, pass(Slopes::Keep(&kept)));
        give(
            &tape,
            &verdicts,
            adversarial::ones(verdicts.memory(), scale),
        );
        let slot = x.slot();
        drop((verdicts, x));
        let Some(v) = slot.and_then(|slot| tape.backward_to_there(slot)) else {
            return;
        };
        adversarial::penalise(&v, group, penalty.kind(), (&self.place.sums, 4), scale);
        let tape = self.recording(weights, model.of_critic());
        let v = tape.var_there(v, channels, false);
        let change = model.judge(&tape, &v, given, pass(Slopes::Follow(&kept)));
        give(&tape, &change, adversarial::ones(change.memory(), scale));
        tape.backward();
    }

    /// Adds the gradient of the generator's loss; its moments are remembered in `moments`.
    pub fn generator(
        &self,
        weights: &Weights,
        reals: &Reals,
        (random, moments): (&mut Random, &Moments),
    ) {
        let (model, loss) = (self.host.model, self.host.objective.loss);
        let (batch, reals) = (reals, &*self.host.own(reals));
        let given = &reals.given;
        let weights = self.divided(weights, false);
        let (plain, [scale, _]) = (Pass::plain(Source::Unseen), self.scales);
        let real = loss.is_relative().then(|| {
            let tape = self.plain(weights);
            let x = tape.input(Buffer::copy_of(&reals.values), model.shape.channels);
            let x = self.changed(&tape, &x, random);
            model.judge(&tape, &x, given, plain)
        });
        let tape = self.recording(weights, model.of_generator());
        let z = self.host.inputs(batch, random);
        let pass = Pass::plain(Source::Batch(moments));
        let (choices, made) = model.outputs(&tape, z, pass, Some(random));
        if !given.asked.is_empty() {
            let sum = (&self.place.sums, 5);
            spans::asked(&tape, &choices, &given.asked, sum, scale);
        }
        let shown = self.changed(&tape, &made, random);
        let verdicts = model.judge(&tape, &shown, given, plain);
        let gradient = verdicts.memory().copy();
        let real = real.as_ref().map(Var::memory);
        let (sum, all) = ((&self.place.sums, 5), self.all(gradient.len()));
        adversarial::generator_loss(code(loss), (&gradient, real), all, sum, scale);
        give(&tape, &verdicts, gradient);
        drop((choices, made, shown, verdicts));
        tape.backward();
    }
}

/// The code of a loss in adversarial.cu.
fn code(loss: Loss) -> u32 {
    match loss {
        Loss::Minimax => 0,
        Loss::NonSaturating => 1,
        Loss::Hinge => 2,
        Loss::LeastSquares => 3,
        Loss::Wasserstein => 4,
        Loss::Relativistic => 5,
    }
}

/// Begins the way back with these gradients of the verdicts.
fn give(tape: &Tape, verdicts: &Var, gradient: Memory) {
    if let Some(slot) = verdicts.slot() {
        tape.push(move |gradients| gradients.give_there(slot, gradient));
    }
}

#[cfg(test)]
mod tests;
