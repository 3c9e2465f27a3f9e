//! Several ranks learn what one does, on the host and on devices; a device learns in f16.

mod f16;
mod there;

use super::*;
use crate::gan::feed::Data;
use crate::gan::losses::Loss;
use crate::gan::shape::{CriticNorm, Kind, Shape};
use crate::nn::check::apart;
use crate::nn::device::Gpu;
use crate::nn::event::Event;
use crate::nn::folder::Folder;
use crate::nn::ops::augment::Augment;
use crate::nn::ops::spans::{Asked, Span};
use crate::nn::run::{Limits, Run};
use crate::nn::schedule::{Decay, Schedule};
use crate::ranks::{is_first, threads};
use std::sync::atomic::AtomicBool;

/// Samples that are as random as those of a model's first steps.
struct Samples<'m>(&'m Shape);

impl Data for Samples<'_> {
    fn len(&self) -> usize {
        30
    }
    fn values(&self) -> usize {
        self.0.values()
    }
    fn write(&self, index: usize, random: &mut Random, to: &mut [f32]) {
        let shift = 0.1 * random.unit();
        let each = to.iter_mut().enumerate();
        each.for_each(|(i, to)| *to = ((index * 7 + i) as f32 * 0.77).sin() * 0.8 + shift);
    }
    fn label(&self, index: usize) -> Option<u32> {
        (self.0.classes > 0).then_some(index as u32 % 3)
    }
    fn condition(&self) -> usize {
        self.0.condition
    }
    fn draw(&self, random: &mut Random, to: &mut [f32], condition: &mut [f32]) -> Option<Asked> {
        let choice = random.below(self.0.condition as u32) as usize;
        self.write(choice, random, to);
        condition.fill(0.0);
        condition[choice] = 1.0;
        Some(Asked {
            at: 1,
            width: self.0.condition,
            choice,
        })
    }
}

fn recipe() -> Recipe {
    Recipe {
        objective: Objective {
            loss: Loss::NonSaturating,
            gradient_penalty: 0.0,
            r1: 0.0,
            r2: 0.0,
            augment: Augment::default(),
        },
        batch: 14,
        critic_steps: 1,
        alternate: Alternate::Steps,
        critic_rate: 1.0,
        beta1: 0.5,
        beta2: 0.9,
        weight_clip: 0.0,
    }
}

fn plan(steps: u64) -> Plan {
    Plan {
        schedule: Schedule {
            lr: 0.002,
            warmup: 0,
            decay: Decay::Constant,
            last: 0,
        },
        dropout: 0.0,
        dropout_ramp: 0,
        accumulate: 1,
        clip: 0.0,
        decay: 0.0,
        average: 0.9,
        seed: 3,
        max_steps: Some(steps),
        epochs: None,
        patience: 0,
        metric: "loss".to_owned(),
        report_every: steps,
        evaluate_every: 1000,
        save_every: 1000,
        keep: 5,
    }
}

/// What 20 steps leave.
struct After {
    weights: Vec<f32>,
    /// What was told of the last ones.
    told: Values,
    /// Shares of samples that the critic took for what they are, as they were said where samples were measured.
    right: Vec<f64>,
}

/// 20 steps of so many ranks, on the host or, all of them, on a device.
fn learned(model: &Model, recipe: &Recipe, size: usize, gpu: Option<&Gpu>) -> After {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path());
    let samples = Samples(&model.shape);
    let found = threads::run(size, |ranks| {
        let ranks = (size > 1).then_some(ranks as &dyn Ranks);
        let (mut told, mut said) = (Vec::new(), Vec::new());
        let mut tell = |event: &Event| told.push(event.clone());
        let feed = Feed::new(&samples, 3, Position::default());
        let measure = Box::new(|_: &Weights, _, right| {
            said.extend(right);
            None
        });
        let learner = Learner::new(model, recipe, feed, measure).among(ranks);
        let begin = model.initial_weights(7);
        // Ranks besides the first have a folder of their own.
        let place = tempfile::tempdir().unwrap();
        let other = Folder::new(place.path());
        let folder = if is_first(ranks) { &folder } else { &other };
        let plan = Plan {
            evaluate_every: 8,
            ..plan(20)
        };
        let (layout, how) = (model.layout(), (plan, learner));
        let open = || Ok(Run::new(folder, layout, how, begin, &mut tell));
        let mut run = Run::among(folder, ranks, open).unwrap();
        if let Some(gpu) = gpu {
            run = run.on(gpu);
        }
        let limits = Limits {
            stop: &AtomicBool::new(false),
            time: None,
        };
        run.train(limits).unwrap();
        (told, said)
    });
    let (told, right) = &found[0];
    let mut reports = told.iter().filter_map(|event| match event {
        Event::Report(report) => Some(report.values.clone()),
        _ => None,
    });
    After {
        weights: folder.weights(20, model.layout()).unwrap(),
        told: reports.next_back().unwrap(),
        right: right.clone(),
    }
}

/// Two and three ranks, which have parts of different sizes, learn in 20 steps what one does, but for the order of sums.
/// Left out is what the next normalisation does not see, by names: the gradients are rounding alone, which Adam makes as
/// large as any other.
fn check(shape: Shape, unseen: &[&str], change: &dyn Fn(&mut Recipe)) {
    check_on(None, (1e-5, 1e-4), (shape, unseen), change);
}

/// The same on a device, or the host: how far weights, and what is told of them, may be apart.
fn check_on(
    gpu: Option<&Gpu>,
    (most, most_told): (f64, f64),
    (shape, unseen): (Shape, &[&str]),
    change: &dyn Fn(&mut Recipe),
) {
    let model = Model::new(shape).unwrap();
    let mut recipe = recipe();
    change(&mut recipe);
    let alone = learned(&model, &recipe, 1, gpu);
    let seen = |weights: &[f32]| -> Vec<f32> {
        let entries = model.layout().entries();
        let entries = entries.filter(|(name, _)| !unseen.contains(&&**name));
        entries
            .flat_map(|(_, p)| weights[p.range()].to_vec())
            .collect()
    };
    let begin = model.initial_weights(7);
    assert!(
        apart(&seen(begin.values()), &seen(&alone.weights)) > 1e-2,
        "nothing was learned"
    );
    let is_seen = |right: &f64| *right > 0.0;
    assert!(alone.right.len() == 3 && alone.right.iter().all(is_seen));
    for size in [2, 3] {
        let found = learned(&model, &recipe, size, gpu);
        let apart = apart(&seen(&found.weights), &seen(&alone.weights));
        assert!(apart <= most, "{size} ranks: {apart}");
        let is_near =
            |one: f64, several: f64| (one - several).abs() <= most_told * one.abs().max(0.1);
        for ((name, one), (_, several)) in alone.told.iter().zip(&found.told) {
            let is_time = name == "samples_per_second";
            assert!(
                is_time || is_near(*one, *several),
                "{size} ranks, {name}: {several}, not {one}"
            );
        }
        let right = alone.right.iter().zip(&found.right);
        assert!(
            alone.right.len() == found.right.len()
                && right
                    .into_iter()
                    .all(|(one, several)| is_near(*one, *several)),
            "{size} ranks: {:?}, not {:?}",
            found.right,
            alone.right
        );
    }
}

#[test]
fn ranks_with_batch_normalisation_learn_what_one_does() {
    let shape = Shape {
        height: 16,
        width: 16,
        critic_norm: CriticNorm::Batch,
        ..Shape::small(Kind::Dcgan)
    };
    check(shape, &[], &|_| {});
}

#[test]
fn ranks_with_classes_and_changed_images_learn_what_one_does() {
    let shape = Shape {
        classes: 3,
        spectral: true,
        critic_norm: CriticNorm::Instance,
        height: 16,
        width: 16,
        ..Shape::small(Kind::Dcgan)
    };
    check(shape, &[], &|recipe| {
        recipe.objective.loss = Loss::Hinge;
        recipe.objective.augment = Augment {
            colour: true,
            translation: true,
            cutout: true,
        };
    });
}

/// What the normalisation of a small generator of dense layers does not see.
const MLP: [&str; 2] = ["generator.0.bias", "generator.1.running_mean"];

#[test]
fn ranks_with_penalties_learn_what_one_does() {
    let unseen = [
        "generator.2.bias",
        "generator.3.running_mean",
        "generator.4.bias",
        "generator.5.running_mean",
    ];
    check(Shape::small(Kind::Resnet), &unseen, &|recipe| {
        recipe.objective.loss = Loss::Relativistic;
        (recipe.objective.r1, recipe.objective.r2) = (0.5, 0.5);
    });
    check(Shape::small(Kind::Mlp), &MLP, &|recipe| {
        recipe.objective.loss = Loss::Wasserstein;
        recipe.objective.gradient_penalty = 10.0;
        recipe.critic_steps = 2;
    });
}

#[test]
fn ranks_with_rows_of_a_table_in_packs_learn_what_one_does() {
    let shape = Shape {
        height: 1,
        width: 1,
        channels: 4,
        pack: 2,
        spans: vec![Span::Number, Span::Choice(3)],
        condition: 3,
        ..Shape::small(Kind::Mlp)
    };
    check(shape, &MLP, &|recipe| {
        recipe.objective.loss = Loss::Wasserstein;
        recipe.objective.gradient_penalty = 10.0;
    });
}

#[test]
fn ranks_that_learn_in_turns_learn_what_one_does() {
    check(Shape::small(Kind::Dcgan), &[], &|recipe| {
        recipe.alternate = Alternate::Epochs;
        recipe.weight_clip = 0.05;
    });
}
