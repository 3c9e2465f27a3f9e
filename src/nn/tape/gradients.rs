//! Gradients of values and of parameters while a pass goes back.

use super::{ON_DEVICE, Slot};
use crate::nn::buffer::Buffer;
use crate::nn::device::Memory;
use crate::nn::matmul::Into;
use crate::nn::ops::cuda;
use crate::nn::parameters::Parameter;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// Gradients on their way.
#[derive(Debug, Default)]
pub struct Gradients {
    pub(super) slots: Vec<Option<Gradient>>,
    pub(super) parameters: Vec<f32>,
    /// Those of the parameters of a pass on a device.
    pub(super) there: Option<Arc<Memory>>,
    /// Takes gradients of parameters as soon as nothing more is added to them.
    pub(super) complete: Option<Sender<Complete>>,
}

/// Gradients to which nothing more is added in this pass: places in the row of all parameters, and what is there.
pub type Complete = (Range<usize>, Vec<f32>);

#[derive(Debug)]
pub(super) enum Gradient {
    Host(Buffer),
    Device(Memory),
}

impl Gradient {
    fn host(&mut self) -> &mut Buffer {
        match self {
            Gradient::Host(values) => values,
            Gradient::Device(_) => panic!("{ON_DEVICE}"),
        }
    }
}

impl Gradients {
    /// The finished gradient of a value; nothing when nobody used the value.
    pub fn take(&mut self, slot: Slot) -> Option<Buffer> {
        match self.slots[slot.0].take()? {
            Gradient::Host(values) => Some(values),
            Gradient::Device(_) => panic!("{ON_DEVICE}"),
        }
    }

    /// The same on a device.
    pub fn take_there(&mut self, slot: Slot) -> Option<Memory> {
        match self.slots[slot.0].take()? {
            Gradient::Host(_) => panic!("a gradient of the host, wanted on a device"),
            Gradient::Device(memory) => Some(memory),
        }
    }

    /// Where a gradient of `n` values is to be written, and whether it is set or added to.
    pub fn open(&mut self, slot: Slot, n: usize) -> (&mut [f32], Into) {
        let into = match self.slots[slot.0] {
            Some(_) => Into::Add,
            None => Into::Set,
        };
        let gradient = self.slots[slot.0].get_or_insert_with(|| Gradient::Host(Buffer::of(n)));
        (gradient.host(), into)
    }

    /// The same on a device: the memory, and whether it is added to. `room` makes it where there is none.
    pub fn open_there(&mut self, slot: Slot, room: impl FnOnce() -> Memory) -> (&Memory, bool) {
        let adds = self.slots[slot.0].is_some();
        match self.slots[slot.0].get_or_insert_with(|| Gradient::Device(room())) {
            Gradient::Host(_) => panic!("a gradient of the host, wanted on a device"),
            Gradient::Device(memory) => (memory, adds),
        }
    }

    /// The gradients of all parameters on a device.
    ///
    /// # Panics
    /// When the pass is computed on the host.
    pub fn there(&self) -> &Memory {
        self.there.as_ref().expect("gradients on a device")
    }

    /// Passes on a gradient that is of no use here any more.
    pub fn give(&mut self, slot: Slot, gradient: Buffer) {
        match &mut self.slots[slot.0] {
            Some(sum) => add(sum.host(), &gradient),
            empty => *empty = Some(Gradient::Host(gradient)),
        }
    }

    /// The same on a device.
    pub fn give_there(&mut self, slot: Slot, gradient: Memory) {
        match &mut self.slots[slot.0] {
            Some(Gradient::Device(sum)) => cuda::rows::add(gradient.gpu(), sum, &gradient),
            Some(Gradient::Host(_)) => panic!("a gradient of the host, wanted on a device"),
            empty => *empty = Some(Gradient::Device(gradient)),
        }
    }

    /// The gradients of two parameters, the first of which lies before the second.
    pub fn pair(&mut self, first: Parameter, second: Parameter) -> (&mut [f32], &mut [f32]) {
        let (before, from) = self.parameters.split_at_mut(second.range().start);
        (
            &mut before[first.range()],
            &mut from[..second.rows * second.columns],
        )
    }

    /// Hands out the gradients of some parameters, which are complete.
    pub(super) fn hand_out(&mut self, range: Range<usize>) {
        if let Some(complete) = &self.complete {
            let values = self.parameters[range.clone()].to_vec();
            // Nobody listens any more: the run has failed elsewhere.
            let _ = complete.send((range, values));
        }
    }

    /// The gradient of a parameter.
    pub fn of(&mut self, parameter: Parameter) -> &mut [f32] {
        &mut self.parameters[parameter.range()]
    }
}

/// sum = sum + values, on all threads.
pub fn add(sum: &mut [f32], values: &[f32]) {
    use rayon::prelude::*;
    const BLOCK: usize = 1 << 15;
    assert_eq!(sum.len(), values.len());
    sum.par_chunks_mut(BLOCK)
        .zip(values.par_chunks(BLOCK))
        .for_each(|(sum, values)| sum.iter_mut().zip(values).for_each(|(s, v)| *s += v));
}
