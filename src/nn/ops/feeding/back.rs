//! The way back through a decoder: each block through time, then the gradients of weights over all tokens.

use super::block::Block;
use super::{Pass, Saved};
use crate::nn::buffer::{Buffer, split};
use crate::nn::matmul::{Into, Rows, multiply};
use crate::nn::ops::cell::{Back, Kind, step_back};
use crate::nn::ops::context::{self, add_rows, context_back};
use crate::nn::ops::recurrent::add_state_gradients;
use crate::nn::outer;
use crate::nn::parameters::Weights;
use crate::nn::tape::{Gradients, Slot, Var};
use rayon::prelude::*;
use std::ops::Range;

/// What a block's way back finds: the gradients of its states and contexts come in; those of the rows, keys and v of its
/// sentences, and of each layer's states before the first step, go out.
struct Found<'a> {
    states: &'a mut [f32],
    contexts: &'a mut [f32],
    memory: Vec<&'a mut [f32]>,
    keys: Vec<&'a mut [f32]>,
    v: Vec<&'a mut [f32]>,
    first: Vec<Vec<&'a mut [f32]>>,
}

impl Pass<'_> {
    pub fn back(
        &self,
        slots: (Slot, Slot),
        known: &(Var, Var),
        mut saved: Saved<Buffer>,
        gradients: &mut Gradients,
    ) {
        let (d, m, a) = (
            self.decoder.dim(),
            self.inputs.memory.columns(),
            self.decoder.query_size(),
        );
        let (tokens, sentences) = (self.inputs.tokens.rows(), self.pairs.target.rows.len());
        let mut given = |slot, width: usize| {
            let found = gradients.take(slot);
            found.unwrap_or_else(|| Buffer::zeros(tokens * width))
        };
        let (mut d_states, mut d_contexts) = (given(slots.0, d), given(slots.1, m));
        let layers = self.decoder.layers.len();
        let mut d_first: Vec<Buffer> = (0..layers).map(|_| Buffer::zeros(sentences * d)).collect();
        let mut d_memory = Buffer::zeros(self.inputs.memory.values().len());
        let key_values = self
            .inputs
            .keys
            .as_ref()
            .map_or(0, |keys| keys.values().len());
        let mut d_keys = Buffer::zeros(key_values);
        let mut d_v = Buffer::zeros(if self.decoder.v.is_some() {
            sentences * a
        } else {
            0
        });
        {
            let (target, source) = (&self.pairs.target, &self.pairs.source);
            let rows = |width: usize| self.blocks.iter().map(move |b| b.tokens.len() * width);
            let key_size = if key_values == 0 { 0 } else { a };
            let mut firsts: Vec<_> = (d_first.iter_mut())
                .map(|first| {
                    target
                        .of_blocks(first.chunks_exact_mut(d).collect())
                        .into_iter()
                })
                .collect();
            let firsts = (self.blocks.iter()).map(|_| {
                firsts
                    .iter_mut()
                    .map(|f| f.next().unwrap_or_default())
                    .collect()
            });
            // Without v there are as many parts of nothing.
            let v_parts: Vec<&mut [f32]> = match self.decoder.v {
                Some(_) => d_v.chunks_exact_mut(a).collect(),
                None => (0..sentences).map(|_| Default::default()).collect(),
            };
            let tasks: Vec<_> = (self.parts(&mut saved).into_iter())
                .zip(split(&mut d_states, rows(d)))
                .zip(split(&mut d_contexts, rows(m)))
                .zip(target.of_blocks(source.split(&mut d_memory, m)))
                .zip(target.of_blocks(source.split(&mut d_keys, key_size)))
                .zip(target.of_blocks(v_parts))
                .zip(firsts)
                .map(
                    |((((((saved, states), contexts), memory), keys), v), first)| {
                        (
                            saved,
                            Found {
                                states,
                                contexts,
                                memory,
                                keys,
                                v,
                                first,
                            },
                        )
                    },
                )
                .collect();
            let starts = self.blocks.iter().scan(0, |start, block| {
                let own = *start;
                *start += block.tokens.len();
                Some(own)
            });
            let starts: Vec<usize> = starts.collect();
            self.pack(Weights::backward);
            (self.blocks.par_iter().zip(starts).zip(tasks)).for_each(
                |((block, start), (saved, found))| {
                    self.block_back(block, (&known.0, start), saved, found);
                },
            );
        }
        self.weight_gradients(known, &mut saved, gradients);
        if let Some(v) = self.decoder.v {
            add_rows(&d_v, gradients.of(v));
        }
        let first = self.inputs.first.iter().zip(d_first);
        let others = [(&self.inputs.memory, d_memory)];
        let keys = self.inputs.keys.iter().zip(Some(d_keys));
        for (var, gradient) in first.chain(others).chain(keys) {
            if let Some(slot) = var.slot() {
                gradients.give(slot, gradient);
            }
        }
        let gates = saved.gates.swap_remove(0);
        let first = &self.decoder.layers[0].input;
        first.pass_back(
            self.weights,
            &self.inputs.tokens,
            gates,
            |_, _| {},
            gradients,
        );
    }

    /// A block back through time: gates and memory become gradients, queries those of queries.
    fn block_back(
        &self,
        block: &Block,
        (states, start): (&Var, usize),
        mut saved: Saved<&mut [f32]>,
        mut found: Found,
    ) {
        let (d, m) = (self.decoder.dim(), self.inputs.memory.columns());
        let a = self.decoder.query_size();
        let (layers, count) = (&self.decoder.layers, block.sentences.len());
        let last_layer = layers.len() - 1;
        let first: Vec<Buffer> = (0..layers.len()).map(|l| self.first(l, block)).collect();
        let zeros = |width: usize| Buffer::zeros(count * width);
        let mut dh: Vec<Buffer> = layers.iter().map(|_| zeros(d)).collect();
        let mut dc: Vec<Buffer> = layers.iter().map(|_| zeros(d)).collect();
        let (mut d_feed, mut dq, mut through) = (zeros(m), zeros(a), zeros(d));
        let mut du = zeros(layers[0].width());
        let longest = block.weights.iter().map(Range::len).max().unwrap_or(0);
        let mut ds = vec![0.0; longest];
        let none = vec![0.0; d];
        for (t, rows) in block.steps.iter().enumerate().rev() {
            let n = rows.len();
            let tokens = &block.tokens[rows.clone()];
            // The contexts, to which the step after this one has brought gradients, too.
            let d_contexts = &mut found.contexts[rows.start * m..rows.end * m];
            if t + 1 < block.steps.len() {
                let after = block.steps[t + 1].len() * m;
                add(&mut d_contexts[..after], &d_feed[..after]);
            }
            for (i, row) in rows.clone().enumerate() {
                let n = block.weights[row].len();
                context_back(
                    &saved.queries[row * a..(row + 1) * a],
                    self.source_of(block.sentences[i]),
                    (&saved.weights[block.weights[row].clone()], &mut ds[..n]),
                    &d_contexts[i * m..(i + 1) * m],
                    context::Gradients {
                        q: &mut dq[i * a..(i + 1) * a],
                        rows: &mut *found.memory[i],
                        keys: &mut *found.keys[i],
                        v: &mut *found.v[i],
                    },
                );
            }
            let top = &mut dh[last_layer][..n * d];
            match &self.decoder.query {
                Some(query) => {
                    let packed = self.weights.backward(query.weight);
                    multiply(Rows::dense(&dq, a), n, packed, top, d, Into::Add);
                }
                None => add(top, &dq[..n * a]),
            }
            add(top, &found.states[rows.start * d..rows.end * d]);
            saved.queries[rows.start * a..rows.end * a].copy_from_slice(&dq[..n * a]);
            for l in (0..layers.len()).rev() {
                let layer = &layers[l];
                let width = layer.width();
                let gates = &mut saved.gates[l][rows.start * width..rows.end * width];
                let (old_memory, memory) = saved.memory[l].split_at_mut(rows.start * d);
                let old: &[f32] = match (layer.kind, block.before(t)) {
                    (Kind::Lstm, None) => &[],
                    (Kind::Lstm, Some(before)) => &old_memory[before.start * d..],
                    (Kind::Gru, None) => &first[l],
                    (Kind::Gru, Some(before)) if l == last_layer => {
                        &states.values()[(start + before.start) * d..]
                    }
                    (Kind::Gru, Some(before)) => &saved.states[l][before.start * d..],
                };
                for r in 0..n {
                    step_back(
                        layer.kind,
                        Back {
                            gates: &mut gates[r * width..(r + 1) * width],
                            memory: &mut memory[r * d..(r + 1) * d],
                            last: old.get(r * d..(r + 1) * d).unwrap_or(&none),
                            dh: &mut dh[l][r * d..(r + 1) * d],
                            dc: &mut dc[l][r * d..(r + 1) * d],
                            du: &mut du[r * width..(r + 1) * width],
                        },
                    );
                }
                let packed = self.weights.backward(layer.state.weight);
                multiply(
                    Rows::dense(&du, width),
                    n,
                    packed,
                    &mut through,
                    d,
                    Into::Set,
                );
                self.drop_units(l, block, &mut through[..n * d]);
                add(&mut dh[l][..n * d], &through[..n * d]);
                if l > 0 {
                    let packed = self.weights.backward(layer.input.weight);
                    multiply(
                        Rows::dense(gates, width),
                        n,
                        packed,
                        &mut through,
                        d,
                        Into::Set,
                    );
                    self.drop_between(l - 1, tokens, &mut through[..n * d]);
                    add(&mut dh[l - 1][..n * d], &through[..n * d]);
                } else {
                    let packed = self.weights.backward(self.decoder.feed);
                    multiply(
                        Rows::dense(gates, width),
                        n,
                        packed,
                        &mut d_feed,
                        m,
                        Into::Set,
                    );
                }
            }
        }
        for (first, dh) in found.first.iter_mut().zip(&dh) {
            for (to, dh) in first.iter_mut().zip(dh.chunks_exact(d)) {
                to.copy_from_slice(dh);
            }
        }
    }

    /// The gradients of all weights but W₀, products over all tokens.
    fn weight_gradients(
        &self,
        (states, contexts): &(Var, Var),
        saved: &mut Saved<Buffer>,
        gradients: &mut Gradients,
    ) {
        let (d, m) = (self.decoder.dim(), self.inputs.memory.columns());
        let tokens = self.inputs.tokens.rows();
        let last = self.decoder.layers.len() - 1;
        for (l, layer) in self.decoder.layers.iter().enumerate() {
            let width = layer.width();
            let own = |l: usize| {
                if l == last {
                    states.values()
                } else {
                    &saved.states[l]
                }
            };
            let before = self.before(own(l), d, |block, to| {
                to.copy_from_slice(&self.first(l, block)[..to.len()]);
            });
            let before = self.dropped(before, |block, _, rows| self.drop_units(l, block, rows));
            let found = (&saved.gates[l][..], &saved.memory[l][..]);
            add_state_gradients(layer, found, &before, (tokens, d), gradients);
            let gates = Rows::dense(&saved.gates[l], width);
            if l > 0 {
                let below = self.dropped(Buffer::copy_of(own(l - 1)), |_, tokens, rows| {
                    self.drop_between(l - 1, tokens, rows);
                });
                let (dw, db) = gradients.pair(layer.input.weight, layer.input.bias);
                let shape = (tokens, width, d);
                outer::add(gates, Rows::dense(&below, d), shape, dw, Some(db));
            } else {
                let before = self.before(contexts.values(), m, |_, to| to.fill(0.0));
                let (before, df) = (Rows::dense(&before, m), gradients.of(self.decoder.feed));
                outer::add(gates, before, (tokens, width, m), df, None);
            }
        }
        if let Some(query) = &self.decoder.query {
            let a = query.weight.rows;
            let (dw, db) = gradients.pair(query.weight, query.bias);
            let (dq, h) = (
                Rows::dense(&saved.queries, a),
                Rows::dense(states.values(), d),
            );
            outer::add(dq, h, (tokens, a, d), dw, Some(db));
        }
    }

    /// The rows of the step before each row's, `first` for the first.
    fn before(
        &self,
        values: &[f32],
        width: usize,
        first: impl Fn(&Block, &mut [f32]) + Sync,
    ) -> Buffer {
        let mut before = Buffer::of(values.len());
        let rows = self.blocks.iter().map(|block| block.tokens.len() * width);
        let mut start = 0;
        let tasks: Vec<_> = split(&mut before, rows)
            .into_iter()
            .map(|to| {
                let own = &values[start..start + to.len()];
                start += to.len();
                (own, to)
            })
            .collect();
        (self.blocks.par_iter().zip(tasks)).for_each(|(block, (own, to))| {
            for (t, rows) in block.steps.iter().enumerate() {
                let to = &mut to[rows.start * width..rows.end * width];
                match block.before(t) {
                    Some(before) => {
                        to.copy_from_slice(&own[before.start * width..before.end * width]);
                    }
                    None => first(block, to),
                }
            }
        });
        before
    }

    /// Drops values of the rows of each step, (tokens, d).
    fn dropped(
        &self,
        mut values: Buffer,
        drop: impl Fn(&Block, &[usize], &mut [f32]) + Sync,
    ) -> Buffer {
        let d = self.decoder.dim();
        let rows = self.blocks.iter().map(|block| block.tokens.len() * d);
        let parts = split(&mut values, rows);
        (self.blocks.par_iter().zip(parts)).for_each(|(block, part)| {
            for rows in &block.steps {
                let own = &mut part[rows.start * d..rows.end * d];
                drop(block, &block.tokens[rows.clone()], own);
            }
        });
        values
    }
}

/// sum = sum + values, on this thread.
fn add(sum: &mut [f32], values: &[f32]) {
    sum.iter_mut().zip(values).for_each(|(sum, v)| *sum += v);
}
