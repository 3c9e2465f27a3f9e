//! A linear layer on a device: see `ops/linear.rs`.

use super::{PACK, add_columns, kernel};
use crate::nn::device::{Argument, Gpu, Memory, Product};
use crate::nn::dropout::Mask;
use crate::nn::ops::activation::Activation;
use crate::nn::ops::linear::Linear;
use crate::nn::parameters::There;
use crate::nn::tape::{Gradients, Tape, Var};

impl From<Activation> for Argument<'_> {
    /// The codes of linear.cu.
    fn from(activation: Activation) -> Self {
        let code: u32 = match activation {
            Activation::Identity => 0,
            Activation::Relu => 1,
            Activation::Leaky => 2,
            Activation::Tanh => 3,
        };
        code.into()
    }
}

pub fn forward(
    gpu: &Gpu,
    tape: &Tape,
    layer: &Linear,
    x: &Var,
    activation: Activation,
    mask: Option<Mask>,
) -> Var {
    let there = tape.there();
    let (rows, outputs) = (x.rows(), layer.weight.rows);
    let y = apply(gpu, there, layer, x.memory(), (activation, mask));
    let y = tape.var_there(y, outputs, true);
    if let Some(slot) = y.slot() {
        let (gpu, layer, x, saved) = (gpu.clone(), *layer, x.clone(), y.clone());
        tape.push(move |gradients| {
            let Some(dy) = gradients.take_there(slot) else {
                return;
            };
            if activation != Activation::Identity || mask.is_some() {
                let arguments = [
                    (&dy).into(),
                    saved.memory().into(),
                    rows.into(),
                    outputs.into(),
                    activation.into(),
                    mask.into(),
                ];
                gpu.launch_over(dy.len().div_ceil(PACK), kernel!(gpu, "undo"), &arguments);
            }
            pass_back(&gpu, there, &layer, &x, &dy, gradients);
        });
    }
    y
}

/// The layer on rows, without a tape.
pub(super) fn apply(
    gpu: &Gpu,
    there: &There,
    layer: &Linear,
    x: &Memory,
    how: (Activation, Option<Mask>),
) -> Memory {
    let rows = x.len() / layer.weight.columns;
    let y = Memory::of(gpu, gpu.kind(), rows * layer.weight.rows);
    apply_rows(gpu, there, layer, ((x, 0), (&y, 0), rows), how);
    y
}

/// Rows of a matrix, from one on.
type Rows<'a> = (&'a Memory, usize);

/// The same on so many rows of a matrix, to rows of another; dropped by their numbers among these.
pub(super) fn apply_rows(
    gpu: &Gpu,
    there: &There,
    layer: &Linear,
    (x, y, rows): (Rows, Rows, usize),
    (activation, mask): (Activation, Option<Mask>),
) {
    let (inputs, outputs) = (layer.weight.columns, layer.weight.rows);
    gpu.multiply(&Product {
        a: x.0.matrix(x.1 * inputs, inputs),
        b: there.matrix(layer.weight).transposed(),
        c: y.0.matrix(y.1 * outputs, outputs),
        shape: (rows, outputs, inputs),
        adds: false,
    });
    let arguments = [
        y.0.at(y.1 * outputs),
        there.at(layer.bias),
        rows.into(),
        outputs.into(),
        activation.into(),
        mask.into(),
    ];
    gpu.launch_over(
        (rows * outputs).div_ceil(PACK),
        kernel!(gpu, "finish"),
        &arguments,
    );
}

/// Passes the gradient of X · Wᵀ + b on to X, W and b.
pub(super) fn pass_back(
    gpu: &Gpu,
    there: &There,
    layer: &Linear,
    x: &Var,
    dz: &Memory,
    gradients: &mut Gradients,
) {
    let (rows, inputs, outputs) = (x.rows(), layer.weight.columns, layer.weight.rows);
    if let Some(slot) = x.slot() {
        let (dx, adds) = gradients.open_there(slot, || Memory::of(gpu, gpu.kind(), x.len()));
        gpu.multiply(&Product {
            a: dz.matrix(0, outputs),
            b: there.matrix(layer.weight),
            c: dx.matrix(0, inputs),
            shape: (rows, inputs, outputs),
            adds,
        });
    }
    add_weights(gpu, layer, (dz, x.memory()), gradients);
}

/// dW = dW + dzᵀ · x, db = db + Σ_rows dz
pub(super) fn add_weights(
    gpu: &Gpu,
    layer: &Linear,
    (dz, x): (&Memory, &Memory),
    gradients: &Gradients,
) {
    let (inputs, outputs) = (layer.weight.columns, layer.weight.rows);
    let to = gradients.there();
    gpu.multiply(&Product {
        a: dz.matrix(0, outputs).transposed(),
        b: x.matrix(0, inputs),
        c: to.matrix(layer.weight.start(), inputs),
        shape: (outputs, inputs, x.len() / inputs),
        adds: true,
    });
    add_columns(gpu, dz, (outputs, outputs), to.at(layer.bias.start()));
}
