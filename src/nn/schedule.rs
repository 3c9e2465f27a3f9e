//! The learning rate of each step.
//!
//! ```text
//! warm-up               lr · t / w                                  t ≤ w
//! inverse-sqrt          lr · √(w / t)                               Vaswani et al. 2017, scaled to lr at its peak
//! cosine                lr · (1 + cos(π (t − w) / (T − w))) / 2     Loshchilov and Hutter 2017, without restarts
//! constant              lr
//! ```
//!
//! t counts updates from 1; w is the length of the warm-up, T the last step.

use serde::{Deserialize, Serialize};

/// How the rate goes on after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    InverseSqrt,
    /// Needs a last step
    Cosine,
    Constant,
}

/// A schedule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The highest rate.
    pub lr: f32,
    pub warmup: u64,
    pub decay: Decay,
    /// The step at which a cosine ends.
    pub last: u64,
}

impl Schedule {
    /// The rate of the `step`-th update, counted from 1.
    pub fn rate(&self, step: u64) -> f32 {
        let (t, w) = (step.max(1) as f64, self.warmup as f64);
        let factor = match self.decay {
            _ if t < w => t / w,
            Decay::Constant => 1.0,
            Decay::InverseSqrt => (w.max(1.0) / t).sqrt(),
            Decay::Cosine => {
                let share = ((t - w) / (self.last as f64 - w).max(1.0)).min(1.0);
                (1.0 + (std::f64::consts::PI * share).cos()) / 2.0
            }
        };
        (f64::from(self.lr) * factor) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(decay: Decay, steps: [u64; 4]) -> [f32; 4] {
        let schedule = Schedule {
            lr: 2.0,
            warmup: 100,
            decay,
            last: 300,
        };
        steps.map(|step| schedule.rate(step))
    }

    #[test]
    fn rates_rise_to_their_peak_and_fall_as_their_formulas_say() {
        assert_eq!(
            rates(Decay::Constant, [1, 50, 100, 9000]),
            [0.02, 1.0, 2.0, 2.0]
        );
        assert_eq!(
            rates(Decay::InverseSqrt, [50, 100, 400, 10_000]),
            [1.0, 2.0, 1.0, 0.2]
        );
        let cosine = rates(Decay::Cosine, [100, 200, 300, 400]);
        assert_eq!(
            cosine.map(|rate| (rate * 1e6).round() / 1e6),
            [2.0, 1.0, 0.0, 0.0]
        );
    }

    #[test]
    fn no_warm_up_begins_at_the_peak() {
        let schedule = Schedule {
            lr: 1.0,
            warmup: 0,
            decay: Decay::InverseSqrt,
            last: 0,
        };
        assert_eq!([schedule.rate(1), schedule.rate(4)], [1.0, 0.5]);
    }
}
