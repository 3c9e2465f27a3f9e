//! Images made smaller and larger, added, summed and stacked, and activations alone, on a device: see `ops/pixels.rs` and
//! `ops/gate.rs`.

use super::conv::undo;
use super::embedding::Occurrences;
use super::{PACK, kernel, launch_rows, rows};
use crate::nn::device::{Argument, Gpu, Memory};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::pixels::Size;
use crate::nn::parameters::Parameter;
use crate::nn::tape::{Tape, Var};
use std::sync::Arc;

/// a + b
pub fn add(gpu: &Gpu, tape: &Tape, a: &Var, b: &Var) -> Var {
    let y = a.memory().copy();
    rows::add(gpu, &y, b.memory());
    let y = tape.var_there(y, a.columns(), true);
    if let Some(slot) = y.slot() {
        let slots = (a.slot(), b.slot());
        tape.push(move |gradients| {
            let Some(dy) = gradients.take_there(slot) else {
                return;
            };
            match slots {
                (Some(a), Some(b)) => {
                    gradients.give_there(a, dy.copy());
                    gradients.give_there(b, dy);
                }
                (Some(one), None) | (None, Some(one)) => gradients.give_there(one, dy),
                (None, None) => {}
            }
        });
    }
    y
}

/// `n` values that a linear operation without weights makes of `x`; `forward` and its transpose `back` write their first
/// row of values and read the second.
fn linear(
    gpu: &Gpu,
    tape: &Tape,
    (x, n, columns): (&Var, usize, usize),
    forward: impl Fn(&Gpu, &Memory, &Memory),
    back: impl Fn(&Gpu, &Memory, &Memory) + 'static,
) -> Var {
    let y = Memory::of(gpu, gpu.kind(), n);
    forward(gpu, &y, x.memory());
    let y = tape.var_there(y, columns, true);
    if let (Some(slot), Some(to)) = (y.slot(), x.slot()) {
        let (gpu, n) = (gpu.clone(), x.len());
        tape.push(move |gradients| {
            if let Some(dy) = gradients.take_there(slot) {
                let dx = Memory::of(&gpu, gpu.kind(), n);
                back(&gpu, &dx, &dy);
                gradients.give_there(to, dx);
            }
        });
    }
    y
}

fn size_of((height, width, channels): Size) -> Argument<'static> {
    Argument::words(&[height, width, channels].map(|n| n as u32))
}

fn gather(gpu: &Gpu, small: &Memory, large: &Memory, (size, share): (Size, f32)) {
    let n = small.len();
    let arguments = [
        small.into(),
        large.into(),
        n.into(),
        size_of(size),
        share.into(),
    ];
    gpu.launch_over(n, kernel!(gpu, "gather_four"), &arguments);
}

fn spread(gpu: &Gpu, large: &Memory, small: &Memory, (size, share): (Size, f32)) {
    let n = large.len();
    let arguments = [
        large.into(),
        small.into(),
        n.into(),
        size_of(size),
        share.into(),
    ];
    gpu.launch_over(n, kernel!(gpu, "spread_four"), &arguments);
}

pub fn halve(gpu: &Gpu, tape: &Tape, x: &Var, size: Size) -> Var {
    linear(
        gpu,
        tape,
        (x, x.len() / 4, size.2),
        move |gpu, y, x| gather(gpu, y, x, (size, 0.25)),
        move |gpu, dx, dy| spread(gpu, dx, dy, (size, 0.25)),
    )
}

pub fn double(gpu: &Gpu, tape: &Tape, x: &Var, size: Size) -> Var {
    linear(
        gpu,
        tape,
        (x, x.len() * 4, size.2),
        move |gpu, y, x| spread(gpu, y, x, (size, 1.0)),
        move |gpu, dx, dy| gather(gpu, dx, dy, (size, 1.0)),
    )
}

pub fn sum(gpu: &Gpu, tape: &Tape, x: &Var, (height, width, c): Size) -> Var {
    let pixels = height * width;
    let arguments = move |to: &Memory, from: &Memory, gpu: &Gpu, kernel: &'static str| {
        let arguments = [
            to.into(),
            from.into(),
            to.len().into(),
            pixels.into(),
            c.into(),
        ];
        gpu.launch_over(to.len(), kernel, &arguments);
    };
    linear(
        gpu,
        tape,
        (x, x.len() / pixels, c),
        move |gpu, y, x| arguments(y, x, gpu, kernel!(gpu, "sum_pixels")),
        move |gpu, dx, dy| arguments(dx, dy, gpu, kernel!(gpu, "repeat_pixels")),
    )
}

pub fn stack(gpu: &Gpu, tape: &Tape, x: &Var, (height, width, c): Size, together: usize) -> Var {
    let copy = move |gpu: &Gpu, to: &Memory, from: &Memory, is_back: bool| {
        let arguments = [
            to.into(),
            from.into(),
            to.len().into(),
            (height * width).into(),
            c.into(),
            together.into(),
            u32::from(is_back).into(),
        ];
        gpu.launch_over(to.len(), kernel!(gpu, "stack_pixels"), &arguments);
    };
    linear(
        gpu,
        tape,
        (x, x.len(), c * together),
        move |gpu, y, x| copy(gpu, y, x, false),
        move |gpu, dx, dy| copy(gpu, dx, dy, true),
    )
}

pub fn against(gpu: &Gpu, tape: &Tape, x: &Var, table: Parameter, labels: &Arc<[u32]>) -> Var {
    let there = tape.there();
    let (n, d) = (labels.len(), table.columns);
    let numbers = Memory::from_u32(gpu, labels);
    let y = Memory::of(gpu, gpu.kind(), n);
    let arguments = [
        (&y).into(),
        x.memory().into(),
        there.at(table),
        (&numbers).into(),
        n.into(),
        d.into(),
    ];
    launch_rows(gpu, n, kernel!(gpu, "against"), &arguments);
    let y = tape.var_there(y, 1, true);
    if let Some(slot) = y.slot() {
        let (gpu, x) = (gpu.clone(), x.clone());
        let rows = (tape.learns(table)).then(|| Occurrences::of(&gpu, labels));
        tape.push(move |gradients| {
            let Some(dy) = gradients.take_there(slot) else {
                return;
            };
            if let Some(rows) = rows {
                let arguments = [
                    gradients.there().at(table.start()),
                    (&dy).into(),
                    x.memory().into(),
                    (&rows.tokens).into(),
                    (&rows.starts).into(),
                    (&rows.order).into(),
                    d.into(),
                ];
                let grid = (rows.tokens.len() as u32, 1);
                gpu.launch(kernel!(gpu, "against_table"), grid, 128, &arguments);
            }
            if let Some(to) = x.slot() {
                let dx = Memory::of(&gpu, gpu.kind(), n * d);
                let arguments = [
                    (&dx).into(),
                    (&dy).into(),
                    there.at(table),
                    (&numbers).into(),
                    n.into(),
                    d.into(),
                ];
                gpu.launch_over(n * d, kernel!(gpu, "against_back"), &arguments);
                gradients.give_there(to, dx);
            }
        });
    }
    y
}

/// f(x)
pub fn apply(gpu: &Gpu, tape: &Tape, x: &Var, activation: Activation) -> Var {
    let c = x.columns();
    let y = x.memory().copy();
    let arguments = [
        (&y).into(),
        Argument::NULL,
        (y.len() / c).into(),
        c.into(),
        activation.into(),
        None.into(),
    ];
    gpu.launch_over(y.len().div_ceil(PACK), kernel!(gpu, "finish"), &arguments);
    let y = tape.var_there(y, c, true);
    back(gpu, tape, x, &y, y.clone(), activation);
    y
}

/// x ∘ f′, where `done` is what f gave.
pub fn gate(gpu: &Gpu, tape: &Tape, x: &Var, done: &Var, activation: Activation) -> Var {
    let y = x.memory().copy();
    undo(gpu, &y, done.memory(), x.columns(), activation);
    let y = tape.var_there(y, x.columns(), true);
    back(gpu, tape, x, &y, done.clone(), activation);
    y
}

/// dx = dy ∘ f′
fn back(gpu: &Gpu, tape: &Tape, x: &Var, y: &Var, done: Var, activation: Activation) {
    if let (Some(slot), Some(to)) = (y.slot(), x.slot()) {
        let gpu = gpu.clone();
        tape.push(move |gradients| {
            if let Some(dy) = gradients.take_there(slot) {
                undo(&gpu, &dy, done.memory(), done.columns(), activation);
                gradients.give_there(to, dy);
            }
        });
    }
}
