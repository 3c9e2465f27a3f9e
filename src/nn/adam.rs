//! The optimizer Adam, with clipping, in one pass over all parameters.
//!
//! ```text
//! g ← clip · g        m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
//! w ← w − lr · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
//! ```
//!
//! Kingma and Ba 2015; β₂ = 0.98 and ε = 10⁻⁹ are those of Vaswani et al. 2017. Moments that have decayed to almost
//! nothing are set to 0, so that no denormal numbers come of them.

use crate::simd::{Lanes, Level, dispatch};
use rayon::prelude::*;

/// Values of a task.
const BLOCK: usize = 1 << 14;

/// The constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
    /// Decoupled weight decay (Loshchilov and Hutter 2019), times the learning rate.
    pub decay: f32,
}

impl Default for Adam {
    fn default() -> Adam {
        Adam {
            beta1: 0.9,
            beta2: 0.98,
            epsilon: 1e-9,
            decay: 0.0,
        }
    }
}

/// The moments, and how many updates were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub updates: u64,
    /// How many of these a device has left out, of the first part of the weights that is updated, or of all, and of the
    /// second: see adam.cu.
    pub left_out: [u64; 2],
}

impl Moments {
    pub fn zeros(len: usize) -> Moments {
        Moments {
            first: vec![0.0; len],
            second: vec![0.0; len],
            updates: 0,
            left_out: [0; 2],
        }
    }

    /// How many updates of a part were made, of so many that were asked for: at least the one that is being made.
    pub fn made(&self, which: usize, updates: u64) -> u64 {
        updates.saturating_sub(self.left_out[which]).max(1)
    }
}

/// What a block of the update multiplies by.
#[derive(Clone, Copy)]
struct Factors {
    adam: Adam,
    clip: f32,
    /// lr / (1 − β₁ᵗ)
    rate: f32,
    /// 1 / (1 − β₂ᵗ)
    second: f32,
    shrink: f32,
}

impl Adam {
    /// One update of `weights` by `gradients`, which are multiplied by `clip` first and cleared.
    pub fn update(
        &self,
        weights: &mut [f32],
        gradients: &mut [f32],
        moments: &mut Moments,
        lr: f32,
        clip: f32,
    ) {
        moments.updates += 1;
        let updates = moments.made(0, moments.updates);
        let both = (&mut moments.first[..], &mut moments.second[..]);
        self.update_part(weights, gradients, both, updates, (lr, clip));
    }

    /// What the `updates`-th update multiplies by.
    fn factors(&self, updates: u64, lr: f32, clip: f32) -> Factors {
        let power =
            |beta: f32| 1.0 - f64::from(beta).powi(i32::try_from(updates).unwrap_or(i32::MAX));
        Factors {
            adam: *self,
            clip,
            rate: (f64::from(lr) / power(self.beta1)) as f32,
            second: (1.0 / power(self.beta2)) as f32,
            shrink: self.shrink(lr),
        }
    }

    /// What weights are multiplied by.
    pub(super) fn shrink(&self, lr: f32) -> f32 {
        1.0 - lr * self.decay
    }

    /// The `updates`-th update of some of the weights, with the moments of these.
    pub fn update_part(
        &self,
        weights: &mut [f32],
        gradients: &mut [f32],
        (first, second): (&mut [f32], &mut [f32]),
        updates: u64,
        (lr, clip): (f32, f32),
    ) {
        let factors = self.factors(updates, lr, clip);
        (weights.par_chunks_mut(BLOCK))
            .zip(gradients.par_chunks_mut(BLOCK))
            .zip(
                first
                    .par_chunks_mut(BLOCK)
                    .zip(second.par_chunks_mut(BLOCK)),
            )
            .for_each(|((w, g), (m, v))| {
                // SAFETY: the level is that of this processor.
                unsafe { update(Level::best(), w, g, m, v, factors) }
            });
    }
}

dispatch!(unsafe fn update(
    w: &mut [f32], g: &mut [f32], m: &mut [f32], v: &mut [f32], factors: Factors
) = update_in);

#[inline(always)]
unsafe fn update_in<L: Lanes>(
    w: &mut [f32],
    g: &mut [f32],
    m: &mut [f32],
    v: &mut [f32],
    f: Factors,
) {
    /// Far below what a weight can be told apart by, far above the square root of the least number.
    const NOTHING: f32 = 1e-30;
    let Adam {
        beta1,
        beta2,
        epsilon,
        ..
    } = f.adam;
    for (((w, g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
        let grad = *g * f.clip;
        *g = 0.0;
        let first = beta1 * *m + (1.0 - beta1) * grad;
        let second = beta2 * *v + (1.0 - beta2) * grad * grad;
        *m = if first.abs() < NOTHING { 0.0 } else { first };
        *v = if second < NOTHING { 0.0 } else { second };
        *w = *w * f.shrink - f.rate * *m / ((*v * f.second).sqrt() + epsilon);
    }
}

/// ‖g‖, in sums of fixed blocks.
pub fn norm(gradients: &[f32]) -> f64 {
    let square = |block: &[f32]| {
        block
            .iter()
            .map(|g| f64::from(*g) * f64::from(*g))
            .sum::<f64>()
    };
    let blocks: Vec<f64> = gradients.par_chunks(BLOCK).map(square).collect();
    blocks.iter().sum::<f64>().sqrt()
}

/// average = share · average + (1 − share) · weights
pub fn average(average: &mut [f32], weights: &[f32], share: f32) {
    let blocks = average.par_chunks_mut(BLOCK).zip(weights.par_chunks(BLOCK));
    blocks.for_each(|(average, weights)| {
        let pairs = average.iter_mut().zip(weights);
        pairs.for_each(|(a, w)| *a += (1.0 - share) * (w - *a));
    });
}
