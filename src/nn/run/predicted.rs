//! Steps of a model that predicts tokens: batches, their loss, one optimizer.

use super::{Learned, RunError, Stepped, Task};
use crate::nn::adam::{self, Adam};
use crate::nn::dropout::Dropout;
use crate::nn::event::{Evaluation, Values};
use crate::nn::ops::projection::Loss;
use crate::nn::parameters::Weights;
use crate::nn::plan::Plan;
use crate::nn::reduce;
use crate::nn::tape::Tape;
use crate::ranks::Ranks;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// What predicts tokens, from what.
pub trait Predict {
    /// Data of one pass.
    type Batch;
    /// A place in the data.
    type Position: Serialize + DeserializeOwned + Clone;

    /// The next batch; the data never ends.
    fn next(&mut self) -> Self::Batch;

    /// Where the next batch is.
    fn position(&self) -> Self::Position;

    /// How often the data has been gone over.
    fn epoch(&self) -> u64;

    /// Tokens of a batch that are read, and that are predicted.
    fn tokens(&self, batch: &Self::Batch) -> (usize, usize);

    /// The `part`-th of so many parts of a batch, which drops what the whole would drop there.
    fn part(&self, batch: &Self::Batch, part: usize, parts: usize) -> Self::Batch;

    /// The loss of a batch; its gradients times `weight` are left on the tape.
    fn loss(&self, tape: &Tape, batch: &Self::Batch, weight: f32) -> Loss;

    /// How good weights are, on data that is not learned from.
    fn evaluate(&mut self, weights: &mut Weights) -> Option<Evaluation>;
}

/// The task of learning to predict.
pub struct Predicted<'r, P> {
    predict: P,
    /// All that learn together, if there are others.
    ranks: Option<&'r dyn Ranks>,
    /// Sums since the last report.
    loss: Loss,
    source: usize,
}

impl<'r, P: Predict> Predicted<'r, P> {
    pub fn new(predict: P, ranks: Option<&'r dyn Ranks>) -> Predicted<'r, P> {
        Predicted {
            predict,
            ranks,
            loss: Loss::default(),
            source: 0,
        }
    }
}

impl<P: Predict> Predicted<'_, P> {
    /// Adds the gradients of a batch to those that are there, of all ranks with the last batch of a step.
    fn learn(
        &self,
        learned: &mut Learned,
        (batch, is_last): (&P::Batch, bool),
        dropout: Dropout,
        weight: f32,
    ) -> Loss {
        let own = self.ranks.map(|ranks| self.own(batch, ranks));
        let (batch, counts) = match &own {
            Some((part, counts)) => (part, *counts),
            None => (batch, true),
        };
        if !counts && learned.there.is_some() {
            return Loss::default();
        }
        let tape = match &learned.there {
            Some(there) => {
                let gradients = Arc::clone(&there.gradients);
                Tape::recording_there(&learned.weights, gradients, dropout).scaled(there.scale(0))
            }
            None => {
                let gradients = std::mem::take(&mut learned.gradients);
                Tape::recording(&learned.weights, gradients, dropout)
            }
        };
        let weight = if counts { weight } else { 0.0 };
        let loss = self.predict.loss(&tape, batch, weight);
        learned.gradients = match self.ranks {
            Some(ranks) if is_last && learned.there.is_none() => reduce::backward(ranks, tape),
            _ => tape.backward(),
        };
        if counts { loss } else { Loss::default() }
    }

    /// The part of a batch that is computed here, and whether it counts: a rank without a sentence goes through the same
    /// calls as the others, over all of them, for nothing; gradients on a device are summed in one call, which needs none.
    fn own(&self, batch: &P::Batch, ranks: &dyn Ranks) -> (P::Batch, bool) {
        let part = self.predict.part(batch, ranks.rank(), ranks.size());
        match self.predict.tokens(&part) {
            (_, 0) => (self.predict.part(batch, 0, 1), false),
            _ => (part, true),
        }
    }
}

impl<P: Predict> Task for Predicted<'_, P> {
    type Position = P::Position;

    const EVALUATES_THERE: bool = true;

    fn position(&self) -> P::Position {
        self.predict.position()
    }

    fn epoch(&self) -> u64 {
        self.predict.epoch()
    }

    fn step(&mut self, learned: &mut Learned, plan: &Plan) -> Result<Stepped, RunError> {
        let step = learned.step;
        let lr = plan.schedule.rate(step);
        let batches: Vec<P::Batch> = (0..plan.accumulate.max(1))
            .map(|_| self.predict.next())
            .collect();
        let tokens = batches.iter().map(|batch| self.predict.tokens(batch));
        let (source, target) = tokens.fold((0, 0), |sum, n| (sum.0 + n.0, sum.1 + n.1));
        if target == 0 {
            return Err(RunError::NoTokens);
        }
        let mut total = Loss::default();
        for (i, batch) in batches.iter().enumerate() {
            let place = step * plan.accumulate.max(1) as u64 + i as u64;
            let dropout = Dropout {
                rate: plan.dropout_at(step),
                seed: crate::text::hash::mix(plan.seed, place),
            };
            let is_last = i + 1 == batches.len();
            let weight = 1.0 / target as f32;
            total.add(self.learn(learned, (batch, is_last), dropout, weight));
        }
        let failed = |fault| RunError::Device {
            step,
            fault,
            tokens: Some((source, target)),
        };
        if let Some(ranks) = self.ranks {
            let checked = (learned.there.as_ref()).map_or(Ok(()), |there| there.gpu().check());
            let has_failed = f64::from(u8::from(checked.is_err()));
            let mut sums = [total.smoothed, total.nll, has_failed];
            ranks.sum_f64(&mut sums);
            checked.map_err(failed)?;
            if sums[2] > 0.0 {
                return Err(RunError::Other { step });
            }
            if let Some(there) = &learned.there {
                reduce::sum_there(ranks, &there.gradients, 0..there.gradients.len());
            }
            total = Loss {
                smoothed: sums[0],
                nll: sums[1],
                tokens: target,
            };
        }
        let adam = Adam {
            decay: plan.decay,
            ..Adam::default()
        };
        let gradient = match &learned.there {
            Some(there) => {
                learned.moments.updates += 1;
                let updates = learned.moments.updates;
                there.update(&learned.weights, &adam, updates, (lr, plan.clip));
                let checked = there.gpu().check();
                checked.map_err(failed)?;
                None
            }
            None => {
                let gradient = adam::norm(&learned.gradients);
                learned.check(total.smoothed / target as f64, gradient, lr)?;
                let clip = match plan.clip {
                    most if most > 0.0 && gradient > f64::from(most) => {
                        (f64::from(most) / gradient) as f32
                    }
                    _ => 1.0,
                };
                let weights = learned.weights.values_mut();
                let (gradients, moments) = (&mut learned.gradients, &mut learned.moments);
                adam.update(weights, gradients, moments, lr, clip);
                Some(gradient)
            }
        };
        learned.update_average(plan.average);
        self.loss.add(total);
        self.source += source;
        Ok(Stepped { lr, gradient })
    }

    fn told(&mut self, learned: &Learned, seconds: f64) -> Values {
        let (mut loss, source) = (
            std::mem::take(&mut self.loss),
            std::mem::take(&mut self.source),
        );
        if let Some(there) = learned.weights.there() {
            (loss.smoothed, loss.nll) = there.take_losses();
            if let Some(ranks) = self.ranks {
                let mut sums = [loss.smoothed, loss.nll];
                ranks.sum_f64(&mut sums);
                [loss.smoothed, loss.nll] = sums;
            }
        }
        let values = [
            ("loss", loss.smoothed / loss.tokens.max(1) as f64),
            ("perplexity", loss.perplexity()),
            ("source_tokens", source as f64 / seconds),
            ("target_tokens", loss.tokens as f64 / seconds),
        ];
        values.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn says_numbers(&self, learned: &Learned) -> bool {
        let sums = learned.weights.there().map(|there| there.losses.to_f64());
        sums.is_none_or(|sums| sums.iter().all(|sum| sum.is_finite()))
    }

    fn evaluate(&mut self, weights: &mut Weights, _step: u64) -> Option<Evaluation> {
        self.predict.evaluate(weights)
    }
}

#[cfg(test)]
mod tests;
