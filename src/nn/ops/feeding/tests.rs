//! The decoder beside its equations, written plainly in f64.

use super::*;
use crate::nn::check::{gradients, seed, weighed};
use crate::nn::dropout::Dropout;
use crate::nn::ops::cell::Kind;
use crate::nn::ops::recurrent::Sequences;
use crate::nn::ops::recurrent::tests::{affine, one_step};
use crate::nn::packed::Packed;
use crate::nn::parameters::Layout;

#[derive(Clone)]
struct Case {
    kind: Kind,
    layers: usize,
    is_additive: bool,
    has_query: bool,
    dropout: f32,
    /// Tokens of target and source of each sentence.
    lengths: Vec<(usize, usize)>,
}

struct Model {
    decoder: Feeding,
    tokens: Parameter,
    memory: Parameter,
    keys: Option<Parameter>,
    first: Vec<Parameter>,
    target: Packed,
    source: Packed,
    between: Vec<Option<Mask>>,
    recurrent: Vec<Option<Mask>>,
}

const D: usize = 4;
const INPUTS: usize = 3;

fn model(layout: &mut Layout, case: &Case) -> Model {
    let m = if case.has_query || case.is_additive {
        5
    } else {
        D
    };
    let a = if case.is_additive { 17 } else { m };
    let (mut target, mut source) = (Packed::default(), Packed::default());
    for (n, k) in &case.lengths {
        target.push(0..*n as u32);
        source.push(0..*k as u32);
    }
    let cell = |layout: &mut Layout, l: usize| {
        let inputs = if l == 0 { INPUTS } else { D };
        Cell::new(layout, &format!("layer.{l}"), case.kind, (inputs, D))
    };
    let layers: Vec<Cell> = (0..case.layers).map(|l| cell(layout, l)).collect();
    let needs_query = case.has_query || case.is_additive;
    let decoder = Feeding {
        feed: layout.matrix("feed", layers[0].width(), m),
        query: needs_query.then(|| Linear::new(layout, "query", D, a)),
        v: case.is_additive.then(|| layout.vector("v", a)),
        layers,
    };
    let dropout = Dropout {
        rate: case.dropout,
        seed: 8,
    };
    Model {
        decoder,
        tokens: layout.matrix("tokens", target.ids.len(), INPUTS),
        memory: layout.matrix("memory", source.ids.len(), m),
        keys: (case.is_additive).then(|| layout.matrix("keys", source.ids.len(), a)),
        first: (0..case.layers)
            .map(|l| layout.matrix(format!("first.{l}"), case.lengths.len(), D))
            .collect(),
        target,
        source,
        between: (0..case.layers as u32 - 1)
            .map(|l| dropout.mask(l))
            .collect(),
        recurrent: (0..case.layers as u32)
            .map(|l| dropout.mask(10 + l))
            .collect(),
    }
}

fn of(values: &[f64], p: Parameter) -> &[f64] {
    &values[p.range()]
}

/// Row `row` of a parameter.
fn row(values: &[f64], p: Parameter, row: usize) -> &[f64] {
    &of(values, p)[row * p.columns..(row + 1) * p.columns]
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn masked(mask: Option<Mask>, row: usize, values: &[f64]) -> Vec<f64> {
    let mut ones = vec![1.0; values.len()];
    if let Some(mask) = mask {
        dropout::apply(&mask, row, values.len(), &mut ones);
    }
    let both = values.iter().zip(ones);
    both.map(|(v, one)| v * f64::from(one)).collect()
}

impl Model {
    /// States of the last layer and contexts.
    fn exact(&self, v: &[f64]) -> f64 {
        let decoder = &self.decoder;
        let (mut states, mut contexts) = (Vec::new(), Vec::new());
        for (s, (target, source)) in self
            .target
            .sentences()
            .zip(self.source.sentences())
            .enumerate()
        {
            let start = |p: &Parameter| row(v, *p, s).to_vec();
            let mut h: Vec<Vec<f64>> = self.first.iter().map(start).collect();
            let mut c = vec![vec![0.0; D]; h.len()];
            let mut context = vec![0.0; self.memory.columns];
            for t in target {
                for (l, layer) in decoder.layers.iter().enumerate() {
                    let (weight, bias) = (of(v, layer.input.weight), of(v, layer.input.bias));
                    let mut x = match l {
                        0 => affine(weight, row(v, self.tokens, t), bias),
                        _ => affine(weight, &masked(self.between[l - 1], t, &h[l - 1]), bias),
                    };
                    if l == 0 {
                        let zeros = vec![0.0; x.len()];
                        let fed = affine(of(v, decoder.feed), &context, &zeros);
                        x.iter_mut().zip(fed).for_each(|(x, f)| *x += f);
                    }
                    let last = masked(self.recurrent[l], s, &h[l]);
                    let u = affine(of(v, layer.state.weight), &last, of(v, layer.state.bias));
                    (h[l], c[l]) = one_step(layer.kind, &x, &u, &h[l], &c[l]);
                }
                let top = &h[h.len() - 1];
                let q = match decoder.query {
                    Some(query) => affine(of(v, query.weight), top, of(v, query.bias)),
                    None => top.clone(),
                };
                let score = |j: usize| match (self.keys, decoder.v) {
                    (Some(keys), Some(own)) => {
                        let sum = row(v, keys, j).iter().zip(&q).map(|(k, q)| (k + q).tanh());
                        dot(of(v, own), &sum.collect::<Vec<_>>())
                    }
                    _ => dot(row(v, self.memory, j), &q),
                };
                let powers: Vec<f64> = source.clone().map(|j| score(j).exp()).collect();
                let sum: f64 = powers.iter().sum();
                context.fill(0.0);
                for (p, j) in powers.iter().zip(source.clone()) {
                    let rows = context.iter_mut().zip(row(v, self.memory, j));
                    rows.for_each(|(c, m)| *c += p / sum * m);
                }
                states.extend_from_slice(top);
                contexts.extend_from_slice(&context);
            }
        }
        weighed(&states) + weighed(&contexts)
    }
}

fn check(case: &Case) {
    let mut layout = Layout::default();
    let model = model(&mut layout, case);
    let sequences = |packed| Arc::new(Sequences::of(packed));
    let pairs = Arc::new(Pairs::new(
        sequences(&model.target),
        sequences(&model.source),
    ));
    gradients(
        &layout,
        |tape| {
            let inputs = Inputs {
                tokens: tape.parameter(model.tokens),
                memory: tape.parameter(model.memory),
                keys: model.keys.map(|keys| tape.parameter(keys)),
                first: model.first.iter().map(|p| tape.parameter(*p)).collect(),
                between: model.between.clone(),
                recurrent: model.recurrent.clone(),
            };
            let (states, contexts) = model.decoder.forward(tape, &inputs, &pairs);
            seed(tape, &states);
            seed(tape, &contexts);
        },
        |v| model.exact(v),
    );
}

fn case(kind: Kind, layers: usize) -> Case {
    Case {
        kind,
        layers,
        is_additive: false,
        has_query: true,
        dropout: 0.0,
        lengths: vec![(2, 3), (4, 2), (1, 4)],
    }
}

#[test]
fn products_of_mapped_states_have_the_gradients_of_their_formula() {
    check(&case(Kind::Lstm, 1));
    check(&case(Kind::Gru, 2));
}

#[test]
fn products_of_states_as_they_are_have_them_too() {
    for kind in [Kind::Lstm, Kind::Gru] {
        check(&Case {
            has_query: false,
            ..case(kind, 1)
        });
    }
}

#[test]
fn additive_scores_have_them_too() {
    for kind in [Kind::Lstm, Kind::Gru] {
        check(&Case {
            is_additive: true,
            ..case(kind, 2)
        });
    }
}

#[test]
fn dropped_values_are_the_same_on_the_way_back() {
    for kind in [Kind::Lstm, Kind::Gru] {
        check(&Case {
            is_additive: true,
            dropout: 0.3,
            ..case(kind, 2)
        });
    }
}

#[test]
fn more_sentences_than_a_task_takes_have_them_too() {
    check(&Case {
        is_additive: true,
        lengths: (0..37).map(|i| (1 + i % 3, 1 + i % 2)).collect(),
        ..case(Kind::Lstm, 1)
    });
}
