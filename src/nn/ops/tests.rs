//! Every operation beside its formula in f64: values, and gradients by central differences.

mod attention;

use super::activation::Activation;
use super::attention::{Spans, self_attention};
use super::embedding::{Embedding, Positions};
use super::linear::Linear;
use super::norm::Norm;
use super::projection::{best, loss};
use super::rows::{beside, pick};
use crate::nn::check::{
    apart, gpu, gradients, on_both, random_weights, rounding, seed, weighed, weights,
};
use crate::nn::dropout::Dropout;
use crate::nn::parameters::{Layout, Parameter};
use crate::nn::tape::Tape;
use std::sync::Arc;

/// x · wᵀ + b
fn linear(x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let inputs = w.len() / b.len();
    let row = |x: &[f64]| -> Vec<f64> {
        let dots = w
            .chunks(inputs)
            .map(|w| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>());
        dots.zip(b).map(|(dot, b)| dot + b).collect()
    };
    x.chunks(inputs).flat_map(row).collect()
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let most = scores.iter().copied().fold(f64::MIN, f64::max);
    let powers: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|p| p / sum).collect()
}

fn of(values: &[f64], p: Parameter) -> &[f64] {
    &values[p.range()]
}

#[test]
fn linear_layers_have_the_gradients_of_their_formula() {
    for (rows, inputs, outputs, activation) in [
        (1, 1, 1, Activation::Identity),
        (5, 7, 3, Activation::Relu),
        (70, 33, 40, Activation::Identity),
        // No sum is so near to 0 that a rounding would take it across.
        (122, 7, 69, Activation::Relu),
        (70, 9, 20, Activation::Tanh),
        (5, 7, 9, Activation::Leaky),
        // Packs of a device.
        (6, 8, 16, Activation::Leaky),
        (40, 16, 24, Activation::Tanh),
    ] {
        let mut layout = Layout::default();
        let x = layout.matrix("x", rows, inputs);
        let layer = Linear::new(&mut layout, "layer", inputs, outputs);
        gradients(
            &layout,
            |tape| {
                seed(
                    tape,
                    &layer.forward(tape, &tape.parameter(x), activation, None),
                )
            },
            |v| {
                let mut y = linear(of(v, x), of(v, layer.weight), of(v, layer.bias));
                match activation {
                    Activation::Identity => {}
                    Activation::Relu => y.iter_mut().for_each(|y| *y = y.max(0.0)),
                    Activation::Leaky => y.iter_mut().for_each(|y| *y = y.max(0.2 * *y)),
                    Activation::Tanh => y.iter_mut().for_each(|y| *y = y.tanh()),
                }
                weighed(&y)
            },
        );
    }
}

/// γ ∘ (z − μ) / σ + β of each row.
fn normalised(z: &[f64], scale: &[f64], shift: &[f64]) -> Vec<f64> {
    let row = |z: &[f64]| -> Vec<f64> {
        let mean = z.iter().sum::<f64>() / z.len() as f64;
        let variance = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / z.len() as f64;
        let hat = z.iter().map(|z| (z - mean) / (variance + 1e-5).sqrt());
        hat.zip(scale.iter().zip(shift))
            .map(|(hat, (g, b))| hat * g + b)
            .collect()
    };
    z.chunks(scale.len()).flat_map(row).collect()
}

#[test]
fn norms_have_the_gradients_of_their_formula() {
    // The last two are in several packs of a device, and in too many.
    for (rows, d) in [(1, 4), (3, 17), (130, 8), (65, 48), (3, 264), (1, 1032)] {
        let mut layout = Layout::default();
        let (x, s) = (layout.matrix("x", rows, d), layout.matrix("s", rows, d));
        let norm = Norm::new(&mut layout, "norm", d);
        let parts = |v: &[f64]| {
            let z: Vec<f64> = of(v, x).iter().zip(of(v, s)).map(|(x, s)| x + s).collect();
            let y = normalised(&z, of(v, norm.scale), of(v, norm.shift));
            (weighed(&z), weighed(&y))
        };
        gradients(
            &layout,
            |tape| {
                let (x, s) = (tape.parameter(x), tape.parameter(s));
                seed(tape, &norm.forward_residual(tape, &x, &s, None).1);
            },
            |v| parts(v).1,
        );
        // A pre-norm model goes on from the sum, too.
        gradients(
            &layout,
            |tape| {
                let (x, s) = (tape.parameter(x), tape.parameter(s));
                let (z, y) = norm.forward_residual(tape, &x, &s, None);
                seed(tape, &z);
                seed(tape, &y);
            },
            |v| parts(v).0 + parts(v).1,
        );
    }
}

#[test]
fn a_norm_without_a_sublayer_has_the_gradients_of_its_formula() {
    let mut layout = Layout::default();
    let x = layout.matrix("x", 70, 24);
    let norm = Norm::new(&mut layout, "norm", 24);
    gradients(
        &layout,
        |tape| seed(tape, &norm.forward(tape, &tape.parameter(x))),
        |v| weighed(&normalised(of(v, x), of(v, norm.scale), of(v, norm.shift))),
    );
}

#[test]
fn rows_beside_one_another_and_picked_ones_have_their_gradients() {
    let mut layout = Layout::default();
    let (a, b) = (layout.matrix("a", 70, 3), layout.matrix("b", 70, 2));
    let picks = vec![69, 0, 5, 5];
    gradients(
        &layout,
        |tape| {
            let both = beside(tape, &tape.parameter(a), &tape.parameter(b));
            seed(tape, &pick(tape, &both, picks.clone()));
            seed(tape, &both);
        },
        |v| {
            let rows = of(v, a).chunks(3).zip(of(v, b).chunks(2));
            let both: Vec<f64> = rows.flat_map(|(a, b)| [a, b].concat()).collect();
            let picked: Vec<f64> = (picks.iter())
                .flat_map(|row| both[row * 5..(row + 1) * 5].to_vec())
                .collect();
            weighed(&both) + weighed(&picked)
        },
    );
}

#[test]
fn embeddings_have_the_gradients_of_their_formula() {
    let d = 40;
    let mut layout = Layout::default();
    let (table, places) = (layout.matrix("table", 6, d), layout.matrix("places", 4, d));
    let (rare, positions) = ([2, 5, 2, 0, 1, 3, 4], [0, 1, 2, 3].repeat(5));
    let ids = [&rare[..], &[2; 13]].concat();
    let layer = Embedding {
        table,
        positions: Positions::Learned(places),
    };
    gradients(
        &layout,
        |tape| seed(tape, &layer.forward(tape, &ids, &positions, None)),
        |v| {
            let row = |values: &[f64], i: u32| values[i as usize * d..][..d].to_vec();
            let rows = ids.iter().zip(&positions).flat_map(|(id, position)| {
                let both = row(of(v, table), *id)
                    .into_iter()
                    .zip(row(of(v, places), *position));
                both.map(|(e, p)| (d as f64).sqrt() * e + p)
                    .collect::<Vec<_>>()
            });
            weighed(&rows.collect::<Vec<_>>())
        },
    );
}

#[test]
fn sinusoids_are_those_of_the_paper() {
    let Positions::Sinusoids(table) = Positions::sinusoids(50, 6) else {
        panic!("sinusoids")
    };
    // Position 7, d = 6: sin(7), cos(7), sin(7 / 10000^(2/6)), cos(…), sin(7 / 10000^(4/6)), cos(…).
    let angles = [
        7.0,
        7.0 / 10_000f64.powf(1.0 / 3.0),
        7.0 / 10_000f64.powf(2.0 / 3.0),
    ];
    let exact: Vec<f32> = angles
        .iter()
        .flat_map(|a| [a.sin() as f32, a.cos() as f32])
        .collect();
    assert_eq!(table[42..48], exact);
}

#[test]
fn the_smoothed_loss_has_the_gradients_of_its_formula() {
    for (rows, words, smoothing) in [(1, 2, 0.0), (5, 37, 0.1), (300, 9, 0.1)] {
        let d = 6;
        let mut layout = Layout::default();
        let (h, table) = (
            layout.matrix("h", rows, d),
            layout.matrix("table", words, d),
        );
        let targets: Vec<u32> = (0..rows).map(|i| (i * 5 % words) as u32).collect();
        let exact = |v: &[f64]| {
            let logits = linear(of(v, h), of(v, table), &vec![0.0; words]);
            let one = |(l, target): (&[f64], &u32)| {
                let p: Vec<f64> = softmax(l).iter().map(|p| p.ln()).collect();
                let mean = p.iter().sum::<f64>() / words as f64;
                -(1.0 - smoothing) * p[*target as usize] - smoothing * mean
            };
            logits.chunks(words).zip(&targets).map(one).sum::<f64>()
        };
        gradients(
            &layout,
            |tape| {
                let h = tape.parameter(h);
                loss(tape, &h, table, &targets, smoothing as f32, 1.0);
            },
            exact,
        );
        let weights = weights(&layout, 0.4);
        let tape = Tape::plain(&weights);
        let found = loss(
            &tape,
            &tape.parameter(h),
            table,
            &targets,
            smoothing as f32,
            1.0,
        );
        let values: Vec<f64> = weights.values().iter().map(|w| f64::from(*w)).collect();
        assert!((found.smoothed / exact(&values) - 1.0).abs() < 1e-6);
        assert_eq!(found.tokens, rows);
    }
}

#[test]
fn rows_have_the_first_word_of_their_highest_logit() {
    // Words are told apart by whole numbers that bf16 has; every 251st is the same. More than a block has threads.
    let (words, d) = (600, 2);
    let mut layout = Layout::default();
    let (h, table) = (layout.matrix("h", 3, d), layout.matrix("table", words, d));
    let mut weights = weights(&layout, 0.4);
    let values = weights.values_mut();
    values[h.range()].copy_from_slice(&[1.0, 0.0, -1.0, 0.0, 0.0, 0.0]);
    let of_words = values[table.range()].iter_mut().enumerate();
    of_words.for_each(|(i, v)| *v = (i / d * 37 % 251) as f32);
    let highest = (0..251).find(|word| word * 37 % 251 == 250);
    let expected = vec![highest.expect("37 and 251 share no divisor"), 0, 0];
    if let Some(gpu) = gpu() {
        weights.bring_to(gpu);
    }
    let tape = Tape::plain(&weights);
    assert_eq!(best(&weights, &tape.parameter(h), table), expected);
}

#[test]
fn dropped_values_pass_no_gradient_and_the_others_the_scaled_one() {
    let mut layout = Layout::default();
    let x = layout.matrix("x", 80, 40);
    let layer = Linear::new(&mut layout, "layer", 40, 70);
    let norm = Norm::new(&mut layout, "norm", 70);
    let weights = weights(&layout, 0.4);
    let dropout = Dropout { rate: 0.3, seed: 5 };
    let pass = |activation| {
        let tape = Tape::recording(&weights, vec![0.0; layout.len()], dropout);
        let y = layer.forward(&tape, &tape.parameter(x), activation, tape.mask(0));
        seed(&tape, &y);
        (y.values().to_vec(), tape.backward())
    };
    for activation in [Activation::Identity, Activation::Relu] {
        let (y, gradients) = pass(activation);
        // db[j] is the sum of the coefficients of what was kept in column j, times 1 / (1 − p).
        for (j, found) in gradients[layer.bias.range()].iter().enumerate() {
            let kept = (0..80).map(|r| r * 70 + j).filter(|i| y[*i] != 0.0);
            let exact: f64 = kept.map(|i| crate::nn::check::coefficient(i) / 0.7).sum();
            let found = f64::from(*found);
            assert!(
                (found - exact).abs() < 2e-4,
                "{activation:?} {j}: {found} {exact}"
            );
        }
    }
    let tape = Tape::recording(&weights, vec![0.0; layout.len()], dropout);
    let s = layer.forward(&tape, &tape.parameter(x), Activation::Identity, None);
    let zeros = tape.var(crate::nn::buffer::Buffer::zeros(80 * 70), 70, false);
    let (z, _) = norm.forward_residual(&tape, &zeros, &s, tape.mask(0));
    seed(&tape, &z);
    let z = z.values().to_vec();
    let found = tape.backward();
    let exact: f64 = (0..80)
        .map(|r| r * 70)
        .filter(|i| z[*i] != 0.0)
        .map(|i| crate::nn::check::coefficient(i) / 0.7)
        .sum();
    assert!((f64::from(found[layer.bias.range()][0]) - exact).abs() < 2e-4);
}

#[test]
#[ignore = "wants a GPU"]
fn linear_layers_and_norms_drop_on_a_device_what_they_drop_on_the_host() {
    for (rows, d, is_sum) in [
        (33, 40, false),
        (5, 264, false),
        (20, 9, false),
        (2, 1032, false),
        (3, 48, true),
        (4, 7, true),
    ] {
        let mut layout = Layout::default();
        let x = layout.matrix("x", rows, 8);
        let layer = Linear::new(&mut layout, "layer", 8, d);
        let norm = Norm::new(&mut layout, "norm", d);
        let dropout = Dropout { rate: 0.3, seed: 5 };
        let [host, device] = on_both(&mut random_weights(&layout), dropout, |tape| {
            let x = tape.parameter(x);
            let y = layer.forward(tape, &x, Activation::Relu, tape.mask(0));
            let (z, y) = norm.forward_residual(tape, &y, &y, tape.mask(1));
            let out = if is_sum { z } else { y };
            seed(tape, &out);
            out
        });
        for (device, host) in device.iter().zip(&host) {
            let error = apart(device, host);
            // Some sums are so near to 0 that a rounding takes them across.
            assert!(error < 4.0 * rounding(), "{rows} rows of {d}: {error}");
        }
    }
}

#[test]
fn one_thread_gives_the_bytes_of_two() {
    let mut layout = Layout::default();
    let x = layout.matrix("x", 300, 64);
    let layer = Linear::new(&mut layout, "layer", 64, 192);
    let norm = Norm::new(&mut layout, "norm", 64);
    let table = layout.matrix("table", 500, 64);
    let weights = weights(&layout, 0.4);
    let spans = Arc::new(Spans {
        is_causal: true,
        ..Spans::new(vec![(0..200, 0..200), (200..300, 200..300)], 4)
    });
    let targets: Vec<u32> = (0..300).collect();
    let pass = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool");
        pool.install(|| {
            let tape = Tape::recording(
                &weights,
                vec![0.0; layout.len()],
                Dropout { rate: 0.1, seed: 1 },
            );
            let x = tape.parameter(x);
            let qkv = layer.forward(&tape, &x, Activation::Identity, None);
            let mixed = self_attention(&tape, &qkv, &spans);
            let (_, y) = norm.forward_residual(&tape, &x, &mixed, tape.mask(0));
            let loss = loss(&tape, &y, table, &targets, 0.1, 1.0);
            (loss, tape.backward())
        })
    };
    let (one, two) = (pass(1), pass(2));
    assert!(one == two && one == pass(2));
}
