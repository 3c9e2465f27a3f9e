//! What comes back from a sublayer is dropped, added to what went in, and normalised.
//!
//! ```text
//! z = x + drop(s)     x̂ = (z − μ) / σ     y = γ ∘ x̂ + β          μ, σ² of each row; σ² + ε under the root
//! dx̂ = dy ∘ γ         dz = (dx̂ − mean(dx̂) − x̂ · mean(dx̂ ∘ x̂)) / σ  (+ the gradient of z itself)
//! dγ = Σ_rows dy ∘ x̂   dβ = Σ_rows dy      dx = dz     ds = dz ∘ mask
//! ```
//!
//! Post-norm layers (Vaswani et al. 2017) go on from y alone, pre-norm layers (Xiong et al. 2020) from both. Layer
//! normalisation: Ba et al. 2016. Saved are z and, of each row, μ and 1/σ.

use super::BLOCK;
use super::cuda;
use super::exp::dot;
use crate::nn::buffer::Buffer;
use crate::nn::dropout::{self, Mask};
use crate::nn::parameters::{Layout, Parameter, Weights};
use crate::nn::tape::{Gradients, Slot, Tape, Var};
use crate::simd::{Lanes, Level, dispatch};
use rayon::prelude::*;

/// ε of PyTorch's layer normalisation.
const EPSILON: f32 = 1e-5;

/// γ and β.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    pub scale: Parameter,
    pub shift: Parameter,
}

/// What the backward pass needs besides z.
struct Saved {
    /// μ and 1/σ of each row.
    moments: Buffer,
    mask: Option<Mask>,
}

impl Norm {
    /// The parameters NAME.weight and NAME.bias.
    pub fn new(layout: &mut Layout, name: &str, size: usize) -> Norm {
        Norm {
            scale: layout.vector(format!("{name}.weight"), size),
            shift: layout.vector(format!("{name}.bias"), size),
        }
    }

    /// y alone, of rows without a sublayer.
    pub fn forward(&self, tape: &Tape, x: &Var) -> Var {
        self.add(tape, x, None, None).1
    }

    /// z and y, of rows `x` and what a sublayer made of them.
    pub fn forward_residual(
        &self,
        tape: &Tape,
        x: &Var,
        sublayer: &Var,
        mask: Option<Mask>,
    ) -> (Var, Var) {
        self.add(tape, x, Some(sublayer), mask)
    }

    fn add(&self, tape: &Tape, x: &Var, sublayer: Option<&Var>, mask: Option<Mask>) -> (Var, Var) {
        let (rows, d) = (x.rows(), self.scale.columns);
        assert_eq!(x.columns(), d);
        if let Some(gpu) = tape.gpu() {
            return cuda::norm::forward(gpu, tape, self, (x, sublayer), mask);
        }
        let mut z = Buffer::copy_of(sublayer.unwrap_or(x).values());
        let mut y = Buffer::of(rows * d);
        let mut moments = Buffer::of(rows * 2);
        let add = sublayer.map(|_| x.values());
        self.apply(tape.weights, (add, &mut z, mask), &mut y, &mut moments);
        // Without a sublayer z is x, whose own gradient has its own slot.
        let (z, y) = (tape.var(z, d, sublayer.is_some()), tape.var(y, d, true));
        if let Some(slot) = y.slot() {
            let (norm, weights, z) = (*self, tape.weights, z.clone());
            let to = (x.slot(), sublayer.and_then(Var::slot));
            let saved = Saved { moments, mask };
            tape.push(move |gradients| norm.backward(weights, (slot, &z), &saved, to, gradients));
        }
        (z, y)
    }

    /// z = add + drop(z) in place, and y and the moments of each row.
    pub fn apply(
        &self,
        weights: &Weights,
        (add, z, mask): (Option<&[f32]>, &mut [f32], Option<Mask>),
        y: &mut [f32],
        moments: &mut [f32],
    ) {
        let d = self.scale.columns;
        let (scale, shift) = (weights.of(self.scale), weights.of(self.shift));
        let add = add.unwrap_or_default();
        let block = |(i, ((z, y), moments)): Block| {
            let add = add
                .get(i * BLOCK * d..)
                .map(|add| &add[..z.len().min(add.len())]);
            let add = add.unwrap_or_default();
            // SAFETY: the level is that of this processor.
            unsafe {
                normalise(
                    Level::best(),
                    (add, i * BLOCK, mask),
                    z,
                    y,
                    moments,
                    (scale, shift),
                )
            };
        };
        if z.len() <= BLOCK * d {
            return block((0, ((z, y), moments)));
        }
        z.par_chunks_mut(BLOCK * d)
            .zip(y.par_chunks_mut(BLOCK * d))
            .zip(moments.par_chunks_mut(BLOCK * 2))
            .enumerate()
            .for_each(block);
    }

    fn backward(
        &self,
        weights: &Weights,
        (slot, z): (Slot, &Var),
        saved: &Saved,
        (x, sublayer): (Option<Slot>, Option<Slot>),
        gradients: &mut Gradients,
    ) {
        let d = self.scale.columns;
        let own = z.slot().and_then(|slot| gradients.take(slot));
        let Some(mut dy) = gradients.take(slot) else {
            return own.map_or((), |dz| {
                pass_on(dz, &saved.mask, d, (x, sublayer), gradients)
            });
        };
        let blocks = z.rows().div_ceil(BLOCK);
        let mut sums = Buffer::zeros(blocks * 2 * d);
        let scale = weights.of(self.scale);
        // dz takes the place of dy.
        let parts = dy.par_chunks_mut(BLOCK * d).zip(sums.par_chunks_mut(2 * d));
        parts.enumerate().for_each(|(i, (dy, sums))| {
            let rows = i * BLOCK * d..i * BLOCK * d + dy.len();
            let moments = &saved.moments[i * BLOCK * 2..i * BLOCK * 2 + 2 * (dy.len() / d)];
            let own = own.as_ref().map(|own| &own[rows.clone()]);
            let z = &z.values()[rows];
            // SAFETY: the level is that of this processor.
            unsafe { denormalise(Level::best(), dy, (z, moments, own), scale, sums) };
        });
        let (dscale, dshift) = gradients.pair(self.scale, self.shift);
        for block in sums.chunks_exact(2 * d) {
            dscale
                .iter_mut()
                .zip(&block[..d])
                .for_each(|(sum, value)| *sum += value);
            dshift
                .iter_mut()
                .zip(&block[d..])
                .for_each(|(sum, value)| *sum += value);
        }
        pass_on(dy, &saved.mask, d, (x, sublayer), gradients);
    }
}

/// Gives dz to what went into the sum: as it is, and through the mask.
fn pass_on(
    dz: Buffer,
    mask: &Option<Mask>,
    d: usize,
    (x, sublayer): (Option<Slot>, Option<Slot>),
    gradients: &mut Gradients,
) {
    if let Some(slot) = sublayer {
        let mut ds = Buffer::of(dz.len());
        let blocks = ds.par_chunks_mut(BLOCK * d).zip(dz.par_chunks(BLOCK * d));
        blocks.enumerate().for_each(|(i, (ds, dz))| {
            ds.copy_from_slice(dz);
            if let Some(mask) = mask {
                dropout::apply(mask, i * BLOCK, d, ds);
            }
        });
        gradients.give(slot, ds);
    }
    if let Some(slot) = x {
        gradients.give(slot, dz);
    }
}

/// A number of rows, and their parts of z, y, and moments.
type Block<'a> = (usize, ((&'a mut [f32], &'a mut [f32]), &'a mut [f32]));

type Forward<'a> = (&'a [f32], usize, Option<Mask>);

dispatch!(unsafe fn normalise(
    add: Forward, z: &mut [f32], y: &mut [f32], moments: &mut [f32], scale: (&[f32], &[f32])
) = normalise_in);

#[inline(always)]
unsafe fn normalise_in<L: Lanes>(
    (add, first, mask): Forward,
    z: &mut [f32],
    y: &mut [f32],
    moments: &mut [f32],
    (scale, shift): (&[f32], &[f32]),
) {
    let d = scale.len();
    let rows = z
        .chunks_exact_mut(d)
        .zip(y.chunks_exact_mut(d))
        .zip(moments.chunks_exact_mut(2));
    for (r, ((z, y), moments)) in rows.enumerate() {
        if let Some(mask) = mask {
            mask.apply(first + r, z);
        }
        if !add.is_empty() {
            let add = &add[r * d..(r + 1) * d];
            z.iter_mut().zip(add).for_each(|(z, x)| *z += x);
        }
        let mean = sum(z) / d as f32;
        y.iter_mut().zip(&*z).for_each(|(y, z)| *y = z - mean);
        let inverse = 1.0 / (dot(y, y) / d as f32 + EPSILON).sqrt();
        for ((y, g), b) in y.iter_mut().zip(scale).zip(shift) {
            *y = *y * inverse * g + b;
        }
        moments.copy_from_slice(&[mean, inverse]);
    }
}

#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (chunks, rest) = values.as_chunks::<16>();
    for chunk in chunks {
        sums.iter_mut()
            .zip(chunk)
            .for_each(|(sum, value)| *sum += value);
    }
    sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

type Backward<'a> = (&'a [f32], &'a [f32], Option<&'a [f32]>);

dispatch!(unsafe fn denormalise(dy: &mut [f32], saved: Backward, scale: &[f32], sums: &mut [f32]) = denormalise_in);

/// dz in place of dy, and the sums of this block for dγ and dβ.
#[inline(always)]
unsafe fn denormalise_in<L: Lanes>(
    dy: &mut [f32],
    (z, moments, own): Backward,
    scale: &[f32],
    sums: &mut [f32],
) {
    let d = scale.len();
    let (dscale, dshift) = sums.split_at_mut(d);
    for (r, (dy, z)) in dy.chunks_exact_mut(d).zip(z.chunks_exact(d)).enumerate() {
        let (mean, inverse) = (moments[2 * r], moments[2 * r + 1]);
        let (mut plain, mut weighted) = ([0.0f32; 16], [0.0f32; 16]);
        for start in (0..d).step_by(16) {
            for lane in 0..16.min(d - start) {
                let i = start + lane;
                let hat = (z[i] - mean) * inverse;
                dscale[i] += dy[i] * hat;
                dshift[i] += dy[i];
                dy[i] *= scale[i];
                plain[lane] += dy[i];
                weighted[lane] += dy[i] * hat;
            }
        }
        let plain = plain.iter().sum::<f32>() / d as f32;
        let weighted = weighted.iter().sum::<f32>() / d as f32;
        for (dy, z) in dy.iter_mut().zip(z) {
            *dy = (*dy - plain - (z - mean) * inverse * weighted) * inverse;
        }
        if let Some(own) = own {
            let own = &own[r * d..(r + 1) * d];
            dy.iter_mut().zip(own).for_each(|(dy, own)| *dy += own);
        }
    }
}
