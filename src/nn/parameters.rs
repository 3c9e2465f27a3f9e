//! The learned numbers of a model, all in one row of memory, and the names they are kept under.
//!
//! Values, gradients and the optimizer's moments are such rows of the same layout, so that clipping and Adam are one
//! pass over each, and a checkpoint is a copy.

use super::device::{Argument, Gpu, Kind, Memory, Operand};
use super::matmul::{Panels, Rows};
use super::ops::cuda;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Where a tensor lies. A matrix is (outputs, inputs), as in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    index: usize,
    start: usize,
    pub rows: usize,
    pub columns: usize,
}

impl Parameter {
    /// The place of its first value, among those of all.
    pub fn start(&self) -> usize {
        self.start
    }

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
    there: Option<There>,
}

/// A table of the host, and the same on a device.
type Table = (Arc<Vec<f32>>, Arc<Memory>);

/// Weights on a device: what is computed with there. Those of the host are older, until they are fetched.
#[derive(Debug)]
pub struct There {
    pub values: Memory,
    /// The same in half the bytes, for products of activations that are kept so.
    pub shadow: Option<Memory>,
    /// Sums of the losses of all passes since they were last asked for: smoothed, and − ln p of the right tokens.
    pub losses: Memory,
    /// Tables that are not learned, by where the host has them.
    tables: Mutex<HashMap<usize, Table>>,
}

impl There {
    fn of(gpu: &Gpu, values: &[f32]) -> There {
        let there = There {
            values: Memory::from_f32(gpu, values),
            shadow: (gpu.kind() != Kind::F32).then(|| Memory::of(gpu, gpu.kind(), values.len())),
            losses: Memory::zeros(gpu, Kind::F64, 2),
            tables: Mutex::default(),
        };
        there.refresh();
        there
    }

    /// Makes the shadow that of the values.
    fn refresh(&self) {
        if let Some(shadow) = &self.shadow {
            cuda::rows::convert(shadow, &self.values);
        }
    }

    /// Takes the values of other weights, laid out in the same way.
    pub fn copy_from(&self, other: &There) {
        self.values.copy_from(&other.values);
        if let (Some(own), Some(other)) = (&self.shadow, &other.shadow) {
            own.copy_from(other);
        }
    }

    /// A table that never changes: it is brought there once.
    pub fn table(&self, values: &Arc<Vec<f32>>) -> Arc<Memory> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Arc::as_ptr(values) as usize;
        if let Some((_, table)) = tables.get(&place) {
            return Arc::clone(table);
        }
        let gpu = self.values.gpu();
        let table = Arc::new(Memory::from_f32(gpu, values));
        // A device that lacks memory has not taken it, and may be forgiven.
        if gpu.check().is_ok() {
            tables.insert(place, (Arc::clone(values), Arc::clone(&table)));
        }
        table
    }

    /// The sums of the losses since they were last asked for: smoothed, and − ln p of the right tokens.
    pub fn take_losses(&self) -> (f64, f64) {
        let sums = self.losses.to_f64();
        self.losses.clear();
        (sums[0], sums[1])
    }

    /// A parameter as products take it.
    pub fn matrix(&self, parameter: Parameter) -> Operand<'_> {
        let values = self.shadow.as_ref().unwrap_or(&self.values);
        values.matrix(parameter.start, parameter.columns)
    }

    /// A parameter in f32.
    pub fn at(&self, parameter: Parameter) -> Argument<'_> {
        self.values.at(parameter.start)
    }
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
            there: None,
        }
    }

    /// Brings the values to a device, where everything is computed from then on.
    pub fn bring_to(&mut self, gpu: &Gpu) {
        self.there = Some(There::of(gpu, &self.values));
    }

    /// The values on the device.
    pub fn there(&self) -> Option<&There> {
        self.there.as_ref()
    }

    /// Takes the values on the device away, so that the host computes; [`Weights::return_to`] brings them back.
    pub fn leave(&mut self) -> Option<There> {
        self.there.take()
    }

    /// Goes on computing where it was left.
    pub fn return_to(&mut self, there: Option<There>) {
        self.there = there;
    }

    /// Makes the values of the host those of the device, if there is one.
    pub fn fetch(&mut self) {
        if let Some(there) = self.there.take() {
            there.values.read_into(self.values_mut());
            self.there = Some(there);
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
