//! A recurrent decoder whose context enters its next step, on a device: see `ops/feeding.rs`. Rows stand step by step, all
//! sentences together, the longest first.

use super::context::{Attended, Found, Slopes};
use super::order::Order;
use super::recurrent::{Layer, Returning, Running, Saved};
use super::{kernel, linear};
use crate::nn::device::{Gpu, Kind, Memory, Product};
use crate::nn::dropout::Mask;
use crate::nn::ops::activation::Activation;
use crate::nn::ops::context::Pairs;
use crate::nn::ops::feeding::{Feeding, Inputs};
use crate::nn::ops::linear::Linear;
use crate::nn::ops::rows::pick;
use crate::nn::parameters::There;
use crate::nn::tape::{Gradients, Slot, Tape, Var};
use std::ops::Range;

/// The decoder on its way.
struct Pass<'w> {
    gpu: Gpu,
    there: &'w There,
    decoder: Feeding,
    /// Embedded tokens, row by row.
    tokens: Var,
    layers: Vec<Layer<'w>>,
    attended: Attended<'w>,
    order: Order,
    /// The token of each row.
    numbers: Memory,
    /// Drops values that go to the next layer.
    between: Vec<Option<Mask>>,
}

/// What the way there leaves, row by row.
struct Kept {
    saved: Vec<Saved>,
    /// Those of the last layer are a value of the tape.
    states: Vec<Memory>,
    /// None where states are compared as they are.
    queries: Option<Memory>,
    sums: Memory,
}

pub fn forward(
    gpu: &Gpu,
    tape: &Tape,
    decoder: &Feeding,
    inputs: &Inputs,
    pairs: &Pairs,
) -> (Var, Var) {
    let there = tape.there();
    let (order, tokens) = Order::by_step(gpu, &pairs.target);
    let mut places = vec![0; tokens.len()];
    (tokens.iter().enumerate()).for_each(|(row, token)| places[*token] = row);
    let numbers: Vec<u32> = tokens.iter().map(|token| *token as u32).collect();
    let keys = inputs.keys.as_ref().zip(decoder.v);
    let rows = pairs.target.rows.iter().zip(&pairs.source.rows);
    let a = decoder
        .query
        .map_or(decoder.layers[0].dim(), |query| query.weight.rows);
    let pass = Pass {
        gpu: gpu.clone(),
        there,
        tokens: pick(tape, &inputs.tokens, tokens),
        layers: (decoder
            .layers
            .iter()
            .zip(&inputs.first)
            .zip(&inputs.recurrent))
        .map(|((cell, first), mask)| Layer {
            gpu: gpu.clone(),
            there,
            cell: *cell,
            mask: *mask,
            first: Some(first.clone()),
        })
        .collect(),
        attended: Attended::new(
            gpu,
            there,
            (keys, &inputs.memory),
            (a, 1.0),
            rows,
            (places.len(), Some(&places)),
        ),
        order,
        numbers: Memory::from_u32(gpu, &numbers),
        between: inputs.between.clone(),
        decoder: decoder.clone(),
    };
    let (kept, last, contexts) = pass.through_time(inputs.memory.columns());
    let states = tape.var_there(last, decoder.layers[0].dim(), true);
    let contexts = tape.var_there(contexts, inputs.memory.columns(), true);
    if let (Some(s), Some(c)) = (states.slot(), contexts.slot()) {
        let known = (states.clone(), contexts.clone());
        tape.push(move |gradients| pass.back((s, c), &known, &kept, gradients));
    }
    (
        pick(tape, &states, places.clone()),
        pick(tape, &contexts, places),
    )
}

impl Pass<'_> {
    fn rows(&self, t: usize) -> Range<usize> {
        self.order.row(t)..self.order.row(t) + self.order.active[t]
    }

    /// What layer `l` takes of rows of the one below.
    fn below(&self, l: usize, states: &Memory, rows: Range<usize>, d: usize) -> Memory {
        let below = Memory::of(&self.gpu, self.gpu.kind(), rows.len() * d);
        self.drop_between(l, (&below, 0), (states, rows.start), rows);
        below
    }

    /// to = mask ∘ from, for rows that go from layer l − 1 to l, or back; each with its first row.
    fn drop_between(
        &self,
        l: usize,
        to: (&Memory, usize),
        from: (&Memory, usize),
        rows: Range<usize>,
    ) {
        let d = self.layers[0].cell.dim();
        let arguments = [
            to.0.at(to.1 * d),
            from.0.at(from.1 * d),
            self.numbers.at(rows.start),
            rows.len().into(),
            d.into(),
            self.between[l - 1].into(),
        ];
        (self.gpu).launch_over(rows.len() * d, kernel!(self.gpu, "drop_rows"), &arguments);
    }

    /// y = x · Wᵀ + b for some rows.
    fn apply(&self, layer: &Linear, x: (&Memory, usize), y: (&Memory, usize), n: usize) {
        let identity = (Activation::Identity, None);
        linear::apply_rows(&self.gpu, self.there, layer, (x, y, n), identity);
    }

    /// What is kept, the states of the last layer, and the contexts.
    fn through_time(&self, m: usize) -> (Kept, Memory, Memory) {
        let (gpu, d, tokens) = (&self.gpu, self.layers[0].cell.dim(), self.tokens.rows());
        let room = |width: usize| Memory::of(gpu, gpu.kind(), tokens * width);
        let mut kept = Kept {
            saved: (self.layers.iter().enumerate())
                .map(|(l, layer)| Saved {
                    gates: match l {
                        0 => {
                            let identity = (Activation::Identity, None);
                            linear::apply(
                                gpu,
                                self.there,
                                &layer.cell.input,
                                self.tokens.memory(),
                                identity,
                            )
                        }
                        _ => room(layer.cell.width()),
                    },
                    memory: Memory::of(gpu, Kind::F32, tokens * d),
                })
                .collect(),
            states: self.layers.iter().map(|_| room(d)).collect(),
            queries: self.decoder.query.map(|query| room(query.weight.rows)),
            sums: Memory::of(gpu, Kind::F32, tokens),
        };
        let contexts = room(m);
        let running: Vec<Running> = self
            .layers
            .iter()
            .map(|layer| layer.begin(&self.order))
            .collect();
        let last = self.layers.len() - 1;
        for t in 0..self.order.active.len() {
            let rows = self.rows(t);
            for (l, layer) in self.layers.iter().enumerate() {
                if l > 0 {
                    let below = self.below(l, &kept.states[l - 1], rows.clone(), d);
                    let to = (&kept.saved[l].gates, rows.start);
                    self.apply(&layer.cell.input, (&below, 0), to, rows.len());
                } else if t > 0 {
                    let width = layer.cell.width();
                    gpu.multiply(&Product {
                        a: contexts.matrix(self.order.row(t - 1) * m, m),
                        b: self.there.matrix(self.decoder.feed).transposed(),
                        c: kept.saved[0].gates.matrix(rows.start * width, width),
                        shape: (rows.len(), width, m),
                        adds: true,
                    });
                }
                layer.step(
                    &self.order,
                    t,
                    &running[l],
                    (&kept.saved[l], &kept.states[l]),
                );
            }
            if let (Some(query), Some(queries)) = (&self.decoder.query, &kept.queries) {
                self.apply(
                    query,
                    (&kept.states[last], rows.start),
                    (queries, rows.start),
                    rows.len(),
                );
            }
            let found = Found {
                q: kept.queries.as_ref().unwrap_or(&kept.states[last]),
                out: &contexts,
                sums: &kept.sums,
            };
            self.attended.forward(rows, found);
        }
        let states = kept.states.swap_remove(last);
        (kept, states, contexts)
    }

    fn back(
        &self,
        (s, c): (Slot, Slot),
        (last_states, contexts): &(Var, Var),
        kept: &Kept,
        gradients: &mut Gradients,
    ) {
        let (gpu, d, m) = (&self.gpu, self.layers[0].cell.dim(), contexts.columns());
        let (tokens, last) = (self.tokens.rows(), self.layers.len() - 1);
        let room = |width: usize| Memory::of(gpu, gpu.kind(), tokens * width);
        let zeros = |width: usize| Memory::zeros(gpu, gpu.kind(), tokens * width);
        let given = gradients.take_there(s).unwrap_or_else(|| zeros(d));
        let d_contexts = gradients.take_there(c).unwrap_or_else(|| zeros(m));
        // Of every layer; those below the last are written row by row.
        let mut d_states: Vec<Memory> = (0..last).map(|_| room(d)).collect();
        d_states.push(given);
        let states = |l: usize| kept.states.get(l).unwrap_or(last_states.memory());
        let a = self.decoder.query.map_or(d, |query| query.weight.rows);
        let (dq, products) = (room(a), Memory::of(gpu, Kind::F32, tokens));
        let dv = self.decoder.v.map(|_| room(a));
        let found = Found {
            q: kept.queries.as_ref().unwrap_or(last_states.memory()),
            out: contexts.memory(),
            sums: &kept.sums,
        };
        let slopes = Slopes {
            d_out: &d_contexts,
            dq: &dq,
            dv: dv.as_ref(),
            products: &products,
        };
        let returning: Vec<Returning> = (self.layers.iter())
            .map(|layer| layer.begin_back(&self.order, tokens))
            .collect();
        for t in (0..self.order.active.len()).rev() {
            let (rows, n) = (self.rows(t), self.order.active[t]);
            self.attended.back(rows.clone(), found, slopes);
            self.query_back(&dq, &d_states[last], rows.clone());
            for (l, layer) in self.layers.iter().enumerate().rev() {
                let saved = &kept.saved[l];
                layer.step_back(
                    &self.order,
                    t,
                    &returning[l],
                    (saved, states(l), &d_states[l]),
                );
                let (width, before) = (layer.cell.width(), t.checked_sub(1));
                let gates = saved.gates.matrix(rows.start * width, width);
                if l > 0 {
                    let below = Memory::of(gpu, gpu.kind(), n * d);
                    gpu.multiply(&Product {
                        a: gates,
                        b: self.there.matrix(layer.cell.input.weight),
                        c: below.matrix(0, d),
                        shape: (n, d, width),
                        adds: false,
                    });
                    self.drop_between(l, (&d_states[l - 1], rows.start), (&below, 0), rows.clone());
                } else if let Some(before) = before {
                    gpu.multiply(&Product {
                        a: gates,
                        b: self.there.matrix(self.decoder.feed),
                        c: d_contexts.matrix(self.order.row(before) * m, m),
                        shape: (n, m, width),
                        adds: true,
                    });
                }
            }
        }
        self.attended.end_back(found, slopes, gradients);
        for (l, layer) in self.layers.iter().enumerate() {
            layer.end_back(
                &self.order,
                &returning[l],
                (&kept.saved[l], states(l)),
                gradients,
            );
            if l > 0 {
                let below = self.below(l, states(l - 1), 0..tokens, d);
                let gates = &kept.saved[l].gates;
                linear::add_weights(gpu, &layer.cell.input, (gates, &below), gradients);
            }
        }
        if let Some(query) = &self.decoder.query {
            linear::add_weights(gpu, query, (&dq, last_states.memory()), gradients);
        }
        let (first, gates) = (&self.layers[0].cell, &kept.saved[0].gates);
        let before = self.order.rows_before(contexts.memory(), None, m, None);
        gpu.multiply(&Product {
            a: gates.matrix(0, first.width()).transposed(),
            b: before.matrix(0, m),
            c: gradients.there().matrix(self.decoder.feed.start(), m),
            shape: (first.width(), m, tokens),
            adds: true,
        });
        linear::pass_back(
            gpu,
            self.there,
            &first.input,
            &self.tokens,
            gates,
            gradients,
        );
    }

    /// Adds the gradients of queries to those of the states they were made of.
    fn query_back(&self, dq: &Memory, d_states: &Memory, rows: Range<usize>) {
        let d = self.layers[0].cell.dim();
        match &self.decoder.query {
            Some(query) => self.gpu.multiply(&Product {
                a: dq.matrix(rows.start * query.weight.rows, query.weight.rows),
                b: self.there.matrix(query.weight),
                c: d_states.matrix(rows.start * d, d),
                shape: (rows.len(), d, query.weight.rows),
                adds: true,
            }),
            None => {
                let n = rows.len() * d;
                let arguments = [d_states.at(rows.start * d), dq.at(rows.start * d), n.into()];
                self.gpu
                    .launch_over(n, kernel!(self.gpu, "add"), &arguments);
            }
        }
    }
}
