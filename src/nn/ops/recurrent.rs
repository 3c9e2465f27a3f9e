//! A recurrent layer over whole sentences, forwards or backwards in time.
//!
//! ```text
//! X · Wᵀ + b for all tokens, then for t = 0, 1, …:   u = (m ∘ h[t − 1]) · Uᵀ     h[t] = cell(x[t], u)
//! back, for t = …, 1, 0:   dh[t] = dY[t] + m ∘ (du[t + 1] · U)     GRU: + z[t + 1] ∘ dh[t + 1]
//! then for all tokens:     dW = dxᵀ · X     dU = duᵀ · (m ∘ H′)     dX = dx · W
//! ```
//!
//! H′: the states before. Sentences do not wait for one another: thirty-two of about the same length are a task, which
//! goes through time on its own with the products of its rows, those that have ended left out. Nothing is padded, and
//! sums over tokens are made afterwards, so that the result does not depend on the number of threads.
//!
//! m drops the same units of the last state at every step of a sentence (Gal and Ghahramani 2016).

use super::activation::Activation;
use super::cell::{Back, Cell, Kind, Step, step, step_back};
use super::cuda;
use crate::nn::buffer::{Buffer, split};
use crate::nn::dropout::{self, Mask};
use crate::nn::matmul::{Into, Rows, multiply};
use crate::nn::outer;
use crate::nn::packed::Packed;
use crate::nn::parameters::Weights;
use crate::nn::tape::{Gradients, Slot, Tape, Var};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Sentences of a task.
const TOGETHER: usize = 32;

/// The rows of each sentence, and which are worked on together.
#[derive(Debug)]
pub struct Sequences {
    pub rows: Vec<Range<usize>>,
    /// Numbers of sentences, the longest first.
    pub blocks: Vec<Vec<usize>>,
}

impl Sequences {
    pub fn of(sentences: &Packed) -> Sequences {
        let rows: Vec<Range<usize>> = sentences.sentences().collect();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(rows[*i].len()));
        Sequences {
            blocks: order.chunks(TOGETHER).map(<[usize]>::to_vec).collect(),
            rows,
        }
    }

    /// Cuts a matrix of rows of `width` values into sentences.
    pub fn split<'a>(&self, values: &'a mut [f32], width: usize) -> Vec<&'a mut [f32]> {
        split(values, self.rows.iter().map(|rows| rows.len() * width))
    }

    /// Parts of sentences, those of each block together.
    pub fn of_blocks<'a>(&self, mut sentences: Vec<&'a mut [f32]>) -> Vec<Vec<&'a mut [f32]>> {
        let mut take = |i: &usize| std::mem::take(&mut sentences[*i]);
        let mut block = |block: &Vec<usize>| block.iter().map(&mut take).collect();
        self.blocks.iter().map(&mut block).collect()
    }

    /// A matrix of rows of `width` values, cut into the sentences of each block.
    pub fn cut<'a>(&self, values: &'a mut [f32], width: usize) -> Vec<Vec<&'a mut [f32]>> {
        self.of_blocks(self.split(values, width))
    }

    /// Sentences of a block that have a step `t`.
    pub fn active(&self, block: &[usize], t: usize) -> usize {
        block.partition_point(|i| self.rows[*i].len() > t)
    }

    /// Steps of a block.
    pub fn steps(&self, block: &[usize]) -> usize {
        block.first().map_or(0, |i| self.rows[*i].len())
    }
}

/// How a layer goes over its sentences.
#[derive(Clone, Copy, Debug, Default)]
pub struct How<'a> {
    /// From the last token to the first.
    pub is_backward: bool,
    /// The state before the first step, a row for each sentence; zeros if there is none.
    pub first: Option<&'a Var>,
    /// Drops units of the last state, a row for each sentence.
    pub mask: Option<Mask>,
}

/// A layer on its way over sentences.
#[derive(Clone)]
struct Pass<'w> {
    cell: Cell,
    weights: &'w Weights,
    sequences: Arc<Sequences>,
    is_backward: bool,
    mask: Option<Mask>,
}

/// What a task leaves of the sentences of its block.
struct Saved<'a> {
    gates: Vec<&'a mut [f32]>,
    memory: Vec<&'a mut [f32]>,
    states: Vec<&'a mut [f32]>,
}

/// What the way back goes out from: states, the ones before the first step, and the gradients of states.
struct Known<'a> {
    states: &'a [f32],
    first: Option<&'a [f32]>,
    d_states: &'a [f32],
}

impl Cell {
    /// The states of all tokens, (tokens, d), from inputs (tokens, inputs).
    pub fn forward(&self, tape: &Tape, x: &Var, sequences: &Arc<Sequences>, how: How) -> Var {
        if let Some(gpu) = tape.gpu() {
            return cuda::recurrent::forward(gpu, tape, self, x, sequences, how);
        }
        let (d, width, tokens) = (self.dim(), self.width(), x.rows());
        let pass = Pass {
            cell: *self,
            weights: tape.weights,
            sequences: Arc::clone(sequences),
            is_backward: how.is_backward,
            mask: how.mask,
        };
        let (mut gates, mut memory) = (Buffer::of(tokens * width), Buffer::of(tokens * d));
        let mut states = Buffer::of(tokens * d);
        let identity = Activation::Identity;
        (self.input).apply(tape.weights, x.values(), identity, None, &mut gates);
        let first = how.first.map(Var::values);
        // Packed once, before all tasks ask for it.
        tape.weights.forward(self.state.weight);
        (sequences.blocks.par_iter())
            .zip(sequences.cut(&mut gates, width))
            .zip(sequences.cut(&mut memory, d))
            .zip(sequences.cut(&mut states, d))
            .for_each(|(((block, gates), memory), states)| {
                let saved = Saved {
                    gates,
                    memory,
                    states,
                };
                pass.forward(block, first, saved);
            });
        let states = tape.var(states, d, true);
        if let Some(slot) = states.slot() {
            let (x, saved, first) = (x.clone(), states.clone(), how.first.cloned());
            tape.push(move |gradients| {
                let inputs = (&x, &saved, first.as_ref());
                pass.back(slot, inputs, (gates, memory), gradients);
            });
        }
        states
    }
}

impl Pass<'_> {
    /// Which of a sentence's rows is its step `t`.
    fn row(&self, length: usize, t: usize) -> usize {
        match self.is_backward {
            true => length - 1 - t,
            false => t,
        }
    }

    /// The sentences of a block through time.
    fn forward(&self, block: &[usize], first: Option<&[f32]>, mut saved: Saved) {
        let (d, width) = (self.cell.dim(), self.cell.width());
        let (kind, bias) = (self.cell.kind, self.weights.of(self.cell.state.bias));
        let packed = self.weights.forward(self.cell.state.weight);
        let mut h = Buffer::zeros(block.len() * d);
        if let Some(first) = first {
            for (h, i) in h.chunks_exact_mut(d).zip(block) {
                h.copy_from_slice(&first[i * d..(i + 1) * d]);
            }
        }
        let mut memory = Buffer::zeros(block.len() * d);
        let mut u = Buffer::zeros(block.len() * width);
        let mut kept = Buffer::of(if self.mask.is_some() { h.len() } else { 0 });
        for t in 0..self.sequences.steps(block) {
            let n = self.sequences.active(block, t);
            if t > 0 || first.is_some() {
                let h = match &self.mask {
                    None => &h,
                    Some(mask) => {
                        kept[..n * d].copy_from_slice(&h[..n * d]);
                        dropout::apply_to(mask, &block[..n], d, &mut kept);
                        &kept
                    }
                };
                multiply(Rows::dense(h, d), n, packed, &mut u, width, Into::Set);
            }
            for (r, i) in block[..n].iter().enumerate() {
                let row = self.row(self.sequences.rows[*i].len(), t);
                let (h, memory) = (&mut h[r * d..][..d], &mut memory[r * d..][..d]);
                step(
                    kind,
                    Step {
                        gates: &mut saved.gates[r][row * width..][..width],
                        state: &u[r * width..][..width],
                        bias,
                        memory: &mut *memory,
                        h: &mut *h,
                    },
                );
                saved.memory[r][row * d..][..d].copy_from_slice(memory);
                saved.states[r][row * d..][..d].copy_from_slice(h);
            }
        }
    }

    fn back(
        &self,
        slot: Slot,
        (x, states, first): (&Var, &Var, Option<&Var>),
        (mut gates, mut memory): (Buffer, Buffer),
        gradients: &mut Gradients,
    ) {
        let Some(d_states) = gradients.take(slot) else {
            return;
        };
        let (d, width) = (self.cell.dim(), self.cell.width());
        let known = Known {
            states: states.values(),
            first: first.map(Var::values),
            d_states: &d_states,
        };
        let mut d_first = Buffer::zeros(self.sequences.rows.len() * d);
        self.weights.backward(self.cell.state.weight);
        (self.sequences.blocks.par_iter())
            .zip(self.sequences.cut(&mut gates, width))
            .zip(self.sequences.cut(&mut memory, d))
            .zip(
                self.sequences
                    .of_blocks(d_first.chunks_exact_mut(d).collect()),
            )
            .for_each(|(((block, gates), memory), states)| {
                let saved = Saved {
                    gates,
                    memory,
                    states,
                };
                self.block_back(block, &known, saved);
            });
        let before = self.before(&known);
        let dims = (x.rows(), d);
        add_state_gradients(&self.cell, (&gates, &memory), &before, dims, gradients);
        if let Some(slot) = first.and_then(Var::slot) {
            gradients.give(slot, d_first);
        }
        (self.cell.input).pass_back(self.weights, x, gates, |_, _| {}, gradients);
    }

    /// The sentences of a block back through time: gates and memory become gradients, `saved.states` those of the states
    /// before the first step.
    fn block_back(&self, block: &[usize], known: &Known, mut saved: Saved) {
        let (d, width, kind) = (self.cell.dim(), self.cell.width(), self.cell.kind);
        let packed = self.weights.backward(self.cell.state.weight);
        let (mut dh, mut dc) = (
            Buffer::zeros(block.len() * d),
            Buffer::zeros(block.len() * d),
        );
        let (mut du, mut through) = (Buffer::of(block.len() * width), Buffer::of(block.len() * d));
        let mut last = Buffer::of(d);
        for t in (0..self.sequences.steps(block)).rev() {
            let n = self.sequences.active(block, t);
            for (r, i) in block[..n].iter().enumerate() {
                let rows = &self.sequences.rows[*i];
                let row = self.row(rows.len(), t);
                let dh = &mut dh[r * d..][..d];
                let given = &known.d_states[(rows.start + row) * d..][..d];
                dh.iter_mut().zip(given).for_each(|(dh, dy)| *dh += dy);
                match kind {
                    Kind::Lstm if t == 0 => last.fill(0.0),
                    Kind::Lstm => {
                        let before = self.row(rows.len(), t - 1);
                        last.copy_from_slice(&saved.memory[r][before * d..][..d]);
                    }
                    Kind::Gru => self.state_before(known, (*i, t), &mut last),
                }
                step_back(
                    kind,
                    Back {
                        gates: &mut saved.gates[r][row * width..][..width],
                        memory: &mut saved.memory[r][row * d..][..d],
                        last: &last,
                        dh,
                        dc: &mut dc[r * d..][..d],
                        du: &mut du[r * width..][..width],
                    },
                );
            }
            if t == 0 && known.first.is_none() {
                break;
            }
            let to = &mut through[..n * d];
            multiply(Rows::dense(&du, width), n, packed, to, d, Into::Set);
            if let Some(mask) = &self.mask {
                dropout::apply_to(mask, &block[..n], d, to);
            }
            dh.iter_mut().zip(&*to).for_each(|(dh, by)| *dh += by);
        }
        for (d_first, dh) in saved.states.iter_mut().zip(dh.chunks_exact(d)) {
            d_first.copy_from_slice(dh);
        }
    }

    /// The state before a sentence's step.
    fn state_before(&self, known: &Known, (sentence, t): (usize, usize), to: &mut [f32]) {
        let (d, rows) = (to.len(), &self.sequences.rows[sentence]);
        match (t, known.first) {
            (0, None) => to.fill(0.0),
            (0, Some(first)) => to.copy_from_slice(&first[sentence * d..(sentence + 1) * d]),
            _ => {
                let row = rows.start + self.row(rows.len(), t - 1);
                to.copy_from_slice(&known.states[row * d..(row + 1) * d]);
            }
        }
    }

    /// What was multiplied with U at each token.
    fn before(&self, known: &Known) -> Buffer {
        let d = self.cell.dim();
        let mut before = Buffer::of(known.states.len());
        let blocks = self.sequences.cut(&mut before, d);
        (self.sequences.blocks.par_iter().zip(blocks)).for_each(|(block, sentences)| {
            for (i, to) in block.iter().zip(sentences) {
                let length = self.sequences.rows[*i].len();
                for t in 0..length {
                    let to = &mut to[self.row(length, t) * d..][..d];
                    self.state_before(known, (*i, t), to);
                    if let Some(mask) = &self.mask {
                        dropout::apply(mask, *i, d, to);
                    }
                }
            }
        });
        before
    }
}

/// dU and its bias: `gates` hold the gradients of x, `memory` for a GRU those of u for n; they are the same for the others.
pub fn add_state_gradients(
    cell: &Cell,
    (gates, memory): (&[f32], &[f32]),
    before: &[f32],
    (tokens, d): (usize, usize),
    gradients: &mut Gradients,
) {
    let (weight, bias) = gradients.pair(cell.state.weight, cell.state.bias);
    let (width, before) = (cell.width(), Rows::dense(before, d));
    let gates = Rows::dense(gates, width);
    match cell.kind {
        Kind::Lstm => outer::add(gates, before, (tokens, width, d), weight, Some(bias)),
        Kind::Gru => {
            let (gate_weights, new_weights) = weight.split_at_mut(2 * d * d);
            let (gate_bias, new_bias) = bias.split_at_mut(2 * d);
            let shape = (tokens, 2 * d, d);
            outer::add(gates, before, shape, gate_weights, Some(gate_bias));
            let memory = Rows::dense(memory, d);
            outer::add(memory, before, (tokens, d, d), new_weights, Some(new_bias));
        }
    }
}

#[cfg(test)]
pub mod tests;
