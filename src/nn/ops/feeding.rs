//! A recurrent decoder whose context enters its next step: layers, attention and input feeding, step by step.
//!
//! ```text
//! x₀[t] = W₀ e[t] + F o[t − 1] + b          layer 0 with the context of the step before; o[−1] = 0
//! xₗ[t] = Wₗ (m ∘ hₗ₋₁[t]) + bₗ              the others with what is below them
//! q[t] = Q h[t] + b, or h[t]                 o[t] = context(q[t])          h: the states of the last layer
//! ```
//!
//! As in `recurrent`, thirty-two sentences are a task that goes through time on its own, here with all layers and the
//! attention of each step. Rows stand in the order of that: block by block, step by step, the longest sentence first, so
//! that what a step multiplies lies together and the rows of the step before are a part of it and those of ended sentences:
//!
//! ```text
//! sentences a b c of 3, 2, 1 tokens      a₀ b₀ c₀ | a₁ b₁ | a₂
//! ```
//!
//! W₀ e for all tokens is one product before, the gradients of weights are products over all tokens afterwards. The
//! context that enters: Bahdanau et al. 2015.

use super::cell::{Back, Cell, Kind, Step, step, step_back};
use super::context::{self, Pairs, Source, add_rows, context, context_back};
use super::linear::{Activation, Linear};
use super::recurrent::add_state_gradients;
use super::rows::pick;
use crate::nn::buffer::Buffer;
use crate::nn::dropout::{self, Mask};
use crate::nn::matmul::{Into, Rows, multiply};
use crate::nn::outer;
use crate::nn::parameters::{Parameter, Weights};
use crate::nn::tape::{Gradients, Slot, Tape, Var};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// The layers of a decoder and its attention.
#[derive(Clone, Debug)]
pub struct Feeding {
    pub layers: Vec<Cell>,
    /// F: (gates · d, m), from the context to the first layer.
    pub feed: Parameter,
    /// Q: (a, d); without it states are compared as they are.
    pub query: Option<Linear>,
    /// v of additive attention, (a).
    pub v: Option<Parameter>,
}

/// What the decoder works on.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Embedded tokens, (tokens, inputs).
    pub tokens: Var,
    /// The rows that are attended to, (source tokens, m), and their keys (source tokens, a) where scores are additive.
    pub memory: Var,
    pub keys: Option<Var>,
    /// The states of each layer before the first step, (sentences, d).
    pub first: Vec<Var>,
    /// Drops values between layers: a row for each token.
    pub between: Vec<Option<Mask>>,
    /// Drops units of the last states: a row for each sentence.
    pub recurrent: Vec<Option<Mask>>,
}

/// The steps of a block: where its rows are among all, and where its weights are.
#[derive(Debug)]
struct Block {
    sentences: Vec<usize>,
    /// Rows of each step, among those of the block.
    steps: Vec<Range<usize>>,
    /// The token of each row, among those of the batch.
    tokens: Vec<usize>,
    /// Weights of each row, among those of the block.
    weights: Vec<Range<usize>>,
}

impl Block {
    fn of(pairs: &Pairs, sentences: &[usize]) -> Block {
        let sequences = &pairs.target;
        let mut block = Block {
            sentences: sentences.to_vec(),
            steps: Vec::new(),
            tokens: Vec::new(),
            weights: Vec::new(),
        };
        let mut end = 0;
        for t in 0..sequences.steps(sentences) {
            let start = block.tokens.len();
            for sentence in &sentences[..sequences.active(sentences, t)] {
                block.tokens.push(sequences.rows[*sentence].start + t);
                let n = pairs.source.rows[*sentence].len();
                block.weights.push(end..end + n);
                end += n;
            }
            block.steps.push(start..block.tokens.len());
        }
        block
    }

    fn weights(&self) -> usize {
        self.weights.last().map_or(0, |last| last.end)
    }

    /// The rows of the step before that go on.
    fn before(&self, t: usize) -> Option<Range<usize>> {
        let start = self.steps[t.checked_sub(1)?].start;
        Some(start..start + self.steps[t].len())
    }
}

/// Cuts a matrix into the rows of each block, `width` values each.
fn cut<'a>(mut values: &'a mut [f32], sizes: impl Iterator<Item = usize>) -> Vec<&'a mut [f32]> {
    let parts = sizes.map(|size| {
        let (own, rest) = std::mem::take(&mut values).split_at_mut(size);
        values = rest;
        own
    });
    parts.collect()
}

/// What a pass leaves, in the order of the steps: matrices of each layer, (tokens, gates · d) and (tokens, d), queries
/// (tokens, a), contexts (tokens, m), and the weights of each token.
struct Saved<T> {
    gates: Vec<T>,
    memory: Vec<T>,
    states: Vec<T>,
    queries: T,
    contexts: T,
    weights: T,
}

/// The decoder on its way.
struct Pass<'w> {
    decoder: Feeding,
    weights: &'w Weights,
    inputs: Inputs,
    pairs: Arc<Pairs>,
    blocks: Vec<Block>,
}

impl Feeding {
    /// The states of the last layer (tokens, d), and the contexts (tokens, m).
    pub fn forward(&self, tape: &Tape, inputs: &Inputs, pairs: &Arc<Pairs>) -> (Var, Var) {
        let sentences = &pairs.target.blocks;
        let blocks: Vec<Block> = sentences.iter().map(|s| Block::of(pairs, s)).collect();
        let order: Vec<usize> = (blocks.iter())
            .flat_map(|block| block.tokens.iter().copied())
            .collect();
        let mut places = vec![0; order.len()];
        order
            .iter()
            .enumerate()
            .for_each(|(i, token)| places[*token] = i);
        let inputs = Inputs {
            tokens: pick(tape, &inputs.tokens, order),
            ..inputs.clone()
        };
        let pass = Pass {
            decoder: self.clone(),
            weights: tape.weights,
            inputs,
            pairs: Arc::clone(pairs),
            blocks,
        };
        let mut saved = pass.room();
        let identity = Activation::Identity;
        let (first, x) = (&self.layers[0].input, pass.inputs.tokens.values());
        first.apply(tape.weights, x, identity, None, &mut saved.gates[0]);
        (pass.blocks.par_iter())
            .zip(pass.parts(&mut saved))
            .for_each(|(block, part)| pass.forward(block, part));
        let last = self.layers.len() - 1;
        let states = tape.var(std::mem::take(&mut saved.states[last]), self.dim(), true);
        let contexts = tape.var(
            std::mem::take(&mut saved.contexts),
            pass.inputs.memory.columns(),
            true,
        );
        if let (Some(s), Some(c)) = (states.slot(), contexts.slot()) {
            let known = (states.clone(), contexts.clone());
            tape.push(move |gradients| pass.back((s, c), &known, saved, gradients));
        }
        (
            pick(tape, &states, places.clone()),
            pick(tape, &contexts, places),
        )
    }

    fn dim(&self) -> usize {
        self.layers[0].dim()
    }

    /// Values of a query.
    fn query_size(&self) -> usize {
        self.query.map_or(self.dim(), |query| query.weight.rows)
    }
}

impl Pass<'_> {
    fn room(&self) -> Saved<Buffer> {
        let (tokens, d) = (self.inputs.tokens.rows(), self.decoder.dim());
        let layers = &self.decoder.layers;
        let each = || layers.iter().map(|_| Buffer::of(tokens * d)).collect();
        let weights: usize = self.blocks.iter().map(Block::weights).sum();
        Saved {
            gates: (layers.iter())
                .map(|layer| Buffer::of(tokens * layer.width()))
                .collect(),
            memory: each(),
            states: each(),
            queries: Buffer::of(tokens * self.decoder.query_size()),
            contexts: Buffer::of(tokens * self.inputs.memory.columns()),
            weights: Buffer::of(weights),
        }
    }

    /// The rows of each block.
    fn parts<'a>(&self, saved: &'a mut Saved<Buffer>) -> Vec<Saved<&'a mut [f32]>> {
        let d = self.decoder.dim();
        let rows = |width: usize| (self.blocks.iter()).map(move |b| b.tokens.len() * width);
        let widths = self.decoder.layers.iter().map(Cell::width);
        let mut queries = cut(&mut saved.queries, rows(self.decoder.query_size())).into_iter();
        let m = self.inputs.memory.columns();
        // Where states and contexts have become values of the tape, they are not cut.
        let own = |values: usize, width| rows(if values == 0 { 0 } else { width });
        let contexts = own(saved.contexts.len(), m);
        let mut contexts = cut(&mut saved.contexts, contexts).into_iter();
        let weights = self.blocks.iter().map(Block::weights);
        let mut weights = cut(&mut saved.weights, weights).into_iter();
        let mut gates: Vec<_> = (saved.gates.iter_mut().zip(widths))
            .map(|(gates, width)| cut(gates, rows(width)).into_iter())
            .collect();
        let mut memory: Vec<_> = (saved.memory.iter_mut())
            .map(|memory| cut(memory, rows(d)).into_iter())
            .collect();
        let mut states: Vec<_> = (saved.states.iter_mut())
            .map(|states| {
                let sizes = own(states.len(), d);
                cut(states, sizes).into_iter()
            })
            .collect();
        fn next<'a>(parts: &mut impl Iterator<Item = &'a mut [f32]>) -> &'a mut [f32] {
            parts.next().unwrap_or_default()
        }
        (self.blocks.iter())
            .map(|_| Saved {
                gates: gates.iter_mut().map(next).collect(),
                memory: memory.iter_mut().map(next).collect(),
                states: states.iter_mut().map(next).collect(),
                queries: next(&mut queries),
                contexts: next(&mut contexts),
                weights: next(&mut weights),
            })
            .collect()
    }

    /// The states before the first step of a block's sentences.
    fn first(&self, layer: usize, block: &Block) -> Buffer {
        let first = &self.inputs.first[layer];
        let d = first.columns();
        let mut rows = Buffer::of(block.sentences.len() * d);
        for (to, sentence) in rows.chunks_exact_mut(d).zip(&block.sentences) {
            to.copy_from_slice(&first.values()[sentence * d..(sentence + 1) * d]);
        }
        rows
    }

    /// Drops units of the last states of a block's first sentences.
    fn drop_units(&self, layer: usize, block: &Block, states: &mut [f32]) {
        let d = self.decoder.dim();
        if let Some(mask) = &self.inputs.recurrent[layer] {
            for (state, sentence) in states.chunks_exact_mut(d).zip(&block.sentences) {
                dropout::apply(mask, *sentence, d, state);
            }
        }
    }

    /// Drops values that go from the layer to the next, of some rows of a block.
    fn drop_between(&self, layer: usize, tokens: &[usize], values: &mut [f32]) {
        let d = self.decoder.dim();
        if let Some(mask) = &self.inputs.between[layer] {
            for (row, token) in values.chunks_exact_mut(d).zip(tokens) {
                dropout::apply(mask, *token, d, row);
            }
        }
    }

    fn source_of(&self, sentence: usize) -> Source<'_> {
        let keys = self.inputs.keys.as_ref();
        let v = self.decoder.v.map(|v| self.weights.of(v));
        (self.pairs).source_of(sentence, &self.inputs.memory, keys.zip(v))
    }

    /// A block through time.
    fn forward(&self, block: &Block, mut to: Saved<&mut [f32]>) {
        let (d, m) = (self.decoder.dim(), self.inputs.memory.columns());
        let layers = &self.decoder.layers;
        let first: Vec<Buffer> = (0..layers.len()).map(|l| self.first(l, block)).collect();
        let (mut u, mut kept) = (Buffer::default(), Buffer::default());
        for (t, rows) in block.steps.iter().enumerate() {
            let n = rows.len();
            let tokens = &block.tokens[rows.clone()];
            for (l, layer) in layers.iter().enumerate() {
                let width = layer.width();
                let gates = &mut to.gates[l][rows.start * width..rows.end * width];
                if l > 0 {
                    let bias = self.weights.of(layer.input.bias);
                    (gates.chunks_exact_mut(width)).for_each(|row| row.copy_from_slice(bias));
                    kept.resize(n * d);
                    kept.copy_from_slice(&to.states[l - 1][rows.start * d..rows.end * d]);
                    self.drop_between(l - 1, tokens, &mut kept);
                    let packed = self.weights.forward(layer.input.weight);
                    multiply(Rows::dense(&kept, d), n, packed, gates, width, Into::Add);
                } else if let Some(before) = block.before(t) {
                    let contexts = &to.contexts[before.start * m..];
                    let packed = self.weights.forward(self.decoder.feed);
                    multiply(Rows::dense(contexts, m), n, packed, gates, width, Into::Add);
                }
                let (old, states) = to.states[l].split_at_mut(rows.start * d);
                let (old_memory, memory) = to.memory[l].split_at_mut(rows.start * d);
                let states = &mut states[..n * d];
                match block.before(t) {
                    Some(before) => {
                        states.copy_from_slice(&old[before.start * d..before.end * d]);
                        let before = before.start * d..before.end * d;
                        memory[..n * d].copy_from_slice(&old_memory[before]);
                    }
                    None => {
                        states.copy_from_slice(&first[l][..n * d]);
                        memory[..n * d].fill(0.0);
                    }
                }
                kept.resize(n * d);
                kept.copy_from_slice(states);
                self.drop_units(l, block, &mut kept);
                u.resize(n * width);
                let packed = self.weights.forward(layer.state.weight);
                multiply(Rows::dense(&kept, d), n, packed, &mut u, width, Into::Set);
                let bias = self.weights.of(layer.state.bias);
                for r in 0..n {
                    step(
                        layer.kind,
                        Step {
                            gates: &mut gates[r * width..(r + 1) * width],
                            state: &u[r * width..(r + 1) * width],
                            bias,
                            memory: &mut memory[r * d..(r + 1) * d],
                            h: &mut states[r * d..(r + 1) * d],
                        },
                    );
                }
            }
            self.attend(block, rows, &mut to);
        }
    }

    /// Queries and contexts of a step.
    fn attend(&self, block: &Block, rows: &Range<usize>, to: &mut Saved<&mut [f32]>) {
        let (d, m) = (self.decoder.dim(), self.inputs.memory.columns());
        let a = self.decoder.query_size();
        let states = &to.states[self.decoder.layers.len() - 1][rows.start * d..rows.end * d];
        let queries = &mut to.queries[rows.start * a..rows.end * a];
        match &self.decoder.query {
            Some(query) => {
                // So few rows stay on this thread.
                query.apply(self.weights, states, Activation::Identity, None, queries);
            }
            None => queries.copy_from_slice(states),
        }
        for (i, row) in rows.clone().enumerate() {
            context(
                &queries[i * a..(i + 1) * a],
                self.source_of(block.sentences[i]),
                &mut to.weights[block.weights[row].clone()],
                &mut to.contexts[row * m..(row + 1) * m],
            );
        }
    }

    fn back(
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
                .zip(cut(&mut d_states, rows(d)))
                .zip(cut(&mut d_contexts, rows(m)))
                .zip(source_parts(&target.blocks, source.split(&mut d_memory, m)))
                .zip(source_parts(
                    &target.blocks,
                    source.split(&mut d_keys, key_size),
                ))
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
}

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

/// Sources belong to the blocks of their targets.
fn source_parts<'a>(
    blocks: &[Vec<usize>],
    mut sentences: Vec<&'a mut [f32]>,
) -> Vec<Vec<&'a mut [f32]>> {
    let mut take = |i: &usize| std::mem::take(&mut sentences[*i]);
    let mut block = |block: &Vec<usize>| block.iter().map(&mut take).collect();
    blocks.iter().map(&mut block).collect()
}

impl Pass<'_> {
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
        let tasks: Vec<_> = cut(&mut before, rows)
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
        let parts = cut(&mut values, rows);
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

#[cfg(test)]
mod tests;
