//! The optimizer on a device: see `nn/adam.rs`. Moments, gradients and the average stay there between steps, and so does the
//! scale that gradients in f16 have (`adam.cu`).

mod begun;

use super::kernel;
use crate::nn::adam::{Adam, Moments};
use crate::nn::device::{Argument, Gpu, Kind, Memory, Numbers};
use crate::nn::parameters::Weights;
use begun::Begun;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// Blocks that sum squares, at most: as many as threads of the one that sums what they found.
const BLOCKS: usize = 512;

/// Values of each, at least.
const VALUES: usize = 1 << 12;

/// What training changes besides the weights, on a device.
#[derive(Debug)]
pub struct Learning {
    gpu: Gpu,
    pub gradients: Arc<Memory>,
    first: Memory,
    second: Memory,
    average: Option<Memory>,
    shares: Memory,
    /// What is known of the first part of the weights that is updated, or of all, and of the second: see `Known` in adam.cu.
    known: [Memory; 2],
    /// What the last step began with, where that may be wanted again.
    begun: Option<Begun>,
}

/// Where the scale lies in what is known, and the number of updates that were left out.
const SCALE: usize = 3;
const LEFT_OUT: usize = 6;

/// What gradients are multiplied by on their way back, and how many good steps there were since that was changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    pub factor: f64,
    pub good: u64,
    /// Updates that were left out since the run began. Checkpoints of earlier versions do not say.
    #[serde(default)]
    pub left_out: u64,
}

impl Scale {
    /// Where numbers have so few digits that it takes one, it begins large and falls to what is right.
    fn first(numbers: Numbers, left_out: u64) -> Scale {
        let factor = if numbers == Numbers::F16 {
            32768.0
        } else {
            1.0
        };
        Scale {
            factor,
            good: 0,
            left_out,
        }
    }

    /// As adam.cu has it, of weights that have not been updated since they were brought there.
    fn known(self, gpu: &Gpu) -> Memory {
        let mut known = [0.0; 9];
        known[SCALE..SCALE + 2].copy_from_slice(&[self.factor, self.good as f64]);
        known[LEFT_OUT] = self.left_out as f64;
        Memory::from_f64(gpu, &known)
    }
}

/// What is known of the last steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// ‖g‖ before clipping.
    pub gradient: f64,
    /// The first step whose gradient was no number, whatever its scale, and its length: from then on nothing was changed.
    pub diverged: Option<(u64, f64)>,
    pub scale: Scale,
}

impl Learning {
    /// From what the host has.
    pub fn of(gpu: &Gpu, moments: &Moments, average: Option<&[f32]>) -> Learning {
        let n = moments.first.len();
        Learning {
            gpu: gpu.clone(),
            gradients: Arc::new(Memory::zeros(gpu, Kind::F32, n)),
            first: Memory::from_f32(gpu, &moments.first),
            second: Memory::from_f32(gpu, &moments.second),
            average: average.map(|average| Memory::from_f32(gpu, average)),
            shares: Memory::of(gpu, Kind::F64, n.div_ceil(VALUES).clamp(1, BLOCKS)),
            known: (moments.left_out).map(|n| Scale::first(gpu.numbers(), n).known(gpu)),
            begun: None,
        }
    }

    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Where the scale of the gradients of a part is.
    pub fn scale(&self, which: usize) -> Argument<'_> {
        self.known[which].at(SCALE)
    }

    /// The scales of both parts, where gradients have any.
    pub fn scales(&self) -> Option<[Scale; 2]> {
        self.is_scaled()
            .then(|| [0, 1].map(|which| self.seen_of(which).scale))
    }

    /// Goes on with these, where gradients have any.
    pub fn set_scales(&mut self, scales: [Scale; 2]) {
        if self.is_scaled() {
            self.known = scales.map(|scale| scale.known(&self.gpu));
        }
    }

    fn is_scaled(&self) -> bool {
        self.gpu.numbers() == Numbers::F16
    }

    /// One update of the weights by the gradients, which are shortened to `clip` (0 leaves them) first and cleared: the
    /// `updates`-th that is asked for. Where the scale was too large for them, they are cleared and no more; Adam does not
    /// count it.
    pub fn update(&self, weights: &Weights, adam: &Adam, updates: u64, (lr, clip): (f32, f32)) {
        let all = 0..self.gradients.len();
        self.update_part(weights, adam, (0, all), (updates, updates), (lr, clip));
    }

    /// The same of a part of the weights, one of two that are updated in turns; which of its updates it is, and at which
    /// step.
    pub fn update_part(
        &self,
        weights: &Weights,
        adam: &Adam,
        (which, part): (usize, Range<usize>),
        (updates, step): (u64, u64),
        (lr, clip): (f32, f32),
    ) {
        let there = weights.there().expect("weights on the device");
        let (n, first, known) = (part.len(), part.start, &self.known[which]);
        let blocks = n.div_ceil(VALUES).clamp(1, self.shares.len()) as u32;
        let gradients = self.gradients.at(first);
        let arguments = [(&self.shares).into(), gradients, n.into()];
        self.gpu
            .launch("square_shares", (blocks, 1), 256, &arguments);
        let Adam {
            beta1,
            beta2,
            epsilon,
            ..
        } = *adam;
        let factors = [beta1, beta2, epsilon, lr, adam.shrink(lr), clip].map(f32::to_bits);
        let factors = Argument::words(&factors);
        let arguments = [
            known.into(),
            (&self.shares).into(),
            step.into(),
            updates.into(),
            u32::from(self.is_scaled()).into(),
            factors,
        ];
        self.gpu
            .launch("norm_of_shares", (1, 1), blocks, &arguments);
        let arguments = [
            there.values.at(first),
            gradients,
            self.first.at(first),
            self.second.at(first),
            (there.shadow.as_ref()).map_or(Argument::NULL, |shadow| shadow.at(first)),
            n.into(),
            known.into(),
            factors,
        ];
        self.gpu
            .launch_over(n, kernel!(self.gpu, "adam"), &arguments);
    }

    /// average = share · average + (1 − share) · weights, if there is one.
    pub fn update_average(&self, weights: &Weights, share: f32) {
        if let (Some(average), Some(there)) = (&self.average, weights.there()) {
            let n = average.len();
            let arguments = [
                average.into(),
                (&there.values).into(),
                n.into(),
                share.into(),
            ];
            self.gpu.launch_over(n, "average", &arguments);
        }
    }

    /// Waits for the last step; of the first part, but what has diverged of both.
    pub fn seen(&self) -> Seen {
        let [first, second] = [0, 1].map(|which| self.seen_of(which));
        Seen {
            diverged: [first.diverged, second.diverged]
                .into_iter()
                .flatten()
                .min_by_key(|(step, _)| *step),
            ..first
        }
    }

    /// The same of one part.
    pub fn seen_of(&self, which: usize) -> Seen {
        let known = self.known[which].to_f64();
        Seen {
            gradient: known[0],
            diverged: (known[1] > 0.0).then_some((known[1] as u64, known[2])),
            scale: Scale {
                factor: known[SCALE],
                good: known[SCALE + 1] as u64,
                left_out: known[LEFT_OUT] as u64,
            },
        }
    }

    /// Copies what was learned to the host.
    pub fn fetch(&self, moments: &mut Moments, average: Option<&mut Weights>) {
        self.first.read_into(&mut moments.first);
        self.second.read_into(&mut moments.second);
        if let Some(scales) = self.scales() {
            moments.left_out = scales.map(|scale| scale.left_out);
        }
        if let (Some(there), Some(average)) = (&self.average, average) {
            there.read_into(average.values_mut());
        }
    }
}

#[cfg(test)]
mod tests;
