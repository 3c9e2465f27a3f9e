//! An activation alone, and the slopes of one that was computed before: what a change of its argument becomes.
//!
//! ```text
//! apply  y = f(x)             dx = dy ∘ f′
//! gate   y = x ∘ f′(s)        dx = dy ∘ f′(s)        f′(s) from f(s); f: relu or leaky
//! ```
//!
//! With gates in place of activations, a network of linear layers is its own derivative along x (Pearlmutter 1994): gates
//! do not change under a small change of the weights, so that what is computed by them has exact gradients.

use super::activation::{Activation, finish};
use super::conv::undo_all;
use super::{columns, cuda};
use crate::nn::buffer::Buffer;
use crate::nn::tape::{Tape, Var};
use crate::simd::Level;
use rayon::prelude::*;

/// f(x)
pub fn apply(tape: &Tape, x: &Var, activation: Activation) -> Var {
    if let Some(gpu) = tape.gpu() {
        return cuda::pixels::apply(gpu, tape, x, activation);
    }
    let c = x.columns();
    let mut y = Buffer::copy_of(x.values());
    // SAFETY: the level is that of this processor.
    y.par_chunks_mut(columns::size(c)).for_each(|y| unsafe {
        finish(Level::best(), y, (c, &[]), activation, None, 0);
    });
    let y = tape.var(y, c, true);
    back(tape, x, &y, y.clone(), activation);
    y
}

/// x ∘ f′, where `done` is what f gave.
///
/// # Panics
/// When f is not a slope that is known from what it gave.
pub fn gate(tape: &Tape, x: &Var, done: &Var, activation: Activation) -> Var {
    assert!(matches!(activation, Activation::Relu | Activation::Leaky));
    if let Some(gpu) = tape.gpu() {
        return cuda::pixels::gate(gpu, tape, x, done, activation);
    }
    let mut y = Buffer::copy_of(x.values());
    undo_all(&mut y, done.values(), x.columns(), activation);
    let y = tape.var(y, x.columns(), true);
    back(tape, x, &y, done.clone(), activation);
    y
}

/// dx = dy ∘ f′
fn back(tape: &Tape, x: &Var, y: &Var, done: Var, activation: Activation) {
    if let (Some(slot), Some(to)) = (y.slot(), x.slot()) {
        tape.push(move |gradients| {
            if let Some(mut dy) = gradients.take(slot) {
                undo_all(&mut dy, done.values(), done.columns(), activation);
                gradients.give(to, dy);
            }
        });
    }
}
