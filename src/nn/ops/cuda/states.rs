//! Recurrent cells whose states are kept from step to step of a decoding: see `ops/cell.rs`. Rows that go on are picked by
//! number, as a search decides.

use super::kept::Kept;
use super::kernel;
use crate::nn::device::{Argument, Kind, Memory, Product};
use crate::nn::ops::cell::{Cell, Kind as Gates};
use crate::nn::parameters::{Parameter, There};

/// Where the states of a cell are among what is kept: h, and c behind it; both in f32.
#[derive(Clone, Copy, Debug)]
pub struct States<'k> {
    pub kept: &'k Kept,
    pub h: usize,
}

impl States<'_> {
    fn parts(&self) -> [Argument<'_>; 2] {
        [self.h, self.h + 1].map(|part| self.kept.part(part).into())
    }

    /// Keeps the first states h, (rows, d), in these rows; c is 0.
    pub fn begin(&self, first: &Memory, places: &Memory) {
        let (gpu, d) = (self.kept.gpu(), self.kept.columns(self.h));
        let [h, c] = self.parts();
        let arguments = [
            h,
            c,
            first.into(),
            places.into(),
            places.len().into(),
            d.into(),
        ];
        gpu.launch_over(first.len(), kernel!(gpu, "keep_first"), &arguments);
    }

    /// Takes rows a step further, from these rows of what is kept to those: the new h, (rows, d). x: of each input (rows, n)
    /// and its weights (gates · d, n).
    pub fn advance(
        &self,
        there: &There,
        cell: &Cell,
        inputs: &[(&Memory, Parameter)],
        (from, to): (&Memory, &Memory),
    ) -> Memory {
        let (gpu, rows) = (self.kept.gpu(), from.len());
        let (d, width) = (cell.dim(), cell.width());
        let multiply = |x: &Memory, weight: Parameter, c: &Memory, adds| {
            gpu.multiply(&Product {
                a: x.matrix(0, weight.columns),
                b: there.matrix(weight).transposed(),
                c: c.matrix(0, width),
                shape: (rows, width, weight.columns),
                adds,
            });
        };
        let [x, u] = [0, 1].map(|_| Memory::of(gpu, Kind::F32, rows * width));
        for (i, (values, weight)) in inputs.iter().enumerate() {
            multiply(values, *weight, &x, i > 0);
        }
        let last = self.kept.pick(self.h, from);
        multiply(&last, cell.state.weight, &u, false);
        let kernel = match cell.kind {
            Gates::Lstm => kernel!(gpu, "lstm_advance"),
            Gates::Gru => kernel!(gpu, "gru_advance"),
        };
        let state = Memory::of(gpu, gpu.kind(), rows * d);
        let [h, c] = self.parts();
        let arguments = [
            (&state).into(),
            h,
            c,
            (&x).into(),
            (&u).into(),
            there.at(cell.input.bias),
            there.at(cell.state.bias),
            from.into(),
            to.into(),
            rows.into(),
            d.into(),
        ];
        gpu.launch_over(rows * d, kernel, &arguments);
        state
    }
}
