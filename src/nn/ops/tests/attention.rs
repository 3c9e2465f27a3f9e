//! Attention over heads, to rows that are keys and values, and by additive scores.

use super::{of, softmax};
use crate::nn::check::{apart, gpu, gradients, on_both, random_weights, rounding, seed, weighed};
use crate::nn::device::Kind;
use crate::nn::dropout::Dropout;
use crate::nn::ops::attention::{Spans, cross_attention, self_attention, shared_attention};
use crate::nn::ops::context::{Pairs, additive_attention};
use crate::nn::ops::recurrent::Sequences;
use crate::nn::packed::Packed;
use crate::nn::parameters::Layout;
use std::ops::Range;
use std::sync::Arc;

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

/// Sentences of these lengths that attend to themselves.
fn within(lengths: &[usize], heads: usize, is_causal: bool) -> Arc<Spans> {
    let mut start = 0;
    let sentences = lengths.iter().map(|n| {
        start += n;
        (start - n..start, start - n..start)
    });
    Arc::new(Spans {
        is_causal,
        ..Spans::new(sentences.collect(), heads)
    })
}

#[test]
fn self_attention_has_the_gradients_of_its_formula() {
    for (lengths, heads, size, is_causal) in [
        (vec![1], 1, 2, true),
        (vec![3, 1, 6], 2, 5, true),
        (vec![4, 2], 3, 4, false),
        (vec![70, 0, 2], 1, 3, true),
        // A device has kernels for heads of up to 32, 64 and 128.
        (vec![3], 1, 40, true),
        (vec![2, 1], 1, 70, false),
    ] {
        let (rows, d) = (lengths.iter().sum::<usize>(), heads * size);
        let mut layout = Layout::default();
        let qkv = layout.matrix("qkv", rows, 3 * d);
        let spans = within(&lengths, heads, is_causal);
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
    for d in [5, 8] {
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

/// So many columns of every row, from `first` on.
fn columns(values: &[f32], width: usize, first: usize, count: usize) -> Vec<f32> {
    let rows = values.chunks(width);
    rows.flat_map(|row| &row[first..first + count])
        .copied()
        .collect()
}

#[test]
#[ignore = "wants a GPU"]
fn attention_within_sentences_on_a_device_is_that_of_the_host() {
    let gpu = gpu().expect("WORDMILL_TEST_GPU is set");
    // Without that, tensor cores would go untested and nobody see it.
    assert_eq!(gpu.has_tensor_products(), gpu.kind() != Kind::F32);
    for (lengths, heads, size, is_causal) in [
        (vec![1, 16, 0, 17], 5, 8, true),
        (vec![33, 15, 1], 4, 32, false),
        (vec![31, 5, 48], 2, 40, true),
        (vec![20, 7], 9, 64, false),
        (vec![65, 2], 1, 128, true),
        (vec![19, 34], 2, 104, false),
        (vec![300, 12], 1, 16, true),
        (vec![40, 3], 3, 33, true),
    ] {
        let (rows, d) = (lengths.iter().sum::<usize>(), heads * size);
        let mut layout = Layout::default();
        let qkv = layout.matrix("qkv", rows, 3 * d);
        let spans = within(&lengths, heads, is_causal);
        let [host, device] = on_both(&mut random_weights(&layout), Dropout::none(), |tape| {
            let out = self_attention(tape, &tape.parameter(qkv), &spans);
            seed(tape, &out);
            out
        });
        let far = |what: &str, a: &[f32], b: &[f32]| {
            let error = apart(a, b);
            assert!(
                error < rounding(),
                "{what} of {heads} heads of {size}: {error}"
            );
        };
        far("result", &device[0], &host[0]);
        for (i, name) in ["dQ", "dK", "dV"].iter().enumerate() {
            let of = |values| columns(values, 3 * d, i * d, d);
            far(name, &of(&device[1]), &of(&host[1]));
        }
    }
}

#[test]
#[ignore = "wants a GPU"]
fn attention_to_other_sentences_on_a_device_is_that_of_the_host() {
    for (sentences, heads, size) in [
        (vec![(0..4, 0..35), (4..4, 35..36), (4..21, 36..38)], 2, 24),
        (vec![(0..20, 0..8200)], 1, 16),
        (vec![(0..8200, 0..20)], 1, 8),
        (vec![(0..3, 0..9), (3..40, 9..26)], 6, 64),
    ] {
        let end = |last: &Range<usize>| last.end;
        let last = sentences.last().expect("a sentence");
        let d = heads * size;
        let mut layout = Layout::default();
        let q = layout.matrix("q", end(&last.0), d);
        let kv = layout.matrix("kv", end(&last.1), 2 * d);
        let spans = Arc::new(Spans::new(sentences, heads));
        let [host, device] = on_both(&mut random_weights(&layout), Dropout::none(), |tape| {
            let (q, kv) = (tape.parameter(q), tape.parameter(kv));
            let out = cross_attention(tape, &q, &kv, &spans);
            seed(tape, &out);
            out
        });
        let far = |what: &str, a: &[f32], b: &[f32]| {
            let error = apart(a, b);
            assert!(
                error < rounding(),
                "{what} of {heads} heads of {size}: {error}"
            );
        };
        far("result", &device[0], &host[0]);
        far("dQ", &device[1][q.range()], &host[1][q.range()]);
        for (i, name) in ["dK", "dV"].iter().enumerate() {
            let of = |values: &[f32]| columns(&values[kv.range()], 2 * d, i * d, d);
            far(name, &of(&device[1]), &of(&host[1]));
        }
    }
}

#[test]
#[ignore = "wants a GPU"]
fn contexts_of_long_rows_on_a_device_are_those_of_the_host() {
    let (a, m) = (260, 300);
    let mut layout = Layout::default();
    let (q, keys) = (layout.matrix("q", 5, a), layout.matrix("keys", 7, a));
    let (memory, v) = (layout.matrix("memory", 7, m), layout.vector("v", a));
    let (to, rows) = (layout.matrix("to", 5, m), layout.matrix("rows", 7, m));
    let sentences = vec![(0..2, 0..3), (2..2, 3..4), (2..5, 4..7)];
    let (mut target, mut source) = (Packed::default(), Packed::default());
    for (queries, keys) in &sentences {
        target.push(0..queries.len() as u32);
        source.push(0..keys.len() as u32);
    }
    let sequences = |packed| Arc::new(Sequences::of(packed));
    let pairs = Arc::new(Pairs::new(sequences(&target), sequences(&source)));
    let spans = Arc::new(Spans::new(sentences, 1));
    let mut weights = random_weights(&layout);
    // Sums of so many values would leave one key to each query.
    let values = &mut weights.values_mut()[v.range()];
    values.iter_mut().for_each(|v| *v *= 0.05);
    let [host, device] = on_both(&mut weights, Dropout::none(), |tape| {
        let (q, keys) = (tape.parameter(q), tape.parameter(keys));
        let memory = tape.parameter(memory);
        seed(
            tape,
            &additive_attention(tape, &q, (&keys, &memory), v, &pairs),
        );
        let (to, rows) = (tape.parameter(to), tape.parameter(rows));
        let out = shared_attention(tape, &to, &rows, &spans);
        seed(tape, &out);
        out
    });
    let far = |what: &str, a: &[f32], b: &[f32]| {
        let error = apart(a, b);
        assert!(error < 2.0 * rounding(), "{what}: {error}");
    };
    far("result", &device[0], &host[0]);
    for (name, p) in layout.entries() {
        far(name, &device[1][p.range()], &host[1][p.range()]);
    }
}
