//! A Transformer at work: the encoder once, the decoder a token at a time, with keys and values kept.
//!
//! ```text
//! of a sentence   cross   keys and values of its source, computed once            (source tokens, 2 · d) a layer
//!                 own     keys and values of each row that was ever live          (rows so far, 2 · d) a layer
//!                 paths   of each row of the last step, where its tokens are among those rows
//! ```
//!
//! A beam is reordered by copying paths; no key or value moves. All on the calling thread.

mod layers;

use super::config::Config;
use super::model::Transformer;
use crate::nn::buffer::Buffer;
use crate::nn::dense::{Precision, Table};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::query::{Keys, attend};
use crate::nn::packed::Packed;
use crate::nn::parameters::Weights;
use crate::translate::decode::looks::most_attended;
use crate::translate::decode::words::{Found, Wanted, find};
use crate::translate::decode::{Model, Paths, Row, each_sentence, places};
use layers::{DecoderLayer, EncoderLayer, Norms};

/// A model and its weights, ready to translate.
pub struct Decoder<'w> {
    model: &'w Transformer,
    weights: &'w Weights,
    encoder: Vec<EncoderLayer<'w>>,
    decoder: Vec<DecoderLayer<'w>>,
    table: Table<'w>,
    /// 0, 1, 2 …: the picks of one that attends to everything.
    all: Vec<u32>,
}

/// What is kept of a sentence.
pub struct Sentence {
    tokens: usize,
    cross: Vec<Buffer>,
    own: Vec<Vec<f32>>,
    paths: Paths,
    /// The source token that each row ever live attended to most in the last layer.
    aligned: Vec<u32>,
    /// Every weight of the attention to the source, where that is wanted: (rows, layers, heads, source tokens).
    record: Option<Vec<f32>>,
}

impl<'w> Decoder<'w> {
    pub fn new(model: &'w Transformer, weights: &'w Weights, precision: Precision) -> Decoder<'w> {
        let encoder =
            (model.encoder.iter()).map(|layer| EncoderLayer::new(layer, weights, precision));
        let decoder =
            (model.decoder.iter()).map(|layer| DecoderLayer::new(layer, weights, precision));
        Decoder {
            encoder: encoder.collect(),
            decoder: decoder.collect(),
            table: Table::new(weights, model.output, precision),
            all: (0..model.config.max_positions as u32).collect(),
            model,
            weights,
        }
    }

    fn config(&self) -> &Config {
        &self.model.config
    }

    /// The sources after the last layer, (tokens, d).
    fn encode(&self, sources: &Packed) -> Buffer {
        let (d, heads) = (self.config().dim, self.config().heads);
        let n = sources.ids.len();
        let mut x = Buffer::of(n * d);
        let rows = sources.ids.iter().zip(sources.positions());
        for ((id, position), x) in rows.zip(x.chunks_exact_mut(d)) {
            self.model.source.row(self.weights, *id, position, x);
        }
        let own = (self.encoder.iter()).flat_map(|layer| [layer.attention.norm, layer.feed.norm]);
        let norms = Norms::new(own.collect(), self.model.last.map(|(encoder, _)| encoder));
        let mut stream = norms.enter(self.weights, x);
        let (mut qkv, mut mixed) = (Buffer::of(n * 3 * d), Buffer::of(n * d));
        let mut p = Buffer::of(sources.longest() * heads);
        for (i, layer) in self.encoder.iter().enumerate() {
            layer
                .attention
                .qkv
                .apply(&stream.input, Activation::Identity, &mut qkv);
            for rows in sources.sentences() {
                let keys = Keys {
                    values: &qkv[rows.start * 3 * d..rows.end * 3 * d],
                    stride: 3 * d,
                    key: d,
                    value: 2 * d,
                };
                for row in rows.clone() {
                    let p = &mut p[..rows.len() * heads];
                    let q = &qkv[row * 3 * d..row * 3 * d + d];
                    let o = &mut mixed[row * d..(row + 1) * d];
                    attend(q, keys, &self.all[..rows.len()], p, o);
                }
            }
            let mut out = Buffer::of(n * d);
            layer
                .attention
                .out
                .apply(&mixed, Activation::Identity, &mut out);
            norms.join(self.weights, 2 * i, &mut stream, out);
            let fed = layer.feed.apply(&stream.input, n);
            norms.join(self.weights, 2 * i + 1, &mut stream, fed);
        }
        stream.input
    }
}

impl Model for Decoder<'_> {
    type State = Sentence;

    fn dim(&self) -> usize {
        self.config().dim
    }

    fn limit(&self) -> usize {
        self.config().max_positions
    }

    fn begin(&self, sources: &Packed) -> Vec<Sentence> {
        let d = self.config().dim;
        let memory = self.encode(sources);
        let empty = |rows: std::ops::Range<usize>| Sentence {
            tokens: rows.len(),
            cross: Vec::with_capacity(self.decoder.len()),
            own: vec![Vec::with_capacity(2 * d * (rows.len() + 8)); self.decoder.len()],
            paths: Paths::default(),
            aligned: Vec::new(),
            record: None,
        };
        let mut sentences: Vec<Sentence> = sources.sentences().map(empty).collect();
        let mut kv = Buffer::of(sources.ids.len() * 2 * d);
        for layer in &self.decoder {
            layer.cross.kv.apply(&memory, Activation::Identity, &mut kv);
            for (sentence, rows) in sentences.iter_mut().zip(sources.sentences()) {
                let part = &kv[rows.start * 2 * d..rows.end * 2 * d];
                sentence.cross.push(Buffer::copy_of(part));
            }
        }
        sentences
    }

    fn step(&self, states: &mut [&mut Sentence], rows: &[Row], h: &mut [f32]) {
        let (d, heads, n) = (self.config().dim, self.config().heads, rows.len());
        let mut x = Buffer::of(n * d);
        let places = places(rows);
        for (state, rows) in states.iter_mut().zip(each_sentence(rows)) {
            let written = state.aligned.len() as u32;
            state.paths.follow(rows, written);
        }
        for ((row, place), x) in rows.iter().zip(&places).zip(x.chunks_exact_mut(d)) {
            let length = states[row.sentence as usize].paths.of(*place).len();
            self.model
                .target
                .row(self.weights, row.token, length as u32 - 1, x);
        }
        let own = (self.decoder.iter())
            .flat_map(|layer| [layer.attention.norm, layer.cross.norm, layer.feed.norm]);
        let norms = Norms::new(own.collect(), self.model.last.map(|(_, decoder)| decoder));
        let mut stream = norms.enter(self.weights, x);
        let (mut qkv, mut mixed) = (Buffer::of(n * 3 * d), Buffer::of(n * d));
        let mut p = Buffer::default();
        for (i, layer) in self.decoder.iter().enumerate() {
            layer
                .attention
                .qkv
                .apply(&stream.input, Activation::Identity, &mut qkv);
            for (row, qkv) in rows.iter().zip(qkv.chunks_exact(3 * d)) {
                states[row.sentence as usize].own[i].extend_from_slice(&qkv[d..]);
            }
            for (j, row) in rows.iter().enumerate() {
                let state = &states[row.sentence as usize];
                let path = state.paths.of(places[j]);
                let keys = Keys {
                    values: &state.own[i],
                    stride: 2 * d,
                    key: 0,
                    value: d,
                };
                p.resize(heads * path.len());
                let q = &qkv[j * 3 * d..j * 3 * d + d];
                attend(q, keys, path, &mut p, &mut mixed[j * d..(j + 1) * d]);
            }
            let mut out = Buffer::of(n * d);
            layer
                .attention
                .out
                .apply(&mixed, Activation::Identity, &mut out);
            norms.join(self.weights, 3 * i, &mut stream, out);

            let mut q = Buffer::of(n * d);
            layer
                .cross
                .q
                .apply(&stream.input, Activation::Identity, &mut q);
            for (j, row) in rows.iter().enumerate() {
                let state = &mut states[row.sentence as usize];
                let keys = Keys {
                    values: &state.cross[i],
                    stride: 2 * d,
                    key: 0,
                    value: d,
                };
                p.resize(heads * state.tokens);
                let q = &q[j * d..(j + 1) * d];
                attend(
                    q,
                    keys,
                    &self.all[..state.tokens],
                    &mut p,
                    &mut mixed[j * d..(j + 1) * d],
                );
                if let Some(record) = &mut state.record {
                    record.extend_from_slice(&p);
                }
                if i + 1 == self.decoder.len() {
                    state.aligned.push(most_attended(&p, state.tokens));
                }
            }
            let mut out = Buffer::of(n * d);
            layer
                .cross
                .out
                .apply(&mixed, Activation::Identity, &mut out);
            norms.join(self.weights, 3 * i + 1, &mut stream, out);

            let fed = layer.feed.apply(&stream.input, n);
            norms.join(self.weights, 3 * i + 2, &mut stream, fed);
        }
        h.copy_from_slice(&stream.input);
    }

    fn find(&self, states: &mut [&mut Sentence], rows: &[Row], wanted: &[Wanted]) -> Vec<Found> {
        let mut h = Buffer::of(rows.len() * self.dim());
        self.step(states, rows, &mut h);
        find(&self.table, &h, wanted)
    }

    fn alignment(&self, state: &Sentence, row: usize) -> Vec<u32> {
        let path = state.paths.of(row).iter();
        path.map(|place| state.aligned[*place as usize]).collect()
    }

    fn bytes(&self, beam: usize, factor: f32) -> usize {
        // Keys and values of each layer: of the source's token, and of what it becomes in each hypothesis.
        let row = 2 * self.config().dim * self.decoder.len() * size_of::<f32>();
        row + (row as f32 * beam as f32 * factor) as usize
    }

    fn heads(&self) -> (usize, usize) {
        (self.decoder.len(), self.config().heads)
    }

    fn record(state: &mut Sentence) -> &mut Option<Vec<f32>> {
        &mut state.record
    }
}
