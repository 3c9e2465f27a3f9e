//! What was computed in a forward pass, and how its gradients are computed from the end back to the beginning.
//!
//! ```text
//! forward   x ── op ──► y          the op pushes a step that owns what it saved
//! backward  dx ◄─ step ── dy       steps run once, last first; dx is stored by the first, added to by the next
//! ```
//!
//! A gradient that is complete is taken by its step and freed with what the step had saved: memory falls while the
//! pass goes on. What needs no gradient has no slot. Without recording nothing is saved at all.
//!
//! A value is a matrix of rows, one for each real token of the batch, without padding: sentences stand one after the
//! other, and only attention needs to know where they begin.

mod gradients;

use super::buffer::Buffer;
use super::device::{Argument, Gpu, Memory};
use super::dropout::{Dropout, Mask};
use super::ops::cuda;
use super::parameters::{Parameter, There, Weights};
use super::part::Part;
pub use gradients::{Complete, Gradients, add};
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// A matrix in the course of a computation, and where its gradient goes.
#[derive(Clone, Debug)]
pub struct Var {
    values: Values,
    columns: usize,
    slot: Option<Slot>,
}

/// Where values lie: all those of a pass in the same place.
#[derive(Clone, Debug)]
enum Values {
    Host(Arc<Buffer>),
    Device(Arc<Memory>),
}

/// Where a gradient is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(usize);

impl Var {
    /// # Panics
    /// When they lie on a device.
    pub fn values(&self) -> &[f32] {
        match &self.values {
            Values::Host(values) => values,
            Values::Device(_) => panic!("{ON_DEVICE}"),
        }
    }

    /// # Panics
    /// When the values lie on the host.
    pub fn memory(&self) -> &Memory {
        match &self.values {
            Values::Host(_) => panic!("values of the host, wanted on a device"),
            Values::Device(memory) => memory,
        }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Host(values) => values.len(),
            Values::Device(memory) => memory.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn rows(&self) -> usize {
        self.len() / self.columns.max(1)
    }

    /// The same values, and the same gradient, in rows of another length: pixels of many colours as images, and back.
    ///
    /// # Panics
    /// When they do not fill whole rows.
    pub fn with_columns(&self, columns: usize) -> Var {
        assert!(self.len().is_multiple_of(columns));
        Var {
            columns,
            ..self.clone()
        }
    }

    /// The slot of its gradient, if it needs one.
    pub fn slot(&self) -> Option<Slot> {
        self.slot
    }
}

/// What is said where an operation that knows the host alone meets a device.
const ON_DEVICE: &str = "an operation that has no half on the device";

type Step<'w> = Box<dyn FnOnce(&mut Gradients) + 'w>;

/// A forward pass under way.
pub struct Tape<'w> {
    pub weights: &'w Weights,
    /// Gradients of the parameters, and those of the values that the backward pass has reached.
    gradients: Option<RefCell<Gradients>>,
    /// The parameters whose gradients are wanted, as places in the row of all.
    learned: Range<usize>,
    /// What gradients are multiplied by on a device, or nothing.
    scale: Argument<'w>,
    steps: RefCell<Vec<Step<'w>>>,
    /// The samples of this pass, where other ranks compute the rest of the batch.
    part: Option<&'w Part<'w>>,
    dropout: Dropout,
    masks: Cell<u32>,
}

impl<'w> Tape<'w> {
    /// A pass whose gradients are added to those of the parameters in `parameters`.
    pub fn recording(weights: &'w Weights, parameters: Vec<f32>, dropout: Dropout) -> Tape<'w> {
        assert_eq!(weights.values().len(), parameters.len());
        Tape {
            gradients: Some(RefCell::new(Gradients {
                parameters,
                ..Gradients::default()
            })),
            dropout,
            learned: 0..usize::MAX,
            ..Tape::plain(weights)
        }
    }

    /// The same on a device, for weights that lie there.
    pub fn recording_there(
        weights: &'w Weights,
        parameters: Arc<Memory>,
        dropout: Dropout,
    ) -> Tape<'w> {
        assert_eq!(weights.values().len(), parameters.len());
        Tape {
            gradients: Some(RefCell::new(Gradients {
                there: Some(parameters),
                ..Gradients::default()
            })),
            dropout,
            learned: 0..usize::MAX,
            ..Tape::plain(weights)
        }
    }

    /// The device that computes this pass, if one does.
    pub fn gpu(&self) -> Option<&'w Gpu> {
        self.weights.there().map(|there| there.values.gpu())
    }

    /// A pass that leaves the parameters outside of `learned` without gradients, where an operation asks for that.
    pub fn learning(self, learned: Range<usize>) -> Tape<'w> {
        Tape { learned, ..self }
    }

    /// A pass whose loss multiplies its gradient by a number on the device: where they have few digits, gradients are lost
    /// otherwise ([`cuda::learning`]).
    pub fn scaled(self, scale: Argument<'w>) -> Tape<'w> {
        Tape { scale, ..self }
    }

    /// Where that number is, if there is one.
    pub fn scale(&self) -> Argument<'w> {
        self.scale
    }

    /// A pass over a part of a batch, the rest of which others compute at the same time.
    pub fn among(self, part: Option<&'w Part<'w>>) -> Tape<'w> {
        Tape { part, ..self }
    }

    /// The samples of this pass, where it is one of several over a batch.
    pub fn part(&self) -> Option<&'w Part<'w>> {
        self.part
    }

    /// How many samples of the batch come before those of this pass, and how many after: others compute them.
    pub fn others(&self) -> [usize; 2] {
        self.part.map_or([0; 2], Part::others)
    }

    /// Whether the gradient of a parameter is wanted.
    pub fn learns(&self, parameter: Parameter) -> bool {
        let range = parameter.range();
        self.is_recording() && range.start >= self.learned.start && range.end <= self.learned.end
    }

    /// A pass without gradients and dropout.
    pub fn plain(weights: &'w Weights) -> Tape<'w> {
        Tape {
            weights,
            gradients: None,
            learned: 0..0,
            scale: Argument::NULL,
            steps: RefCell::default(),
            part: None,
            dropout: Dropout::none(),
            masks: Cell::new(0),
        }
    }

    /// Whether gradients are wanted.
    pub fn is_recording(&self) -> bool {
        self.gradients.is_some()
    }

    /// The mask of the next place where values are dropped, from a row of the whole batch on: what is dropped does not
    /// depend on into how many parts the batch is cut.
    pub fn mask(&self, first: usize) -> Option<Mask> {
        let place = self.masks.get();
        self.masks.set(place + 1);
        Some(self.dropout.mask(place)?.from_row(first))
    }

    /// The mask of a place where another share of values is dropped; none where nothing is recorded.
    pub fn mask_of(&self, rate: f32, first: usize) -> Option<Mask> {
        let place = self.masks.get();
        self.masks.set(place + 1);
        let dropout = Dropout {
            rate,
            ..self.dropout
        };
        let mask = dropout.mask(place).filter(|_| self.is_recording())?;
        Some(mask.from_row(first))
    }

    /// The weights on the device that computes this pass.
    ///
    /// # Panics
    /// When none does.
    pub fn there(&self) -> &'w There {
        self.weights.there().expect("a pass on a device")
    }

    /// A value that the pass goes on from; it has a gradient if `needs_gradient`.
    pub fn var(&self, values: Buffer, columns: usize, needs_gradient: bool) -> Var {
        self.var_of(Values::Host(Arc::new(values)), columns, needs_gradient)
    }

    /// Values that a pass begins with and that have no gradient; a device is given a copy.
    pub fn input(&self, values: Buffer, columns: usize) -> Var {
        match self.gpu() {
            Some(gpu) => self.var_there(cuda::rows::upload(gpu, &values), columns, false),
            None => self.var(values, columns, false),
        }
    }

    /// The same, of values on the device.
    pub fn var_there(&self, values: Memory, columns: usize, needs_gradient: bool) -> Var {
        self.var_of(Values::Device(Arc::new(values)), columns, needs_gradient)
    }

    fn var_of(&self, values: Values, columns: usize, needs_gradient: bool) -> Var {
        let gradients = self.gradients.as_ref().filter(|_| needs_gradient);
        let slot = gradients.map(|gradients| {
            let slots = &mut gradients.borrow_mut().slots;
            slots.push(None);
            Slot(slots.len() - 1)
        });
        Var {
            values,
            columns,
            slot,
        }
    }

    /// A parameter as a value of its own, its rows as they are.
    pub fn parameter(&self, parameter: Parameter) -> Var {
        if let Some(gpu) = self.gpu() {
            return cuda::rows::parameter(gpu, self, parameter);
        }
        let values = Buffer::copy_of(self.weights.of(parameter));
        let var = self.var(values, parameter.columns, true);
        if let Some(slot) = var.slot() {
            self.push(move |gradients| {
                if let Some(gradient) = gradients.take(slot) {
                    add(gradients.of(parameter), &gradient);
                }
            });
        }
        var
    }

    /// Remembers how the gradient of what was just computed is passed on.
    pub fn push(&self, step: impl FnOnce(&mut Gradients) + 'w) {
        if self.is_recording() {
            self.steps.borrow_mut().push(Box::new(step));
        }
    }

    /// Says that the parameters with places in `range` are used from here on only: when the pass is back here, their
    /// gradients are complete.
    pub fn begins(&self, range: Range<usize>) {
        self.push(move |gradients| gradients.hand_out(range));
    }

    /// The gradients, for an operation that computes them on its way forward.
    pub fn gradients(&self) -> Option<std::cell::RefMut<'_, Gradients>> {
        self.gradients.as_ref().map(RefCell::borrow_mut)
    }

    /// Runs all steps, the last first, and gives the gradients of the parameters back.
    pub fn backward(self) -> Vec<f32> {
        self.backward_to(&[]).0
    }

    /// The same; gradients that are complete before the end are handed out on the way, too.
    pub fn backward_telling(mut self, complete: Sender<Complete>) -> Vec<f32> {
        if let Some(gradients) = &mut self.gradients {
            gradients.get_mut().complete = Some(complete);
        }
        self.backward()
    }

    /// The same, and the gradients of some values that the pass began with.
    pub fn backward_to(self, slots: &[Slot]) -> (Vec<f32>, Vec<Option<Buffer>>) {
        let Some(mut gradients) = self.run_back() else {
            return (Vec::new(), slots.iter().map(|_| None).collect());
        };
        let found = slots.iter().map(|slot| gradients.take(*slot)).collect();
        (gradients.parameters, found)
    }

    /// On a device, the gradient of a value that the pass began with.
    pub fn backward_to_there(self, slot: Slot) -> Option<Memory> {
        self.run_back()?.take_there(slot)
    }

    fn run_back(self) -> Option<Gradients> {
        let mut gradients = self.gradients?.into_inner();
        for step in self.steps.into_inner().into_iter().rev() {
            step(&mut gradients);
        }
        Some(gradients)
    }
}
