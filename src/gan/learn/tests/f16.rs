//! Runs in f16 on a device: what their checkpoints keep, and of which step they are.

use super::*;
use crate::nn::adam;
use crate::nn::device::{Fault, Kind as Of, Memory, Numbers};
use crate::nn::ops::cuda::learning::{Learning, Scale};
use std::sync::atomic::{AtomicUsize, Ordering};

fn gpu() -> Gpu {
    Gpu::open(0, Some(Numbers::F16)).expect("a device")
}

/// What a run of so many steps leaves.
struct Left<'f> {
    folder: &'f Folder,
    model: &'f Model,
    step: u64,
}

impl Left<'_> {
    /// The weights, and what the optimizer keeps.
    fn values(&self) -> Vec<Vec<f32>> {
        let layout = self.model.layout();
        let names = ["first", "second"];
        let optimizer = (self.folder).optimizer(self.step, &names, "weights", layout.len());
        let mut values = optimizer.unwrap();
        values.push(self.folder.weights(self.step, layout).unwrap());
        values
    }

    fn scales(&self) -> [Scale; 2] {
        let state: serde_json::Value = self.folder.state(self.step).unwrap();
        serde_json::from_value(state["scales"].clone()).unwrap()
    }
}

/// Goes on with a run in the folder, or begins one, on a device or here.
fn train<'f>(
    (folder, model): (&'f Folder, &'f Model),
    (recipe, plan): (&Recipe, Plan),
    data: &dyn Data,
    gpu: Option<&Gpu>,
) -> Result<Left<'f>, RunError> {
    let mut tell = |_: &Event| {};
    let learner = |position| {
        let feed = Feed::new(data, 3, position);
        Learner::new(model, recipe, feed, Box::new(|_, _, _| None))
    };
    let (layout, step) = (model.layout(), plan.max_steps.unwrap());
    let run = match folder.steps().is_empty() {
        true => {
            let task = learner(Position::default());
            let begin = model.initial_weights(7);
            Run::new(folder, layout, (plan, task), begin, &mut tell)
        }
        false => Run::resume(folder, layout, plan, learner, &mut tell).unwrap(),
    };
    let limits = Limits {
        stop: &AtomicBool::new(false),
        time: None,
    };
    match gpu {
        Some(gpu) => run.on(gpu).train(limits)?,
        None => run.train(limits)?,
    };
    Ok(Left {
        folder,
        model,
        step,
    })
}

/// What runs of so many steps one after the other leave, each going on with the one before it.
fn learned_in_f16<'f>(
    (folder, model): (&'f Folder, &'f Model),
    recipe: &Recipe,
    steps: &[u64],
) -> Left<'f> {
    let (gpu, samples) = (gpu(), Samples(&model.shape));
    let runs = steps.iter().map(|steps| {
        let how = (recipe, plan(*steps));
        train((folder, model), how, &samples, Some(&gpu)).unwrap()
    });
    let mut runs: Vec<Left> = runs.collect();
    runs.pop().unwrap()
}

/// Gradients of the critic that many a scale is too large for.
fn steep(penalty: f32) -> Recipe {
    let mut recipe = recipe();
    recipe.objective.loss = Loss::Wasserstein;
    recipe.objective.gradient_penalty = penalty;
    recipe
}

#[test]
#[ignore = "wants a GPU"]
fn runs_go_on_with_the_scales_and_the_updates_that_they_had() {
    let model = Model::new(Shape::small(Kind::Mlp)).unwrap();
    for (recipe, is_left_out) in [(recipe(), false), (steep(2e4), true)] {
        let places = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [whole, parts] = [0, 1].map(|i| Folder::new(places[i].path()));
        let whole = learned_in_f16((&whole, &model), &recipe, &[8]);
        let parts = learned_in_f16((&parts, &model), &recipe, &[6, 8]);
        assert_eq!(whole.values(), parts.values());
        assert_eq!(whole.scales(), parts.scales());
        let [generator, critic] = whole.scales();
        assert_eq!((generator.good, generator.left_out), (8, 0));
        let counted = critic.good + critic.left_out;
        assert!(counted == 8 && critic.good > 0, "{critic:?}");
        assert_eq!(critic.left_out > 0, is_left_out, "{critic:?}");
    }
}

#[test]
#[ignore = "wants a GPU"]
fn the_host_goes_on_with_the_updates_that_were_made() {
    let model = Model::new(Shape::small(Kind::Mlp)).unwrap();
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path());
    let recipe = steep(1e6);
    let left = learned_in_f16((&folder, &model), &recipe, &[3]);
    assert_eq!(left.scales()[1].left_out, 3);
    let samples = Samples(&model.shape);
    let plain = Plan {
        average: 0.0,
        ..plan(4)
    };
    let left = train((&folder, &model), (&recipe, plain), &samples, None).unwrap();
    let (begin, after) = (model.initial_weights(7), left.values());
    // Whatever the gradients are, the first update of Adam is by the learning rate.
    let changes = after[2]
        .iter()
        .zip(begin.values())
        .map(|(a, b)| (a - b).abs());
    let most = changes.skip(model.of_critic().start).fold(0.0, f32::max);
    assert!((most / 0.002 - 1.0).abs() < 1e-3, "{most}");
}

/// Samples of which one, when it is asked for, leaves no memory on a device.
struct Greedy<'m> {
    samples: Samples<'m>,
    gpu: &'m Gpu,
    until: AtomicUsize,
}

impl Data for Greedy<'_> {
    fn len(&self) -> usize {
        self.samples.len()
    }
    fn values(&self) -> usize {
        self.samples.values()
    }
    fn write(&self, index: usize, random: &mut Random, to: &mut [f32]) {
        if self.until.fetch_sub(1, Ordering::Relaxed) == 0 {
            drop(Memory::of(self.gpu, Of::F32, 1 << 50));
        }
        self.samples.write(index, random, to);
    }
    fn label(&self, index: usize) -> Option<u32> {
        self.samples.label(index)
    }
}

/// A run whose memory ends when batches have been asked for so often, beside one that ends with the last whole step.
fn compare_cut(recipe: &Recipe, batches: usize, whole: u64) {
    let shape = Shape {
        spectral: true,
        ..Shape::small(Kind::Mlp)
    };
    let (model, gpu) = (Model::new(shape).unwrap(), gpu());
    let places = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [cut, other] = [0, 1].map(|i| Folder::new(places[i].path()));
    let greedy = Greedy {
        samples: Samples(&model.shape),
        gpu: &gpu,
        until: AtomicUsize::new(batches * recipe.batch),
    };
    let failed = train((&cut, &model), (recipe, plan(9)), &greedy, Some(&gpu)).err();
    assert!(
        matches!(
            failed,
            Some(RunError::Device {
                fault: Fault::Memory { .. },
                ..
            })
        ),
        "{failed:?}"
    );
    assert_eq!(cut.steps(), [whole]);
    let left = Left {
        folder: &cut,
        model: &model,
        step: whole,
    };
    let other = learned_in_f16((&other, &model), recipe, &[whole]);
    assert_eq!(left.values(), other.values());
    assert_eq!(left.scales(), other.scales());
}

#[test]
#[ignore = "wants a GPU"]
fn memory_that_ends_in_the_middle_of_a_step_leaves_a_checkpoint_of_whole_ones() {
    let mut recipe = recipe();
    recipe.critic_steps = 3;
    // In the third of the critic's batches of step 3, and in the first, which turns what a norm is looked for with.
    compare_cut(&recipe, 8, 2);
    compare_cut(&recipe, 6, 2);
    recipe.alternate = Alternate::Epochs;
    // A round has two batches; the generator's are one to a step.
    compare_cut(&recipe, 4, 1);
    compare_cut(&recipe, 7, 3);
}

#[test]
#[ignore = "wants a GPU"]
fn both_networks_are_taught_where_their_first_scales_are_too_large() {
    let gpu = Gpu::open(0, Some(Numbers::F16)).expect("a device");
    let model = Model::new(Shape::small(Kind::Mlp)).unwrap();
    let mut recipe = recipe();
    recipe.objective.loss = Loss::Wasserstein;
    recipe.objective.gradient_penalty = 10.0;
    let samples = Samples(&model.shape);
    let feed = Feed::new(&samples, 3, Position::default());
    let mut learner = Learner::new(&model, &recipe, feed, Box::new(|_, _, _| None));
    let (mut weights, moments) = (
        model.initial_weights(7),
        adam::Moments::zeros(model.layout().len()),
    );
    let begin = weights.values().to_vec();
    weights.bring_to(&gpu);
    let mut there = Learning::of(&gpu, &moments, None);
    let first = Scale {
        factor: f64::from(1 << 24),
        good: 0,
        left_out: 0,
    };
    there.set_scales([first; 2]);
    let mut learned = Learned {
        weights,
        average: None,
        gradients: Vec::new(),
        moments,
        step: 0,
        there: Some(there),
    };
    let factors = |learned: &Learned| {
        let scales = learned.there.as_ref().and_then(Learning::scales).unwrap();
        scales.map(|scale| scale.factor)
    };
    let critic = model.of_critic();
    for step in 1..=20 {
        learned.step = step;
        learner.step(&mut learned, &plan(20)).unwrap();
        if step == 1 {
            assert_eq!(factors(&learned), [first.factor / 2.0; 2]);
            let there = &learned.weights.there().unwrap().values;
            assert_eq!(there.to_f32()[critic.clone()], begin[critic.clone()]);
        }
    }
    // Both have found one that fits, and learned with it.
    let after = learned.weights.there().unwrap().values.to_f32();
    let [generator, critic] = [model.of_generator(), critic].map(|part| {
        assert!(after[part.clone()].iter().all(|w| w.is_finite()));
        apart(&after[part.clone()], &begin[part])
    });
    assert!(generator > 1e-2 && critic > 1e-2, "{generator} {critic}");
    let good = learned.there.as_ref().and_then(Learning::scales).unwrap();
    assert!(good.iter().all(|scale| scale.good > 5), "{good:?}");
    let told = learner.told(&learned, 1.0);
    assert!(told.values().all(|value| value.is_finite()), "{told:?}");
}
