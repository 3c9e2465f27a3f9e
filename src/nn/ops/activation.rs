//! What is done with the sums of a layer, value by value, and with its gradient.
//!
//! ```text
//! identity  x        relu   max(0, x)        leaky  x > 0: x   else 0.2 x        tanh  (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)
//! ```
//!
//! The derivative of relu at 0 is 0, that of leaky 0.2. Each derivative is computed from the result: the sums are not
//! kept. 0.2: Radford et al. 2016.

use super::exp::tanh;
use crate::nn::dropout::Mask;
use crate::simd::{Lanes, dispatch};

/// What is left below 0 by `leaky`.
pub const LEAK: f32 = 0.2;

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    Identity,
    Relu,
    Leaky,
    Tanh,
}

dispatch!(pub(super) unsafe fn finish(
    y: &mut [f32], bias: (usize, &[f32]), activation: Activation, mask: Option<Mask>, first: usize
) = finish_in);

#[inline(always)]
unsafe fn finish_in<L: Lanes>(
    y: &mut [f32],
    (columns, bias): (usize, &[f32]),
    activation: Activation,
    mask: Option<Mask>,
    first: usize,
) {
    for (r, row) in y.chunks_exact_mut(columns).enumerate() {
        row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
        match activation {
            Activation::Identity => {}
            Activation::Relu => row
                .iter_mut()
                .for_each(|y| *y = if *y > 0.0 { *y } else { 0.0 }),
            Activation::Leaky => row
                .iter_mut()
                .for_each(|y| *y = if *y > 0.0 { *y } else { LEAK * *y }),
            Activation::Tanh => row.iter_mut().for_each(|y| *y = tanh(*y)),
        }
        if let Some(mask) = mask {
            mask.apply(first + r, row);
        }
    }
}

dispatch!(pub(super) unsafe fn undo(
    dy: &mut [f32], y: (&[f32], usize), activation: Activation, mask: Option<Mask>, first: usize
) = undo_in);

/// dZ in place of dY: after max(0, ·) and dropout a value is positive exactly where its gradient passes; tanh′ = 1 − tanh².
#[inline(always)]
unsafe fn undo_in<L: Lanes>(
    dy: &mut [f32],
    (y, columns): (&[f32], usize),
    activation: Activation,
    mask: Option<Mask>,
    first: usize,
) {
    let scale = mask.map_or(1.0, |mask| mask.scale);
    if matches!(activation, Activation::Relu | Activation::Leaky) && mask.is_none() {
        let below = if activation == Activation::Relu {
            0.0
        } else {
            LEAK
        };
        let through = |(d, y): (&mut f32, &f32)| *d *= if *y > 0.0 { 1.0 } else { below };
        return dy.iter_mut().zip(y).for_each(through);
    }
    if activation == Activation::Relu {
        let through = |(d, y): (&mut f32, &f32)| *d = if *y > 0.0 { *d * scale } else { 0.0 };
        return dy.iter_mut().zip(y).for_each(through);
    }
    if let Some(mask) = mask {
        for (r, row) in dy.chunks_exact_mut(columns).enumerate() {
            mask.apply(first + r, row);
        }
    }
    if activation == Activation::Leaky {
        let through = |(d, y): (&mut f32, &f32)| *d *= if *y > 0.0 { 1.0 } else { LEAK };
        return dy.iter_mut().zip(y).for_each(through);
    }
    if activation == Activation::Tanh {
        // What was kept was made larger; where nothing was kept, no gradient is left.
        let through = |(d, y): (&mut f32, &f32)| *d *= 1.0 - (y / scale) * (y / scale);
        dy.iter_mut().zip(y).for_each(through);
    }
}
