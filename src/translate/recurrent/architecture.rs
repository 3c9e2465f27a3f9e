//! The recurrent translator as one among others.

use super::config::{Attention, Config, recipe};
use super::decode::Decoder;
use super::model::Recurrent;
use super::there;
use crate::nn::dense::Precision;
use crate::nn::ops::cuda::context::WIDEST;
use crate::nn::ops::projection::Loss;
use crate::nn::parameters::{Layout, Weights};
use crate::nn::tape::Tape;
use crate::translate::architecture::{Architecture, ConfigError, Recipe, Units};
use crate::translate::batch::Batch;

impl Architecture for Recurrent {
    type Config = Config;
    type Decoder<'w> = Decoder<'w>;
    type There<'w> = there::Decoder<'w>;

    const NAME: &'static str = "seq2seq";

    fn new(config: Config) -> Result<Recurrent, ConfigError> {
        Recurrent::new(config)
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn vocabularies(&self) -> (usize, usize) {
        (self.config.source_vocabulary, self.config.target_vocabulary)
    }

    fn recipe(pairs: u64, units: Units) -> Recipe {
        recipe(pairs, units)
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn not_on_gpu(&self) -> Option<String> {
        let is_too_wide = self.config.attention != Attention::None && self.config.dim > WIDEST;
        is_too_wide
            .then(|| format!("a GPU attends to rows of {WIDEST} values at most: --dim {WIDEST}"))
    }

    fn initial_weights(&self, seed: u64) -> Weights {
        self.initial_weights(seed)
    }

    fn loss(&self, tape: &Tape, batch: &Batch, smoothing: f32, weight: f32) -> Loss {
        self.loss(tape, batch, smoothing, weight)
    }

    fn decoder<'w>(&'w self, weights: &'w Weights, precision: Precision) -> Decoder<'w> {
        Decoder::new(self, weights, precision)
    }

    fn there<'w>(&'w self, weights: &'w Weights, aligns: bool) -> Option<there::Decoder<'w>> {
        there::Decoder::new(self, weights, aligns)
    }
}
