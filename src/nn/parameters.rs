//! The learned numbers of a model, all in one row of memory, and the names they are kept under.
//!
//! Values, gradients and the optimizer's moments are such rows of the same layout, so that clipping and Adam are one
//! pass over each, and a checkpoint is a copy.

use super::matmul::{Panels, Rows};
use std::ops::Range;
use std::sync::OnceLock;

/// Where a tensor lies. A matrix is (outputs, inputs), as in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    index: usize,
    start: usize,
    pub rows: usize,
    pub columns: usize,
}

impl Parameter {
    /// Its values, among those of all.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.rows * self.columns
    }
}

/// The names and shapes of a model's parameters.
#[derive(Debug, Default)]
pub struct Layout {
    entries: Vec<(String, Parameter)>,
    len: usize,
}

impl Layout {
    /// A new matrix (rows, columns).
    pub fn matrix(
        &mut self,
        name: impl std::convert::Into<String>,
        rows: usize,
        columns: usize,
    ) -> Parameter {
        let parameter = Parameter {
            index: self.entries.len(),
            start: self.len,
            rows,
            columns,
        };
        self.len += rows * columns;
        self.entries.push((name.into(), parameter));
        parameter
    }

    /// A new vector.
    pub fn vector(&mut self, name: impl std::convert::Into<String>, size: usize) -> Parameter {
        self.matrix(name, 1, size)
    }

    /// All parameters, in the order of memory.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Parameter)> {
        self.entries.iter().map(|(name, p)| (name.as_str(), *p))
    }

    /// Values in all.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The values of all parameters, and matrices packed for products once they are asked for.
#[derive(Debug)]
pub struct Weights {
    values: Vec<f32>,
    /// Where each parameter begins.
    starts: Vec<usize>,
    forward: Vec<OnceLock<Panels>>,
    backward: Vec<OnceLock<Panels>>,
}

impl Weights {
    /// All zero.
    pub fn zeros(layout: &Layout) -> Weights {
        let packs = || (0..layout.entries.len()).map(|_| OnceLock::new()).collect();
        Weights {
            values: vec![0.0; layout.len],
            starts: layout.entries.iter().map(|(_, p)| p.start).collect(),
            forward: packs(),
            backward: packs(),
        }
    }

    /// All values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to be changed: what was packed is packed again when it is next asked for.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.part_mut(0..self.values.len())
    }

    /// Some values, to be changed: those of whole parameters, the others stay packed.
    pub fn part_mut(&mut self, range: Range<usize>) -> &mut [f32] {
        let packs = self.forward.iter_mut().zip(&mut self.backward);
        for (start, (forward, backward)) in self.starts.iter().zip(packs) {
            if range.contains(start) {
                forward.take();
                backward.take();
            }
        }
        &mut self.values[range]
    }

    /// The values of one.
    pub fn of(&self, parameter: Parameter) -> &[f32] {
        &self.values[parameter.range()]
    }

    /// Wᵀ (inputs, outputs) of a matrix W: what stands on the right of X · Wᵀ.
    pub fn forward(&self, w: Parameter) -> &Panels {
        packed(&self.forward[w.index], || {
            let rows = Rows::dense(self.of(w), w.columns);
            Panels::of_columns(rows, (w.columns, w.rows))
        })
    }

    /// W (outputs, inputs): what stands on the right of dY · W.
    pub fn backward(&self, w: Parameter) -> &Panels {
        packed(&self.backward[w.index], || {
            let rows = Rows::dense(self.of(w), w.columns);
            Panels::of_rows(rows, (w.rows, w.columns))
        })
    }
}

/// What is packed already, or is packed now.
///
/// It is packed outside of the cell's lock: packing waits for other threads, and one that waits may take up a task that
/// wants the same matrix. Two may then pack it; one of them is kept.
fn packed(cell: &OnceLock<Panels>, pack: impl FnOnce() -> Panels) -> &Panels {
    match cell.get() {
        Some(panels) => panels,
        None => {
            let panels = pack();
            cell.get_or_init(|| panels)
        }
    }
}
