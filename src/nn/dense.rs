//! A linear layer for use, not for training: weights as they are, or in bytes; always on the calling thread.

use super::int8;
use super::matmul::{Into, PANEL, Rows, multiply_panels};
use super::ops::activation::Activation;
use super::ops::{BLOCK, exp};
use super::parameters::{Parameter, Weights};
use crate::nn::ops::linear::Linear;
use std::ops::Range;

/// How numbers are kept while a model is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    #[default]
    Single,
    /// Weights and what they are multiplied with in a byte each
    Int8,
}

/// Y = f(X · Wᵀ + b).
#[derive(Debug)]
pub enum Dense<'w> {
    Single(&'w Weights, Linear),
    Int8(int8::Matrix),
}

impl<'w> Dense<'w> {
    pub fn new(weights: &'w Weights, layer: Linear, precision: Precision) -> Dense<'w> {
        match precision {
            Precision::Single => {
                weights.forward(layer.weight);
                Dense::Single(weights, layer)
            }
            Precision::Int8 => Dense::Int8(int8::Matrix::new(
                weights.of(layer.weight),
                layer.weight.columns,
                Some(weights.of(layer.bias)),
            )),
        }
    }

    /// The layer on rows of `x`.
    pub fn apply(&self, x: &[f32], activation: Activation, y: &mut [f32]) {
        match self {
            Dense::Single(weights, layer) => {
                let (inputs, outputs) = (layer.weight.columns, layer.weight.rows);
                // A block is small enough for the layer to stay on this thread.
                let blocks = x.chunks(BLOCK * inputs).zip(y.chunks_mut(BLOCK * outputs));
                blocks.for_each(|(x, y)| layer.apply(weights, x, activation, None, y));
            }
            Dense::Int8(matrix) => {
                let x = int8::Bytes::of(x, matrix.inputs());
                let panels = 0..matrix.panels();
                let is_relu = activation == Activation::Relu;
                matrix.multiply(&x, panels, is_relu, y, matrix.outputs());
                if activation == Activation::Tanh {
                    exp::tanh_all(y);
                }
            }
        }
    }
}

/// The table that turns vectors into scores of words: (words, d), without a bias.
#[derive(Debug)]
pub enum Table<'w> {
    Single(&'w Weights, Parameter),
    Int8(int8::Matrix),
}

/// Vectors on their way to scores.
pub enum Vectors<'a> {
    Single(&'a [f32]),
    Int8(int8::Bytes),
}

impl<'w> Table<'w> {
    pub fn new(weights: &'w Weights, table: Parameter, precision: Precision) -> Table<'w> {
        match precision {
            Precision::Single => {
                weights.forward(table);
                Table::Single(weights, table)
            }
            Precision::Int8 => {
                Table::Int8(int8::Matrix::new(weights.of(table), table.columns, None))
            }
        }
    }

    pub fn words(&self) -> usize {
        match self {
            Table::Single(_, table) => table.rows,
            Table::Int8(matrix) => matrix.outputs(),
        }
    }

    /// Vectors as [`Table::scores`] wants them.
    pub fn prepare<'a>(&self, h: &'a [f32]) -> Vectors<'a> {
        match self {
            Table::Single(..) => Vectors::Single(h),
            Table::Int8(matrix) => Vectors::Int8(int8::Bytes::of(h, matrix.inputs())),
        }
    }

    /// The scores of some words, whose panels of [`PANEL`] words are given, for each of `n` vectors: rows of
    /// `stride` values.
    pub fn scores(
        &self,
        h: &Vectors,
        n: usize,
        panels: Range<usize>,
        scores: &mut [f32],
        stride: usize,
    ) {
        match (self, h) {
            (Table::Single(weights, table), Vectors::Single(h)) => {
                let rows = Rows::dense(h, table.columns);
                let packed = weights.forward(*table);
                multiply_panels(rows, n, packed, panels, scores, stride, Into::Set);
            }
            (Table::Int8(matrix), Vectors::Int8(h)) => {
                matrix.multiply(h, panels, false, scores, stride);
            }
            _ => unreachable!("vectors are prepared by the table that scores them"),
        }
    }

    /// Panels in all.
    pub fn panels(&self) -> usize {
        self.words().div_ceil(PANEL)
    }
}
