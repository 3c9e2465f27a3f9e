//! A recurrent translator at work on a device: all sentences a token further, each operation one launch.
//!
//! ```text
//! of a sentence   source   rows of what the encoder made of it, and of keys
//!                 own      of each row of the last step: states and memories of all layers, and the last context
//! ```
//!
//! What is kept of all sentences lies among one another. A step reads the rows that its hypotheses continue and writes to
//! rows that nobody has, so that a beam is reordered by the numbers it goes to the device with.

use super::config::Attention;
use super::model::Recurrent;
use crate::nn::device::{Gpu, Kind, Memory};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::cuda::context::picked;
use crate::nn::ops::cuda::kept::{Kept, Picks};
use crate::nn::ops::cuda::states::States;
use crate::nn::ops::rows::beside;
use crate::nn::packed::Packed;
use crate::nn::parameters::Weights;
use crate::nn::tape::{Tape, Var};
use crate::translate::decode::looks::Looks;
use crate::translate::decode::words::{Found, Wanted, find_there};
use crate::translate::decode::{Model, Paths, Row, each_sentence};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A model and its weights on a device, ready to translate.
pub struct Decoder<'w> {
    model: &'w Recurrent,
    weights: &'w Weights,
    gpu: &'w Gpu,
    shared: Shared,
    /// Whether it is wanted what rows attended to most.
    aligns: bool,
}

type Shared = Arc<Mutex<Under>>;

/// What is kept of all sentences under way.
struct Under {
    /// Of each token of the sources, as [`picked`] takes it.
    sources: Kept,
    /// Of each hypothesis: h and c of every layer, and the context where it enters the next step.
    states: Kept,
}

/// What is kept of a sentence.
pub struct Sentence {
    shared: Shared,
    source: Vec<u32>,
    own: Vec<u32>,
    /// Which of all rows that have looked led to each.
    paths: Paths,
    looks: Looks,
}

impl Drop for Sentence {
    fn drop(&mut self) {
        let mut under = lock(&self.shared);
        under.sources.give(&self.source);
        under.states.give(&self.own);
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Under> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'w> Decoder<'w> {
    /// Of weights that lie on a device; none where they do not.
    pub fn new(model: &'w Recurrent, weights: &'w Weights, aligns: bool) -> Option<Decoder<'w>> {
        let gpu = weights.there()?.values.gpu();
        let d = model.config.dim;
        let (exact, plain) = ((Kind::F32, d), (gpu.kind(), d));
        let states = model.decoder.iter().flat_map(|_| [exact; 2]);
        let under = Under {
            sources: Kept::new(gpu, [plain].into_iter().chain(model.keys.map(|_| plain))),
            states: Kept::new(gpu, states.chain(model.feed.map(|_| plain))),
        };
        Some(Decoder {
            model,
            weights,
            gpu,
            shared: Arc::new(Mutex::new(under)),
            aligns: aligns && model.config.attention != Attention::None,
        })
    }

    /// Where contexts are among what is kept of hypotheses.
    fn contexts(&self) -> usize {
        2 * self.model.decoder.len()
    }

    /// Takes every row a token further, (rows, embedding).
    fn advance(&self, states: &mut [&mut Sentence], rows: &[Row]) -> Var {
        let (model, tape) = (self.model, Tape::plain(self.weights));
        let mut under = lock(&self.shared);
        let parents = rows.iter().map(|row| {
            let state = &states[row.sentence as usize];
            state.own[row.parent as usize]
        });
        let from = Memory::from_u32(self.gpu, &parents.collect::<Vec<_>>());
        let new = under.states.take(rows.len());
        let to = Memory::from_u32(self.gpu, &new);
        let h = self.through(&tape, &under.states, rows, (&from, &to));
        // All work is in order: whoever gets the old rows writes to them when they have been read.
        let mut left = &new[..];
        for (state, rows) in states.iter_mut().zip(each_sentence(rows)) {
            let (own, rest) = left.split_at(rows.len());
            under.states.give(&state.own);
            state.own = own.to_vec();
            left = rest;
        }
        let context = (model.config.attention != Attention::None)
            .then(|| self.attend(&tape, &under, &h, (states, rows)));
        let top = match &model.norms {
            Some(norms) => norms.decoder.forward(&tape, &h),
            None => h,
        };
        let both = match context {
            Some(context) => {
                if model.feed.is_some() {
                    let d = model.config.dim;
                    let from = (context.memory(), d, 0);
                    under.states.keep(self.contexts(), from, &to);
                }
                beside(&tape, &top, &context)
            }
            None => top,
        };
        (model.combine).forward(&tape, &both, Activation::Tanh, None)
    }

    /// The new states of the last layer, (rows, dim).
    fn through(&self, tape: &Tape, kept: &Kept, rows: &[Row], places: (&Memory, &Memory)) -> Var {
        let model = self.model;
        let tokens: Vec<u32> = rows.iter().map(|row| row.token).collect();
        let positions = vec![0; tokens.len()];
        let mut x = (model.target).forward(tape, &tokens, &positions, None);
        if let Some(norms) = &model.norms {
            x = norms.target.forward(tape, &x);
        }
        let fed = (model.feed).map(|feed| (kept.pick(self.contexts(), places.0), feed));
        for (l, cell) in model.decoder.iter().enumerate() {
            let fed = fed.as_ref().filter(|_| l == 0);
            let fed = fed.map(|(contexts, feed)| (contexts, *feed));
            let inputs = [(x.memory(), cell.input.weight)].into_iter().chain(fed);
            let states = States { kept, h: 2 * l };
            let inputs: Vec<_> = inputs.collect();
            let h = states.advance(tape.there(), cell, &inputs, places);
            x = tape.var_there(h, cell.dim(), false);
        }
        x
    }

    /// The contexts of states; tells sentences what their rows attended to, where that is wanted.
    fn attend(
        &self,
        tape: &Tape,
        under: &Under,
        h: &Var,
        (states, rows): (&mut [&mut Sentence], &[Row]),
    ) -> Var {
        let q = (self.model.query).map(|query| query.forward(tape, h, Activation::Identity, None));
        let q = q.as_ref().unwrap_or(h).memory();
        let source = |row: &Row| states[row.sentence as usize].source.iter().copied();
        let picks = Picks::new(self.gpu, rows.iter().map(source));
        let records = self.aligns || states.iter().any(|state| state.looks.record.is_some());
        let v = self.model.v;
        let (out, weights) = picked(tape.there(), &under.sources, v, (q, &picks), records);
        if let Some(weights) = weights {
            for (state, rows) in states.iter_mut().zip(each_sentence(rows)) {
                state.paths.follow(rows, state.looks.rows() as u32);
            }
            let weights = weights.to_f32();
            for (row, weights) in rows.iter().zip(weights.chunks_exact(picks.longest)) {
                let state = &mut *states[row.sentence as usize];
                let sizes = (state.source.len(), picks.longest);
                state.looks.see(weights, sizes, true);
            }
        }
        tape.var_there(out, self.model.config.dim, false)
    }
}

impl Model for Decoder<'_> {
    type State = Sentence;

    #[allow(
        clippy::misnamed_getters,
        reason = "words are projected from vectors as long as embeddings, not from states"
    )]
    fn dim(&self) -> usize {
        self.model.config.embedding
    }

    fn limit(&self) -> usize {
        self.model.config.max_positions
    }

    fn begin(&self, sources: &Packed) -> Vec<Sentence> {
        let d = self.model.config.dim;
        let encoded = self.model.encode(&Tape::plain(self.weights), sources);
        let mut under = lock(&self.shared);
        let tokens = match self.model.config.attention {
            Attention::None => Vec::new(),
            _ => under.sources.take(sources.ids.len()),
        };
        let places = Memory::from_u32(self.gpu, &tokens);
        let parts = [Some(&encoded.memory), encoded.keys.as_ref()];
        for (part, rows) in parts.into_iter().flatten().enumerate() {
            under.sources.keep(part, (rows.memory(), d, 0), &places);
        }
        let new = under.states.take(encoded.first[0].rows());
        let places = Memory::from_u32(self.gpu, &new);
        let kept = &under.states;
        for (l, first) in encoded.first.iter().enumerate() {
            States { kept, h: 2 * l }.begin(first.memory(), &places);
        }
        if self.model.feed.is_some() {
            let zeros = Memory::zeros(self.gpu, self.gpu.kind(), new.len() * d);
            kept.keep(self.contexts(), (&zeros, d, 0), &places);
        }
        let sentence = |(rows, own): (Range<usize>, u32)| Sentence {
            shared: Arc::clone(&self.shared),
            source: tokens.get(rows).map_or_else(Vec::new, <[u32]>::to_vec),
            own: vec![own],
            paths: Paths::default(),
            looks: Looks::default(),
        };
        sources.sentences().zip(new).map(sentence).collect()
    }

    fn step(&self, states: &mut [&mut Sentence], rows: &[Row], h: &mut [f32]) {
        h.copy_from_slice(&self.advance(states, rows).memory().to_f32());
    }

    fn find(&self, states: &mut [&mut Sentence], rows: &[Row], wanted: &[Wanted]) -> Vec<Found> {
        let h = self.advance(states, rows);
        find_there(self.gpu, self.weights, (&h, self.model.output), wanted)
    }

    fn alignment(&self, state: &Sentence, row: usize) -> Vec<u32> {
        match self.aligns {
            true => state.looks.along(state.paths.of(row)),
            false => Vec::new(),
        }
    }

    fn bytes(&self, _: usize, _: f32) -> usize {
        // Of the host's memory: lists of numbers.
        0
    }

    fn heads(&self) -> (usize, usize) {
        let has_attention = self.model.config.attention != Attention::None;
        (usize::from(has_attention), 1)
    }

    fn record(state: &mut Sentence) -> &mut Option<Vec<f32>> {
        &mut state.looks.record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::gpu;
    use crate::translate::decode::Options;
    use crate::translate::decode::check::{self, options, tasks};
    use crate::translate::decode::stream::{Load, translate};
    use crate::translate::recurrent::tests::configs;

    /// One of everything, with words enough to differ by.
    fn models() -> impl Iterator<Item = (Recurrent, Weights)> {
        configs().into_iter().map(|mut config| {
            config.source_vocabulary = 300;
            config.target_vocabulary = 300;
            (config.embedding, config.dim) = (20, 24);
            let model = Recurrent::new(config).unwrap();
            let mut weights = model.initial_weights(3);
            // Words that differ by more than a few bits tell, and states that do not carry errors far.
            let words = weights.part_mut(model.output.range()).iter_mut();
            words.for_each(|w| *w *= 8.0);
            (model, weights)
        })
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn a_device_finds_the_translations_that_the_host_finds() {
        let with_rules = Options {
            forbidden: vec![0, 1, 3],
            no_repeat: 2,
            ..options(2)
        };
        for (model, mut weights) in models() {
            let ways = [options(1), options(3), with_rules.clone()];
            check::same_there(&model, &mut weights, &ways);
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn a_given_translation_has_the_score_that_the_host_gives_it() {
        for (model, mut weights) in models() {
            check::score_there(&model, &mut weights, &[7, 250, 31, 4]);
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn words_are_drawn_from_all_or_from_the_best() {
        for (model, mut weights) in models().take(2) {
            // Four times as far apart again: a draw meets a border between words more often than the best word changes.
            let words = weights.part_mut(model.output.range()).iter_mut();
            words.for_each(|w| *w *= 4.0);
            check::drawn_there(&model, &mut weights);
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn every_weight_of_attention_is_told() {
        for (model, mut weights) in models() {
            let texts = (&[9, 40, 7, 8, 201][..], &[30, 5, 77][..]);
            check::maps_there(&model, &mut weights, texts);
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn all_rows_come_back() {
        for (model, mut weights) in models() {
            weights.bring_to(gpu().expect("WORDMILL_TEST_GPU is set"));
            let decoder = [Decoder::new(&model, &weights, true).unwrap()];
            let load = Load::of_beam(3);
            translate(&decoder, &tasks(12, 300), &options(3), (1, load));
            let under = lock(&decoder[0].shared);
            assert!(under.states.rows() > 0);
            for kept in [&under.sources, &under.states] {
                assert_eq!(kept.idle(), kept.rows());
            }
        }
    }
}
