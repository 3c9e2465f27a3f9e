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

mod back;
mod block;
mod walk;

use super::activation::Activation;
use super::cell::{Cell, Step, step};
use super::context::{Pairs, Source, context};
use super::cuda;
use super::linear::Linear;
use super::rows::pick;
use crate::nn::buffer::{Buffer, split};
use crate::nn::dropout::{self, Mask};
use crate::nn::matmul::{Into, Panels, Rows, multiply};
use crate::nn::parameters::{Parameter, Weights};
use crate::nn::tape::{Tape, Var};
use block::Block;
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
        if let Some(gpu) = tape.gpu() {
            return cuda::feeding::forward(gpu, tape, self, inputs, pairs);
        }
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
        pass.pack(Weights::forward);
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
        let mut queries = split(&mut saved.queries, rows(self.decoder.query_size())).into_iter();
        let m = self.inputs.memory.columns();
        // Where states and contexts have become values of the tape, they are not cut.
        let own = |values: usize, width| rows(if values == 0 { 0 } else { width });
        let contexts = own(saved.contexts.len(), m);
        let mut contexts = split(&mut saved.contexts, contexts).into_iter();
        let weights = self.blocks.iter().map(Block::weights);
        let mut weights = split(&mut saved.weights, weights).into_iter();
        let mut gates: Vec<_> = (saved.gates.iter_mut().zip(widths))
            .map(|(gates, width)| split(gates, rows(width)).into_iter())
            .collect();
        let mut memory: Vec<_> = (saved.memory.iter_mut())
            .map(|memory| split(memory, rows(d)).into_iter())
            .collect();
        let mut states: Vec<_> = (saved.states.iter_mut())
            .map(|states| {
                let sizes = own(states.len(), d);
                split(states, sizes).into_iter()
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

    /// Packs all matrices of a step once, before all tasks ask for them.
    fn pack<'a>(&'a self, pack: impl Fn(&'a Weights, Parameter) -> &'a Panels) {
        let cells = self.decoder.layers.iter();
        let cells = cells.flat_map(|cell| [cell.input.weight, cell.state.weight]);
        let query = self.decoder.query.map(|query| query.weight);
        for parameter in cells.chain([self.decoder.feed]).chain(query) {
            pack(self.weights, parameter);
        }
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
            dropout::apply_to(mask, &block.sentences, d, states);
        }
    }

    /// Drops values that go from the layer to the next, of some rows of a block.
    fn drop_between(&self, layer: usize, tokens: &[usize], values: &mut [f32]) {
        let d = self.decoder.dim();
        if let Some(mask) = &self.inputs.between[layer] {
            dropout::apply_to(mask, tokens, d, values);
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
}

#[cfg(test)]
mod tests;
