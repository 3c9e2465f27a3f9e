//! A Transformer at work on a device: all sentences a token further, each operation one launch.
//!
//! ```text
//! of a sentence   cross   rows of kept keys and values, one for each token of its source
//!                 own     one for each row that was ever live
//!                 paths   of each row of the last step, which of these are its tokens
//! ```
//!
//! Keys and values of all sentences lie among one another; what a row attends to is a list of numbers that goes to the
//! device with each step. A beam is reordered by copying lists, as on the host.

use super::model::Transformer;
use crate::nn::device::{Gpu, Memory};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::cuda::kept::{Kept, Picks};
use crate::nn::ops::cuda::query::attend;
use crate::nn::ops::linear::Linear;
use crate::nn::packed::Packed;
use crate::nn::parameters::Weights;
use crate::nn::tape::{Tape, Var};
use crate::translate::decode::looks::Looks;
use crate::translate::decode::words::{Found, Wanted, find_there};
use crate::translate::decode::{Model, Paths, Row, each_sentence, places};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A model and its weights on a device, ready to translate.
pub struct Decoder<'w> {
    model: &'w Transformer,
    weights: &'w Weights,
    gpu: &'w Gpu,
    kept: Shared,
    /// Whether it is wanted what rows attended to most.
    aligns: bool,
}

/// Of all sentences under way: keys and values of every layer of the decoder, first to themselves, then to the source.
type Shared = Arc<Mutex<Kept>>;

/// What is kept of a sentence.
pub struct Sentence {
    kept: Shared,
    cross: Vec<u32>,
    own: Vec<u32>,
    paths: Paths,
    looks: Looks,
}

impl Drop for Sentence {
    fn drop(&mut self) {
        let mut kept = lock(&self.kept);
        kept.give(&self.cross);
        kept.give(&self.own);
    }
}

fn lock(kept: &Shared) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'w> Decoder<'w> {
    /// Of weights that lie on a device; none where they do not.
    pub fn new(model: &'w Transformer, weights: &'w Weights, aligns: bool) -> Option<Decoder<'w>> {
        let gpu = weights.there()?.values.gpu();
        let key_and_value = (gpu.kind(), 2 * model.config.dim);
        let kept = Kept::new(gpu, vec![key_and_value; 2 * model.decoder.len()]);
        Some(Decoder {
            model,
            weights,
            gpu,
            kept: Arc::new(Mutex::new(kept)),
            aligns,
        })
    }

    /// Gives every row its place among what is kept, and lists what it attends to.
    fn place(&self, kept: &mut Kept, states: &mut [&mut Sentence], rows: &[Row]) -> Places {
        let numbers = places(rows);
        let new = kept.take(rows.len());
        let mut left = &new[..];
        for (state, rows) in states.iter_mut().zip(each_sentence(rows)) {
            state.paths.follow(rows, state.own.len() as u32);
            let (own, rest) = left.split_at(rows.len());
            state.own.extend(own);
            left = rest;
        }
        let states = &*states;
        let state_of = |row: &Row| &*states[row.sentence as usize];
        let path = |(row, number): (&Row, &usize)| {
            let (state, number) = (state_of(row), *number);
            let path = state.paths.of(number).iter();
            path.map(|i| state.own[*i as usize])
        };
        let cross = rows.iter().map(|row| state_of(row).cross.iter().copied());
        let length = |(row, number)| -> u32 { state_of(row).paths.of(number).len() as u32 };
        Places {
            own: Picks::new(self.gpu, rows.iter().zip(&numbers).map(path)),
            cross: Picks::new(self.gpu, cross),
            new: Memory::from_u32(self.gpu, &new),
            positions: rows
                .iter()
                .zip(numbers)
                .map(|row| length(row) - 1)
                .collect(),
        }
    }

    /// Takes every row a token further, (rows, d).
    fn advance(&self, states: &mut [&mut Sentence], rows: &[Row]) -> Var {
        let (d, heads) = (self.model.config.dim, self.model.config.heads);
        let tape = Tape::plain(self.weights);
        let mut kept = lock(&self.kept);
        let Places {
            own,
            cross,
            new,
            positions,
        } = self.place(&mut kept, states, rows);
        let tokens: Vec<u32> = rows.iter().map(|row| row.token).collect();
        let x = (self.model.target).forward(&tape, &tokens, &positions, None);
        let (mut stream, norms) = self.model.enter_decoder(&tape, (x, 0));
        let records = states.iter().any(|state| state.looks.record.is_some());
        let apply = |layer: &Linear, x: &Var| layer.forward(&tape, x, Activation::Identity, None);
        let layers = self.model.decoder.iter().zip(norms.chunks_exact(3));
        for (i, (layer, norms)) in layers.enumerate() {
            let (to_self, to_source) = (2 * i, 2 * i + 1);
            let qkv = apply(&layer.attention.qkv, &stream.input);
            kept.keep(to_self, (qkv.memory(), 3 * d, d), &new);
            let q = (qkv.memory(), 3 * d);
            let (mixed, _) = attend(&kept, to_self, q, (&own, heads), false);
            let out = apply(&layer.attention.out, &tape.var_there(mixed, d, false));
            stream = self.model.join(&tape, stream, &out, norms[0]);

            let q = apply(&layer.cross.q, &stream.input);
            let is_last = i + 1 == self.model.decoder.len();
            let wanted = records || (self.aligns && is_last);
            let q = (q.memory(), d);
            let (mixed, weights) = attend(&kept, to_source, q, (&cross, heads), wanted);
            if let Some(weights) = weights {
                let (weights, longest) = (weights.to_f32(), cross.longest);
                for (row, weights) in rows.iter().zip(weights.chunks_exact(heads * longest)) {
                    let state = &mut *states[row.sentence as usize];
                    let sizes = (state.cross.len(), longest);
                    state.looks.see(weights, sizes, is_last);
                }
            }
            let out = apply(&layer.cross.out, &tape.var_there(mixed, d, false));
            stream = self.model.join(&tape, stream, &out, norms[1]);

            let fed = layer.feed_forward.forward(&tape, &stream.input, 0);
            stream = self.model.join(&tape, stream, &fed, norms[2]);
        }
        stream.input
    }
}

/// Where the rows of a step are, and what they attend to.
struct Places {
    own: Picks,
    cross: Picks,
    /// Their own keys and values.
    new: Memory,
    /// In their translations.
    positions: Vec<u32>,
}

impl Model for Decoder<'_> {
    type State = Sentence;

    fn dim(&self) -> usize {
        self.model.config.dim
    }

    fn limit(&self) -> usize {
        self.model.config.max_positions
    }

    fn begin(&self, sources: &Packed) -> Vec<Sentence> {
        let d = self.model.config.dim;
        let tape = Tape::plain(self.weights);
        let memory = self.model.encode(&tape, sources);
        let mut kept = lock(&self.kept);
        let new = kept.take(sources.ids.len());
        let places = Memory::from_u32(self.gpu, &new);
        for (i, layer) in self.model.decoder.iter().enumerate() {
            let kv = (layer.cross.kv).forward(&tape, &memory, Activation::Identity, None);
            kept.keep(2 * i + 1, (kv.memory(), 2 * d, 0), &places);
        }
        let sentence = |rows: std::ops::Range<usize>| Sentence {
            kept: Arc::clone(&self.kept),
            cross: new[rows].to_vec(),
            own: Vec::new(),
            paths: Paths::default(),
            looks: Looks::default(),
        };
        sources.sentences().map(sentence).collect()
    }

    fn step(&self, states: &mut [&mut Sentence], rows: &[Row], h: &mut [f32]) {
        h.copy_from_slice(&self.advance(states, rows).memory().to_f32());
    }

    fn find(&self, states: &mut [&mut Sentence], rows: &[Row], wanted: &[Wanted]) -> Vec<Found> {
        let h = self.advance(states, rows);
        find_there(self.gpu, self.weights, (&h, self.model.output), wanted)
    }

    fn alignment(&self, state: &Sentence, row: usize) -> Vec<u32> {
        state.looks.along(state.paths.of(row))
    }

    fn bytes(&self, _: usize, _: f32) -> usize {
        // Of the host's memory: lists of numbers.
        0
    }

    fn heads(&self) -> (usize, usize) {
        (self.model.decoder.len(), self.model.config.heads)
    }

    fn record(state: &mut Sentence) -> &mut Option<Vec<f32>> {
        &mut state.looks.record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::gpu;
    use crate::translate::architecture::Tied;
    use crate::translate::decode::Options;
    use crate::translate::decode::check::{self, options, tasks};
    use crate::translate::decode::stream::{Load, translate};
    use crate::translate::transformer::config::{Config, PositionKind};

    fn model(pre_norm: bool) -> (Transformer, Weights) {
        let model = Transformer::new(Config {
            source_vocabulary: 300,
            target_vocabulary: 300,
            dim: 24,
            encoder_layers: 2,
            decoder_layers: 2,
            heads: 3,
            ffn: 40,
            pre_norm,
            positions: PositionKind::Sinusoidal,
            tied: Tied::All,
            max_positions: 40,
        })
        .unwrap();
        let weights = model.initial_weights(3);
        (model, weights)
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn a_device_finds_the_translations_that_the_host_finds() {
        let with_rules = Options {
            forbidden: vec![0, 1, 3],
            no_repeat: 2,
            ..options(2)
        };
        for (pre_norm, ways) in [
            (false, [options(1), with_rules]),
            (true, [options(3), options(2)]),
        ] {
            let (model, mut weights) = model(pre_norm);
            check::same_there(&model, &mut weights, &ways);
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn a_given_translation_has_the_score_that_the_host_gives_it() {
        let (model, mut weights) = model(true);
        check::score_there(&model, &mut weights, &[7, 250, 31, 4]);
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn words_are_drawn_from_all_or_from_the_best() {
        let (model, mut weights) = model(false);
        // Twice as far apart.
        let words = weights.part_mut(model.output.range()).iter_mut();
        words.for_each(|w| *w *= 2.0);
        check::drawn_there(&model, &mut weights);
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn every_weight_of_attention_is_told() {
        let (model, mut weights) = model(false);
        let texts = (&[9, 40, 7, 8, 201][..], &[30, 5, 77][..]);
        check::maps_there(&model, &mut weights, texts);
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn all_rows_come_back() {
        let (model, mut weights) = model(false);
        weights.bring_to(gpu().expect("WORDMILL_TEST_GPU is set"));
        let decoder = [Decoder::new(&model, &weights, true).unwrap()];
        let load = Load::of_beam(3);
        translate(&decoder, &tasks(12, 300), &options(3), (1, load));
        let kept = lock(&decoder[0].kept);
        assert!(kept.rows() > 0);
        assert_eq!(kept.idle(), kept.rows());
    }
}
