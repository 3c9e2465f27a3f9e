//! How a training run goes: all that may change when it goes on.

use super::schedule::Schedule;
use serde::{Deserialize, Serialize};

/// How a run goes; what may change when it goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub schedule: Schedule,
    pub dropout: f32,
    /// Steps until so much is dropped; less before, from nothing on.
    #[serde(default)]
    pub dropout_ramp: u64,
    /// Batches of one update.
    pub accumulate: usize,
    /// Longest gradient; longer ones are shortened to it. 0 leaves them.
    pub clip: f32,
    /// Decoupled weight decay.
    pub decay: f32,
    /// Share of the old average at each step; 0 keeps no average.
    pub average: f32,
    pub seed: u64,
    pub max_steps: Option<u64>,
    pub epochs: Option<u64>,
    /// Evaluations without a better one before the run ends; 0 for no such end.
    pub patience: u32,
    /// The name of the score that decides, or `loss`.
    pub metric: String,
    /// Steps between reports, evaluations, and checkpoints.
    pub report_every: u64,
    pub evaluate_every: u64,
    pub save_every: u64,
    /// Checkpoints that are kept, besides the best.
    pub keep: usize,
}

impl Plan {
    /// Share of values that are dropped in a step, counted from 1: `dropout` · min(1, step / `dropout_ramp`).
    ///
    /// What is not yet known is learned faster without; what is learned by heart, later, needs it (Morerio et al. 2017).
    pub fn dropout_at(&self, step: u64) -> f32 {
        match self.dropout_ramp {
            0 => self.dropout,
            ramp => self.dropout * (step as f32 / ramp as f32).min(1.0),
        }
    }
}
