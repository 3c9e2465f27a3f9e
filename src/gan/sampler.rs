//! Samples of a trained generator: each from a seed of its own, the same in a batch of any size.
//!
//! ```text
//! z(seed)        standard normal numbers; with a truncation t each is drawn again until |z| ≤ t
//! between z, z'  z̄(s) = sin((1 − s) ω) / sin ω · z + sin(s ω) / sin ω · z',  cos ω = z · z' / ‖z‖ ‖z'‖
//! ```
//!
//! The choices of a row are drawn by their shares, as in training, by random numbers that z decides. Truncation: Brock et
//! al. 2019. On the way between two z the length stays near that of random ones (Shoemake 1985,
//! White 2016). Batch normalisation uses its running moments.

use super::layers::Pass;
use super::model::{Given, Model};
use crate::nn::device::{Fault, Gpu};
use crate::nn::ops::batch_norm::Source;
use crate::nn::ops::spans;
use crate::nn::parameters::Weights;
use crate::nn::tape::{Tape, Var};
use crate::random::Random;
use crate::text::hash;
use std::borrow::Cow;

/// Samples that are made together.
const BATCH: usize = 64;

/// The same on a device: always as many, so that its sums run in the same order for each.
const BATCH_THERE: usize = 256;

/// z of a seed.
pub fn noise(latent: usize, seed: u64, truncation: Option<f32>) -> Vec<f32> {
    let mut random = Random::new(seed, 0x7a5e_ed00);
    let mut draw = || loop {
        let z = random.normal();
        if truncation.is_none_or(|most| z.abs() <= most) {
            return z;
        }
    };
    (0..latent).map(|_| draw()).collect()
}

/// A place on the way from z to another, `share` from 0 to 1.
pub fn between(z: &[f32], other: &[f32], share: f32) -> Vec<f32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let cosine = dot(z, other) / (dot(z, z) * dot(other, other)).sqrt().max(1e-12);
    let angle = cosine.clamp(-1.0, 1.0).acos();
    let (from, to) = match angle.sin() {
        // Nearly the same direction, or the opposite one: a straight line.
        sine if sine < 1e-3 => (1.0 - share, share),
        sine => (
            ((1.0 - share) * angle).sin() / sine,
            (share * angle).sin() / sine,
        ),
    };
    z.iter()
        .zip(other)
        .map(|(z, o)| from * z + to * o)
        .collect()
}

/// Samples of z, one after the other, of what is given for each; computed where the weights are.
///
/// # Errors
/// When a device fails.
pub fn samples(
    model: &Model,
    weights: &Weights,
    z: &[Vec<f32>],
    given: &Given,
) -> Result<Vec<f32>, Fault> {
    let shape = &model.shape;
    let gpu = weights.there().map(|there| there.values.gpu());
    let size = gpu.map_or(BATCH, |_| BATCH_THERE);
    let mut made = Vec::with_capacity(z.len() * shape.values());
    for (i, batch) in z.chunks(size).enumerate() {
        let (first, rows) = (i * size, gpu.map_or(batch.len(), |_| size));
        // Nothing is given of what fills a device's batch up.
        let conditions = given.conditions.iter().chain(std::iter::repeat(&0.0));
        let conditions = conditions.skip(first * shape.condition);
        let part = Given {
            labels: (given.labels.iter())
                .skip(first)
                .take(batch.len())
                .copied()
                .collect(),
            conditions: conditions.take(rows * shape.condition).copied().collect(),
            ..Given::default()
        };
        let inputs = model.inputs(rows, &part, |i, to| match batch.get(i) {
            Some(z) => to.copy_from_slice(z),
            None => to.fill(0.0),
        });
        let tape = Tape::plain(weights);
        let (choices, ready) = model.outputs(&tape, inputs, Pass::plain(Source::Running), None);
        if shape.spans.is_empty() {
            made.extend(&values(&ready, gpu)?[..batch.len() * shape.values()]);
            continue;
        }
        let choices = values(&choices, gpu)?;
        for (row, z) in choices.chunks_exact(shape.values()).zip(batch) {
            // Of z alone, so that a row is the same in any batch.
            let bits = z.iter().map(|z| u64::from(z.to_bits()));
            let mut random = Random::new(bits.fold(0, hash::mix), 0x726f_7773);
            let first = made.len();
            made.extend_from_slice(row);
            spans::draw(&mut made[first..], &shape.spans, &mut random);
        }
    }
    Ok(made)
}

/// The values, wherever they are.
fn values<'v>(of: &'v Var, gpu: Option<&Gpu>) -> Result<Cow<'v, [f32]>, Fault> {
    let Some(gpu) = gpu else {
        return Ok(of.values().into());
    };
    let found = of.memory().to_f32();
    gpu.check()?;
    Ok(found.into())
}

#[cfg(test)]
mod tests {
    use super::super::shape::{Kind as Network, Shape};
    use super::*;
    use crate::nn::check;
    use crate::nn::device::Kind;

    #[test]
    fn a_sample_is_the_same_in_any_batch() {
        check_batches(None);
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn a_sample_is_the_same_in_any_batch_on_a_device() {
        check_batches(check::gpu());
    }

    fn check_batches(gpu: Option<&Gpu>) {
        for network in [Network::Mlp, Network::Dcgan, Network::Resnet] {
            let model = Model::new(Shape {
                channels: 1,
                latent: 5,
                generator: vec![4],
                classes: 2,
                ..Shape::small(network)
            })
            .unwrap();
            let mut weights = model.initial_weights(1);
            if let Some(gpu) = gpu {
                weights.bring_to(gpu);
            }
            let z: Vec<_> = (0..270).map(|seed| noise(5, seed, None)).collect();
            let given = |classes: &mut dyn Iterator<Item = u32>| Given {
                labels: classes.collect(),
                ..Given::default()
            };
            let all = samples(&model, &weights, &z, &given(&mut (0..270).map(|i| i % 2))).unwrap();
            for i in [0, 1, 63, 64, 255, 256, 269] {
                let class = i as u32 % 2;
                let one = given(&mut std::iter::once(class));
                let one = samples(&model, &weights, &z[i..=i], &one).unwrap();
                assert_eq!(one, all[i * 64..(i + 1) * 64], "{network:?} {i}");
            }
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn samples_of_a_device_are_those_of_the_host() {
        let gpu = check::gpu().expect("WORDMILL_TEST_GPU is set");
        for network in [Network::Mlp, Network::Dcgan, Network::Resnet] {
            let model = Model::new(Shape {
                latent: 5,
                generator: vec![4],
                ..Shape::small(network)
            });
            let model = model.unwrap();
            let mut weights = model.initial_weights(1);
            let z: Vec<_> = (0..20).map(|seed| noise(5, seed, None)).collect();
            let host = samples(&model, &weights, &z, &Given::default()).unwrap();
            weights.bring_to(gpu);
            let device = samples(&model, &weights, &z, &Given::default()).unwrap();
            let most = match gpu.kind() {
                Kind::F32 => 1e-4,
                _ => 0.03,
            };
            let apart = check::apart(&device, &host);
            assert!(apart < most, "{network:?}: {apart}");
        }
    }

    #[test]
    fn truncated_noise_stays_within_its_bound() {
        let z = noise(1000, 3, Some(0.5));
        assert!(z.iter().all(|z| z.abs() <= 0.5));
        assert!(z.iter().any(|z| z.abs() > 0.4));
        assert_eq!(noise(10, 3, None), noise(20, 3, None)[..10]);
    }

    #[test]
    fn the_way_between_two_begins_and_ends_at_them_and_keeps_their_length() {
        let (a, b) = ([3.0, 0.0], [0.0, 3.0]);
        let close = |found: Vec<f32>, x: f32, y: f32| {
            assert!(
                (found[0] - x).abs() < 1e-5 && (found[1] - y).abs() < 1e-5,
                "{found:?}"
            );
        };
        close(between(&a, &b, 0.0), 3.0, 0.0);
        close(between(&a, &b, 1.0), 0.0, 3.0);
        let half = 3.0 * std::f32::consts::FRAC_1_SQRT_2;
        close(between(&a, &b, 0.5), half, half);
        close(between(&a, &a, 0.3), 3.0, 0.0);
    }
}
