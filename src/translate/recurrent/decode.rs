//! A recurrent translator at work: the encoder once, the decoder a token at a time.
//!
//! ```text
//! of a sentence   memory, keys   what the encoder made of its source, (source tokens, dim)
//!                 rows           of each hypothesis: states and memories of all layers, and the last context
//! ```

use super::config::Attention;
use super::model::Recurrent;
use crate::nn::buffer::Buffer;
use crate::nn::dense::{Dense, Precision, Table};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::cell::{Cell, Kind, Step, step};
use crate::nn::ops::context::{Score, Source, context};
use crate::nn::ops::norm::Norm;
use crate::nn::packed::Packed;
use crate::nn::parameters::Weights;
use crate::nn::tape::{Tape, Var};
use crate::translate::decode::looks::most_attended;
use crate::translate::decode::words::{Found, Wanted, find};
use crate::translate::decode::{Model, Row};

/// A model and its weights, ready to translate.
pub struct Decoder<'w> {
    model: &'w Recurrent,
    weights: &'w Weights,
    layers: Vec<Layer<'w>>,
    /// From the last context to the gates of the first layer.
    feed: Option<Table<'w>>,
    query: Option<Dense<'w>>,
    combine: Dense<'w>,
    table: Table<'w>,
}

/// A layer of the decoder.
struct Layer<'w> {
    input: Dense<'w>,
    state: Dense<'w>,
    kind: Kind,
    width: usize,
    /// In place of the bias of a state, which its product adds.
    none: Vec<f32>,
}

/// What is kept of a sentence.
pub struct Sentence {
    tokens: usize,
    /// What the encoder made of it, (tokens, dim), and keys where scores are additive.
    memory: Buffer,
    keys: Buffer,
    rows: Vec<Hypothesis>,
    /// Every weight of the attention, where that is wanted: (steps, tokens).
    record: Option<Vec<f32>>,
}

/// What is remembered of a row.
#[derive(Clone, Default)]
struct Hypothesis {
    /// Of each layer, (layers, dim).
    states: Vec<f32>,
    memories: Vec<f32>,
    /// (dim)
    context: Vec<f32>,
    /// The source token that each of its tokens attended to most.
    aligned: Vec<u32>,
}

impl<'w> Decoder<'w> {
    pub fn new(model: &'w Recurrent, weights: &'w Weights, precision: Precision) -> Decoder<'w> {
        let dense = |layer| Dense::new(weights, layer, precision);
        let layer = |cell: &Cell| Layer {
            input: dense(cell.input),
            state: dense(cell.state),
            kind: cell.kind,
            width: cell.width(),
            none: vec![0.0; cell.width()],
        };
        // The encoder works by the tape's operations, in f32; its matrices are packed here, once for all workers.
        let cells = model.encoder.iter().flatten();
        let cells = cells.flat_map(|cell| [cell.input.weight, cell.state.weight]);
        let keys = model.keys.map(|keys| keys.weight);
        for parameter in cells.chain([model.bridge.weight]).chain(keys) {
            weights.forward(parameter);
        }
        Decoder {
            layers: model.decoder.iter().map(layer).collect(),
            feed: (model.feed).map(|feed| Table::new(weights, feed, precision)),
            query: model.query.map(dense),
            combine: dense(model.combine),
            table: Table::new(weights, model.output, precision),
            model,
            weights,
        }
    }

    /// The embedded last tokens of rows, (rows, embedding).
    fn embed(&self, rows: &[Row]) -> Buffer {
        let e = self.model.config.embedding;
        let mut x = Buffer::of(rows.len() * e);
        for (row, x) in rows.iter().zip(x.chunks_exact_mut(e)) {
            self.model.target.row(self.weights, row.token, 0, x);
        }
        match &self.model.norms {
            Some(norms) => self.normalised(norms.target, x),
            None => x,
        }
    }

    fn normalised(&self, norm: Norm, mut x: Buffer) -> Buffer {
        let mut y = Buffer::of(x.len());
        let mut moments = Buffer::of(2 * (x.len() / norm.scale.columns));
        norm.apply(self.weights, (None, &mut x, None), &mut y, &mut moments);
        y
    }

    /// Takes a layer a step further: rows of `x` and the states and memories of the layer, which become the new ones.
    fn layer(
        &self,
        (l, layer): (usize, &Layer),
        (x, fed): (&[f32], &[f32]),
        h: &mut [f32],
        memory: &mut [f32],
    ) {
        let d = self.model.config.dim;
        let n = h.len() / d;
        let (mut gates, mut u) = (Buffer::of(n * layer.width), Buffer::of(n * layer.width));
        layer.input.apply(x, Activation::Identity, &mut gates);
        if let Some(feed) = self.feed.as_ref().filter(|_| l == 0) {
            let vectors = feed.prepare(fed);
            feed.scores(&vectors, n, 0..feed.panels(), &mut u, layer.width);
            gates.iter_mut().zip(&*u).for_each(|(x, fed)| *x += fed);
        }
        layer.state.apply(h, Activation::Identity, &mut u);
        let rows = h.chunks_exact_mut(d).zip(memory.chunks_exact_mut(d));
        let rows = rows.zip(gates.chunks_exact_mut(layer.width));
        for (((h, memory), gates), u) in rows.zip(u.chunks_exact(layer.width)) {
            step(
                layer.kind,
                Step {
                    gates,
                    state: u,
                    bias: &layer.none,
                    memory,
                    h,
                },
            );
        }
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
        let encoded = self.model.encode(&Tape::plain(self.weights), sources);
        let d = self.model.config.dim;
        let of = |var: &Var, rows: &std::ops::Range<usize>| {
            Buffer::copy_of(&var.values()[rows.start * d..rows.end * d])
        };
        let sentence = |(i, rows): (usize, std::ops::Range<usize>)| {
            let first = encoded.first.iter();
            let states = first.flat_map(|first| first.values()[i * d..(i + 1) * d].to_vec());
            let start = Hypothesis {
                states: states.collect(),
                memories: vec![0.0; self.layers.len() * d],
                context: vec![0.0; d],
                aligned: Vec::new(),
            };
            Sentence {
                tokens: rows.len(),
                memory: of(&encoded.memory, &rows),
                keys: (encoded.keys.as_ref()).map_or_else(Buffer::default, |keys| of(keys, &rows)),
                rows: vec![start],
                record: None,
            }
        };
        sources.sentences().enumerate().map(sentence).collect()
    }

    fn step(&self, states: &mut [&mut Sentence], rows: &[Row], h: &mut [f32]) {
        let (d, n, layers) = (self.model.config.dim, rows.len(), self.layers.len());
        let parent = |row: &Row| &states[row.sentence as usize].rows[row.parent as usize];
        let gather = |values: &dyn Fn(&Hypothesis) -> &[f32]| {
            let mut all = Buffer::of(n * d);
            for (row, to) in rows.iter().zip(all.chunks_exact_mut(d)) {
                to.copy_from_slice(values(parent(row)));
            }
            all
        };
        let fed = gather(&|row| &row.context);
        let mut next: Vec<Hypothesis> = (rows.iter())
            .map(|row| Hypothesis {
                states: Vec::with_capacity(layers * d),
                memories: Vec::with_capacity(layers * d),
                context: vec![0.0; d],
                aligned: parent(row).aligned.clone(),
            })
            .collect();
        let mut x = self.embed(rows);
        for (l, layer) in self.layers.iter().enumerate() {
            let own = l * d..(l + 1) * d;
            let mut state = gather(&|row| &row.states[own.clone()]);
            let mut memory = gather(&|row| &row.memories[own.clone()]);
            self.layer((l, layer), (&x, &fed), &mut state, &mut memory);
            let found = state.chunks_exact(d).zip(memory.chunks_exact(d));
            for (next, (state, memory)) in next.iter_mut().zip(found) {
                next.states.extend_from_slice(state);
                next.memories.extend_from_slice(memory);
            }
            x = state;
        }
        if self.model.config.attention != Attention::None {
            self.attend(states, rows, &x, &mut next);
        }
        let top = match &self.model.norms {
            Some(norms) => self.normalised(norms.decoder, x),
            None => x,
        };
        if self.model.config.attention == Attention::None {
            self.combine.apply(&top, Activation::Tanh, h);
        } else {
            let mut both = Buffer::of(n * 2 * d);
            let parts = top.chunks_exact(d).zip(&next);
            for (to, (top, next)) in both.chunks_exact_mut(2 * d).zip(parts) {
                to[..d].copy_from_slice(top);
                to[d..].copy_from_slice(&next.context);
            }
            self.combine.apply(&both, Activation::Tanh, h);
        }
        for state in states.iter_mut() {
            state.rows.clear();
        }
        for (row, next) in rows.iter().zip(next) {
            states[row.sentence as usize].rows.push(next);
        }
    }

    fn find(&self, states: &mut [&mut Sentence], rows: &[Row], wanted: &[Wanted]) -> Vec<Found> {
        let mut h = Buffer::of(rows.len() * self.dim());
        self.step(states, rows, &mut h);
        find(&self.table, &h, wanted)
    }

    fn alignment(&self, state: &Sentence, row: usize) -> Vec<u32> {
        state.rows[row].aligned.clone()
    }

    fn bytes(&self, _: usize, _: f32) -> usize {
        // What the encoder made of it, and its key. Hypotheses take no more with the length of the source.
        2 * self.model.config.dim * size_of::<f32>()
    }

    fn heads(&self) -> (usize, usize) {
        let has_attention = self.model.config.attention != Attention::None;
        (usize::from(has_attention), 1)
    }

    fn record(state: &mut Sentence) -> &mut Option<Vec<f32>> {
        &mut state.record
    }
}

impl Decoder<'_> {
    /// The contexts of rows whose states are `h`, and what each attended to most.
    fn attend(
        &self,
        states: &mut [&mut Sentence],
        rows: &[Row],
        h: &[f32],
        next: &mut [Hypothesis],
    ) {
        let d = self.model.config.dim;
        let mut mapped = Buffer::default();
        let queries = match &self.query {
            Some(query) => {
                mapped.resize(h.len());
                query.apply(h, Activation::Identity, &mut mapped);
                &mapped[..]
            }
            None => h,
        };
        let mut p = Vec::new();
        for ((row, q), next) in rows.iter().zip(queries.chunks_exact(d)).zip(next) {
            let state = &mut *states[row.sentence as usize];
            p.resize(state.tokens, 0.0);
            let score = match self.model.v {
                Some(v) => Score::Additive {
                    keys: &state.keys,
                    v: self.weights.of(v),
                },
                None => Score::Dot,
            };
            let source = Source {
                rows: &state.memory,
                score,
            };
            context(q, source, &mut p, &mut next.context);
            next.aligned.push(most_attended(&p, state.tokens));
            if let Some(record) = &mut state.record {
                record.extend_from_slice(&p);
            }
        }
    }
}
