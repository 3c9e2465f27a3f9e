//! A linear layer with its bias, activation and dropout.
//!
//! ```text
//! Y = drop(f(X · Wᵀ + b))                          f: an activation
//! dZ = dY ∘ mask ∘ f′     dX = dZ · W     dW = dZᵀ · X     db = Σ_rows dZ
//! ```
//!
//! W is (outputs, inputs).

use super::BLOCK;
use super::activation::{Activation, finish, undo};
use super::cuda;
use crate::nn::buffer::Buffer;
use crate::nn::dropout::Mask;
use crate::nn::matmul::{Into, Rows, multiply};
use crate::nn::outer;
use crate::nn::parameters::{Layout, Parameter, Weights};
use crate::nn::tape::{Gradients, Tape, Var};
use crate::simd::Level;
use rayon::prelude::*;

/// A weight matrix (outputs, inputs) and a bias.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    pub weight: Parameter,
    pub bias: Parameter,
}

impl Linear {
    /// The parameters NAME.weight and NAME.bias.
    pub fn new(layout: &mut Layout, name: &str, inputs: usize, outputs: usize) -> Linear {
        Linear {
            weight: layout.matrix(format!("{name}.weight"), outputs, inputs),
            bias: layout.vector(format!("{name}.bias"), outputs),
        }
    }

    /// The layer on the rows of `x`.
    pub fn forward(&self, tape: &Tape, x: &Var, activation: Activation, mask: Option<Mask>) -> Var {
        let (inputs, outputs) = (self.weight.columns, self.weight.rows);
        assert_eq!(x.columns(), inputs);
        if let Some(gpu) = tape.gpu() {
            return cuda::linear::forward(gpu, tape, self, x, activation, mask);
        }
        let mut y = Buffer::of(x.rows() * outputs);
        self.apply(tape.weights, x.values(), activation, mask, &mut y);
        let y = tape.var(y, outputs, true);
        if let Some(slot) = y.slot() {
            let (layer, x, saved) = (*self, x.clone(), y.clone());
            let weights = tape.weights;
            tape.push(move |gradients| {
                if let Some(dy) = gradients.take(slot) {
                    layer.backward(weights, (&x, &saved), dy, (activation, mask), gradients);
                }
            });
        }
        y
    }

    /// y = the layer on the rows of `x`, without a tape.
    pub fn apply(
        &self,
        weights: &Weights,
        x: &[f32],
        activation: Activation,
        mask: Option<Mask>,
        y: &mut [f32],
    ) {
        let (inputs, outputs) = (self.weight.columns, self.weight.rows);
        let (packed, bias) = (weights.forward(self.weight), weights.of(self.bias));
        let block = |(i, (y, x)): (usize, (&mut [f32], &[f32]))| {
            let rows = y.len() / outputs;
            multiply(Rows::dense(x, inputs), rows, packed, y, outputs, Into::Set);
            // SAFETY: the level is that of this processor.
            unsafe {
                finish(
                    Level::best(),
                    y,
                    (outputs, bias),
                    activation,
                    mask,
                    i * BLOCK,
                )
            };
        };
        if y.len() <= BLOCK * outputs {
            return block((0, (y, x)));
        }
        y.par_chunks_mut(BLOCK * outputs)
            .zip(x.par_chunks(BLOCK * inputs))
            .enumerate()
            .for_each(block);
    }

    fn backward(
        &self,
        weights: &Weights,
        (x, y): (&Var, &Var),
        dy: Buffer,
        (activation, mask): (Activation, Option<Mask>),
        gradients: &mut Gradients,
    ) {
        let outputs = self.weight.rows;
        if activation == Activation::Identity && mask.is_none() {
            return self.pass_back(weights, x, dy, |_, _| {}, gradients);
        }
        let through = |i: usize, dy: &mut [f32]| {
            let y = &y.values()[i * BLOCK * outputs..][..dy.len()];
            // SAFETY: the level is that of this processor.
            unsafe { undo(Level::best(), dy, (y, outputs), activation, mask, i * BLOCK) };
        };
        self.pass_back(weights, x, dy, through, gradients);
    }

    /// Passes the gradient of X · Wᵀ + b on to X, W and b; `through` makes it of what is given, block by block of rows.
    pub fn pass_back(
        &self,
        weights: &Weights,
        x: &Var,
        mut dz: Buffer,
        through: impl Fn(usize, &mut [f32]) + Sync,
        gradients: &mut Gradients,
    ) {
        let (inputs, outputs) = (self.weight.columns, self.weight.rows);
        let blocks = dz.par_chunks_mut(BLOCK * outputs).enumerate();
        match x.slot() {
            Some(slot) => {
                let packed = weights.backward(self.weight);
                let (dx, into) = gradients.open(slot, x.values().len());
                blocks
                    .zip(dx.par_chunks_mut(BLOCK * inputs))
                    .for_each(|((i, dz), dx)| {
                        through(i, dz);
                        let rows = dz.len() / outputs;
                        multiply(Rows::dense(dz, outputs), rows, packed, dx, inputs, into);
                    });
            }
            None => blocks.for_each(|(i, dz)| through(i, dz)),
        }
        let rows = dz.len() / outputs;
        let (dz, x) = (Rows::dense(&dz, outputs), Rows::dense(x.values(), inputs));
        let (dw, db) = gradients.pair(self.weight, self.bias);
        outer::add(dz, x, (rows, outputs, inputs), dw, Some(db));
    }
}
