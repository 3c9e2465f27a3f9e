//! The gradients of one step of the critic, and of one of the generator, on a device: as `step.rs` and `penalty.rs` have
//! them. The same random numbers are drawn on the host; what verdicts come to is summed there and read when it is told.

use super::layers::{Kept, Pass, Slopes};
use super::losses::Loss;
use super::model::{Given, Model};
use super::penalty::Penalty;
use super::shape::Shape;
use super::step::{Objective, Reals, Seen};
use crate::nn::buffer::Buffer;
use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::dropout::Dropout;
use crate::nn::ops::batch_norm::{Moments, Source};
use crate::nn::ops::cuda::spectral::Divided;
use crate::nn::ops::cuda::{adversarial, spans};
use crate::nn::parameters::Weights;
use crate::nn::tape::{Tape, Var};
use crate::random::Random;
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

    /// Whether the sums are numbers. Waits for the device.
    pub fn is_sound(&self) -> bool {
        self.sums.to_f64().iter().all(|sum| sum.is_finite())
    }

    /// The sums since the last time. Waits for the device.
    pub fn take(&self) -> Sums {
        let found = self.sums.to_f64();
        self.sums.clear();
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

/// A model, what it learns from, and where its gradients go.
#[derive(Clone, Copy)]
pub struct Step<'m> {
    pub model: &'m Model,
    pub objective: &'m Objective,
    pub gradients: &'m Arc<Memory>,
    pub place: &'m Place,
    /// What gradients of the generator and of the critic are multiplied by, or nothing.
    pub scales: [Argument<'m>; 2],
}

impl Step<'_> {
    fn recording<'w>(&self, weights: &'w Weights, learned: Range<usize>) -> Tape<'w> {
        let gradients = Arc::clone(self.gradients);
        Tape::recording_there(weights, gradients, Dropout::none()).learning(learned)
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
        let size = self.model.shape.size();
        self.objective.augment.apply(tape, x, size, random)
    }

    /// Adds the gradient of the critic's loss, and of its penalties.
    pub fn critic(&self, weights: &Weights, reals: &Reals, random: &mut Random) {
        self.critic_of(self.divided(weights, true), reals, random);
        if let (Some(divided), Some(there)) = (&self.place.divided, weights.there()) {
            divided.pull_back(there, self.gradients);
        }
    }

    fn critic_of(&self, weights: &Weights, reals: &Reals, random: &mut Random) {
        let (model, given) = (self.model, &reals.given);
        let (channels, values) = (model.shape.channels, model.shape.values());
        let n = reals.values.len() / values;
        let (plain, [_, scale]) = (Pass::plain(Source::Unseen), self.scales);
        let made = {
            let tape = Tape::plain(weights);
            let z = model.noise(n, given, random);
            model.generate(&tape, z, plain, Some(random))
        };
        let tape = self.recording(weights, model.of_critic());
        let real_samples = tape.input(Buffer::copy_of(&reals.values), channels);
        let verdicts = [&real_samples, &made].map(|x| {
            let shown = self.changed(&tape, x, random);
            model.judge(&tape, &shown, given, plain)
        });
        let [real, fake] = [0, 1].map(|i| verdicts[i].memory().copy());
        let loss = code(self.objective.loss);
        adversarial::critic_loss(loss, (&real, &fake), &self.place.sums, scale);
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
        } = *self.objective;
        if gradient_penalty > 0.0 {
            // One share for all samples that are seen together.
            let group = values * model.shape.pack;
            let shares: Vec<f32> = (0..n / model.shape.pack).map(|_| random.unit()).collect();
            let x = adversarial::mix(made.memory(), real_samples.memory(), &shares, group);
            self.penalise(Penalty::Slope(gradient_penalty), weights, x, given);
        }
        if r1 > 0.0 {
            let x = real_samples.memory().copy();
            self.penalise(Penalty::Square(r1), weights, x, given);
        }
        if r2 > 0.0 {
            self.penalise(Penalty::Square(r2), weights, made.memory().copy(), given);
        }
    }

    /// Adds the gradient of a penalty at samples `x`.
    fn penalise(&self, penalty: Penalty, weights: &Weights, x: Memory, given: &Given) {
        let Shape { channels, pack, .. } = self.model.shape;
        let [_, scale] = self.scales;
        let group = self.model.shape.values() * pack;
        let kept = Kept::default();
        let pass = |slopes| Pass {
            norms: Source::Unseen,
            slopes,
        };
        let tape = self.recording(weights, 0..0);
        let x = tape.var_there(x, channels, true);
        let verdicts = self
            .model
            .judge(&tape, &x, given, pass(Slopes::Keep(&kept)));
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
        let tape = self.recording(weights, self.model.of_critic());
        let v = tape.var_there(v, channels, false);
        let change = self
            .model
            .judge(&tape, &v, given, pass(Slopes::Follow(&kept)));
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
        let (model, loss, given) = (self.model, self.objective.loss, &reals.given);
        let weights = self.divided(weights, false);
        let n = reals.values.len() / model.shape.values();
        let (plain, [scale, _]) = (Pass::plain(Source::Unseen), self.scales);
        let real = loss.is_relative().then(|| {
            let tape = Tape::plain(weights);
            let x = tape.input(Buffer::copy_of(&reals.values), model.shape.channels);
            let x = self.changed(&tape, &x, random);
            model.judge(&tape, &x, given, plain)
        });
        let tape = self.recording(weights, model.of_generator());
        let z = model.noise(n, given, random);
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
        let sum = (&self.place.sums, 5);
        adversarial::generator_loss(code(loss), (&gradient, real), sum, scale);
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
mod tests {
    use super::super::shape::{self, CriticNorm};
    use super::super::spectral::Spectral;
    use super::super::step;
    use super::*;
    use crate::nn::check::{self, apart};
    use crate::nn::device::Numbers;
    use crate::nn::ops::augment::Augment;
    use crate::nn::ops::cuda::rows;
    use crate::nn::ops::spans::{Asked, Span};

    /// An odd power of two, so that its halves are not alike.
    const SCALE: f32 = 8.0;

    /// Steps of both, on the host and on the device, with the same random numbers.
    fn compare(shape: Shape, objective: &Objective) {
        let given = Given {
            labels: (0..6).map(|i| i % 3).collect(),
            ..Given::default()
        };
        compare_with(shape, objective, given);
    }

    fn compare_with(shape: Shape, objective: &Objective, given: Given) {
        let gpu = check::gpu().expect("WORDMILL_TEST_GPU is set");
        let what = format!("{:?} {:?} {}", shape.network, objective.loss, shape.pack);
        let model = Model::new(shape).unwrap();
        let mut weights = model.initial_weights(3);
        weights.values_mut().iter_mut().for_each(|w| *w *= 2.0);
        let n = 6 * model.shape.values();
        let reals = Reals {
            values: (0..n).map(|i| (i as f32 * 0.77).sin()).collect(),
            given,
        };
        let zeros = || vec![0.0; model.layout().len()];
        let host = step::Step {
            model: &model,
            objective,
            part: None,
        };
        let mut own = model.initial_weights(3);
        own.values_mut().copy_from_slice(weights.values());
        let mut spectral = Spectral::new(&model);
        let divided = spectral.divide(&mut own, true);
        let random = &mut Random::new(1, 1);
        let (mut critic, seen) = host.critic(&divided, zeros(), &reals, random);
        spectral.pull_back(&own, &mut critic);
        let divided = spectral.divide(&mut own, false);
        let moments = Moments::default();
        let random = &mut Random::new(2, 2);
        let (generator, loss) = host.generator(&divided, zeros(), &reals, (random, &moments));
        moments.update(&mut own);

        weights.bring_to(gpu);
        let place = Place::new(gpu, &model);
        // Gradients are multiplied by it, and nothing else is.
        let scale = Memory::from_f64(gpu, &[SCALE.into()]);
        let device = |step: &dyn Fn(&Step)| {
            let gradients = Arc::new(Memory::zeros(gpu, Kind::F32, model.layout().len()));
            step(&Step {
                model: &model,
                objective,
                gradients: &gradients,
                place: &place,
                scales: [(&scale).into(); 2],
            });
            let gradients = gradients.to_f32().into_iter();
            gradients.map(|g| g / SCALE).collect::<Vec<f32>>()
        };
        let moments = Moments::default();
        let found = [
            device(&|step| step.critic(&weights, &reals, &mut Random::new(1, 1))),
            device(&|step| {
                let random = &mut Random::new(2, 2);
                step.generator(&weights, &reals, (random, &moments));
            }),
        ];
        gpu.check().unwrap();
        let most = match gpu.numbers() {
            // Eight bits of every value, and few samples over which errors could even out.
            Numbers::Bf16 => 0.2,
            Numbers::F16 => 0.02,
            _ => 2e-3,
        };
        for (found, expected) in found.iter().zip([&critic, &generator]) {
            assert!(
                apart(found, expected) <= most,
                "{what}: {}",
                apart(found, expected)
            );
        }
        let sums = place.take();
        let found = [
            sums.loss,
            sums.real,
            sums.made,
            sums.penalty,
            sums.generator,
        ];
        let expected = [seen.loss, seen.real, seen.made, seen.penalty, loss];
        for (found, expected) in found.into_iter().zip(expected) {
            let apart = (found - expected).abs();
            assert!(
                apart <= most * expected.abs().max(0.3),
                "{what}: {found} {expected}"
            );
        }
        if gpu.kind() == Kind::F32 {
            assert!((sums.right - seen.right).abs() < 1e-6, "{what}");
        }
        moments.update(&mut weights);
        weights.fetch();
        assert!(
            apart(weights.values(), own.values()) <= most / 10.0,
            "{what}"
        );
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn a_penalty_on_slopes_that_a_scale_has_made_too_long_is_not_told() {
        let gpu = check::gpu().expect("WORDMILL_TEST_GPU is set");
        let model = Model::new(Shape::small(shape::Kind::Mlp)).unwrap();
        let told = |scale: f64| {
            let (place, scale) = (Place::new(gpu, &model), Memory::from_f64(gpu, &[scale]));
            let slopes = rows::upload(gpu, &[f32::INFINITY, 1.0, 0.0, 4.0]);
            let sum = (&place.sums, 4);
            adversarial::penalise(&slopes, 2, (2.0, false), sum, (&scale).into());
            place.take().penalty
        };
        // Of the second pair: 2 / 2 · (4 / 2)² / 2, where ways back have the half of a scale of 4.
        assert_eq!([1.0, 4.0].map(told), [f64::INFINITY, 2.0]);
    }

    fn objective(loss: Loss, [gradient_penalty, r1, r2]: [f32; 3]) -> Objective {
        Objective {
            loss,
            gradient_penalty,
            r1,
            r2,
            augment: Augment::default(),
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn steps_on_a_device_have_the_gradients_of_the_host() {
        let small = Shape::small;
        let cases = [
            (small(shape::Kind::Mlp), Loss::Minimax, [0.0; 3]),
            (small(shape::Kind::Resnet), Loss::Hinge, [0.0; 3]),
            (small(shape::Kind::Dcgan), Loss::NonSaturating, [0.0; 3]),
            (
                Shape {
                    critic_norm: CriticNorm::Batch,
                    height: 14,
                    width: 14,
                    ..small(shape::Kind::Dcgan)
                },
                Loss::LeastSquares,
                [0.0; 3],
            ),
            (
                Shape {
                    classes: 3,
                    ..small(shape::Kind::Dcgan)
                },
                Loss::Wasserstein,
                [10.0, 0.0, 0.0],
            ),
            (
                Shape {
                    pack: 2,
                    ..small(shape::Kind::Dcgan)
                },
                Loss::Relativistic,
                [0.0, 1.0, 0.5],
            ),
            (
                Shape {
                    pack: 3,
                    ..small(shape::Kind::Resnet)
                },
                Loss::LeastSquares,
                [0.0, 0.5, 0.0],
            ),
        ];
        for (shape, loss, penalties) in cases {
            compare(shape, &objective(loss, penalties));
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn critics_that_are_normalised_otherwise_have_the_gradients_of_the_host() {
        let instance = Shape {
            critic_norm: CriticNorm::Instance,
            height: 14,
            width: 14,
            ..Shape::small(shape::Kind::Dcgan)
        };
        compare(instance, &objective(Loss::Hinge, [0.0; 3]));
        for kind in [shape::Kind::Mlp, shape::Kind::Dcgan, shape::Kind::Resnet] {
            let shape = Shape {
                spectral: true,
                ..Shape::small(kind)
            };
            compare(shape, &objective(Loss::Hinge, [0.0, 0.5, 0.0]));
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn steps_on_rows_of_a_table_have_the_gradients_of_the_host() {
        let shape = Shape {
            height: 1,
            width: 1,
            channels: 6,
            spans: vec![Span::Number, Span::Choice(2), Span::Choice(3)],
            condition: 5,
            pack: 2,
            ..Shape::small(shape::Kind::Mlp)
        };
        let asked = |i: usize| Asked {
            at: if i.is_multiple_of(2) { 1 } else { 3 },
            width: 2 + i % 2,
            choice: i % 2,
        };
        let given = Given {
            conditions: (0..30).map(|i| f32::from(u8::from(i % 5 == 2))).collect(),
            asked: (0..6).map(|i| (i != 3).then(|| asked(i))).collect(),
            ..Given::default()
        };
        let objective = objective(Loss::Wasserstein, [10.0, 0.0, 0.0]);
        compare_with(shape, &objective, given);
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn steps_on_changed_images_have_the_gradients_of_the_host() {
        let all = Augment {
            colour: true,
            translation: true,
            cutout: true,
        };
        for (channels, loss) in [(3, Loss::NonSaturating), (1, Loss::Relativistic)] {
            let shape = Shape {
                channels,
                ..Shape::small(shape::Kind::Dcgan)
            };
            let objective = Objective {
                augment: all,
                ..objective(loss, [0.0; 3])
            };
            compare(shape, &objective);
        }
    }
}
