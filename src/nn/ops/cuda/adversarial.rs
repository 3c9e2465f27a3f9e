//! Losses of verdicts, penalties on slopes and bounds of weights on a device: what adversarial networks learn from.

use super::kernel;
use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::parameters::There;
use std::ops::Range;

/// Threads of a block that goes over all verdicts.
const THREADS: u32 = 256;

/// Makes verdicts on real and on made samples, of `all` of a batch, their gradients, times the scale of the critic's, and adds
/// what they come to to four sums. The codes of losses are those of adversarial.cu.
pub fn critic_loss(
    code: u32,
    (real, made): (&Memory, &Memory),
    all: usize,
    sums: &Memory,
    scale: Argument,
) {
    let gpu = real.gpu();
    let arguments = [
        real.into(),
        made.into(),
        sums.into(),
        real.len().into(),
        all.into(),
        code.into(),
        scale,
    ];
    gpu.launch(kernel!(gpu, "critic_loss"), (1, 1), THREADS, &arguments);
}

/// The same for the generator, whose loss goes to one sum.
pub fn generator_loss(
    code: u32,
    (made, real): (&Memory, Option<&Memory>),
    all: usize,
    (sums, place): (&Memory, usize),
    scale: Argument,
) {
    let gpu = made.gpu();
    let arguments = [
        made.into(),
        real.map_or(Argument::NULL, Argument::from),
        sums.at(place),
        made.len().into(),
        all.into(),
        code.into(),
        scale,
    ];
    gpu.launch(kernel!(gpu, "generator_loss"), (1, 1), THREADS, &arguments);
}

/// Makes the slopes of groups of samples what is passed on of a penalty on their lengths, and adds its value to a sum.
/// The penalty: its weight, and whether it is on what differs from a length of 1. The scale is that of [`ones`].
pub fn penalise(
    slopes: &Memory,
    group: usize,
    (weight, is_slope): (f32, bool),
    (sums, place): (&Memory, usize),
    scale: Argument,
) {
    let (gpu, groups) = (slopes.gpu(), slopes.len() / group);
    let values = Memory::of(gpu, Kind::F32, groups);
    let arguments = [
        slopes.into(),
        (&values).into(),
        group.into(),
        weight.into(),
        u32::from(is_slope).into(),
        scale,
    ];
    let grid = (groups as u32, 1);
    gpu.launch(kernel!(gpu, "penalise"), grid, THREADS, &arguments);
    add_values(&values, (sums, place));
}

/// Adds values to a sum.
pub(super) fn add_values(values: &Memory, (sums, place): (&Memory, usize)) {
    let arguments = [sums.at(place), values.into(), values.len().into()];
    (values.gpu()).launch("sum_values", (1, 1), THREADS, &arguments);
}

/// x + share · (other − x), a share for each group of values.
pub fn mix(x: &Memory, other: &Memory, shares: &[f32], group: usize) -> Memory {
    let gpu = x.gpu();
    let mixed = x.copy();
    let shares = Memory::from_f32(gpu, shares);
    let arguments = [
        (&mixed).into(),
        other.into(),
        (&shares).into(),
        x.len().into(),
        group.into(),
    ];
    gpu.launch_over(x.len(), kernel!(gpu, "mix"), &arguments);
    mixed
}

/// As many ones as there are values, times what the way back of a penalty has of the scale of gradients.
pub fn ones(like: &Memory, scale: Argument) -> Memory {
    let gpu = like.gpu();
    let ones = Memory::of(gpu, gpu.kind(), like.len());
    let arguments = [(&ones).into(), ones.len().into(), scale];
    gpu.launch_over(ones.len(), kernel!(gpu, "ones"), &arguments);
    ones
}

/// Keeps some of the weights within ±most.
pub fn bound(gpu: &Gpu, there: &There, part: Range<usize>, most: f32) {
    let shadow = there.shadow.as_ref();
    let arguments = [
        there.values.at(part.start),
        shadow.map_or(Argument::NULL, |shadow| shadow.at(part.start)),
        part.len().into(),
        most.into(),
    ];
    gpu.launch_over(part.len(), kernel!(gpu, "bound"), &arguments);
}
