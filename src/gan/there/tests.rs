//! Steps on a device have the gradients of the host, whatever the networks are and however many ranks make them.

use super::*;
use crate::gan::shape::{self, CriticNorm};
use crate::gan::spectral::Spectral;
use crate::nn::check::{self, apart};
use crate::nn::device::Numbers;
use crate::nn::ops::augment::Augment;
use crate::nn::ops::cuda::rows;
use crate::nn::ops::spans::{Asked, Span};
use crate::nn::part::Part;
use crate::ranks::threads;

/// An odd power of two, so that its halves are not alike.
const SCALE: f32 = 8.0;

/// What steps begin with.
struct Begin<'a> {
    model: &'a Model,
    objective: &'a Objective,
    reals: &'a Reals,
}

/// Gradients of the critic and of the generator, what was seen, and the weights with their new moments.
struct Found {
    gradients: [Vec<f32>; 2],
    sums: Sums,
    weights: Vec<f32>,
}

impl Begin<'_> {
    fn weights(&self) -> Weights {
        let mut weights = self.model.initial_weights(3);
        weights.values_mut().iter_mut().for_each(|w| *w *= 2.0);
        weights
    }

    fn step<'p>(&'p self, part: Option<&'p Part<'p>>) -> step::Step<'p> {
        step::Step {
            model: self.model,
            objective: self.objective,
            part,
        }
    }

    /// Steps of the whole batch on the host.
    fn on_the_host(&self) -> Found {
        let (model, host) = (self.model, self.step(None));
        let zeros = || vec![0.0; model.layout().len()];
        let mut weights = self.weights();
        let mut spectral = Spectral::new(model);
        let divided = spectral.divide(&mut weights, true);
        let random = &mut Random::new(1, 1);
        let (mut critic, seen) = host.critic(&divided, zeros(), self.reals, random);
        spectral.pull_back(&weights, &mut critic);
        let divided = spectral.divide(&mut weights, false);
        let (moments, random) = (Moments::default(), &mut Random::new(2, 2));
        let with = (random, &moments);
        let (generator, loss) = host.generator(&divided, zeros(), self.reals, with);
        moments.update(&mut weights);
        Found {
            gradients: [critic, generator],
            sums: Sums {
                loss: seen.loss,
                real: seen.real,
                made: seen.made,
                right: seen.right,
                penalty: seen.penalty,
                generator: loss,
            },
            weights: weights.values().to_vec(),
        }
    }

    /// The same on the device, by one of several ranks or alone.
    fn on_the_device(&self, gpu: &Gpu, ranks: Option<&dyn Ranks>) -> Found {
        let (model, samples) = (self.model, self.samples());
        let part = ranks.map(|ranks| Part::of(ranks, samples, model.shape.pack));
        let mut weights = self.weights();
        weights.bring_to(gpu);
        let place = Place::new(gpu, model);
        // Gradients are multiplied by it, and nothing else is.
        let scale = Memory::from_f64(gpu, &[SCALE.into()]);
        let gradients = |step: &dyn Fn(&Step)| {
            let gradients = Arc::new(Memory::zeros(gpu, Kind::F32, model.layout().len()));
            step(&Step {
                host: self.step(part.as_ref()),
                gradients: &gradients,
                place: &place,
                scales: [(&scale).into(); 2],
            });
            if let Some(part) = &part {
                part.sum_there(&gradients);
            }
            let gradients = gradients.to_f32().into_iter();
            gradients.map(|g| g / SCALE).collect::<Vec<f32>>()
        };
        let moments = Moments::default();
        let gradients = [
            gradients(&|step| step.critic(&weights, self.reals, &mut Random::new(1, 1))),
            gradients(&|step| {
                let random = &mut Random::new(2, 2);
                step.generator(&weights, self.reals, (random, &moments));
            }),
        ];
        moments.update(&mut weights);
        weights.fetch();
        gpu.check().unwrap();
        Found {
            gradients,
            sums: place.take(ranks),
            weights: weights.values().to_vec(),
        }
    }

    fn samples(&self) -> usize {
        self.reals.values.len() / self.model.shape.values()
    }
}

/// Steps of both, on the host and on the device, alone and in parts of different sizes, with the same random numbers.
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
    let (model, samples) = (Model::new(shape).unwrap(), given.labels.len());
    let samples = samples.max(given.asked.len());
    let n = samples * model.shape.values();
    let begin = Begin {
        model: &model,
        objective,
        reals: &Reals {
            values: (0..n).map(|i| (i as f32 * 0.77).sin()).collect(),
            given,
        },
    };
    let expected = begin.on_the_host();
    assert_alike(&begin.on_the_device(gpu, None), &expected, (gpu, &what));
    // Four have one or two samples, and two have one or two pairs.
    for size in (2..=4).filter(|size| samples / model.shape.pack >= *size) {
        let found = threads::run(size, |ranks| begin.on_the_device(gpu, Some(ranks)));
        for (rank, found) in found.iter().enumerate() {
            let what = format!("{what}, rank {rank} of {size}");
            assert_alike(found, &expected, (gpu, &what));
        }
    }
}

fn assert_alike(found: &Found, expected: &Found, (gpu, what): (&Gpu, &str)) {
    let most = match gpu.numbers() {
        // Eight bits of every value, and few samples over which errors could even out.
        Numbers::Bf16 => 0.2,
        Numbers::F16 => 0.02,
        _ => 2e-3,
    };
    for (found, expected) in found.gradients.iter().zip(&expected.gradients) {
        let apart = apart(found, expected);
        assert!(apart <= most, "{what}: {apart}");
    }
    let told = |sums: &Sums| {
        let Sums { loss, penalty, .. } = *sums;
        [loss, sums.real, sums.made, penalty, sums.generator]
    };
    for (found, expected) in told(&found.sums).into_iter().zip(told(&expected.sums)) {
        let apart = (found - expected).abs();
        assert!(
            apart <= most * expected.abs().max(0.3),
            "{what}: {found} {expected}"
        );
    }
    if gpu.kind() == Kind::F32 {
        let apart = (found.sums.right - expected.sums.right).abs();
        assert!(apart < 1e-6, "{what}");
    }
    let apart = apart(&found.weights, &expected.weights);
    assert!(apart <= most / 10.0, "{what}: weights {apart}");
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
        place.take(None).penalty
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
