//! Residual sum, dropout and layer normalisation on a device: see `ops/norm.rs`.

use super::{SUMMING, add_shares, kernel, launch_rows, rows, shares};
use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::dropout::Mask;
use crate::nn::ops::norm::Norm;
use crate::nn::tape::{Tape, Var};

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
            let dz = match gradients.take_there(slot) {
                Some(dy) => {
                    let count = shares(n);
                    let parts = Memory::of(&gpu, Kind::F32, count * 2 * d);
                    let sums = [
                        (&parts).into(),
                        (&dy).into(),
                        z.memory().into(),
                        (&moments).into(),
                        n.into(),
                        d.into(),
                    ];
                    gpu.launch(
                        kernel!(gpu, "norm_shares"),
                        (d.div_ceil(32) as u32, count as u32),
                        SUMMING,
                        &sums,
                    );
                    // A norm's shift lies behind its scale.
                    let to = gradients.there().at(norm.scale.start());
                    add_shares(&gpu, &parts, (0, count, 2 * d), 2 * d, to);
                    let arguments = [
                        (&dy).into(),
                        z.memory().into(),
                        (&moments).into(),
                        own.as_ref().map_or(Argument::NULL, Argument::from),
                        there.at(norm.scale),
                        n.into(),
                        d.into(),
                    ];
                    launch_rows(&gpu, n, kernel!(gpu, "denormalise"), &arguments);
                    dy
                }
                None => match own {
                    Some(own) => own,
                    None => return,
                },
            };
            if let Some(slot) = sublayer {
                gradients.give_there(slot, rows::dropped(&gpu, &dz, d, mask));
            }
            if let Some(slot) = x {
                gradients.give_there(slot, dz);
            }
        });
    }
    (z, y)
}
