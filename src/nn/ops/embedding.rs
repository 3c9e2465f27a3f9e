//! Rows of a table for tokens, and where each token stands.
//!
//! ```text
//! Y[i] = drop(s · E[token i] + P[position i])        dE[t] = s · Σ_{token i = t} dY[i] ∘ mask
//! P[pos, 2j] = sin(pos / 10000^(2j/d))                P[pos, 2j + 1] = cos(pos / 10000^(2j/d))
//! ```
//!
//! s is √d where positions are added, 1 where they are not. Positions are counted from the beginning of each sentence.
//! Sinusoids: Vaswani et al. 2017, 3.5; a learned table of positions gets the sum of the gradients at each position.

use super::BLOCK;
use super::cuda;
use crate::nn::buffer::Buffer;
use crate::nn::dropout::{self, Mask};
use crate::nn::parameters::{Parameter, Weights};
use crate::nn::tape::{Tape, Var};
use rayon::prelude::*;
use std::sync::Arc;

/// Columns to a task when gradients are collected: each goes over all tokens, in order.
const STRIP: usize = 32;

/// What is known about positions.
#[derive(Clone, Debug)]
pub enum Positions {
    /// The sinusoids of positions below a limit, (limit, d).
    Sinusoids(Arc<Vec<f32>>),
    /// A learned table (limit, d).
    Learned(Parameter),
    /// Nothing: the model reads in order.
    None,
}

impl Positions {
    /// The sinusoids of `limit` positions.
    pub fn sinusoids(limit: usize, d: usize) -> Positions {
        let value = |i: usize| {
            let (position, j) = ((i / d) as f64, (i % d / 2 * 2) as f64);
            let angle = position / 10_000f64.powf(j / d as f64);
            if i.is_multiple_of(2) {
                angle.sin() as f32
            } else {
                angle.cos() as f32
            }
        };
        Positions::Sinusoids(Arc::new((0..limit * d).map(value).collect()))
    }

    fn table<'a>(&'a self, weights: &'a Weights) -> Option<&'a [f32]> {
        match self {
            Positions::Sinusoids(table) => Some(table),
            Positions::Learned(parameter) => Some(weights.of(*parameter)),
            Positions::None => None,
        }
    }
}

/// A table of rows (vocabulary, d).
#[derive(Clone, Debug)]
pub struct Embedding {
    pub table: Parameter,
    pub positions: Positions,
}

impl Embedding {
    /// The rows of tokens, which stand at `positions` of their sentences.
    pub fn forward(&self, tape: &Tape, ids: &[u32], positions: &[u32], mask: Option<Mask>) -> Var {
        if let Some(gpu) = tape.gpu() {
            return cuda::embedding::forward(gpu, tape, self, (ids, positions), mask);
        }
        let d = self.table.columns;
        let mut y = Buffer::of(ids.len() * d);
        self.apply(tape.weights, ids, positions, mask, &mut y);
        let y = tape.var(y, d, true);
        if let Some(slot) = y.slot() {
            let (layer, ids, positions) = (self.clone(), ids.to_vec(), positions.to_vec());
            tape.push(move |gradients| {
                let Some(mut dy) = gradients.take(slot) else {
                    return;
                };
                if let Some(mask) = &mask {
                    let blocks = dy.par_chunks_mut(BLOCK * d).enumerate();
                    blocks.for_each(|(i, dy)| dropout::apply(mask, i * BLOCK, d, dy));
                }
                collect(gradients.of(layer.table), &ids, &dy, d, layer.scale());
                if let Positions::Learned(table) = layer.positions {
                    collect(gradients.of(table), &positions, &dy, d, 1.0);
                }
            });
        }
        y
    }

    /// What rows of the table are multiplied by.
    pub fn scale(&self) -> f32 {
        match self.positions {
            Positions::None => 1.0,
            _ => (self.table.columns as f32).sqrt(),
        }
    }

    /// The row of one token.
    pub fn row(&self, weights: &Weights, id: u32, position: u32, y: &mut [f32]) {
        let (d, scale) = (self.table.columns, self.scale());
        let row = &weights.of(self.table)[id as usize * d..(id as usize + 1) * d];
        let Some(table) = self.positions.table(weights) else {
            return y.copy_from_slice(row);
        };
        let place = &table[position as usize * d..(position as usize + 1) * d];
        for ((y, e), p) in y.iter_mut().zip(row).zip(place) {
            *y = scale * e + p;
        }
    }

    /// The rows of tokens, without a tape.
    pub fn apply(
        &self,
        weights: &Weights,
        ids: &[u32],
        positions: &[u32],
        mask: Option<Mask>,
        y: &mut [f32],
    ) {
        let d = self.table.columns;
        let tokens = ids.par_chunks(BLOCK).zip(positions.par_chunks(BLOCK));
        tokens
            .zip(y.par_chunks_mut(BLOCK * d))
            .enumerate()
            .for_each(|(i, ((ids, positions), y))| {
                for ((id, position), y) in ids.iter().zip(positions).zip(y.chunks_exact_mut(d)) {
                    self.row(weights, *id, *position, y);
                }
                if let Some(mask) = &mask {
                    dropout::apply(mask, i * BLOCK, d, y);
                }
            });
    }
}

/// Adds `scale` times each row to the row of its id.
fn collect(table: &mut [f32], ids: &[u32], rows: &[f32], d: usize, scale: f32) {
    // A strip of columns is one task's; the pieces of a row are parted among the tasks.
    let strips = d.div_ceil(STRIP);
    let mut pieces: Vec<Vec<&mut [f32]>> = (0..strips)
        .map(|_| Vec::with_capacity(table.len() / d))
        .collect();
    for row in table.chunks_exact_mut(d) {
        for (piece, strip) in row.chunks_mut(STRIP).zip(&mut pieces) {
            strip.push(piece);
        }
    }
    pieces
        .into_par_iter()
        .enumerate()
        .for_each(|(strip, mut pieces)| {
            for (id, row) in ids.iter().zip(rows.chunks_exact(d)) {
                let piece = &mut pieces[*id as usize];
                let from = &row[strip * STRIP..strip * STRIP + piece.len()];
                piece
                    .iter_mut()
                    .zip(from)
                    .for_each(|(sum, value)| *sum += scale * value);
            }
        });
}
