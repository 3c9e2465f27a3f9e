//! The whole model beside its formulas in f64, parameter by parameter, and beside PyTorch.

use super::config::{Config, PositionKind};
use super::model::Transformer;
use crate::nn::adam::{Adam, Moments};
use crate::nn::check;
use crate::nn::device::{Gpu, Numbers};
use crate::nn::dropout::Dropout;
use crate::nn::ops::cuda::learning::Learning;
use crate::nn::parameters::Weights;
use crate::nn::tape::Tape;
use crate::translate::architecture::Tied;
use crate::translate::batch::Batch;
use std::collections::HashMap;
use std::sync::Arc;

fn config(pre_norm: bool, positions: PositionKind, tied: Tied) -> Config {
    Config {
        source_vocabulary: 11,
        target_vocabulary: if tied == Tied::All { 11 } else { 9 },
        dim: 8,
        encoder_layers: 1,
        decoder_layers: 2,
        heads: 2,
        ffn: 12,
        pre_norm,
        positions,
        tied,
        max_positions: 6,
    }
}

fn batch() -> Batch {
    Batch::of([
        (&[5, 6, 7][..], &[4, 8][..]),
        (&[8], &[5, 4, 6, 3]),
        (&[9, 10, 4, 5], &[7]),
    ])
}

type Rows = Vec<Vec<f64>>;

/// The model in f64: its tensors by name, as rows.
struct Plain<'a> {
    config: &'a Config,
    tensors: HashMap<&'a str, Rows>,
}

impl<'a> Plain<'a> {
    fn new(model: &'a Transformer, values: &[f64]) -> Plain<'a> {
        let rows = |range: std::ops::Range<usize>, columns| {
            values[range].chunks(columns).map(<[f64]>::to_vec).collect()
        };
        let tensors = model
            .layout
            .entries()
            .map(|(name, p)| (name, rows(p.range(), p.columns)));
        Plain {
            config: &model.config,
            tensors: tensors.collect(),
        }
    }

    fn get(&self, name: &str) -> &Rows {
        &self.tensors[name]
    }

    fn linear(&self, name: &str, x: &Rows) -> Rows {
        let (w, b) = (
            self.get(&format!("{name}.weight")),
            &self.get(&format!("{name}.bias"))[0],
        );
        let row = |x: &Vec<f64>| w.iter().zip(b).map(|(w, b)| dot(w, x) + b).collect();
        x.iter().map(row).collect()
    }

    fn norm(&self, name: &str, x: &Rows) -> Rows {
        let (g, b) = (
            &self.get(&format!("{name}.weight"))[0],
            &self.get(&format!("{name}.bias"))[0],
        );
        let row = |x: &Vec<f64>| {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
            let hat = x.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt());
            hat.zip(g.iter().zip(b))
                .map(|(x, (g, b))| g * x + b)
                .collect()
        };
        x.iter().map(row).collect()
    }

    fn embed(&self, side: &str, ids: &[u32]) -> Rows {
        let table = match self.config.tied {
            Tied::All => self.get("source.weight"),
            _ => self.get(&format!("{side}.weight")),
        };
        let d = self.config.dim;
        let place = |t: usize, i: usize| match self.config.positions {
            PositionKind::Learned => self.get(&format!("{side}.positions"))[t][i],
            PositionKind::Sinusoidal => {
                let angle = t as f64 / 10_000f64.powf((i / 2 * 2) as f64 / d as f64);
                if i.is_multiple_of(2) {
                    angle.sin()
                } else {
                    angle.cos()
                }
            }
        };
        let row = |(t, id): (usize, &u32)| {
            (0..d)
                .map(|i| table[*id as usize][i] * (d as f64).sqrt() + place(t, i))
                .collect()
        };
        ids.iter().enumerate().map(row).collect()
    }

    fn attention(&self, q: &Rows, k: &[Vec<f64>], v: &[Vec<f64>], is_causal: bool) -> Rows {
        let size = self.config.dim / self.config.heads;
        let row = |(t, q): (usize, &Vec<f64>)| {
            let seen = if is_causal { t + 1 } else { k.len() };
            let head = |h: usize| {
                let part = h * size..(h + 1) * size;
                let scores = k[..seen]
                    .iter()
                    .map(|k| dot(&q[part.clone()], &k[part.clone()]) / (size as f64).sqrt());
                let p = softmax(&scores.collect::<Vec<_>>());
                part.map(|i| p.iter().zip(v).map(|(p, v)| p * v[i]).sum::<f64>())
                    .collect::<Vec<_>>()
            };
            (0..self.config.heads).flat_map(head).collect()
        };
        q.iter().enumerate().map(row).collect()
    }

    fn self_attention(&self, name: &str, x: &Rows, is_causal: bool) -> Rows {
        let qkv = self.linear(&format!("{name}.self_attention.qkv"), x);
        let part = |i: usize| -> Rows {
            qkv.iter()
                .map(|row| row[i * x[0].len()..][..x[0].len()].to_vec())
                .collect()
        };
        let mixed = self.attention(&part(0), &part(1), &part(2), is_causal);
        self.linear(&format!("{name}.self_attention.out"), &mixed)
    }

    fn cross_attention(&self, name: &str, x: &Rows, memory: &Rows) -> Rows {
        let q = self.linear(&format!("{name}.cross_attention.q"), x);
        let kv = self.linear(&format!("{name}.cross_attention.kv"), memory);
        let part = |i: usize| -> Rows {
            kv.iter()
                .map(|row| row[i * x[0].len()..][..x[0].len()].to_vec())
                .collect()
        };
        let mixed = self.attention(&q, &part(0), &part(1), false);
        self.linear(&format!("{name}.cross_attention.out"), &mixed)
    }

    fn feed_forward(&self, name: &str, x: &Rows) -> Rows {
        let mut inner = self.linear(&format!("{name}.feed_forward.inner"), x);
        inner.iter_mut().flatten().for_each(|v| *v = v.max(0.0));
        self.linear(&format!("{name}.feed_forward.outer"), &inner)
    }

    /// x + sublayer(x), normalised on its way in or out.
    fn residual(&self, norm: &str, x: &Rows, sublayer: impl Fn(&Rows) -> Rows) -> Rows {
        let add = |s: Rows| -> Rows {
            let row = |(x, s): (&Vec<f64>, Vec<f64>)| x.iter().zip(s).map(|(x, s)| x + s).collect();
            x.iter().zip(s).map(row).collect()
        };
        match self.config.pre_norm {
            true => add(sublayer(&self.norm(norm, x))),
            false => self.norm(norm, &add(sublayer(x))),
        }
    }

    fn last(&self, side: &str, x: Rows) -> Rows {
        if self.config.pre_norm {
            self.norm(&format!("{side}.norm"), &x)
        } else {
            x
        }
    }

    /// The smoothed loss of one pair.
    fn pair(&self, source: &[u32], target_in: &[u32], target_out: &[u32], smoothing: f64) -> f64 {
        let mut x = self.embed("source", source);
        for i in 0..self.config.encoder_layers {
            let name = format!("encoder.{i}");
            x = self.residual(&format!("{name}.self_attention.norm"), &x, |x| {
                self.self_attention(&name, x, false)
            });
            x = self.residual(&format!("{name}.feed_forward.norm"), &x, |x| {
                self.feed_forward(&name, x)
            });
        }
        let memory = self.last("encoder", x);
        let mut y = self.embed("target", target_in);
        for i in 0..self.config.decoder_layers {
            let name = format!("decoder.{i}");
            y = self.residual(&format!("{name}.self_attention.norm"), &y, |y| {
                self.self_attention(&name, y, true)
            });
            y = self.residual(&format!("{name}.cross_attention.norm"), &y, |y| {
                self.cross_attention(&name, y, &memory)
            });
            y = self.residual(&format!("{name}.feed_forward.norm"), &y, |y| {
                self.feed_forward(&name, y)
            });
        }
        let table = match self.config.tied {
            Tied::All => self.get("source.weight"),
            Tied::Target => self.get("target.weight"),
            Tied::None => self.get("output.weight"),
        };
        let one = |(h, target): (&Vec<f64>, &u32)| {
            let p = softmax(&table.iter().map(|w| dot(w, h)).collect::<Vec<_>>());
            let logs: Vec<f64> = p.iter().map(|p| p.ln()).collect();
            let mean = logs.iter().sum::<f64>() / logs.len() as f64;
            -(1.0 - smoothing) * logs[*target as usize] - smoothing * mean
        };
        self.last("decoder", y)
            .iter()
            .zip(target_out)
            .map(one)
            .sum()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let most = scores.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = scores.iter().map(|s| (s - most).exp()).sum();
    scores.iter().map(|s| (s - most).exp() / sum).collect()
}

/// The loss of the batch, the mean over target tokens.
fn exact(model: &Transformer, values: &[f64]) -> f64 {
    let (plain, batch) = (Plain::new(model, values), batch());
    let pairs = batch.source.sentences().zip(batch.target_in.sentences());
    let losses = pairs.map(|(s, t)| {
        plain.pair(
            &batch.source.ids[s],
            &batch.target_in.ids[t.clone()],
            &batch.target_out[t],
            0.1,
        )
    });
    losses.sum::<f64>() / batch.target_out.len() as f64
}

#[test]
fn every_parameter_has_the_gradient_of_the_formulas() {
    for (pre_norm, positions, tied) in [
        (false, PositionKind::Sinusoidal, Tied::All),
        (true, PositionKind::Learned, Tied::None),
        (true, PositionKind::Sinusoidal, Tied::Target),
    ] {
        let model = Transformer::new(config(pre_norm, positions, tied)).unwrap();
        let batch = batch();
        let weight = 1.0 / batch.target_out.len() as f32;
        // Sixty operations in a row, and gradients of queries a thousand times smaller than those of words.
        check::gradients_within(
            1e-3,
            &model.layout,
            |tape| {
                model.loss(tape, &batch, 0.1, weight);
            },
            |values| exact(&model, values),
        );
    }
}

/// Losses of ten updates, each before its update.
fn losses(model: &Transformer, mut weights: Weights, steps: usize) -> Vec<f64> {
    let (batch, mut moments) = (batch(), Moments::zeros(model.layout.len()));
    let mut gradients = vec![0.0; model.layout.len()];
    let mut found = Vec::new();
    for _ in 0..steps {
        let tape = Tape::recording(&weights, gradients, Dropout::none());
        let loss = model.loss(&tape, &batch, 0.1, 1.0 / batch.target_out.len() as f32);
        gradients = tape.backward();
        Adam::default().update(
            weights.values_mut(),
            &mut gradients,
            &mut moments,
            0.01,
            1.0,
        );
        found.push(loss.smoothed / loss.tokens as f64);
    }
    found
}

/// The same on a device.
fn losses_there(gpu: &Gpu, model: &Transformer, mut weights: Weights, steps: usize) -> Vec<f64> {
    let (batch, moments) = (batch(), Moments::zeros(model.layout.len()));
    weights.bring_to(gpu);
    let learning = Learning::of(gpu, &moments, None);
    let step = |updates| {
        let gradients = Arc::clone(&learning.gradients);
        let tape = Tape::recording_there(&weights, gradients, Dropout::none());
        let tape = tape.scaled(learning.scale(0));
        let loss = model.loss(&tape, &batch, 0.1, 1.0 / batch.target_out.len() as f32);
        tape.backward();
        learning.update(&weights, &Adam::default(), updates, (0.01, 0.0));
        let (smoothed, _) = weights.there().unwrap().take_losses();
        smoothed / loss.tokens as f64
    };
    let found = (1..=steps as u64).map(step).collect();
    gpu.check().unwrap();
    assert_eq!(learning.seen().diverged, None);
    found
}

/// PyTorch 2.15, from the same weights, w[i] = 0.8 sin(1.7 i + 0.4) in the order of the layout, `nmt_ref.py`'s
/// Transformer with V = 11, d = 8, 1 + 2 layers, 2 heads, ffn 12, no dropout; `benches/peers/losses.py` prints them.
#[test]
fn ten_losses_are_those_of_pytorch() {
    let model = Transformer::new(config(false, PositionKind::Sinusoidal, Tied::All)).unwrap();
    let found = losses(&model, check::weights(&model.layout, 0.4), 10);
    let expected: [f64; 10] = [
        3.3242680, 3.0315269, 2.7884146, 2.5920984, 2.4494030, 2.3602707, 2.3121143, 2.2879606,
        2.2745049, 2.2639172,
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 2e-5 * expected,
            "{found} {expected}"
        );
    }
    let Some(gpu) = check::gpu() else {
        return;
    };
    let found = losses_there(gpu, &model, check::weights(&model.layout, 0.4), 10);
    let tolerance = match gpu.numbers() {
        Numbers::F32 | Numbers::Tf32 => 2e-5,
        Numbers::F16 => 1e-3,
        Numbers::Bf16 => 0.01,
    };
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < tolerance * expected,
            "{found} {expected} on the device"
        );
    }
}

#[test]
fn a_model_learns_its_batch_by_heart() {
    let model = Transformer::new(config(true, PositionKind::Sinusoidal, Tied::All)).unwrap();
    let found = losses(&model, model.initial_weights(1), 150);
    // With smoothing 0.1 over 11 words the least loss is the entropy of q, 0.52.
    assert!(
        found[0] > 2.0 && found[149] < 0.56,
        "{} {}",
        found[0],
        found[149]
    );
}
