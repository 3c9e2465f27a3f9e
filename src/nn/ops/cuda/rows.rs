//! Sums and masks of whole matrices, parameters as values, and rows side by side or picked: see `ops/rows.rs`.

use super::embedding::Occurrences;
use super::{PACK, kernel};
use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::dropout::Mask;
use crate::nn::parameters::Parameter;
use crate::nn::tape::{Tape, Var};

/// sum = sum + values
pub fn add(gpu: &Gpu, sum: &Memory, values: &Memory) {
    let arguments = [sum.into(), values.into(), values.len().into()];
    gpu.launch_over(values.len(), kernel!(gpu, "add"), &arguments);
}

/// mask ∘ x, of so many columns.
pub fn dropped(gpu: &Gpu, x: &Memory, columns: usize, mask: Option<Mask>) -> Memory {
    if mask.is_none() {
        return x.copy();
    }
    let y = Memory::of(gpu, gpu.kind(), x.len());
    drop_into(gpu, &y, x, columns, mask);
    y
}

/// to = mask ∘ from; they may be one.
pub fn drop_into(gpu: &Gpu, to: &Memory, from: &Memory, columns: usize, mask: Option<Mask>) {
    let rows = from.len() / columns.max(1);
    let arguments = [
        to.into(),
        from.into(),
        rows.into(),
        columns.into(),
        mask.into(),
    ];
    gpu.launch_over(from.len().div_ceil(PACK), kernel!(gpu, "drop"), &arguments);
}

/// X with values dropped.
pub fn dropped_var(gpu: &Gpu, tape: &Tape, x: &Var, mask: Mask) -> Var {
    let columns = x.columns();
    let y = dropped(gpu, x.memory(), columns, Some(mask));
    let y = tape.var_there(y, columns, true);
    if let (Some(from), Some(to)) = (y.slot(), x.slot()) {
        let gpu = gpu.clone();
        tape.push(move |gradients| {
            if let Some(dy) = gradients.take_there(from) {
                drop_into(&gpu, &dy, &dy, columns, Some(mask));
                gradients.give_there(to, dy);
            }
        });
    }
    y
}

/// Some columns of a matrix: the first, and how many its rows have.
type Columns<'a> = (&'a Memory, usize, usize);

/// Copies columns of each row.
fn copy_columns(gpu: &Gpu, to: Columns, from: Columns, (rows, columns): (usize, usize)) {
    let arguments = [
        to.0.into(),
        to.2.into(),
        to.1.into(),
        from.0.into(),
        from.2.into(),
        from.1.into(),
        rows.into(),
        columns.into(),
    ];
    gpu.launch_over(rows * columns, kernel!(gpu, "copy_columns"), &arguments);
}

/// A (rows, n) and B (rows, m) beside one another, (rows, n + m).
pub fn beside(gpu: &Gpu, tape: &Tape, a: &Var, b: &Var) -> Var {
    let (rows, n, m) = (a.rows(), a.columns(), b.columns());
    let width = n + m;
    let y = Memory::of(gpu, gpu.kind(), rows * width);
    copy_columns(gpu, (&y, 0, width), (a.memory(), 0, n), (rows, n));
    copy_columns(gpu, (&y, n, width), (b.memory(), 0, m), (rows, m));
    let y = tape.var_there(y, width, true);
    if let Some(slot) = y.slot() {
        let gpu = gpu.clone();
        let slots = [(a.slot(), 0, n), (b.slot(), n, m)];
        tape.push(move |gradients| {
            let Some(dy) = gradients.take_there(slot) else {
                return;
            };
            for (slot, first, columns) in slots {
                if let Some(slot) = slot {
                    let part = Memory::of(&gpu, gpu.kind(), rows * columns);
                    copy_columns(
                        &gpu,
                        (&part, 0, columns),
                        (&dy, first, width),
                        (rows, columns),
                    );
                    gradients.give_there(slot, part);
                }
            }
        });
    }
    y
}

/// The rows of X with these numbers, in their order.
pub fn pick(gpu: &Gpu, tape: &Tape, x: &Var, rows: &[usize]) -> Var {
    let d = x.columns();
    let numbers: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
    let y = Memory::of(gpu, gpu.kind(), rows.len() * d);
    let picks = Memory::from_u32(gpu, &numbers);
    let arguments = [
        (&y).into(),
        x.memory().into(),
        (&picks).into(),
        rows.len().into(),
        d.into(),
    ];
    gpu.launch_over(y.len(), kernel!(gpu, "pick"), &arguments);
    let y = tape.var_there(y, d, true);
    if let (Some(from), Some(to)) = (y.slot(), x.slot()) {
        let (gpu, order, n) = (gpu.clone(), Occurrences::of(gpu, &numbers), x.len());
        tape.push(move |gradients| {
            let Some(dy) = gradients.take_there(from) else {
                return;
            };
            let dx = Memory::zeros(&gpu, gpu.kind(), n);
            let arguments = [
                (&dx).into(),
                (&dy).into(),
                (&order.tokens).into(),
                (&order.starts).into(),
                (&order.order).into(),
                d.into(),
            ];
            let blocks = order.tokens.len() as u32;
            gpu.launch(kernel!(gpu, "unpick"), (blocks, 1), 128, &arguments);
            gradients.give_there(to, dx);
        });
    }
    y
}

/// A parameter as a value of its own.
pub fn parameter(gpu: &Gpu, tape: &Tape, parameter: Parameter) -> Var {
    let there = tape.there();
    let n = parameter.range().len();
    let y = Memory::of(gpu, gpu.kind(), n);
    let arguments = [(&y).into(), there.at(parameter), n.into()];
    gpu.launch_over(n, kernel!(gpu, "from_f32"), &arguments);
    let y = tape.var_there(y, parameter.columns, true);
    if let Some(slot) = y.slot() {
        let gpu = gpu.clone();
        tape.push(move |gradients| {
            let Some(dy) = gradients.take_there(slot) else {
                return;
            };
            let to: Argument = gradients.there().at(parameter.start());
            gpu.launch_over(n, kernel!(gpu, "add_to_f32"), &[to, (&dy).into(), n.into()]);
        });
    }
    y
}

/// Values of the host on the device, as activations are kept.
pub fn upload(gpu: &Gpu, values: &[f32]) -> Memory {
    let from = Memory::from_f32(gpu, values);
    match gpu.kind() {
        Kind::F32 => from,
        kind => {
            let to = Memory::of(gpu, kind, values.len());
            convert(&to, &from);
            to
        }
    }
}

/// Makes the values of one, which are kept as activations are, those of the other, in f32.
pub fn convert(to: &Memory, from: &Memory) {
    let (gpu, n) = (from.gpu(), from.len());
    let arguments = [to.into(), from.into(), n.into()];
    gpu.launch_over(n, kernel!(gpu, "from_f32"), &arguments);
}
