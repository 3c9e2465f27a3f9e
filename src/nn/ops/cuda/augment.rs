//! Images changed at random on a device: see `ops/augment.rs`.

use super::kernel;
use crate::nn::device::{Argument, Gpu, Memory};
use crate::nn::ops::pixels::Size;
use crate::nn::tape::{Tape, Var};

/// Threads of a block, which has an image.
const THREADS: u32 = 256;

/// Words of the changes of an image, as augment.cu reads them.
pub const WORDS: usize = 9;

/// Images changed as `changes` say, [`WORDS`] of each.
pub fn apply(gpu: &Gpu, tape: &Tape, x: &Var, size: Size, changes: &[u32]) -> Var {
    let images = changes.len() / WORDS;
    assert_eq!(x.len(), images * size.0 * size.1 * size.2);
    let changes = Memory::from_u32(gpu, changes);
    let change = move |gpu: &Gpu, to: &Memory, from: &Memory, is_back: bool| {
        let arguments = [
            to.into(),
            from.into(),
            (&changes).into(),
            Argument::words(&[size.0, size.1, size.2].map(|n| n as u32)),
            u32::from(is_back).into(),
        ];
        let grid = (images as u32, 1);
        gpu.launch(kernel!(gpu, "augment"), grid, THREADS, &arguments);
    };
    let y = Memory::of(gpu, gpu.kind(), x.len());
    change(gpu, &y, x.memory(), false);
    let y = tape.var_there(y, x.columns(), true);
    if let (Some(slot), Some(to)) = (y.slot(), x.slot()) {
        let gpu = gpu.clone();
        tape.push(move |gradients| {
            if let Some(dy) = gradients.take_there(slot) {
                let dx = Memory::of(&gpu, gpu.kind(), dy.len());
                change(&gpu, &dx, &dy, true);
                gradients.give_there(to, dx);
            }
        });
    }
    y
}
