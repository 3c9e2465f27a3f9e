//! Every operation beside its formula in f64: values, and gradients by central differences.

use super::activation::Activation;
use super::attention::{Spans, cross_attention, self_attention, shared_attention};
use super::context::{Pairs, additive_attention};
use super::embedding::{Embedding, Positions};
use super::linear::Linear;
use super::norm::Norm;
use super::projection::loss;
use super::recurrent::Sequences;
use super::rows::{beside, pick};
use crate::nn::check::{gradients, seed, weighed, weights};
use crate::nn::dropout::Dropout;
use crate::nn::packed::Packed;
use crate::nn::parameters::{Layout, Parameter};
use crate::nn::tape::Tape;
use std::ops::Range;
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
        (130, 5, 66, Activation::Relu),
        (70, 9, 20, Activation::Tanh),
        (5, 7, 9, Activation::Leaky),
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
    for (rows, d) in [(1, 4), (3, 17), (130, 8), (65, 48)] {
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

/// Attention of one sentence's head, row by row.
fn attend(q: &[Vec<f64>], k: &[Vec<f64>], v: &[Vec<f64>], is_causal: bool) -> Vec<Vec<f64>> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let row = |(i, q): (usize, &Vec<f64>)| {
        let seen = if is_causal { i + 1 } else { k.len() };
        let scores: Vec<f64> = k[..seen]
            .iter()
            .map(|k| dot(q, k) / (q.len() as f64).sqrt())
            .collect();
        let mut mixed = vec![0.0; q.len()];
        for (p, v) in softmax(&scores).iter().zip(v) {
            mixed.iter_mut().zip(v).for_each(|(m, v)| *m += p * v);
        }
        mixed
    };
    q.iter().enumerate().map(row).collect()
}

/// Rows of a head, of a matrix `width` wide.
fn head(
    values: &[f64],
    width: usize,
    rows: &Range<usize>,
    at: usize,
    size: usize,
) -> Vec<Vec<f64>> {
    rows.clone()
        .map(|r| values[r * width + at..][..size].to_vec())
        .collect()
}

/// All sentences and heads: where queries, keys and values lie is (values, width, first column).
fn attention(spans: &Spans, d: usize, parts: [(&[f64], usize, usize); 3]) -> Vec<f64> {
    let size = d / spans.heads;
    let rows: usize = spans.sentences.iter().map(|(q, _)| q.len()).sum();
    let mut out = vec![0.0; rows * d];
    for (queries, keys) in &spans.sentences {
        for h in 0..spans.heads {
            let of = |(values, width, first): (&[f64], usize, usize), rows| {
                head(values, width, rows, first + h * size, size)
            };
            let [q, k, v] = parts;
            let mixed = attend(&of(q, queries), &of(k, keys), &of(v, keys), spans.is_causal);
            for (r, mixed) in queries.clone().zip(mixed) {
                out[r * d + h * size..][..size].copy_from_slice(&mixed);
            }
        }
    }
    out
}

#[test]
fn self_attention_has_the_gradients_of_its_formula() {
    for (lengths, heads, size, is_causal) in [
        (vec![1], 1, 2, true),
        (vec![3, 1, 6], 2, 5, true),
        (vec![4, 2], 3, 4, false),
        (vec![70, 0, 2], 1, 3, true),
    ] {
        let (rows, d) = (lengths.iter().sum::<usize>(), heads * size);
        let mut layout = Layout::default();
        let qkv = layout.matrix("qkv", rows, 3 * d);
        let mut start = 0;
        let sentences = lengths.iter().map(|n| {
            start += n;
            (start - n..start, start - n..start)
        });
        let spans = Arc::new(Spans {
            is_causal,
            ..Spans::new(sentences.collect(), heads)
        });
        let exact = |v: &[f64]| {
            let at = |first| (of(v, qkv), 3 * d, first);
            weighed(&attention(&spans, d, [at(0), at(d), at(2 * d)]))
        };
        gradients(
            &layout,
            |tape| {
                seed(tape, &self_attention(tape, &tape.parameter(qkv), &spans));
            },
            exact,
        );
    }
}

#[test]
fn cross_attention_has_the_gradients_of_its_formula() {
    let (heads, size) = (2, 3);
    let d = heads * size;
    let mut layout = Layout::default();
    let (q, kv) = (layout.matrix("q", 7, d), layout.matrix("kv", 40, 2 * d));
    let sentences = vec![(0..4, 0..35), (4..5, 35..36), (5..7, 36..40)];
    let spans = Arc::new(Spans::new(sentences, heads));
    gradients(
        &layout,
        |tape| {
            seed(
                tape,
                &cross_attention(tape, &tape.parameter(q), &tape.parameter(kv), &spans),
            )
        },
        |v| {
            let at = |first| (of(v, kv), 2 * d, first);
            weighed(&attention(&spans, d, [(of(v, q), d, 0), at(0), at(d)]))
        },
    );
}

#[test]
fn rows_that_are_keys_and_values_in_one_have_the_gradients_of_both() {
    let d = 5;
    let mut layout = Layout::default();
    let (q, rows) = (layout.matrix("q", 3, d), layout.matrix("rows", 6, d));
    let spans = Arc::new(Spans {
        is_scaled: false,
        ..Spans::new(vec![(0..2, 0..4), (2..3, 4..6)], 1)
    });
    gradients(
        &layout,
        |tape| {
            let (q, rows) = (tape.parameter(q), tape.parameter(rows));
            seed(tape, &shared_attention(tape, &q, &rows, &spans));
        },
        |v| {
            // The formula scales: what is attended with is made larger before.
            let scaled: Vec<f64> = of(v, q).iter().map(|q| q * (d as f64).sqrt()).collect();
            let at = (of(v, rows), d, 0);
            weighed(&attention(&spans, d, [(&scaled, d, 0), at, at]))
        },
    );
}

#[test]
fn additive_attention_has_the_gradients_of_its_formula() {
    let (a, m) = (19, 4);
    let mut layout = Layout::default();
    let (q, keys) = (layout.matrix("q", 5, a), layout.matrix("keys", 7, a));
    let (memory, v) = (layout.matrix("memory", 7, m), layout.vector("v", a));
    let (mut target, mut source) = (Packed::default(), Packed::default());
    for (n, k) in [(2, 3), (0, 1), (3, 3)] {
        target.push(0..n);
        source.push(0..k);
    }
    let sequences = |packed| Arc::new(Sequences::of(packed));
    let pairs = Arc::new(Pairs::new(sequences(&target), sequences(&source)));
    let exact = |values: &[f64]| {
        let mut out = Vec::new();
        for (rows, others) in target.sentences().zip(source.sentences()) {
            for r in rows {
                let q = &of(values, q)[r * a..][..a];
                let score = |s: usize| -> f64 {
                    let key = &of(values, keys)[s * a..][..a];
                    let parts = key.iter().zip(q).zip(of(values, v));
                    parts.map(|((k, q), v)| v * (k + q).tanh()).sum()
                };
                let p = softmax(&others.clone().map(score).collect::<Vec<_>>());
                out.extend((0..m).map(|c| {
                    let rows = p.iter().zip(others.clone());
                    rows.map(|(p, s)| p * of(values, memory)[s * m + c])
                        .sum::<f64>()
                }));
            }
        }
        weighed(&out)
    };
    gradients(
        &layout,
        |tape| {
            let (q, keys, memory) = (
                tape.parameter(q),
                tape.parameter(keys),
                tape.parameter(memory),
            );
            seed(
                tape,
                &additive_attention(tape, &q, (&keys, &memory), v, &pairs),
            );
        },
        exact,
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
    let (ids, positions) = ([2, 5, 2, 0, 1, 3, 4], [0, 1, 2, 3, 0, 1, 2]);
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
fn dropped_values_pass_no_gradient_and_the_others_the_scaled_one() {
    let mut layout = Layout::default();
    let x = layout.matrix("x", 80, 40);
    let layer = Linear::new(&mut layout, "layer", 40, 70);
    let norm = Norm::new(&mut layout, "norm", 70);
    let weights = weights(&layout, 0.4);
    let dropout = Dropout { rate: 0.3, seed: 5 };
    let pass = |activation| {
        let tape = Tape::recording(&weights, vec![0.0; layout.len()], dropout);
        let y = layer.forward(&tape, &tape.parameter(x), activation, tape.mask());
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
    let (z, _) = norm.forward_residual(&tape, &zeros, &s, tape.mask());
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
            let (_, y) = norm.forward_residual(&tape, &x, &mixed, tape.mask());
            let loss = loss(&tape, &y, table, &targets, 0.1, 1.0);
            (loss, tape.backward())
        })
    };
    let (one, two) = (pass(1), pass(2));
    assert!(one == two && one == pass(2));
}
