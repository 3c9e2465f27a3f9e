//! Residual sum, dropout and layer normalisation on a device: see `ops/norm.rs`.

use super::{SUMMING, add_shares, kernel, launch_rows, rows, shares};
use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::dropout::Mask;
use crate::nn::ops::norm::Norm;
use crate::nn::tape::{Gradients, Tape, Var};

/// z = x + drop(s) and what it is normalised to; without a sublayer z is x.
pub fn forward(
    gpu: &Gpu,
    tape: &Tape,
    norm: &Norm,
    (x, sublayer): (&Var, Option<&Var>),
    mask: Option<Mask>,
) -> (Var, Var) {
    let there = tape.there();
    let (n, d) = (x.rows(), norm.scale.columns);
    let z = Memory::of(gpu, gpu.kind(), n * d);
    let y = Memory::of(gpu, gpu.kind(), n * d);
    let moments = Memory::of(gpu, Kind::F32, n * 2);
    let (add, sum) = match sublayer {
        Some(sublayer) => (x.memory().into(), sublayer),
        None => (Argument::NULL, x),
    };
    let arguments = [
        (&z).into(),
        (&y).into(),
        (&moments).into(),
        add,
        sum.memory().into(),
        there.at(norm.scale),
        there.at(norm.shift),
        n.into(),
        d.into(),
        mask.into(),
    ];
    launch_rows(gpu, n, kernel!(gpu, "normalise"), &arguments);
    let (z, y) = (
        tape.var_there(z, d, sublayer.is_some()),
        tape.var_there(y, d, true),
    );
    if let Some(slot) = y.slot() {
        let (gpu, norm, z) = (gpu.clone(), *norm, z.clone());
        let (x, sublayer) = (x.slot(), sublayer.and_then(Var::slot));
        tape.push(move |gradients| {
            let own = z.slot().and_then(|slot| gradients.take_there(slot));
            let (dz, ds) = match (gradients.take_there(slot), own) {
                (Some(dy), own) => {
                    add_parameters(&gpu, &norm, (&dy, z.memory(), &moments), gradients);
                    let ds = sublayer.map(|_| Memory::of(&gpu, gpu.kind(), dy.len()));
                    let arguments = [
                        (&dy).into(),
                        ds.as_ref().map_or(Argument::NULL, Argument::from),
                        z.memory().into(),
                        (&moments).into(),
                        own.as_ref().map_or(Argument::NULL, Argument::from),
                        there.at(norm.scale),
                        n.into(),
                        d.into(),
                        mask.into(),
                    ];
                    launch_rows(&gpu, n, kernel!(gpu, "denormalise"), &arguments);
                    (dy, ds)
                }
                (None, Some(own)) => {
                    let ds = sublayer.map(|_| rows::dropped(&gpu, &own, d, mask));
                    (own, ds)
                }
                (None, None) => return,
            };
            if let (Some(slot), Some(ds)) = (sublayer, ds) {
                gradients.give_there(slot, ds);
            }
            if let Some(slot) = x {
                gradients.give_there(slot, dz);
            }
        });
    }
    (z, y)
}

/// dγ = dγ + Σ dy ∘ x̂, dβ = dβ + Σ dy
fn add_parameters(
    gpu: &Gpu,
    norm: &Norm,
    (dy, z, moments): (&Memory, &Memory, &Memory),
    gradients: &Gradients,
) {
    let d = norm.scale.columns;
    let rows = dy.len() / d;
    let count = shares(rows);
    let parts = Memory::of(gpu, Kind::F32, count * 2 * d);
    let arguments = [
        (&parts).into(),
        dy.into(),
        z.into(),
        moments.into(),
        rows.into(),
        d.into(),
    ];
    let grid = (d.div_ceil(32) as u32, count as u32);
    gpu.launch(kernel!(gpu, "norm_shares"), grid, SUMMING, &arguments);
    // A norm's shift lies behind its scale.
    let to = gradients.there().at(norm.scale.start());
    add_shares(gpu, &parts, (0, count, 2 * d), 2 * d, to);
}
