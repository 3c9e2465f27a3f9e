//! The way back through a decoder: each block through time, then the gradients of weights over all tokens.

use super::block::Block;
use super::walk::{Found, Walk};
use super::{Pass, Saved};
use crate::nn::buffer::{Buffer, split};
use crate::nn::matmul::Rows;
use crate::nn::ops::context::add_rows;
use crate::nn::ops::recurrent::add_state_gradients;
use crate::nn::outer;
use crate::nn::parameters::Weights;
use crate::nn::tape::{Gradients, Slot, Var};
use rayon::prelude::*;

/// Gradients of what the decoder worked on, whole matrices.
struct Whole {
    states: Buffer,
    contexts: Buffer,
    memory: Buffer,
    keys: Buffer,
    /// A row for each sentence; none without v.
    v: Buffer,
    first: Vec<Buffer>,
}

impl Pass<'_> {
    pub fn back(
        &self,
        slots: (Slot, Slot),
        known: &(Var, Var),
        mut saved: Saved<Buffer>,
        gradients: &mut Gradients,
    ) {
        let d = self.decoder.dim();
        let mut whole = self.whole(slots, gradients);
        self.pack(Weights::backward);
        let found = self.found(&mut whole);
        let tasks: Vec<_> = self.parts(&mut saved).into_iter().zip(found).collect();
        let states = self.blocks.iter().scan(0, |start, block| {
            let own = *start;
            *start += block.tokens.len() * d;
            Some(&known.0.values()[own..*start])
        });
        let states: Vec<&[f32]> = states.collect();
        (self.blocks.par_iter().zip(states).zip(tasks)).for_each(
            |((block, states), (saved, found))| {
                Walk::new(self, (block, states), saved, found).run();
            },
        );
        self.weight_gradients(known, &mut saved, gradients);
        if let Some(v) = self.decoder.v {
            add_rows(&whole.v, gradients.of(v));
        }
        let first = self.inputs.first.iter().zip(whole.first);
        let memory = [(&self.inputs.memory, whole.memory)];
        let keys = self.inputs.keys.iter().zip(Some(whole.keys));
        for (var, gradient) in first.chain(memory).chain(keys) {
            if let Some(slot) = var.slot() {
                gradients.give(slot, gradient);
            }
        }
        let (gates, cell) = (saved.gates.swap_remove(0), &self.decoder.layers[0]);
        let tokens = &self.inputs.tokens;
        (cell.input).pass_back(self.weights, tokens, gates, |_, _| {}, gradients);
    }

    /// The gradients that have come in, and room for those that will go out.
    fn whole(&self, slots: (Slot, Slot), gradients: &mut Gradients) -> Whole {
        let (d, inputs) = (self.decoder.dim(), &self.inputs);
        let (tokens, sentences) = (inputs.tokens.rows(), self.pairs.target.rows.len());
        let mut given = |slot, width: usize| {
            let found = gradients.take(slot);
            found.unwrap_or_else(|| Buffer::zeros(tokens * width))
        };
        let v = self.decoder.v.map_or(0, |v| v.columns);
        let keys = inputs.keys.as_ref().map_or(0, |keys| keys.values().len());
        Whole {
            states: given(slots.0, d),
            contexts: given(slots.1, inputs.memory.columns()),
            memory: Buffer::zeros(inputs.memory.values().len()),
            keys: Buffer::zeros(keys),
            v: Buffer::zeros(sentences * v),
            first: (inputs.first.iter())
                .map(|_| Buffer::zeros(sentences * d))
                .collect(),
        }
    }

    /// The parts of each block.
    fn found<'a>(&self, whole: &'a mut Whole) -> Vec<Found<'a>> {
        let (d, m) = (self.decoder.dim(), self.inputs.memory.columns());
        let (target, source) = (&self.pairs.target, &self.pairs.source);
        let rows = |width: usize| self.blocks.iter().map(move |b| b.tokens.len() * width);
        let keys = self.inputs.keys.as_ref().map_or(0, Var::columns);
        let v = self.decoder.v.map_or(0, |v| v.columns);
        let each = |width: usize| (0..target.rows.len()).map(move |_| width);
        let mut first: Vec<_> = (whole.first.iter_mut())
            .map(|first| target.of_blocks(split(first, each(d))).into_iter())
            .collect();
        (split(&mut whole.states, rows(d)).into_iter())
            .zip(split(&mut whole.contexts, rows(m)))
            .zip(target.of_blocks(source.split(&mut whole.memory, m)))
            .zip(target.of_blocks(source.split(&mut whole.keys, keys)))
            .zip(target.of_blocks(split(&mut whole.v, each(v))))
            .map(|((((states, contexts), memory), keys), v)| Found {
                states,
                contexts,
                memory,
                keys,
                v,
                first: first.iter_mut().filter_map(Iterator::next).collect(),
            })
            .collect()
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
