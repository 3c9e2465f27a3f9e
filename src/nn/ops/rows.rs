//! Rows of matrices side by side, and some rows of one: memory that is copied, gradients that are brought back.
//!
//! ```text
//! beside   Y[i] = (A[i], B[i])          dA, dB: the columns of dY
//! pick     Y[i] = X[p[i]]               dX[p[i]] = dX[p[i]] + dY[i]
//! dropped  Y = mask ∘ X                 dX = mask ∘ dY
//! ```

use super::BLOCK;
use super::cuda;
use crate::nn::buffer::Buffer;
use crate::nn::dropout::{self, Mask};
use crate::nn::tape::{Tape, Var};
use rayon::prelude::*;

/// A (rows, n) and B (rows, m) beside one another, (rows, n + m).
pub fn beside(tape: &Tape, a: &Var, b: &Var) -> Var {
    let (n, m) = (a.columns(), b.columns());
    assert_eq!(a.rows(), b.rows());
    if let Some(gpu) = tape.gpu() {
        return cuda::rows::beside(gpu, tape, a, b);
    }
    let mut y = Buffer::of(a.rows() * (n + m));
    y.par_chunks_mut(BLOCK * (n + m))
        .zip(a.values().par_chunks(BLOCK * n))
        .zip(b.values().par_chunks(BLOCK * m))
        .for_each(|((y, a), b)| {
            let rows = a.chunks_exact(n).zip(b.chunks_exact(m));
            for (y, (a, b)) in y.chunks_exact_mut(n + m).zip(rows) {
                y[..n].copy_from_slice(a);
                y[n..].copy_from_slice(b);
            }
        });
    let y = tape.var(y, n + m, true);
    if let Some(slot) = y.slot() {
        let slots = (a.slot(), b.slot());
        tape.push(move |gradients| {
            let Some(dy) = gradients.take(slot) else {
                return;
            };
            for (slot, first, width) in [(slots.0, 0, n), (slots.1, n, m)] {
                let Some(slot) = slot else { continue };
                let mut part = Buffer::of(dy.len() / (n + m) * width);
                part.par_chunks_mut(BLOCK * width)
                    .zip(dy.par_chunks(BLOCK * (n + m)))
                    .for_each(|(part, dy)| {
                        let rows = dy.chunks_exact(n + m);
                        for (to, from) in part.chunks_exact_mut(width).zip(rows) {
                            to.copy_from_slice(&from[first..first + width]);
                        }
                    });
                gradients.give(slot, part);
            }
        });
    }
    y
}

/// The rows of X with these numbers, in their order.
pub fn pick(tape: &Tape, x: &Var, rows: Vec<usize>) -> Var {
    if let Some(gpu) = tape.gpu() {
        return cuda::rows::pick(gpu, tape, x, &rows);
    }
    let d = x.columns();
    let mut y = Buffer::of(rows.len() * d);
    let blocks = y.par_chunks_mut(BLOCK * d).zip(rows.par_chunks(BLOCK));
    blocks.for_each(|(y, rows)| {
        for (to, row) in y.chunks_exact_mut(d).zip(rows) {
            to.copy_from_slice(&x.values()[row * d..(row + 1) * d]);
        }
    });
    let y = tape.var(y, d, true);
    if let (Some(from), Some(to)) = (y.slot(), x.slot()) {
        let n = x.values().len();
        tape.push(move |gradients| {
            let Some(dy) = gradients.take(from) else {
                return;
            };
            let mut dx = Buffer::zeros(n);
            for (dy, row) in dy.chunks_exact(d).zip(&rows) {
                let dx = &mut dx[row * d..(row + 1) * d];
                dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx += dy);
            }
            gradients.give(to, dx);
        });
    }
    y
}

/// X with values dropped.
pub fn dropped(tape: &Tape, x: &Var, mask: Option<Mask>) -> Var {
    let Some(mask) = mask else {
        return x.clone();
    };
    if let Some(gpu) = tape.gpu() {
        return cuda::rows::dropped_var(gpu, tape, x, mask);
    }
    let d = x.columns();
    let apply = move |values: &mut [f32]| {
        let blocks = values.par_chunks_mut(BLOCK * d).enumerate();
        blocks.for_each(|(i, values)| dropout::apply(&mask, i * BLOCK, d, values));
    };
    let mut y = Buffer::copy_of(x.values());
    apply(&mut y);
    let y = tape.var(y, d, true);
    if let (Some(from), Some(to)) = (y.slot(), x.slot()) {
        tape.push(move |gradients| {
            if let Some(mut dy) = gradients.take(from) {
                apply(&mut dy);
                gradients.give(to, dy);
            }
        });
    }
    y
}
