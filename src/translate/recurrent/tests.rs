//! The whole model beside its formulas in f64, parameter by parameter, and the model at work beside its tape.

use super::config::{Attention, Config};
use super::decode::Decoder;
use super::model::Recurrent;
use crate::nn::adam::{Adam, Moments};
use crate::nn::check;
use crate::nn::dense::Precision;
use crate::nn::dropout::Dropout;
use crate::nn::ops::cell::{Cell, Kind};
use crate::nn::ops::linear::Linear;
use crate::nn::ops::norm::Norm;
use crate::nn::ops::recurrent::tests::{affine, one_step};
use crate::nn::parameters::{Parameter, Weights};
use crate::nn::tape::Tape;
use crate::translate::architecture::Tied;
use crate::translate::batch::Batch;
use crate::translate::decode::Model;
use crate::translate::decode::check::{self as decode, options, tasks};
use crate::translate::decode::stream::{Load, translate};

fn config(cell: Kind, attention: Attention) -> Config {
    Config {
        source_vocabulary: 11,
        target_vocabulary: 11,
        embedding: 5,
        dim: 6,
        layers: 1,
        cell,
        attention,
        input_feeding: false,
        layer_norm: false,
        tied: Tied::All,
        recurrent_dropout: 0.0,
        scheduled_sampling: 0.0,
        max_positions: 40,
    }
}

/// One of everything.
fn configs() -> Vec<Config> {
    let (lstm, gru) = (Kind::Lstm, Kind::Gru);
    vec![
        config(lstm, Attention::General),
        Config {
            layers: 2,
            ..config(gru, Attention::Dot)
        },
        Config {
            tied: Tied::None,
            target_vocabulary: 9,
            ..config(lstm, Attention::None)
        },
        Config {
            layer_norm: true,
            layers: 2,
            ..config(gru, Attention::Additive)
        },
        Config {
            input_feeding: true,
            layers: 2,
            ..config(lstm, Attention::Additive)
        },
        Config {
            input_feeding: true,
            tied: Tied::Target,
            layer_norm: true,
            ..config(gru, Attention::General)
        },
    ]
}

fn batch() -> Batch {
    Batch::of([
        (&[5, 6, 7][..], &[4, 8][..]),
        (&[8], &[5, 4, 6, 3]),
        (&[4, 10, 4, 5], &[7]),
    ])
}

/// The model in f64.
struct Plain<'a> {
    model: &'a Recurrent,
    values: &'a [f64],
}

impl Plain<'_> {
    fn of(&self, p: Parameter) -> &[f64] {
        &self.values[p.range()]
    }

    fn linear(&self, layer: Linear, x: &[f64]) -> Vec<f64> {
        affine(self.of(layer.weight), x, self.of(layer.bias))
    }

    fn norm(&self, norm: Option<Norm>, x: Vec<f64>) -> Vec<f64> {
        let Some(norm) = norm else { return x };
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let hat = x.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt());
        let both = self.of(norm.scale).iter().zip(self.of(norm.shift));
        hat.zip(both).map(|(x, (g, b))| g * x + b).collect()
    }

    fn row(&self, table: Parameter, id: u32) -> Vec<f64> {
        let d = table.columns;
        self.of(table)[id as usize * d..(id as usize + 1) * d].to_vec()
    }

    fn step(&self, cell: &Cell, x: &[f64], h: &mut Vec<f64>, c: &mut Vec<f64>) {
        let (x, u) = (self.linear(cell.input, x), self.linear(cell.state, h));
        (*h, *c) = one_step(cell.kind, &x, &u, h, c);
    }

    /// States of a layer of the encoder, in the order of the sentence.
    fn read(&self, cell: &Cell, x: &[Vec<f64>], is_backward: bool) -> Vec<Vec<f64>> {
        let (mut h, mut c) = (vec![0.0; cell.dim()], vec![0.0; cell.dim()]);
        let mut order: Vec<usize> = (0..x.len()).collect();
        if is_backward {
            order.reverse();
        }
        let mut states = vec![Vec::new(); x.len()];
        for i in order {
            self.step(cell, &x[i], &mut h, &mut c);
            states[i].clone_from(&h);
        }
        states
    }

    /// What is known of the source after the state `h`.
    fn context(&self, h: &[f64], memory: &[Vec<f64>]) -> Vec<f64> {
        let model = self.model;
        let q = model
            .query
            .map_or(h.to_vec(), |query| self.linear(query, h));
        let score = |row: &Vec<f64>| match (model.keys, model.v) {
            (Some(keys), Some(v)) => {
                let sums = self.linear(keys, row).into_iter().zip(&q);
                let parts = sums.zip(self.of(v)).map(|((k, q), v)| v * (k + q).tanh());
                parts.sum::<f64>()
            }
            _ => dot(row, &q),
        };
        let p = softmax(&memory.iter().map(score).collect::<Vec<_>>());
        let mean = |i: usize| p.iter().zip(memory).map(|(p, row)| p * row[i]).sum();
        (0..memory[0].len()).map(mean).collect()
    }

    /// The smoothed loss of one pair.
    fn pair(&self, source: &[u32], target_in: &[u32], target_out: &[u32], smoothing: f64) -> f64 {
        let model = self.model;
        let norms = model.norms.as_ref();
        let embed = |table, norm: Option<Norm>, ids: &[u32]| -> Vec<Vec<f64>> {
            let rows = ids.iter().map(|id| self.row(table, *id));
            rows.map(|row| self.norm(norm, row)).collect()
        };
        let mut x = embed(model.source.table, norms.map(|n| n.source), source);
        let mut first = Vec::new();
        for (l, [forward, backward]) in model.encoder.iter().enumerate() {
            let (there, back) = (self.read(forward, &x, false), self.read(backward, &x, true));
            let ends = [&there[x.len() - 1][..], &back[0]].concat();
            let state = self.linear(model.bridge, &ends);
            first.push(state.iter().map(|v| v.tanh()).collect::<Vec<f64>>());
            let both = there.iter().zip(&back).map(|(a, b)| [&a[..], b].concat());
            let norm = norms.map(|n| n.encoder[l]);
            x = both.map(|row| self.norm(norm, row)).collect();
        }
        let (memory, d) = (x, model.config.dim);
        let (mut h, mut c) = (first.clone(), vec![vec![0.0; d]; first.len()]);
        let mut context = vec![0.0; d];
        let mut loss = 0.0;
        let inputs = embed(model.target.table, norms.map(|n| n.target), target_in);
        for (mut x, target) in inputs.into_iter().zip(target_out) {
            for (l, cell) in model.decoder.iter().enumerate() {
                let mut gates = self.linear(cell.input, &x);
                if let Some(feed) = model.feed.filter(|_| l == 0) {
                    let none = vec![0.0; gates.len()];
                    let fed = affine(self.of(feed), &context, &none);
                    gates.iter_mut().zip(fed).for_each(|(x, f)| *x += f);
                }
                let u = self.linear(cell.state, &h[l]);
                (h[l], c[l]) = one_step(cell.kind, &gates, &u, &h[l], &c[l]);
                x.clone_from(&h[l]);
            }
            let mut both = self.norm(norms.map(|n| n.decoder), x.clone());
            if model.config.attention != Attention::None {
                context = self.context(&x, &memory);
                both.extend_from_slice(&context);
            }
            let top: Vec<f64> = (self.linear(model.combine, &both).iter())
                .map(|v| v.tanh())
                .collect();
            let table = self.of(model.output).chunks(model.output.columns);
            let p = softmax(&table.map(|w| dot(w, &top)).collect::<Vec<_>>());
            let logs: Vec<f64> = p.iter().map(|p| p.ln()).collect();
            let mean = logs.iter().sum::<f64>() / logs.len() as f64;
            loss -= (1.0 - smoothing) * logs[*target as usize] + smoothing * mean;
        }
        loss
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
fn exact(model: &Recurrent, values: &[f64]) -> f64 {
    let (plain, batch) = (Plain { model, values }, batch());
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
    for config in configs() {
        let model = Recurrent::new(config).expect("a shape");
        let batch = batch();
        let weight = 1.0 / batch.target_out.len() as f32;
        let pass = |tape: &Tape| {
            model.loss(tape, &batch, 0.1, weight);
        };
        let exact = |values: &[f64]| exact(&model, values);
        check::gradients_within(1e-3, &model.layout, pass, exact);
    }
}

/// Losses of updates, each before its update.
fn losses(model: &Recurrent, mut weights: Weights, steps: usize) -> Vec<f64> {
    let (batch, mut moments) = (batch(), Moments::zeros(model.layout.len()));
    let mut gradients = vec![0.0; model.layout.len()];
    let mut found = Vec::new();
    for _ in 0..steps {
        let tape = Tape::recording(&weights, gradients, Dropout::none());
        let loss = model.loss(&tape, &batch, 0.1, 1.0 / batch.target_out.len() as f32);
        gradients = tape.backward();
        let values = weights.values_mut();
        Adam::default().update(values, &mut gradients, &mut moments, 0.01, 1.0);
        found.push(loss.smoothed / loss.tokens as f64);
    }
    found
}

/// PyTorch 2.15, from the same weights, w[i] = 0.8 sin(1.7 i + 0.4) in the order of the layout, `nmt_ref.py`'s RNN with
/// V = 11, d = 6, embeddings of 5, no dropout; `benches/peers/losses.py` prints them.
#[test]
fn ten_losses_are_those_of_pytorch() {
    let fed = Config {
        input_feeding: true,
        ..config(Kind::Lstm, Attention::Additive)
    };
    for (config, expected) in [
        (
            config(Kind::Lstm, Attention::General),
            [
                3.4207359, 3.2661560, 3.1185553, 2.9821053, 2.8592215, 2.7505980, 2.6558710,
                2.5742310, 2.5047102, 2.4462503,
            ],
        ),
        (
            fed,
            [
                3.4338413, 3.2670498, 3.1099743, 2.9669519, 2.8405809, 2.7314493, 2.6388517,
                2.5613810, 2.4971935, 2.4442017,
            ],
        ),
    ] {
        let model = Recurrent::new(config).expect("a shape");
        let found = losses(&model, check::weights(&model.layout, 0.4), 10);
        for (found, expected) in found.iter().zip(expected) {
            let expected: f64 = expected;
            assert!(
                (found - expected).abs() < 2e-5 * expected,
                "{found} {expected}"
            );
        }
    }
}

#[test]
fn a_model_learns_its_batch_by_heart() {
    for config in configs() {
        let model = Recurrent::new(config).expect("a shape");
        let found = losses(&model, model.initial_weights(1), 600);
        // With smoothing 0.1 over 9 or 11 words the least loss is the entropy of q, 0.50 and 0.52.
        assert!(found[0] > 2.0, "{}", found[0]);
        assert!(found[599] < 0.6, "{:?}: {}", model.config, found[599]);
    }
}

#[test]
fn guessed_words_are_learned_from_too() {
    let model = Recurrent::new(Config {
        scheduled_sampling: 0.5,
        ..config(Kind::Lstm, Attention::General)
    })
    .expect("a shape");
    let found = losses(&model, model.initial_weights(1), 400);
    assert!(found[399] < 0.6, "{}", found[399]);
    let plain = Recurrent::new(config(Kind::Lstm, Attention::General)).expect("a shape");
    assert_ne!(found[1], losses(&plain, plain.initial_weights(1), 2)[1]);
}

#[test]
fn a_given_translation_has_the_score_that_the_tape_gives_it() {
    for config in configs() {
        let model = Recurrent::new(config).expect("a shape");
        let weights = check::weights(&model.layout, 0.4);
        decode::score(&model, &weights, &tasks(20, 11), &[7, 8, 5, 4]);
    }
}

#[test]
fn a_translation_depends_neither_on_its_company_nor_on_threads() {
    for config in configs() {
        let model = Recurrent::new(config).expect("a shape");
        let weights = check::weights(&model.layout, 0.4);
        decode::company(&model, &weights, &tasks(20, 11), &[options(1), options(3)]);
    }
}

#[test]
fn what_words_attended_to_sums_to_one() {
    let model = Recurrent::new(config(Kind::Gru, Attention::Additive)).expect("a shape");
    let weights = check::weights(&model.layout, 0.4);
    let maps = Decoder::new(&model, &weights, Precision::Single).maps(&[5, 6], &[7, 8, 4]);
    assert_eq!((maps.source, maps.target), (3, 4));
    for t in 0..4 {
        let sum: f32 = (0..3).map(|s| maps.weight((0, 0), t, s)).sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }
}

#[test]
fn one_thread_gives_the_bytes_of_two() {
    for config in configs() {
        let model = Recurrent::new(Config {
            recurrent_dropout: 0.2,
            ..config
        })
        .expect("a shape");
        let weights = model.initial_weights(2);
        let source: Vec<u32> = (0..9).map(|i| 3 + i % 6).collect();
        let pairs: Vec<_> = (0..70)
            .map(|i| (&source[..1 + i % 9], &source[i % 5..]))
            .collect();
        let batch = Batch::of(pairs);
        let pass = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("a pool").install(|| {
                let dropout = Dropout { rate: 0.1, seed: 1 };
                let tape = Tape::recording(&weights, vec![0.0; model.layout.len()], dropout);
                (model.loss(&tape, &batch, 0.1, 0.01), tape.backward())
            })
        };
        assert!(pass(1) == pass(2));
    }
}

#[test]
fn many_threads_that_want_the_same_matrix_do_not_wait_for_one_another() {
    // Matrices so large that they are packed on all threads, and more tasks than threads.
    let model = Recurrent::new(Config {
        embedding: 64,
        dim: 256,
        input_feeding: true,
        layers: 2,
        ..config(Kind::Lstm, Attention::Additive)
    })
    .expect("a shape");
    let source = [5, 6, 7, 8];
    let pairs: Vec<_> = (0..200)
        .map(|i| (&source[..1 + i % 4], &source[..]))
        .collect();
    let batch = Batch::of(pairs);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build();
    pool.expect("a pool").install(|| {
        for seed in 0..3 {
            let weights = model.initial_weights(seed);
            let tape = Tape::recording(&weights, vec![0.0; model.layout.len()], Dropout::none());
            let loss = model.loss(&tape, &batch, 0.1, 0.01);
            assert!(loss.smoothed.is_finite());
            assert!(tape.backward().iter().all(|g| g.is_finite()));
            let decoder = [Decoder::new(&model, &weights, Precision::Single)];
            let how = (8, Load::of_beam(1));
            assert_eq!(
                translate(&decoder, &tasks(20, 11), &options(1), how).len(),
                20
            );
        }
    });
}
