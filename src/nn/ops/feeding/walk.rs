//! A block back through time.
//!
//! ```text
//! of each step, the last first:   do += what the step after it has fed back     dq, dm, dk, dv from do
//!                                 dh of the last layer += dq · Q + dY
//! of each layer, the last first:  dx, du from dh and dc     dh of the step before = du · U
//!                                 dh of the layer below += m ∘ (dx · W);  of the first layer: fed back = dx · F
//! ```

use super::block::Block;
use super::{Pass, Saved};
use crate::nn::buffer::Buffer;
use crate::nn::matmul::{Into, Panels, Rows, multiply};
use crate::nn::ops::cell::{Back, Kind, step_back};
use crate::nn::ops::context::{self, context_back};
use std::ops::Range;

/// The gradients of a block's states and contexts come in; those of the rows, keys and v of its sentences, and of each
/// layer's states before the first step, go out.
pub struct Found<'a> {
    pub states: &'a mut [f32],
    pub contexts: &'a mut [f32],
    pub memory: Vec<&'a mut [f32]>,
    pub keys: Vec<&'a mut [f32]>,
    pub v: Vec<&'a mut [f32]>,
    pub first: Vec<Vec<&'a mut [f32]>>,
}

/// A block on its way back: gates and memory become gradients, queries those of queries.
pub struct Walk<'p, 'a> {
    pass: &'p Pass<'p>,
    block: &'p Block,
    /// Of the last layer, (rows, d).
    states: &'p [f32],
    saved: Saved<&'a mut [f32]>,
    found: Found<'a>,
    /// The states of each layer before the first step.
    first: Vec<Buffer>,
    /// Of each layer, a row for each sentence: the gradients of states and memories of the step that comes next.
    dh: Vec<Buffer>,
    dc: Vec<Buffer>,
    /// Of contexts, by the step that was after.
    fed: Buffer,
    dq: Buffer,
    du: Buffer,
    through: Buffer,
    /// Of a sentence's scores.
    ds: Vec<f32>,
}

impl<'p, 'a> Walk<'p, 'a> {
    pub fn new(
        pass: &'p Pass<'p>,
        (block, states): (&'p Block, &'p [f32]),
        saved: Saved<&'a mut [f32]>,
        found: Found<'a>,
    ) -> Walk<'p, 'a> {
        let (d, layers) = (pass.decoder.dim(), &pass.decoder.layers);
        let zeros = |width: usize| Buffer::zeros(block.sentences.len() * width);
        let longest = block.weights.iter().map(Range::len).max().unwrap_or(0);
        Walk {
            first: (0..layers.len()).map(|l| pass.first(l, block)).collect(),
            dh: layers.iter().map(|_| zeros(d)).collect(),
            dc: layers.iter().map(|_| zeros(d)).collect(),
            fed: zeros(pass.inputs.memory.columns()),
            dq: zeros(pass.decoder.query_size()),
            du: zeros(layers[0].width()),
            through: zeros(d),
            ds: vec![0.0; longest],
            pass,
            block,
            states,
            saved,
            found,
        }
    }

    /// Goes all the way.
    pub fn run(mut self) {
        let d = self.pass.decoder.dim();
        for t in (0..self.block.steps.len()).rev() {
            self.contexts(t);
            self.queries(t);
            for l in (0..self.pass.decoder.layers.len()).rev() {
                self.cells(t, l);
                self.below(t, l);
            }
        }
        for (first, dh) in self.found.first.iter_mut().zip(&self.dh) {
            for (to, dh) in first.iter_mut().zip(dh.chunks_exact(d)) {
                to.copy_from_slice(dh);
            }
        }
    }

    /// From the contexts of a step to its queries, and to the rows, keys and v of their sentences.
    fn contexts(&mut self, t: usize) {
        let (block, rows) = (self.block, self.block.steps[t].clone());
        let (m, a) = (
            self.pass.inputs.memory.columns(),
            self.pass.decoder.query_size(),
        );
        let d_contexts = &mut self.found.contexts[rows.start * m..rows.end * m];
        if let Some(after) = block.steps.get(t + 1) {
            add(d_contexts, &self.fed[..after.len() * m]);
        }
        for (i, row) in rows.enumerate() {
            let weights = block.weights[row].clone();
            let ds = &mut self.ds[..weights.len()];
            context_back(
                &self.saved.queries[row * a..(row + 1) * a],
                self.pass.source_of(block.sentences[i]),
                (&self.saved.weights[weights], ds),
                &d_contexts[i * m..(i + 1) * m],
                context::Gradients {
                    q: &mut self.dq[i * a..(i + 1) * a],
                    rows: &mut *self.found.memory[i],
                    keys: &mut *self.found.keys[i],
                    v: &mut *self.found.v[i],
                },
            );
        }
    }

    /// From queries to the states of the last layer.
    fn queries(&mut self, t: usize) {
        let (rows, d) = (&self.block.steps[t], self.pass.decoder.dim());
        let (n, a) = (rows.len(), self.pass.decoder.query_size());
        let Some(dh) = self.dh.last_mut() else { return };
        let dh = &mut dh[..n * d];
        match &self.pass.decoder.query {
            Some(query) => {
                let packed = self.pass.weights.backward(query.weight);
                multiply(Rows::dense(&self.dq, a), n, packed, dh, d, Into::Add);
            }
            None => add(dh, &self.dq[..n * a]),
        }
        add(dh, &self.found.states[rows.start * d..rows.end * d]);
        self.saved.queries[rows.start * a..rows.end * a].copy_from_slice(&self.dq[..n * a]);
    }

    /// From the states of a layer to what its gates got, and to its states of the step before.
    fn cells(&mut self, t: usize, l: usize) {
        let (rows, d) = (&self.block.steps[t], self.pass.decoder.dim());
        let layer = &self.pass.decoder.layers[l];
        let (n, width, is_last) = (rows.len(), layer.width(), l + 1 == self.dh.len());
        let (old_memory, memory) = self.saved.memory[l].split_at_mut(rows.start * d);
        let gates = &mut self.saved.gates[l][rows.start * width..rows.end * width];
        let last: &[f32] = match (layer.kind, self.block.before(t)) {
            // Memories begin with zeros.
            (Kind::Lstm, None) => &Buffer::zeros(n * d),
            (Kind::Lstm, Some(before)) => &old_memory[before.start * d..],
            (Kind::Gru, None) => &self.first[l],
            (Kind::Gru, Some(before)) if is_last => &self.states[before.start * d..],
            (Kind::Gru, Some(before)) => &self.saved.states[l][before.start * d..],
        };
        for r in 0..n {
            step_back(
                layer.kind,
                Back {
                    gates: &mut gates[r * width..(r + 1) * width],
                    memory: &mut memory[r * d..(r + 1) * d],
                    last: &last[r * d..(r + 1) * d],
                    dh: &mut self.dh[l][r * d..(r + 1) * d],
                    dc: &mut self.dc[l][r * d..(r + 1) * d],
                    du: &mut self.du[r * width..(r + 1) * width],
                },
            );
        }
        let packed = self.pass.weights.backward(layer.state.weight);
        product(&self.du, n, packed, &mut self.through);
        let through = &mut self.through[..n * d];
        self.pass.drop_units(l, self.block, through);
        add(&mut self.dh[l][..n * d], through);
    }

    /// From what a layer's gates got to the layer below, or to the context that was fed.
    fn below(&mut self, t: usize, l: usize) {
        let (rows, d) = (&self.block.steps[t], self.pass.decoder.dim());
        let layer = &self.pass.decoder.layers[l];
        let (n, width, weights) = (rows.len(), layer.width(), self.pass.weights);
        let gates = &self.saved.gates[l][rows.start * width..rows.end * width];
        if l == 0 {
            let feed = weights.backward(self.pass.decoder.feed);
            return product(gates, n, feed, &mut self.fed);
        }
        let packed = weights.backward(layer.input.weight);
        product(gates, n, packed, &mut self.through);
        let (through, tokens) = (&mut self.through[..n * d], &self.block.tokens[rows.clone()]);
        self.pass.drop_between(l - 1, tokens, through);
        add(&mut self.dh[l - 1][..n * d], through);
    }
}

/// C = A · B of n rows.
fn product(a: &[f32], n: usize, b: &Panels, c: &mut [f32]) {
    let (k, columns) = b.shape();
    multiply(Rows::dense(a, k), n, b, c, columns, Into::Set);
}

/// sum = sum + values, on this thread, as far as there are values.
fn add(sum: &mut [f32], values: &[f32]) {
    sum.iter_mut().zip(values).for_each(|(sum, v)| *sum += v);
}
