//! What happens in a training run, as it is told, drawn, and kept in its log.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What an evaluation has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Mean of − ln p of the right tokens.
    pub loss: f64,
    pub perplexity: f64,
    /// Scores of what the model gives; higher is better.
    pub scores: HashMap<String, f64>,
    /// What it gave: source, reference, and its own.
    pub samples: Vec<[String; 3]>,
}

impl Evaluation {
    /// What decides which weights are best, higher being better.
    pub fn score(&self, metric: &str) -> f64 {
        self.scores.get(metric).copied().unwrap_or(-self.loss)
    }
}

/// A report of the steps since the last one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub step: u64,
    pub epoch: u64,
    /// The smoothed loss and the perplexity, of each target token.
    pub loss: f64,
    pub perplexity: f64,
    pub lr: f32,
    /// ‖g‖ before clipping, of the last step.
    pub gradient: f64,
    /// Tokens a second, without padding.
    pub source_tokens: f64,
    pub target_tokens: f64,
    /// Seconds of training so far.
    pub seconds: f64,
}

/// What happens in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    Report(Report),
    Evaluation {
        step: u64,
        epoch: u64,
        seconds: f64,
        is_best: bool,
        #[serde(flatten)]
        evaluation: Evaluation,
    },
    Saved {
        step: u64,
    },
    /// A checkpoint could not be written; the run goes on.
    NotSaved {
        step: u64,
        problem: String,
    },
    /// A checkpoint could not be read; an earlier one is tried.
    Skipped {
        problem: String,
    },
    Resumed {
        step: u64,
    },
    Ended {
        step: u64,
        reason: Ended,
        best: Option<(u64, f64)>,
        seconds: f64,
    },
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    Steps,
    Epochs,
    Time,
    /// No evaluation was better than the best for too long.
    Patience,
    /// It was asked to stop.
    Stopped,
}
