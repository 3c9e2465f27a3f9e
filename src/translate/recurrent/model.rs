//! The layers of a recurrent translator and their forward pass.
//!
//! ```text
//! encoder   each layer reads forwards and backwards:  M = (→h, ←h)        bridge: first state of decoder layer l
//!                                                                         = tanh(B (→h last, ←h first) of layer l + b)
//! decoder   h[t] = layers(e[t], context of t − 1 with input feeding)      o[t] = context of h[t] in M
//! words     tanh(C (h, o) + b) · Eᵀ
//! ```
//!
//! Dropout is on embeddings, between layers, and before the projection to words. An LSTM's memory begins with zeros.
//! Sutskever et al. 2014, Bahdanau et al. 2015, Luong et al. 2015. Input feeding passes the context on, as Bahdanau's does.
//!
//! Scheduled sampling (Bengio et al. 2015) goes over the targets twice: what the model guesses from the right words takes
//! the place of some of them in the pass that is learned from (Mihaylova and Martins 2019).

use super::config::{Attention, Config};
use crate::nn::buffer::Buffer;
use crate::nn::dropout;
use crate::nn::ops::activation::Activation;
use crate::nn::ops::attention::{Spans, shared_attention};
use crate::nn::ops::cell::{Cell, Kind};
use crate::nn::ops::context::{Pairs, additive_attention};
use crate::nn::ops::embedding::{Embedding, Positions};
use crate::nn::ops::feeding::{Feeding, Inputs};
use crate::nn::ops::linear::Linear;
use crate::nn::ops::norm::Norm;
use crate::nn::ops::projection::{self, Loss, loss};
use crate::nn::ops::recurrent::{How, Sequences};
use crate::nn::ops::rows::{beside, dropped, pick};
use crate::nn::packed::Packed;
use crate::nn::parameters::{Layout, Parameter, Weights};
use crate::nn::tape::{Tape, Var};
use crate::random::Random;
use crate::translate::architecture::{ConfigError, Tied};
use crate::translate::batch::Batch;
use std::sync::Arc;

/// A model: where its parameters lie.
#[derive(Debug)]
pub struct Recurrent {
    pub config: Config,
    pub layout: Layout,
    pub source: Embedding,
    pub target: Embedding,
    /// The table of the projection to words.
    pub output: Parameter,
    /// Layers of the encoder, forwards and backwards.
    pub encoder: Vec<[Cell; 2]>,
    pub bridge: Linear,
    pub decoder: Vec<Cell>,
    /// From the context of the last step to the gates of the first layer, with input feeding.
    pub feed: Option<Parameter>,
    pub query: Option<Linear>,
    /// Keys of additive attention, and the vector that makes scores of its layer.
    pub keys: Option<Linear>,
    pub v: Option<Parameter>,
    /// From state and context to what words are projected from.
    pub combine: Linear,
    pub norms: Option<Norms>,
}

/// Where values are normalised.
#[derive(Debug)]
pub struct Norms {
    pub source: Norm,
    pub target: Norm,
    pub encoder: Vec<Norm>,
    pub decoder: Norm,
}

/// What the encoder made of sources.
pub struct Encoded {
    /// (tokens, dim)
    pub memory: Var,
    /// Keys of additive attention, (tokens, dim).
    pub keys: Option<Var>,
    /// The first state of each layer of the decoder, (sentences, dim).
    pub first: Vec<Var>,
    /// The rows of each sentence.
    pub sequences: Arc<Sequences>,
}

impl Encoded {
    /// Targets, and the sources that they attend to.
    fn pairs(&self, target: &Packed) -> Arc<Pairs> {
        let target = Arc::new(Sequences::of(target));
        Arc::new(Pairs::new(target, Arc::clone(&self.sequences)))
    }
}

impl Recurrent {
    /// # Errors
    /// When no model can have this shape.
    pub fn new(config: Config) -> Result<Recurrent, ConfigError> {
        config.check()?;
        let mut layout = Layout::default();
        let (d, e, kind) = (config.dim, config.embedding, config.cell);
        let source = layout.matrix("source.weight", config.source_vocabulary, e);
        let target = match config.tied {
            Tied::All => source,
            _ => layout.matrix("target.weight", config.target_vocabulary, e),
        };
        let output = match config.tied {
            Tied::None => layout.matrix("output.weight", config.target_vocabulary, e),
            _ => target,
        };
        let inputs = |layer: usize| if layer == 0 { e } else { d };
        let encoder = (0..config.layers).map(|l| {
            let mut cell = |way: &str| {
                let name = format!("encoder.{l}.{way}");
                Cell::new(&mut layout, &name, kind, (inputs(l), d / 2))
            };
            [cell("forward"), cell("backward")]
        });
        let encoder = encoder.collect();
        let bridge = Linear::new(&mut layout, "bridge", d, d);
        let decoder: Vec<Cell> = (0..config.layers)
            .map(|l| Cell::new(&mut layout, &format!("decoder.{l}"), kind, (inputs(l), d)))
            .collect();
        let is_additive = config.attention == Attention::Additive;
        let has_query = is_additive || config.attention == Attention::General;
        let width = decoder[0].width();
        let feed = (config.input_feeding).then(|| layout.matrix("decoder.feed.weight", width, d));
        let query = has_query.then(|| Linear::new(&mut layout, "attention.query", d, d));
        let v = is_additive.then(|| layout.vector("attention.score.weight", d));
        let keys = is_additive.then(|| Linear::new(&mut layout, "attention.key", d, d));
        let both = if config.attention == Attention::None {
            d
        } else {
            2 * d
        };
        let combine = Linear::new(&mut layout, "combine", both, e);
        let norms = config.layer_norm.then(|| Norms {
            source: Norm::new(&mut layout, "source.norm", e),
            target: Norm::new(&mut layout, "target.norm", e),
            encoder: (0..config.layers)
                .map(|l| Norm::new(&mut layout, &format!("encoder.{l}.norm"), d))
                .collect(),
            decoder: Norm::new(&mut layout, "decoder.norm", d),
        });
        let embedding = |table| Embedding {
            table,
            positions: Positions::None,
        };
        Ok(Recurrent {
            source: embedding(source),
            target: embedding(target),
            config,
            layout,
            output,
            encoder,
            bridge,
            decoder,
            feed,
            query,
            keys,
            v,
            combine,
            norms,
        })
    }

    /// Weights to begin with: uniform within 1/√d for cells, Glorot and Bengio's for other layers, normal with a deviation
    /// of 0.1 for words; biases are 0, but 1 for the forget gates of LSTMs (Jozefowicz et al. 2015).
    pub fn initial_weights(&self, seed: u64) -> Weights {
        let mut weights = Weights::zeros(&self.layout);
        let values = weights.values_mut();
        let cells = (self.encoder.iter().flatten()).chain(&self.decoder);
        let cells: Vec<Cell> = cells.copied().collect();
        for (place, (name, p)) in self.layout.entries().enumerate() {
            let mut random = Random::new(seed, place as u64);
            let own = &mut values[p.range()];
            let cell = cells.iter().find(|cell| match self.feed {
                Some(feed) if feed == p => cell.width() == p.rows,
                _ => [cell.input.weight, cell.state.weight].contains(&p),
            });
            if name.ends_with("norm.weight") {
                own.fill(1.0);
            } else if [self.source.table, self.target.table, self.output].contains(&p) {
                own.iter_mut().for_each(|v| *v = 0.1 * random.normal());
            } else if let Some(cell) = cell {
                let bound = (cell.dim() as f32).powf(-0.5);
                (own.iter_mut()).for_each(|v| *v = bound * (2.0 * random.unit() - 1.0));
            } else if p.rows > 1 || Some(p) == self.v {
                let bound = (6.0 / (p.rows + p.columns) as f32).sqrt();
                (own.iter_mut()).for_each(|v| *v = bound * (2.0 * random.unit() - 1.0));
            }
        }
        for cell in cells.iter().filter(|cell| cell.kind == Kind::Lstm) {
            let d = cell.dim();
            values[cell.input.bias.range()][d..2 * d].fill(1.0);
        }
        weights
    }

    /// Reads sources, each of which has a token at least.
    pub fn encode(&self, tape: &Tape, source: &Packed) -> Encoded {
        let sequences = Arc::new(Sequences::of(source));
        let last: Vec<usize> = source.sentences().map(|rows| rows.end - 1).collect();
        let begin: Vec<usize> = source.sentences().map(|rows| rows.start).collect();
        let before = source.before;
        let mask = tape.mask(before.tokens);
        let mut x = (self.source).forward(tape, &source.ids, &source.positions(), mask);
        if let Some(norms) = &self.norms {
            x = norms.source.forward(tape, &x);
        }
        let mut first = Vec::new();
        for (l, layer) in self.encoder.iter().enumerate() {
            if l > 0 {
                x = dropped(tape, &x, tape.mask(before.tokens));
            }
            let read = |cell: &Cell, is_backward| {
                let how = How {
                    is_backward,
                    first: None,
                    mask: tape.mask_of(self.config.recurrent_dropout, before.sentences),
                };
                cell.forward(tape, &x, &sequences, how)
            };
            let (there, back) = (read(&layer[0], false), read(&layer[1], true));
            let ends = beside(
                tape,
                &pick(tape, &there, last.clone()),
                &pick(tape, &back, begin.clone()),
            );
            first.push(self.bridge.forward(tape, &ends, Activation::Tanh, None));
            x = beside(tape, &there, &back);
            if let Some(norms) = &self.norms {
                x = norms.encoder[l].forward(tape, &x);
            }
        }
        let keys = (self.keys).map(|keys| keys.forward(tape, &x, Activation::Identity, None));
        Encoded {
            memory: x,
            keys,
            first,
            sequences,
        }
    }

    /// What words are projected from, for each token of the targets: (target tokens, embedding).
    pub fn decode(&self, tape: &Tape, of: &Encoded, source: &Packed, target: &Packed) -> Var {
        self.begin_decoder(tape);
        let first = target.before.tokens;
        let mask = tape.mask(first);
        let mut x = (self.target).forward(tape, &target.ids, &target.positions(), mask);
        if let Some(norms) = &self.norms {
            x = norms.target.forward(tape, &x);
        }
        let (mut h, context) = match self.feed {
            Some(feed) => self.with_feeding(tape, (x, feed), of, target),
            None => {
                let h = self.through(tape, x, of, target);
                let context = self.attend(tape, &h, of, (source, target));
                (h, context)
            }
        };
        if let Some(norms) = &self.norms {
            h = norms.decoder.forward(tape, &h);
        }
        let both = context.map_or(h.clone(), |context| beside(tape, &h, &context));
        (self.combine).forward(tape, &both, Activation::Tanh, tape.mask(first))
    }

    /// Says which parameters are used from here on only: all between the first cell and the words, but for the keys, which
    /// are the encoder's.
    fn begin_decoder(&self, tape: &Tape) {
        let combine = self.combine.weight.start();
        let keys = self.keys.map_or(combine, |keys| keys.weight.start());
        tape.begins(self.decoder[0].input.weight.start()..keys);
        tape.begins(combine..self.combine.bias.range().end);
    }

    /// The states of the last layer and the contexts, which enter the next step each.
    fn with_feeding(
        &self,
        tape: &Tape,
        (tokens, feed): (Var, Parameter),
        of: &Encoded,
        target: &Packed,
    ) -> (Var, Option<Var>) {
        let (layers, before) = (self.decoder.len(), target.before);
        let decoder = Feeding {
            layers: self.decoder.clone(),
            feed,
            query: self.query,
            v: self.v,
        };
        let inputs = Inputs {
            tokens,
            memory: of.memory.clone(),
            keys: of.keys.clone(),
            first: of.first.clone(),
            between: (1..layers).map(|_| tape.mask(before.tokens)).collect(),
            recurrent: (0..layers)
                .map(|_| tape.mask_of(self.config.recurrent_dropout, before.sentences))
                .collect(),
        };
        let (h, context) = decoder.forward(tape, &inputs, &of.pairs(target));
        (h, Some(context))
    }

    /// The states of the last layer.
    fn through(&self, tape: &Tape, mut x: Var, of: &Encoded, target: &Packed) -> Var {
        let sequences = Arc::new(Sequences::of(target));
        for (l, (layer, first)) in self.decoder.iter().zip(&of.first).enumerate() {
            if l > 0 {
                x = dropped(tape, &x, tape.mask(target.before.tokens));
            }
            let how = How {
                is_backward: false,
                first: Some(first),
                mask: tape.mask_of(self.config.recurrent_dropout, target.before.sentences),
            };
            x = layer.forward(tape, &x, &sequences, how);
        }
        x
    }

    /// The contexts of states; nothing without attention.
    fn attend(
        &self,
        tape: &Tape,
        h: &Var,
        of: &Encoded,
        (source, target): (&Packed, &Packed),
    ) -> Option<Var> {
        let q = self
            .query
            .map(|query| query.forward(tape, h, Activation::Identity, None));
        let q = q.as_ref().unwrap_or(h);
        match (self.config.attention, &of.keys, self.v) {
            (Attention::None, ..) => None,
            (_, Some(keys), Some(v)) => Some(additive_attention(
                tape,
                q,
                (keys, &of.memory),
                v,
                &of.pairs(target),
            )),
            _ => {
                let sentences = target.sentences().zip(source.sentences()).collect();
                let spans = Spans {
                    is_scaled: false,
                    ..Spans::new(sentences, 1)
                };
                Some(shared_attention(tape, q, &of.memory, &Arc::new(spans)))
            }
        }
    }

    /// The loss of a batch; on a recording tape its gradients times `weight` are ready to go back.
    pub fn loss(&self, tape: &Tape, batch: &Batch, smoothing: f32, weight: f32) -> Loss {
        let encoded = self.encode(tape, &batch.source);
        let guessed = (tape.is_recording() && self.config.scheduled_sampling > 0.0)
            .then(|| self.with_guesses(tape, batch));
        let target = guessed.as_ref().unwrap_or(&batch.target_in);
        let h = self.decode(tape, &encoded, &batch.source, target);
        loss(tape, &h, self.output, &batch.target_out, smoothing, weight)
    }

    /// The decoder's input with some words taken by what the model says in their place.
    fn with_guesses(&self, tape: &Tape, batch: &Batch) -> Packed {
        let plain = Tape::plain(tape.weights);
        let encoded = self.encode(&plain, &batch.source);
        let h = self.decode(&plain, &encoded, &batch.source, &batch.target_in);
        let guesses = projection::best(tape.weights, &h, self.output);
        let mut target = batch.target_in.clone();
        let mut kept = Buffer::of(target.ids.len());
        kept.fill(1.0);
        let first = target.before.tokens;
        if let Some(mask) = tape.mask_of(self.config.scheduled_sampling, first) {
            dropout::apply(&mask, 0, 1, &mut kept);
        }
        let starts: Vec<bool> = (target.positions().iter()).map(|p| *p == 0).collect();
        for i in (0..target.ids.len()).filter(|i| !starts[*i] && kept[*i] == 0.0) {
            target.ids[i] = guesses[i - 1];
        }
        target
    }
}
