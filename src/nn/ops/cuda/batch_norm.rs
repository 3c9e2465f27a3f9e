//! Batch normalisation on a device: see `ops/batch_norm.rs`.
//!
//! Where ranks have parts of the batch, they sum three times: what the means come to, then the squares of what differs from
//! them, and on the way back both sums over rows at once.

use super::conv::undo;
use super::{SUMMING, add_shares, kernel, shares};
use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::batch_norm::{BatchNorm, Seen, Source};
use crate::nn::parameters::{Parameter, There};
use crate::nn::part::Part;
use crate::nn::tape::{Tape, Var};

pub fn forward(
    gpu: &Gpu,
    tape: &Tape,
    norm: &BatchNorm,
    x: &Var,
    activation: Activation,
    source: Source,
) -> Var {
    let there = tape.there();
    let (rows, c, part) = (x.rows(), norm.scale.columns, tape.part());
    let n = part.map_or(rows, |part| part.rows(rows)) as f32;
    let own = match source {
        Source::Running => None,
        _ => Some(moments(gpu, x.memory(), (c, n), part)),
    };
    if let (Source::Batch(moments), Some((mean, shares))) = (source, &own) {
        let unbiased = mean_of(gpu, shares, c, (n - 1.0).max(1.0));
        moments.see(norm.variance, Seen::Device(unbiased));
        moments.see(norm.mean, Seen::Device(mean.copy()));
    }
    let own = own.map(|(mean, shares)| (mean, mean_of(gpu, &shares, c, n)));
    let y = Memory::of(gpu, gpu.kind(), x.len());
    let [mean, variance] = places(there, norm, own.as_ref());
    let arguments = [
        (&y).into(),
        x.memory().into(),
        mean,
        variance,
        there.at(norm.scale),
        there.at(norm.shift),
        rows.into(),
        c.into(),
        activation.into(),
    ];
    gpu.launch_over(y.len(), kernel!(gpu, "normalise_columns"), &arguments);
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
            let [mean, variance] = places(there, &norm, own.as_ref());
            let count = shares(rows);
            let parts = Memory::of(&gpu, Kind::F32, count * 2 * c);
            let arguments = [
                (&parts).into(),
                (&dz).into(),
                x.memory().into(),
                mean,
                variance,
                rows.into(),
                c.into(),
            ];
            let grid = (c.div_ceil(32) as u32, count as u32);
            gpu.launch(kernel!(gpu, "normalised_shares"), grid, SUMMING, &arguments);
            // Σ dz ∘ x̂, then Σ dz.
            let totals = Memory::zeros(&gpu, Kind::F32, 2 * c);
            add_shares(&gpu, &parts, (0, count, 2 * c), 2 * c, totals.at(0));
            if learned {
                let to = gradients.there();
                for (parameter, first) in [(norm.scale, 0), (norm.shift, c)] {
                    let at = to.at(parameter.start());
                    add_shares(&gpu, &totals, (first, 1, 2 * c), c, at);
                }
            }
            let Some(to) = x.slot() else { return };
            let share = if own.is_some() { 1.0 / n } else { 0.0 };
            if let Some(part) = part.filter(|_| own.is_some()) {
                part.sum_there(&totals);
            }
            let arguments = [
                (&dz).into(),
                x.memory().into(),
                mean,
                variance,
                there.at(norm.scale),
                (&totals).into(),
                rows.into(),
                c.into(),
                share.into(),
            ];
            gpu.launch_over(dz.len(), kernel!(gpu, "denormalise_columns"), &arguments);
            gradients.give_there(to, dz);
        });
    }
    y
}

/// μ and σ², the batch's or the running ones.
fn places<'m>(
    there: &'m There,
    norm: &BatchNorm,
    own: Option<&'m (Memory, Memory)>,
) -> [Argument<'m>; 2] {
    match own {
        Some((mean, variance)) => [mean.into(), variance.into()],
        None => [there.at(norm.mean), there.at(norm.variance)],
    }
}

/// μ of each column over `n` rows of the batch, and shares of the squares of differences from it: one, where ranks have
/// summed them.
fn moments(gpu: &Gpu, x: &Memory, (c, n): (usize, f32), part: Option<&Part>) -> (Memory, Memory) {
    let rows = x.len() / c;
    let count = shares(rows);
    let parts = Memory::of(gpu, Kind::F32, count * c);
    let grid = (c.div_ceil(32) as u32, count as u32);
    let arguments = [(&parts).into(), x.into(), rows.into(), c.into()];
    gpu.launch(kernel!(gpu, "column_shares"), grid, SUMMING, &arguments);
    let mean = mean_of(gpu, &parts, c, n);
    if let Some(part) = part {
        part.sum_there(&mean);
    }
    let squares = Memory::of(gpu, Kind::F32, count * c);
    let arguments = [
        (&squares).into(),
        x.into(),
        (&mean).into(),
        rows.into(),
        c.into(),
    ];
    gpu.launch(kernel!(gpu, "square_columns"), grid, SUMMING, &arguments);
    let squares = match part {
        Some(part) => {
            let whole = mean_of(gpu, &squares, c, 1.0);
            part.sum_there(&whole);
            whole
        }
        None => squares,
    };
    (mean, squares)
}

/// Σ shares / n
fn mean_of(gpu: &Gpu, shares: &Memory, c: usize, n: f32) -> Memory {
    let mean = Memory::of(gpu, Kind::F32, c);
    let arguments = [
        (&mean).into(),
        shares.into(),
        (shares.len() / c).into(),
        c.into(),
        n.into(),
    ];
    gpu.launch(
        "mean_of_shares",
        (c.div_ceil(128) as u32, 1),
        128,
        &arguments,
    );
    mean
}

/// running = running + share · (seen − running)
pub fn update(there: &There, parameter: Parameter, seen: &Memory, share: f32) {
    let arguments = [
        there.at(parameter),
        seen.into(),
        seen.len().into(),
        (1.0 - share).into(),
    ];
    let gpu = there.values.gpu();
    gpu.launch_over(seen.len(), "average", &arguments);
}
