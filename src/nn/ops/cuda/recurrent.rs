//! A recurrent layer on a device: see `ops/recurrent.rs`. All sentences go through time together, the longest first, those
//! that have ended left out.

use super::order::Order;
use super::{add_columns, kernel, linear};
use crate::nn::device::{Argument, Gpu, Kind, Memory, Operand, Product};
use crate::nn::dropout::Mask;
use crate::nn::ops::activation::Activation;
use crate::nn::ops::cell::{Cell, Kind as Gates};
use crate::nn::ops::recurrent::{How, Sequences};
use crate::nn::parameters::There;
use crate::nn::tape::{Gradients, Slot, Tape, Var};

/// A layer and what it begins with.
pub(super) struct Layer<'w> {
    pub gpu: Gpu,
    pub there: &'w There,
    pub cell: Cell,
    pub mask: Option<Mask>,
    pub first: Option<Var>,
}

/// What the way there leaves: the gates and the state of each row; its c, or what u said for n.
pub(super) struct Saved {
    pub gates: Memory,
    pub memory: Memory,
}

/// What goes from step to step.
pub(super) struct Running {
    h: Memory,
    c: Memory,
    /// h as it is multiplied, with units dropped.
    kept: Memory,
    u: Memory,
}

/// The gradients that go back from step to step.
pub(super) struct Returning {
    dh: Memory,
    dc: Memory,
    du: Memory,
    /// du · U, where units were dropped.
    through: Option<Memory>,
    /// Of u for n at each row, of a GRU.
    d_new: Memory,
}

impl Layer<'_> {
    /// The states before the first step.
    fn first(&self) -> Argument<'_> {
        self.first
            .as_ref()
            .map_or(Argument::NULL, |first| first.memory().into())
    }

    /// U as products take it.
    fn state_weight(&self) -> Operand<'_> {
        self.there.matrix(self.cell.state.weight)
    }

    pub fn begin(&self, order: &Order) -> Running {
        let (gpu, n) = (&self.gpu, order.count() * self.cell.dim());
        let running = Running {
            h: Memory::of(gpu, Kind::F32, n),
            c: Memory::of(gpu, Kind::F32, n),
            kept: Memory::of(gpu, gpu.kind(), n),
            u: Memory::of(gpu, Kind::F32, order.count() * self.cell.width()),
        };
        let arguments = [
            (&running.h).into(),
            (&running.kept).into(),
            (&running.c).into(),
            self.first(),
            (&order.sentences).into(),
            order.count().into(),
            self.cell.dim().into(),
            self.mask.into(),
        ];
        gpu.launch_over(n, kernel!(gpu, "begin"), &arguments);
        running
    }

    /// A step of all sentences that have it: x in `saved.gates` becomes the gates.
    pub fn step(
        &self,
        order: &Order,
        t: usize,
        running: &Running,
        (saved, states): (&Saved, &Memory),
    ) {
        let (gpu, d, width, n) = (
            &self.gpu,
            self.cell.dim(),
            self.cell.width(),
            order.active[t],
        );
        let has_state = t > 0 || self.first.is_some();
        if has_state {
            gpu.multiply(&Product {
                a: running.kept.matrix(0, d),
                b: self.state_weight().transposed(),
                c: running.u.matrix(0, width),
                shape: (n, width, d),
                adds: false,
            });
        }
        let kernel = match self.cell.kind {
            Gates::Lstm => kernel!(gpu, "lstm_step"),
            Gates::Gru => kernel!(gpu, "gru_step"),
        };
        let arguments = [
            (&saved.gates).into(),
            states.into(),
            (&saved.memory).into(),
            (&running.h).into(),
            (&running.kept).into(),
            (&running.c).into(),
            if has_state {
                (&running.u).into()
            } else {
                Argument::NULL
            },
            self.there.at(self.cell.state.bias),
            (&order.sentences).into(),
            n.into(),
            d.into(),
            order.place(t),
            self.mask.into(),
        ];
        gpu.launch_over(n * d, kernel, &arguments);
    }

    pub fn begin_back(&self, order: &Order, rows: usize) -> Returning {
        let (gpu, d, count) = (&self.gpu, self.cell.dim(), order.count());
        let is_gru = self.cell.kind == Gates::Gru;
        Returning {
            dh: Memory::zeros(gpu, Kind::F32, count * d),
            dc: Memory::zeros(gpu, Kind::F32, count * d),
            du: Memory::of(gpu, gpu.kind(), count * self.cell.width()),
            through: self.mask.map(|_| Memory::of(gpu, Kind::F32, count * d)),
            d_new: Memory::of(gpu, gpu.kind(), if is_gru { rows * d } else { 0 }),
        }
    }

    /// A step back: the gates become the gradients of x.
    pub fn step_back(
        &self,
        order: &Order,
        t: usize,
        returning: &Returning,
        (saved, states, d_states): (&Saved, &Memory, &Memory),
    ) {
        let (gpu, d, width, n) = (
            &self.gpu,
            self.cell.dim(),
            self.cell.width(),
            order.active[t],
        );
        let kernel = match self.cell.kind {
            Gates::Lstm => kernel!(gpu, "lstm_step_back"),
            Gates::Gru => kernel!(gpu, "gru_step_back"),
        };
        let sentences: Argument = (&order.sentences).into();
        let arguments = [
            (&saved.gates).into(),
            (&returning.du).into(),
            (&returning.d_new).into(),
            (&returning.dh).into(),
            (&returning.dc).into(),
            d_states.into(),
            states.into(),
            (&saved.memory).into(),
            self.first(),
            sentences,
            n.into(),
            d.into(),
            order.place(t),
        ];
        gpu.launch_over(n * d, kernel, &arguments);
        if t == 0 && self.first.is_none() {
            return;
        }
        let (dh, through) = (&returning.dh, &returning.through);
        gpu.multiply(&Product {
            a: returning.du.matrix(0, width),
            b: self.state_weight(),
            c: through.as_ref().unwrap_or(dh).matrix(0, d),
            shape: (n, d, width),
            adds: through.is_none(),
        });
        if let Some(through) = through {
            let arguments = [
                dh.into(),
                through.into(),
                sentences,
                n.into(),
                d.into(),
                self.mask.into(),
            ];
            gpu.launch_over(n * d, "add_kept", &arguments);
        }
    }

    /// After the first step: the gradients of the first states, and those of U and its bias, which come of the gradients of
    /// u: those of x, but for n of a GRU.
    pub fn end_back(
        &self,
        order: &Order,
        returning: &Returning,
        (saved, states): (&Saved, &Memory),
        gradients: &mut Gradients,
    ) {
        let (gpu, d, width) = (&self.gpu, self.cell.dim(), self.cell.width());
        if let Some(slot) = self.first.as_ref().and_then(Var::slot) {
            let n = order.count() * d;
            let d_first = Memory::of(gpu, gpu.kind(), n);
            let sentences = (&order.sentences).into();
            let arguments = [
                (&d_first).into(),
                (&returning.dh).into(),
                sentences,
                order.count().into(),
                d.into(),
            ];
            gpu.launch_over(n, kernel!(gpu, "by_number"), &arguments);
            gradients.give_there(slot, d_first);
        }
        let first = self.first.as_ref().map(Var::memory);
        let before = order.rows_before(states, first, d, self.mask);
        let (weight, bias) = (self.cell.state.weight.start(), self.cell.state.bias.start());
        // Of a GRU's gates the last stands in a matrix of its own.
        let shared = match self.cell.kind {
            Gates::Lstm => width,
            Gates::Gru => 2 * d,
        };
        let to = gradients.there();
        let add = |a: Operand, first: usize, columns: usize| {
            gpu.multiply(&Product {
                a: a.transposed(),
                b: before.matrix(0, d),
                c: to.matrix(weight + first * d, d),
                shape: (columns, d, states.len() / d),
                adds: true,
            });
        };
        add(saved.gates.matrix(0, width), 0, shared);
        add_columns(gpu, &saved.gates, (shared, width), to.at(bias));
        if self.cell.kind == Gates::Gru {
            add(returning.d_new.matrix(0, d), shared, d);
            add_columns(gpu, &returning.d_new, (d, d), to.at(bias + shared));
        }
    }
}

pub fn forward(
    gpu: &Gpu,
    tape: &Tape,
    cell: &Cell,
    x: &Var,
    sequences: &Sequences,
    how: How,
) -> Var {
    let layer = Layer {
        gpu: gpu.clone(),
        there: tape.there(),
        cell: *cell,
        mask: how.mask,
        first: how.first.cloned(),
    };
    let order = Order::by_sentence(gpu, sequences, how.is_backward);
    let identity = (Activation::Identity, None);
    let saved = Saved {
        gates: linear::apply(gpu, layer.there, &cell.input, x.memory(), identity),
        memory: Memory::of(gpu, Kind::F32, x.rows() * cell.dim()),
    };
    let states = Memory::of(gpu, gpu.kind(), saved.memory.len());
    let running = layer.begin(&order);
    for t in 0..order.active.len() {
        layer.step(&order, t, &running, (&saved, &states));
    }
    let states = tape.var_there(states, cell.dim(), true);
    if let Some(slot) = states.slot() {
        let (x, known) = (x.clone(), states.clone());
        tape.push(move |gradients| back(&layer, &order, slot, (&x, &known, &saved), gradients));
    }
    states
}

fn back(
    layer: &Layer,
    order: &Order,
    slot: Slot,
    (x, states, saved): (&Var, &Var, &Saved),
    gradients: &mut Gradients,
) {
    let Some(d_states) = gradients.take_there(slot) else {
        return;
    };
    let returning = layer.begin_back(order, x.rows());
    for t in (0..order.active.len()).rev() {
        layer.step_back(order, t, &returning, (saved, states.memory(), &d_states));
    }
    layer.end_back(order, &returning, (saved, states.memory()), gradients);
    linear::pass_back(
        &layer.gpu,
        layer.there,
        &layer.cell.input,
        x,
        &saved.gates,
        gradients,
    );
}
