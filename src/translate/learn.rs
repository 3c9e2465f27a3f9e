//! A translator that learns from sentence pairs: what the training loop asks of it.

use super::architecture::Architecture;
use super::batch::Batch;
use super::feed::{Feed, Position};
use crate::nn::event::Evaluation;
use crate::nn::ops::projection::Loss;
use crate::nn::parameters::Weights;
use crate::nn::run::Predict;
use crate::nn::tape::Tape;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many of its translations an evaluation shows.
const SAMPLES: usize = 3;

/// Model, data, and what is known about how good it gets.
pub struct Learner<'a, A> {
    pub model: &'a A,
    pub feed: Feed<'a>,
    /// ε of the label smoothing.
    pub smoothing: f32,
    pub valid: Option<Valid<'a>>,
}

/// Pairs that are not learned from.
pub struct Valid<'a> {
    /// In batches, for the loss.
    pub batches: Vec<Batch>,
    /// Sources in tokens, for translations.
    pub sources: Vec<Vec<u32>>,
    /// Source and target as they stand in the files.
    pub texts: Vec<[String; 2]>,
    /// Translates the sources.
    pub translate: &'a Translate<'a>,
    /// Scores translations beside their references, by name.
    pub score: &'a Score<'a>,
    /// Says that there is no time to measure any more.
    pub stop: &'a AtomicBool,
}

/// Texts for sources, by a model with these weights.
pub type Translate<'a> = dyn Fn(&Weights, &[Vec<u32>]) -> Vec<String> + Sync + 'a;

/// Scores of translations beside references.
pub type Score<'a> = dyn Fn(&[String], &[String]) -> Vec<(String, f64)> + Sync + 'a;

impl<A: Architecture> Predict for Learner<'_, A> {
    type Batch = Batch;
    type Position = Position;

    fn next(&mut self) -> Batch {
        self.feed.next().unwrap_or_default()
    }

    fn position(&self) -> Position {
        self.feed.position()
    }

    fn epoch(&self) -> u64 {
        self.feed.position().epoch
    }

    fn tokens(&self, batch: &Batch) -> (usize, usize) {
        (batch.source.ids.len(), batch.target_out.len())
    }

    fn part(&self, batch: &Batch, part: usize, parts: usize) -> Batch {
        batch.part(part, parts)
    }

    fn loss(&self, tape: &Tape, batch: &Batch, weight: f32) -> Loss {
        self.model.loss(tape, batch, self.smoothing, weight)
    }

    fn evaluate(&mut self, weights: &mut Weights) -> Option<Evaluation> {
        let valid = self.valid.as_ref()?;
        let mut total = Loss::default();
        let is_stopped = || valid.stop.load(Ordering::Acquire);
        for batch in &valid.batches {
            if is_stopped() {
                break;
            }
            let tape = Tape::plain(weights);
            total.add(self.model.loss(&tape, batch, 0.0, 0.0));
        }
        if let Some(there) = weights.there() {
            // A device keeps its own sums.
            (total.smoothed, total.nll) = there.take_losses();
        }
        let found = (valid.translate)(weights, &valid.sources);
        if is_stopped() {
            return None;
        }
        let references: Vec<String> = valid
            .texts
            .iter()
            .map(|[_, target]| target.clone())
            .collect();
        // Spread over the file, the same every time.
        let apart = found.len().div_ceil(SAMPLES).max(1);
        let shown = valid.texts.iter().zip(&found).step_by(apart);
        Some(Evaluation {
            losses: [
                ("loss".to_owned(), total.nll / total.tokens.max(1) as f64),
                ("perplexity".to_owned(), total.perplexity()),
            ]
            .into(),
            scores: (valid.score)(&found, &references).into_iter().collect(),
            samples: shown
                .map(|([s, t], own)| [s.clone(), t.clone(), own.clone()])
                .collect(),
            warnings: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests;
