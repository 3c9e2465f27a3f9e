//! What happens in a training run, as it is told, drawn, and kept in its log.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Numbers by their names.
pub type Values = BTreeMap<String, f64>;

/// What an evaluation has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Lower is better: `loss`, the mean of − ln p of the right tokens, `perplexity`, distances.
    #[serde(flatten)]
    pub losses: Values,
    /// Higher is better.
    pub scores: Values,
    /// Texts that the model gave: source, reference, and its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<[String; 3]>,
    /// What is going wrong, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Evaluation {
    /// What decides which weights are best, higher being better; nothing where that was not measured.
    pub fn score(&self, metric: &str) -> Option<f64> {
        let score = self.scores.get(metric).copied();
        score.or_else(|| self.losses.get(metric).map(|loss| -loss))
    }
}

/// A report of the steps since the last one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub step: u64,
    pub epoch: u64,
    pub lr: f32,
    /// ‖g‖ before clipping, of the last step.
    pub gradient: f64,
    /// Seconds of training so far.
    pub seconds: f64,
    /// What the task tells of its steps: losses, how much was gone through in a second.
    #[serde(flatten)]
    pub values: Values,
}

impl Report {
    /// A value by its name; no number where there is none.
    pub fn value(&self, name: &str) -> f64 {
        self.values.get(name).copied().unwrap_or(f64::NAN)
    }
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
