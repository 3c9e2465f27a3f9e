//! Images a second of a critic's step and a generator's step, as `gan_ref.py bench` counts them.
//!
//! ```text
//! gan ARCHITECTURE LOSS [SECONDS=8] [BATCH=64]      dcgan32 dcgan28 mlp · ns wgan-gp r3
//! ```
//!
//! With `--features cuda`, WORDMILL_DEVICE=cuda computes on the first GPU (`device.rs`).

mod device;

use device::gpu;
use std::time::Instant;
use wordmill::gan::losses::Loss;
use wordmill::gan::model::{Given, Model};
use wordmill::gan::shape::{CriticNorm, Kind, Shape};
use wordmill::gan::step::{Objective, Reals, Step};
use wordmill::gan::there;
use wordmill::nn::adam::{self, Adam};
use wordmill::nn::device::Gpu;
use wordmill::nn::ops::batch_norm::Moments;
use wordmill::nn::ops::cuda::learning::Learning;
use wordmill::random::Random;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let [network, loss, rest @ ..] = &args[..] else {
        return println!("usage: gan ARCHITECTURE LOSS [SECONDS] [BATCH]");
    };
    let number = |i: usize, default: f64| {
        rest.get(i)
            .map_or(default, |text| text.parse().expect("a number"))
    };
    let (seconds, batch) = (number(0, 8.0), number(1, 64.0) as usize);
    let penalised = loss != "ns";
    let (network, side, generator, critic) = match network.as_str() {
        "dcgan32" => (Kind::Dcgan, 32, vec![64], vec![64]),
        "dcgan28" => (Kind::Dcgan, 28, vec![64], vec![64]),
        _ => (Kind::Mlp, 28, vec![128, 256, 512, 1024], vec![512, 256]),
    };
    let shape = Shape {
        network,
        height: side,
        width: side,
        channels: 1,
        latent: 100,
        codes: 0,
        generator,
        critic,
        classes: 0,
        critic_norm: match penalised {
            true => CriticNorm::None,
            false => CriticNorm::Batch,
        },
        spectral: false,
        pack: 1,
        is_bounded: true,
        spans: Vec::new(),
        condition: 0,
    };
    let model = Model::new(shape).expect("a shape");
    let objective = Objective {
        loss: match loss.as_str() {
            "ns" => Loss::NonSaturating,
            "wgan-gp" => Loss::Wasserstein,
            _ => Loss::Relativistic,
        },
        gradient_penalty: if loss == "wgan-gp" { 10.0 } else { 0.0 },
        r1: if loss == "r3" { 1.0 } else { 0.0 },
        r2: if loss == "r3" { 1.0 } else { 0.0 },
        augment: Default::default(),
    };
    let step = Step {
        model: &model,
        objective: &objective,
        part: None,
    };
    let mut random = Random::new(1, 0);
    let reals = Reals {
        values: (0..batch * side * side)
            .map(|_| 2.0 * random.unit() - 1.0)
            .collect(),
        given: Given::default(),
    };
    let mut weights = model.initial_weights(1);
    let len = model.layout().len();
    let (mut first, mut second, mut gradients) = (vec![0.0; len], vec![0.0; len], vec![0.0; len]);
    let adam = Adam {
        beta1: 0.5,
        beta2: 0.999,
        epsilon: 1e-8,
        decay: 0.0,
    };
    if let Some(gpu) = gpu() {
        return on_device(&gpu, &model, &objective, (&reals, &adam), seconds);
    }
    let (mut times, start, mut updates) = (Vec::new(), Instant::now(), 0);
    rayon::scope(|_| {
        while start.elapsed().as_secs_f64() < seconds || times.len() < 5 {
            let begin = Instant::now();
            updates += 1;
            let mut update = |weights: &mut wordmill::nn::parameters::Weights,
                              gradients: &mut Vec<f32>,
                              range: std::ops::Range<usize>| {
                let moments = (&mut first[range.clone()], &mut second[range.clone()]);
                let values = weights.part_mut(range.clone());
                adam.update_part(values, &mut gradients[range], moments, updates, (2e-4, 1.0));
            };
            let (found, _) = step.critic(
                &weights,
                std::mem::take(&mut gradients),
                &reals,
                &mut random,
            );
            gradients = found;
            update(&mut weights, &mut gradients, model.of_critic());
            let moments = Moments::default();
            let (found, _) = step.generator(
                &weights,
                std::mem::take(&mut gradients),
                &reals,
                (&mut random, &moments),
            );
            gradients = found;
            update(&mut weights, &mut gradients, model.of_generator());
            moments.update(&mut weights);
            times.push(begin.elapsed().as_secs_f64());
        }
    });
    times.drain(..times.len().min(3));
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!(
        "{} steps, median {:.2} ms, best {:.2} ms, {:.1} images/s",
        times.len(),
        median * 1e3,
        times[0] * 1e3,
        batch as f64 / median
    );
}

/// The same on a GPU: steps are asked for a hundred at a time, and waited for together.
fn on_device(
    gpu: &Gpu,
    model: &Model,
    objective: &Objective,
    (reals, adam): (&Reals, &Adam),
    seconds: f64,
) {
    const TOGETHER: u64 = 100;
    let mut weights = model.initial_weights(1);
    weights.bring_to(gpu);
    let moments = adam::Moments::zeros(model.layout().len());
    let learning = Learning::of(gpu, &moments, None);
    let place = there::Place::new(gpu, model);
    let mut random = Random::new(1, 0);
    let (mut updates, mut best, start) = (0, f64::MAX, Instant::now());
    while start.elapsed().as_secs_f64() < seconds || updates < 3 * TOGETHER {
        let begin = Instant::now();
        for _ in 0..TOGETHER {
            updates += 1;
            let step = there::Step {
                host: Step {
                    model,
                    objective,
                    part: None,
                },
                gradients: &learning.gradients,
                place: &place,
                scales: [0, 1].map(|which| learning.scale(which)),
            };
            let update = |which: usize, part: std::ops::Range<usize>| {
                let count = (updates, updates);
                learning.update_part(&weights, adam, (which, part), count, (2e-4, 0.0));
            };
            step.critic(&weights, reals, &mut random);
            update(1, model.of_critic());
            let seen = Moments::default();
            step.generator(&weights, reals, (&mut random, &seen));
            update(0, model.of_generator());
            seen.update(&mut weights);
        }
        gpu.wait().expect("a GPU that works");
        best = best.min(begin.elapsed().as_secs_f64() / TOGETHER as f64);
    }
    let batch = reals.values.len() / model.shape.values();
    println!(
        "{updates} steps in {:?}, best hundred {:.2} ms each, {:.1} images/s, {} MiB held",
        gpu.numbers(),
        best * 1e3,
        batch as f64 / best,
        gpu.held() >> 20
    );
}
