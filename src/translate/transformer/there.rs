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

use super::decode::most_attended;
use super::model::Transformer;
use crate::nn::device::{Gpu, Memory};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::cuda::query::{Kept, Picks, attend};
use crate::nn::ops::linear::Linear;
use crate::nn::packed::Packed;
use crate::nn::parameters::Weights;
use crate::nn::tape::{Tape, Var};
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
    /// The source token that each row ever live attended to most in the last layer.
    aligned: Vec<u32>,
    record: Option<Vec<f32>>,
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
        let kept = Kept::new(gpu, 2 * model.decoder.len(), model.config.dim);
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
        let records = states.iter().any(|state| state.record.is_some());
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
                let weights = (&weights.to_f32()[..], heads, cross.longest);
                tell(states, rows, weights, is_last);
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

/// Tells sentences what their rows attended to, (rows, heads, longest).
fn tell(
    states: &mut [&mut Sentence],
    rows: &[Row],
    (weights, heads, longest): (&[f32], usize, usize),
    is_last: bool,
) {
    for (row, weights) in rows.iter().zip(weights.chunks_exact(heads * longest)) {
        let state = &mut *states[row.sentence as usize];
        let tokens = state.cross.len();
        let own: Vec<f32> = (weights.chunks_exact(longest))
            .flat_map(|head| &head[..tokens])
            .copied()
            .collect();
        if is_last {
            state.aligned.push(most_attended(&own, tokens));
        }
        if let Some(record) = &mut state.record {
            record.extend(own);
        }
    }
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
            aligned: Vec::new(),
            record: None,
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
        let path = state.paths.of(row).iter();
        path.map(|place| state.aligned[*place as usize]).collect()
    }

    fn bytes(&self, _: usize, _: f32) -> usize {
        // Of the host's memory: lists of numbers.
        0
    }

    fn heads(&self) -> (usize, usize) {
        (self.model.decoder.len(), self.model.config.heads)
    }

    fn record(state: &mut Sentence) -> &mut Option<Vec<f32>> {
        &mut state.record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check;
    use crate::nn::dense::Precision;
    use crate::nn::device::Kind;
    use crate::translate::architecture::Tied;
    use crate::translate::decode::check::{options, tasks};
    use crate::translate::decode::stream::{Load, translate};
    use crate::translate::decode::{Hypothesis, Options, Sample, Task};
    use crate::translate::transformer::config::{Config, PositionKind};
    use crate::translate::transformer::decode;

    fn model(pre_norm: bool) -> Transformer {
        Transformer::new(Config {
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
        .unwrap()
    }

    /// On the host, and on the device.
    fn both(pre_norm: bool, tasks: &[Task], options: &Options) -> [Vec<Vec<Hypothesis>>; 2] {
        let gpu = check::gpu().expect("WORDMILL_TEST_GPU is set");
        let model = model(pre_norm);
        let mut weights = model.initial_weights(3);
        let load = Load {
            sentences: 8,
            tokens: 100,
        };
        let host = [decode::Decoder::new(&model, &weights, Precision::Single)];
        let host = translate(&host, tasks, options, (1, load));
        weights.bring_to(gpu);
        let device = [Decoder::new(&model, &weights, true).unwrap()];
        let found = translate(&device, tasks, options, (1, load));
        gpu.check().unwrap();
        let kept = lock(&device[0].kept);
        assert_eq!(kept.idle(), kept.rows(), "all rows come back");
        [host, found]
    }

    fn kind() -> Kind {
        check::gpu().expect("WORDMILL_TEST_GPU is set").kind()
    }

    fn is_exact() -> bool {
        kind() == Kind::F32
    }

    /// How near scores must be.
    fn tolerance() -> f32 {
        match kind() {
            Kind::F32 => 1e-3,
            Kind::F16 => 0.005,
            _ => 0.15,
        }
    }

    /// What must be the same: untrained weights leave words nearly equal, which few bits tell apart no better than chance
    /// once others have gone before.
    fn compared(tokens: &[u32]) -> &[u32] {
        &tokens[..if is_exact() { tokens.len() } else { 1 }]
    }

    /// Of so many.
    fn least(all: usize) -> usize {
        if is_exact() { all } else { all * 3 / 5 }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn a_device_finds_the_translations_that_the_host_finds() {
        let with_rules = Options {
            forbidden: vec![0, 1, 3],
            no_repeat: 2,
            ..options(2)
        };
        let ways = [(false, options(1)), (true, options(3)), (false, with_rules)];
        for (pre_norm, options) in ways {
            let [host, device] = both(pre_norm, &tasks(12, 300), &options);
            let pairs = host.iter().zip(&device);
            let same = pairs.clone().filter(|(host, device)| {
                let compared = |h: &Hypothesis| compared(&h.tokens).to_vec();
                compared(&host[0]) == compared(&device[0])
            });
            let same = same.count();
            assert!(same >= least(12), "{same} of 12");
            for (host, device) in pairs.filter(|(h, d)| h[0].tokens == d[0].tokens) {
                let apart = (host[0].score - device[0].score).abs();
                let length = host[0].tokens.len() as f32;
                assert!(apart <= tolerance() * length, "{apart}");
                if is_exact() {
                    assert_eq!(host[0].alignment, device[0].alignment);
                }
            }
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn a_given_translation_has_the_score_that_the_host_gives_it() {
        let given = tasks(10, 300).into_iter().map(|task| Task {
            prefix: vec![7, 250, 31, 4],
            is_given: true,
            ..task
        });
        let [host, device] = both(true, &given.collect::<Vec<_>>(), &options(1));
        for (host, device) in host.iter().zip(&device) {
            let apart = (host[0].score - device[0].score).abs();
            assert!(apart <= 5.0 * tolerance(), "{apart}");
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn words_are_drawn_from_all_or_from_the_best() {
        for (top_k, top_p) in [(0, 0.9), (5, 1.0)] {
            let sample = Some(Sample {
                temperature: 1.0,
                top_k,
                top_p,
                seed: 4,
            });
            let drawn = Options {
                sample,
                ..options(2)
            };
            let [host, device] = both(false, &tasks(10, 300), &drawn);
            let pairs = host.iter().flatten().zip(device.iter().flatten());
            // The same random numbers meet nearly the same probabilities.
            let same = pairs.filter(|(h, d)| compared(&h.tokens) == compared(&d.tokens));
            let same = same.count();
            assert!(same >= least(20), "{same} of 20");
        }
    }

    #[test]
    #[ignore = "wants a GPU"]
    fn every_weight_of_attention_is_told() {
        let gpu = check::gpu().expect("WORDMILL_TEST_GPU is set");
        let model = model(false);
        let mut weights = model.initial_weights(3);
        let (source, target) = ([9, 40, 7, 8, 201], [30, 5, 77]);
        let host = decode::Decoder::new(&model, &weights, Precision::Single).maps(&source, &target);
        weights.bring_to(gpu);
        let device = Decoder::new(&model, &weights, false).unwrap();
        let found = device.maps(&source, &target);
        assert_eq!(found.weights.len(), host.weights.len());
        for (host, found) in host.weights.iter().zip(&found.weights) {
            assert!((host - found).abs() <= tolerance() / 5.0, "{host} {found}");
        }
    }
}
