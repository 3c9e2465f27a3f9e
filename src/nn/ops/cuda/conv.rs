//! Windows over images on a device: see `ops/conv.rs`. Rows are written out, a part of the images at a time.

use super::{PACK, add_columns, kernel};
use crate::nn::device::{Argument, Gpu, Memory, Operand, Product};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::conv::{Conv, Window};
use crate::nn::parameters::Parameter;
use crate::nn::tape::{Gradients, Tape, Var};

/// Values of rows that are there at once.
const ROWS: usize = 1 << 26;

/// The layer on images, with a bias or without.
pub fn forward(
    gpu: &Gpu,
    tape: &Tape,
    layer: &Conv,
    (x, bias): (&Var, Option<Parameter>),
    activation: Activation,
) -> Var {
    let there = tape.there();
    let (window, channels) = (layer.window, layer.channels());
    let weight = there.matrix(layer.weight);
    let y = match layer.is_transposed {
        true => put(gpu, window, x.memory(), weight, layer.weight.rows),
        false => see(gpu, window, x.memory(), weight, layer.weight.rows),
    };
    if bias.is_some() || activation != Activation::Identity {
        let arguments = [
            (&y).into(),
            bias.map_or(Argument::NULL, |bias| there.at(bias)),
            (y.len() / channels).into(),
            channels.into(),
            activation.into(),
            None.into(),
        ];
        gpu.launch_over(y.len().div_ceil(PACK), kernel!(gpu, "finish"), &arguments);
    }
    let y = tape.var_there(y, channels, true);
    if let Some(slot) = y.slot() {
        let (gpu, layer, x, saved) = (gpu.clone(), *layer, x.clone(), y.clone());
        let learned = tape.learns(layer.weight);
        tape.push(move |gradients| {
            let Some(dz) = gradients.take_there(slot) else {
                return;
            };
            undo(&gpu, &dz, saved.memory(), channels, activation);
            drop(saved);
            if let Some(slot) = x.slot() {
                let (weight, rows) = (there.matrix(layer.weight), layer.weight.rows);
                let dx = match layer.is_transposed {
                    true => see(&gpu, window, &dz, weight, rows),
                    false => put(&gpu, window, &dz, weight, rows),
                };
                gradients.give_there(slot, dx);
            }
            if learned {
                learn(&gpu, &layer, (x.memory(), &dz), bias, gradients);
            }
        });
    }
    y
}

/// dz in place of dy.
pub(super) fn undo(gpu: &Gpu, dy: &Memory, y: &Memory, columns: usize, activation: Activation) {
    if activation != Activation::Identity {
        let arguments = [
            dy.into(),
            y.into(),
            (dy.len() / columns).into(),
            columns.into(),
            activation.into(),
            None.into(),
        ];
        gpu.launch_over(dy.len().div_ceil(PACK), kernel!(gpu, "undo"), &arguments);
    }
}

fn words(window: Window) -> Argument<'static> {
    let (rows, columns) = window.places();
    let all = [
        window.height,
        window.width,
        window.channels,
        window.kernel,
        window.stride,
        window.padding,
        rows,
        columns,
    ];
    Argument::words(&all.map(|n| n as u32))
}

/// Images whose rows are there at once, of so many.
fn together(window: Window, images: usize) -> usize {
    (ROWS / (window.count() * window.values())).clamp(1, images.max(1))
}

/// S of some images, as rows.
fn unfold(gpu: &Gpu, window: Window, images: &Memory, first: usize, rows: &Memory, n: usize) {
    let values = n * window.count() * window.values();
    let from = images.at(first * window.image());
    let arguments = [rows.into(), from, values.into(), words(window)];
    gpu.launch_over(values.div_ceil(PACK), kernel!(gpu, "unfold"), &arguments);
}

/// S(images) · Wᵀ
fn see(gpu: &Gpu, window: Window, images: &Memory, weight: Operand, channels: usize) -> Memory {
    let (count, seen) = (window.count(), window.values());
    let all = images.len() / window.image();
    let y = Memory::of(gpu, gpu.kind(), all * count * channels);
    let multiply = |rows: Operand, first: usize, n: usize| {
        gpu.multiply(&Product {
            a: rows,
            b: weight.transposed(),
            c: y.matrix(first * count * channels, channels),
            shape: (n * count, channels, seen),
            adds: false,
        });
    };
    if window.is_whole() {
        multiply(images.matrix(0, seen), 0, all);
        return y;
    }
    let most = together(window, all);
    let rows = Memory::of(gpu, gpu.kind(), most * count * seen);
    for first in (0..all).step_by(most) {
        let n = most.min(all - first);
        unfold(gpu, window, images, first, &rows, n);
        multiply(rows.matrix(0, seen), first, n);
    }
    y
}

/// Sᵀ(rows · W)
fn put(gpu: &Gpu, window: Window, rows: &Memory, weight: Operand, channels: usize) -> Memory {
    let (count, seen) = (window.count(), window.values());
    let all = rows.len() / channels / count;
    let images = Memory::of(gpu, gpu.kind(), all * window.image());
    let multiply = |to: Operand, first: usize, n: usize| {
        gpu.multiply(&Product {
            a: rows.matrix(first * count * channels, channels),
            b: weight,
            c: to,
            shape: (n * count, seen, channels),
            adds: false,
        });
    };
    if window.is_whole() {
        multiply(images.matrix(0, seen), 0, all);
        return images;
    }
    let most = together(window, all);
    let block = Memory::of(gpu, gpu.kind(), most * count * seen);
    for first in (0..all).step_by(most) {
        let n = most.min(all - first);
        multiply(block.matrix(0, seen), first, n);
        let values = n * window.image();
        let to = images.at(first * window.image());
        let arguments = [to, (&block).into(), values.into(), words(window)];
        gpu.launch_over(values.div_ceil(PACK), kernel!(gpu, "fold"), &arguments);
    }
    images
}

/// Adds the gradients of W and b.
fn learn(
    gpu: &Gpu,
    layer: &Conv,
    (x, dz): (&Memory, &Memory),
    bias: Option<Parameter>,
    gradients: &Gradients,
) {
    let (window, channels) = (layer.window, layer.weight.rows);
    let (rows, images) = match layer.is_transposed {
        true => (x, dz),
        false => (dz, x),
    };
    let (count, seen) = (window.count(), window.values());
    let (all, to) = (images.len() / window.image(), gradients.there());
    let multiply = |seen_rows: Operand, first: usize, n: usize| {
        gpu.multiply(&Product {
            a: rows.matrix(first * count * channels, channels).transposed(),
            b: seen_rows,
            c: to.matrix(layer.weight.start(), seen),
            shape: (channels, seen, n * count),
            adds: true,
        });
    };
    if window.is_whole() {
        multiply(images.matrix(0, seen), 0, all);
    } else {
        let most = together(window, all);
        let block = Memory::of(gpu, gpu.kind(), most * count * seen);
        for first in (0..all).step_by(most) {
            let n = most.min(all - first);
            unfold(gpu, window, images, first, &block, n);
            multiply(block.matrix(0, seen), first, n);
        }
    }
    if let Some(bias) = bias {
        let channels = layer.channels();
        add_columns(gpu, dz, (channels, channels), to.at(bias.start()));
    }
}
