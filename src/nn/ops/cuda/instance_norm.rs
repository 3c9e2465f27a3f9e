//! Instance normalisation on a device: see `ops/instance_norm.rs`.

use super::conv::undo;
use super::{SUMMING, add_shares, kernel};
use crate::nn::device::{Gpu, Kind, Memory};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::instance_norm::InstanceNorm;
use crate::nn::tape::{Tape, Var};

pub fn forward(
    gpu: &Gpu,
    tape: &Tape,
    norm: &InstanceNorm,
    x: &Var,
    activation: Activation,
) -> Var {
    let there = tape.there();
    let (c, pixels) = (norm.scale.columns, norm.pixels);
    let images = x.rows() / pixels;
    let grid = (c.div_ceil(32) as u32, images as u32);
    let y = Memory::of(gpu, gpu.kind(), x.len());
    let moments = Memory::of(gpu, Kind::F32, images * 2 * c);
    let arguments = [
        (&y).into(),
        (&moments).into(),
        x.memory().into(),
        there.at(norm.scale),
        there.at(norm.shift),
        pixels.into(),
        c.into(),
        norm.epsilon.into(),
        activation.into(),
    ];
    gpu.launch(kernel!(gpu, "instance_norm"), grid, SUMMING, &arguments);
    let y = tape.var_there(y, c, true);
    if let Some(slot) = y.slot() {
        let (gpu, norm, x, saved) = (gpu.clone(), *norm, x.clone(), y.clone());
        let learned = tape.learns(norm.scale);
        tape.push(move |gradients| {
            let Some(dz) = gradients.take_there(slot) else {
                return;
            };
            undo(&gpu, &dz, saved.memory(), c, activation);
            drop(saved);
            let parts = Memory::of(&gpu, Kind::F32, images * 2 * c);
            let arguments = [
                (&dz).into(),
                (&parts).into(),
                x.memory().into(),
                (&moments).into(),
                there.at(norm.scale),
                pixels.into(),
                c.into(),
            ];
            let kernel = kernel!(gpu, "instance_norm_back");
            gpu.launch(kernel, grid, SUMMING, &arguments);
            if learned {
                let to = gradients.there();
                for (parameter, first) in [(norm.scale, 0), (norm.shift, c)] {
                    let at = to.at(parameter.start());
                    add_shares(&gpu, &parts, (first, images, 2 * c), c, at);
                }
            }
            if let Some(to) = x.slot() {
                gradients.give_there(to, dz);
            }
        });
    }
    y
}
