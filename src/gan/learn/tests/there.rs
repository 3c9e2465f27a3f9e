//! Several ranks learn on devices what one does there, and leave out the same steps in f16.

use super::*;
use crate::nn::adam;
use crate::nn::device::Numbers;
use crate::nn::ops::cuda::learning::{Learning, Scale};

/// As [`check`], in f32: few bits take networks that learn of each other apart, so that in those numbers it is one step that is
/// looked at (`gan::there::tests`).
fn check_there(shape: Shape, unseen: &[&str], change: &dyn Fn(&mut Recipe)) {
    let gpu = Gpu::open(0, Some(Numbers::F32)).expect("a device");
    check_on(Some(&gpu), (5e-3, 2e-2), (shape, unseen), change);
}

#[test]
#[ignore = "wants a GPU"]
fn ranks_on_devices_with_batch_normalisation_learn_what_one_does() {
    let shape = Shape {
        height: 16,
        width: 16,
        critic_norm: CriticNorm::Batch,
        ..Shape::small(Kind::Dcgan)
    };
    check_there(shape, &[], &|_| {});
}

#[test]
#[ignore = "wants a GPU"]
fn ranks_on_devices_with_divided_matrices_learn_what_one_does() {
    let shape = Shape {
        classes: 3,
        spectral: true,
        critic_norm: CriticNorm::Instance,
        height: 16,
        width: 16,
        ..Shape::small(Kind::Dcgan)
    };
    check_there(shape, &[], &|recipe| recipe.objective.loss = Loss::Hinge);
}

#[test]
#[ignore = "wants a GPU"]
fn ranks_on_devices_with_rows_of_a_table_in_packs_learn_what_one_does() {
    let shape = Shape {
        height: 1,
        width: 1,
        channels: 4,
        pack: 2,
        spans: vec![Span::Number, Span::Choice(3)],
        condition: 3,
        ..Shape::small(Kind::Mlp)
    };
    check_there(shape, &MLP, &|recipe| {
        recipe.objective.loss = Loss::Wasserstein;
        recipe.objective.gradient_penalty = 10.0;
    });
}

#[test]
#[ignore = "wants a GPU"]
fn ranks_on_devices_that_learn_in_turns_learn_what_one_does() {
    check_there(Shape::small(Kind::Dcgan), &[], &|recipe| {
        recipe.alternate = Alternate::Epochs;
        recipe.weight_clip = 0.05;
    });
}

/// Samples of which one is beyond the largest number of f16.
struct Large<'m>(Samples<'m>);

impl Data for Large<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn values(&self) -> usize {
        self.0.values()
    }
    fn write(&self, index: usize, random: &mut Random, to: &mut [f32]) {
        self.0.write(index, random, to);
        if index == 0 {
            to.fill(1e5);
        }
    }
    fn label(&self, index: usize) -> Option<u32> {
        self.0.label(index)
    }
}

#[test]
#[ignore = "wants a GPU"]
fn a_step_whose_gradients_are_no_numbers_for_one_rank_is_left_out_by_all() {
    let gpu = Gpu::open(0, Some(Numbers::F16)).expect("a device");
    let model = Model::new(Shape::small(Kind::Mlp)).unwrap();
    let (samples, recipe) = (Large(Samples(&model.shape)), recipe());
    let found = threads::run(2, |ranks| {
        let feed = Feed::new(&samples, 3, Position::default());
        let measure = Box::new(|_: &Weights, _, _| None);
        let mut learner = Learner::new(&model, &recipe, feed, measure).among(Some(ranks));
        let moments = adam::Moments::zeros(model.layout().len());
        let mut weights = model.initial_weights(7);
        weights.bring_to(&gpu);
        let there = Learning::of(&gpu, &moments, None);
        let mut learned = Learned {
            weights,
            average: None,
            gradients: Vec::new(),
            moments,
            step: 0,
            there: Some(there),
        };
        for step in 1..=12 {
            learned.step = step;
            learner.step(&mut learned, &plan(12)).unwrap();
        }
        let weights = learned.weights.there().unwrap().values.to_f32();
        let scales: Option<[Scale; 2]> = learned.there.as_ref().and_then(Learning::scales);
        (weights, scales.unwrap())
    });
    let [first, second] = &found[..] else {
        panic!("two ranks")
    };
    assert!(first == second, "{:?} {:?}", first.1, second.1);
    let [generator, critic] = first.1;
    assert_eq!(generator.left_out, 0);
    // The sample is in some batches, and one rank has it.
    assert!((1..12).contains(&critic.left_out), "{critic:?}");
}
