//! The Transformer as one translator among others.

use super::config::{Config, recipe};
use super::decode::Decoder;
use super::model::Transformer;
use super::there;
use crate::nn::dense::Precision;
use crate::nn::ops::cuda::attention::HEAD;
use crate::nn::ops::projection::Loss;
use crate::nn::parameters::{Layout, Weights};
use crate::nn::tape::Tape;
use crate::translate::architecture::{Architecture, ConfigError, Recipe, Units};
use crate::translate::batch::Batch;

impl Architecture for Transformer {
    type Config = Config;
    type Decoder<'w> = Decoder<'w>;
    type There<'w> = there::Decoder<'w>;

    const NAME: &'static str = "transformer";

    fn new(config: Config) -> Result<Transformer, ConfigError> {
        Transformer::new(config)
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn vocabularies(&self) -> (usize, usize) {
        (self.config.source_vocabulary, self.config.target_vocabulary)
    }

    fn recipe(pairs: u64, _: Units) -> Recipe {
        recipe(pairs).1
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn not_on_gpu(&self) -> Option<String> {
        let size = self.config.dim / self.config.heads;
        (size > HEAD)
            .then(|| format!("a head of {size} columns is too large for a GPU: {HEAD} at most"))
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
