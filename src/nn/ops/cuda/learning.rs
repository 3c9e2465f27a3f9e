//! The optimizer on a device: see `nn/adam.rs`. Moments, gradients and the average stay there between steps.

use crate::nn::adam::{Adam, Moments};
use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::parameters::Weights;
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
    /// Of the first part of the weights that is updated, or of all, and of the second: ‖g‖ of the last update; the first
    /// step whose ‖g‖ was no number, from 1 on, and what that was.
    norms: [Memory; 2],
}

/// What is known of the last steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// ‖g‖ before clipping.
    pub gradient: f64,
    /// The first step whose gradient was no number, and its length: from then on nothing was changed.
    pub diverged: Option<(u64, f64)>,
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
            norms: [0, 1].map(|_| Memory::zeros(gpu, Kind::F64, 3)),
        }
    }

    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// One update of the weights by the gradients, which are shortened to `clip` (0 leaves them) first and cleared.
    pub fn update(&self, weights: &Weights, adam: &Adam, updates: u64, (lr, clip): (f32, f32)) {
        let all = 0..self.gradients.len();
        self.update_part(weights, adam, (0, all), (updates, updates), (lr, clip));
    }

    /// The same of a part of the weights, one of two that are updated in turns; how many updates it has had, and at which
    /// step this one is.
    pub fn update_part(
        &self,
        weights: &Weights,
        adam: &Adam,
        (which, part): (usize, Range<usize>),
        (updates, step): (u64, u64),
        (lr, clip): (f32, f32),
    ) {
        let there = weights.there().expect("weights on the device");
        let (n, first, norm) = (part.len(), part.start, &self.norms[which]);
        let blocks = n.div_ceil(VALUES).clamp(1, self.shares.len()) as u32;
        let gradients = self.gradients.at(first);
        let arguments = [(&self.shares).into(), gradients, n.into()];
        self.gpu
            .launch("square_shares", (blocks, 1), 256, &arguments);
        let arguments = [norm.into(), (&self.shares).into(), step.into()];
        self.gpu
            .launch("norm_of_shares", (1, 1), blocks, &arguments);
        let factors = adam.factors(updates, lr, clip);
        let words = [
            adam.beta1,
            adam.beta2,
            adam.epsilon,
            factors.rate,
            factors.second,
            factors.shrink,
            clip,
        ];
        let arguments = [
            there.values.at(first),
            gradients,
            self.first.at(first),
            self.second.at(first),
            (there.shadow.as_ref()).map_or(Argument::NULL, |shadow| shadow.at(first)),
            n.into(),
            norm.into(),
            Argument::words(&words.map(f32::to_bits)),
        ];
        self.gpu.launch_over(n, "adam", &arguments);
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
        let norm = self.norms[which].to_f64();
        Seen {
            gradient: norm[0],
            diverged: (norm[1] > 0.0).then_some((norm[1] as u64, norm[2])),
        }
    }

    /// Copies what was learned to the host.
    pub fn fetch(&self, moments: &mut Moments, average: Option<&mut Weights>) {
        self.first.read_into(&mut moments.first);
        self.second.read_into(&mut moments.second);
        if let (Some(there), Some(average)) = (&self.average, average) {
            there.read_into(average.values_mut());
        }
    }
}
