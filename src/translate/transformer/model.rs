//! The layers of a Transformer and their forward pass.
//!
//! ```text
//! encoder layer   x = x + attention(x)                      x = x + W₂ max(0, W₁ x)
//! decoder layer   x = x + causal attention(x)   x = x + attention(x, encoder)   x = x + W₂ max(0, W₁ x)
//! ```
//!
//! each sum normalised after it (post-norm) or what goes into its sublayer before it (pre-norm), where one more
//! normalisation follows the last layer. Dropout is on embeddings, on what comes back from a sublayer, and inside the
//! feed-forward layer.

use super::config::{Config, PositionKind};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::attention::{Spans, cross_attention, self_attention};
use crate::nn::ops::embedding::{Embedding, Positions};
use crate::nn::ops::linear::Linear;
use crate::nn::ops::norm::Norm;
use crate::nn::ops::projection::{Loss, loss};
use crate::nn::packed::Packed;
use crate::nn::parameters::{Layout, Parameter, Weights};
use crate::nn::tape::{Tape, Var};
use crate::random::Random;
use crate::translate::architecture::{ConfigError, Tied};
use crate::translate::batch::Batch;
use std::ops::Range;
use std::sync::Arc;

/// A model: where its parameters lie.
#[derive(Debug)]
pub struct Transformer {
    pub config: Config,
    pub layout: Layout,
    pub source: Embedding,
    pub target: Embedding,
    /// The table of the projection to words.
    pub output: Parameter,
    pub encoder: Vec<EncoderLayer>,
    pub decoder: Vec<DecoderLayer>,
    /// The normalisations after the last layers of a pre-norm model.
    pub last: Option<(Norm, Norm)>,
}

#[derive(Clone, Copy, Debug)]
pub struct EncoderLayer {
    pub attention: SelfAttention,
    pub feed_forward: FeedForward,
}

#[derive(Clone, Copy, Debug)]
pub struct DecoderLayer {
    pub attention: SelfAttention,
    pub cross: CrossAttention,
    pub feed_forward: FeedForward,
}

#[derive(Clone, Copy, Debug)]
pub struct SelfAttention {
    pub qkv: Linear,
    pub out: Linear,
    pub norm: Norm,
}

#[derive(Clone, Copy, Debug)]
pub struct CrossAttention {
    pub q: Linear,
    pub kv: Linear,
    pub out: Linear,
    pub norm: Norm,
}

#[derive(Clone, Copy, Debug)]
pub struct FeedForward {
    pub inner: Linear,
    pub outer: Linear,
    pub norm: Norm,
}

impl EncoderLayer {
    /// The places of its parameters.
    fn range(&self) -> Range<usize> {
        self.attention.qkv.weight.start()..self.feed_forward.norm.shift.range().end
    }
}

impl DecoderLayer {
    /// The places of its parameters.
    fn range(&self) -> Range<usize> {
        self.attention.qkv.weight.start()..self.feed_forward.norm.shift.range().end
    }
}

impl SelfAttention {
    fn new(layout: &mut Layout, name: &str, d: usize) -> SelfAttention {
        SelfAttention {
            qkv: Linear::new(layout, &format!("{name}.self_attention.qkv"), d, 3 * d),
            out: Linear::new(layout, &format!("{name}.self_attention.out"), d, d),
            norm: Norm::new(layout, &format!("{name}.self_attention.norm"), d),
        }
    }

    fn forward(&self, tape: &Tape, x: &Var, spans: &Arc<Spans>) -> Var {
        let qkv = self.qkv.forward(tape, x, Activation::Identity, None);
        let mixed = self_attention(tape, &qkv, spans);
        self.out.forward(tape, &mixed, Activation::Identity, None)
    }
}

impl CrossAttention {
    fn new(layout: &mut Layout, name: &str, d: usize) -> CrossAttention {
        CrossAttention {
            q: Linear::new(layout, &format!("{name}.cross_attention.q"), d, d),
            kv: Linear::new(layout, &format!("{name}.cross_attention.kv"), d, 2 * d),
            out: Linear::new(layout, &format!("{name}.cross_attention.out"), d, d),
            norm: Norm::new(layout, &format!("{name}.cross_attention.norm"), d),
        }
    }

    fn forward(&self, tape: &Tape, (x, memory): (&Var, &Var), spans: &Arc<Spans>) -> Var {
        let q = self.q.forward(tape, x, Activation::Identity, None);
        let kv = self.kv.forward(tape, memory, Activation::Identity, None);
        let mixed = cross_attention(tape, &q, &kv, spans);
        self.out.forward(tape, &mixed, Activation::Identity, None)
    }
}

impl FeedForward {
    fn new(layout: &mut Layout, name: &str, (d, inner): (usize, usize)) -> FeedForward {
        FeedForward {
            inner: Linear::new(layout, &format!("{name}.feed_forward.inner"), d, inner),
            outer: Linear::new(layout, &format!("{name}.feed_forward.outer"), inner, d),
            norm: Norm::new(layout, &format!("{name}.feed_forward.norm"), d),
        }
    }

    /// Of rows from the `first` of the whole batch on.
    pub(super) fn forward(&self, tape: &Tape, x: &Var, first: usize) -> Var {
        let mask = tape.mask(first);
        let inner = self.inner.forward(tape, x, Activation::Relu, mask);
        self.outer.forward(tape, &inner, Activation::Identity, None)
    }
}

/// What goes from sublayer to sublayer: the sum so far, and what the next sublayer works on. In a post-norm model both
/// are the normalised sum.
pub(super) struct Stream {
    sum: Var,
    pub(super) input: Var,
    /// The number of the first row in the whole batch.
    first: usize,
}

impl Transformer {
    /// # Errors
    /// When no model can have this shape.
    pub fn new(config: Config) -> Result<Transformer, ConfigError> {
        config.check()?;
        let mut layout = Layout::default();
        let d = config.dim;
        let source = layout.matrix("source.weight", config.source_vocabulary, d);
        let target = match config.tied {
            Tied::All => source,
            _ => layout.matrix("target.weight", config.target_vocabulary, d),
        };
        let output = match config.tied {
            Tied::None => layout.matrix("output.weight", config.target_vocabulary, d),
            _ => target,
        };
        let positions = |layout: &mut Layout, name: &str| match config.positions {
            PositionKind::Sinusoidal => Positions::sinusoids(config.max_positions, d),
            PositionKind::Learned => Positions::Learned(layout.matrix(
                format!("{name}.positions"),
                config.max_positions,
                d,
            )),
        };
        let source = Embedding {
            table: source,
            positions: positions(&mut layout, "source"),
        };
        let target = Embedding {
            table: target,
            positions: positions(&mut layout, "target"),
        };
        let sizes = (d, config.ffn);
        let encoder = (0..config.encoder_layers)
            .map(|i| format!("encoder.{i}"))
            .map(|name| EncoderLayer {
                attention: SelfAttention::new(&mut layout, &name, d),
                feed_forward: FeedForward::new(&mut layout, &name, sizes),
            });
        let encoder = encoder.collect();
        let decoder = (0..config.decoder_layers)
            .map(|i| format!("decoder.{i}"))
            .map(|name| DecoderLayer {
                attention: SelfAttention::new(&mut layout, &name, d),
                cross: CrossAttention::new(&mut layout, &name, d),
                feed_forward: FeedForward::new(&mut layout, &name, sizes),
            });
        let decoder = decoder.collect();
        let last = config.pre_norm.then(|| {
            (
                Norm::new(&mut layout, "encoder.norm", d),
                Norm::new(&mut layout, "decoder.norm", d),
            )
        });
        Ok(Transformer {
            config,
            layout,
            source,
            target,
            output,
            encoder,
            decoder,
            last,
        })
    }

    /// Weights to begin with: Glorot and Bengio's uniform for layers, normal with variance 1/d for words, 0 for biases.
    pub fn initial_weights(&self, seed: u64) -> Weights {
        let mut weights = Weights::zeros(&self.layout);
        let values = weights.values_mut();
        for (place, (name, p)) in self.layout.entries().enumerate() {
            let mut random = Random::new(seed, place as u64);
            let values = &mut values[p.range()];
            if name.ends_with("norm.weight") {
                values.fill(1.0);
            } else if p.rows > 1 && (name.contains('.') && name.split('.').count() == 2) {
                let deviation = (p.columns as f32).powf(-0.5);
                values
                    .iter_mut()
                    .for_each(|v| *v = deviation * random.normal());
            } else if p.rows > 1 {
                let bound = (6.0 / (p.rows + p.columns) as f32).sqrt();
                values
                    .iter_mut()
                    .for_each(|v| *v = bound * (2.0 * random.unit() - 1.0));
            }
        }
        weights
    }

    /// What the encoder makes of the sources: (source tokens, d).
    pub fn encode(&self, tape: &Tape, source: &Packed) -> Var {
        let first = source.before.tokens;
        let mask = tape.mask(first);
        let x = (self.source).forward(tape, &source.ids, &source.positions(), mask);
        let sentences = source.sentences().map(|rows| (rows.clone(), rows));
        let spans = Arc::new(Spans::new(sentences.collect(), self.config.heads));
        let own = self
            .encoder
            .iter()
            .flat_map(|layer| [layer.attention.norm, layer.feed_forward.norm])
            .collect();
        let last = self.last.map(|(encoder, _)| encoder);
        self.begin(tape, self.encoder.first().map(EncoderLayer::range));
        let (mut stream, norms) = self.enter(tape, (x, first), own, last);
        let after = self.encoder.iter().skip(1).map(EncoderLayer::range);
        let mut after = after.map(Some).chain([None]);
        for (layer, norms) in self.encoder.iter().zip(norms.chunks_exact(2)) {
            let mixed = layer.attention.forward(tape, &stream.input, &spans);
            stream = self.join(tape, stream, &mixed, norms[0]);
            let fed = (layer.feed_forward).forward(tape, &stream.input, first);
            // The first normalisation of the next layer is this one's last.
            self.begin(tape, after.next().flatten());
            stream = self.join(tape, stream, &fed, norms[1]);
        }
        stream.input
    }

    /// What the decoder makes of the targets, before the projection: (target tokens, d).
    pub fn decode(&self, tape: &Tape, (memory, source): (&Var, &Packed), target: &Packed) -> Var {
        let first = target.before.tokens;
        let mask = tape.mask(first);
        let x = (self.target).forward(tape, &target.ids, &target.positions(), mask);
        let heads = self.config.heads;
        let own = target
            .sentences()
            .map(|rows| (rows.clone(), rows))
            .collect();
        let own = Arc::new(Spans {
            is_causal: true,
            ..Spans::new(own, heads)
        });
        let cross = target.sentences().zip(source.sentences()).collect();
        let cross = Arc::new(Spans::new(cross, heads));
        self.begin(tape, self.decoder.first().map(DecoderLayer::range));
        let (mut stream, norms) = self.enter_decoder(tape, (x, first));
        let after = self.decoder.iter().skip(1).map(DecoderLayer::range);
        let mut after = after.map(Some).chain([None]);
        for (layer, norms) in self.decoder.iter().zip(norms.chunks_exact(3)) {
            let mixed = layer.attention.forward(tape, &stream.input, &own);
            stream = self.join(tape, stream, &mixed, norms[0]);
            let found = layer.cross.forward(tape, (&stream.input, memory), &cross);
            stream = self.join(tape, stream, &found, norms[1]);
            let fed = (layer.feed_forward).forward(tape, &stream.input, first);
            self.begin(tape, after.next().flatten());
            stream = self.join(tape, stream, &fed, norms[2]);
        }
        stream.input
    }

    /// The loss of a batch; on a recording tape its gradients times `weight` are ready to go back.
    pub fn loss(&self, tape: &Tape, batch: &Batch, smoothing: f32, weight: f32) -> Loss {
        let memory = self.encode(tape, &batch.source);
        let h = self.decode(tape, (&memory, &batch.source), &batch.target_in);
        loss(tape, &h, self.output, &batch.target_out, smoothing, weight)
    }

    /// Says that a layer's parameters are used from here on only.
    fn begin(&self, tape: &Tape, layer: Option<Range<usize>>) {
        if let Some(range) = layer {
            tape.begins(range);
        }
    }

    /// The embedded tokens of targets, from a row of the whole batch on, and the normalisation after each sublayer of the decoder.
    pub(super) fn enter_decoder(&self, tape: &Tape, x: (Var, usize)) -> (Stream, Vec<Norm>) {
        let own = (self.decoder.iter()).flat_map(|layer| {
            [
                layer.attention.norm,
                layer.cross.norm,
                layer.feed_forward.norm,
            ]
        });
        let last = self.last.map(|(_, decoder)| decoder);
        self.enter(tape, x, own.collect(), last)
    }

    /// The embedded tokens, and the normalisation after each sublayer: of a post-norm model its own, of a pre-norm model
    /// the one before the next.
    fn enter(
        &self,
        tape: &Tape,
        (x, first_row): (Var, usize),
        mut own: Vec<Norm>,
        last: Option<Norm>,
    ) -> (Stream, Vec<Norm>) {
        match last {
            None => (
                Stream {
                    input: x.clone(),
                    sum: x,
                    first: first_row,
                },
                own,
            ),
            Some(last) => {
                own.push(last);
                let first = own.remove(0);
                (
                    Stream {
                        input: first.forward(tape, &x),
                        sum: x,
                        first: first_row,
                    },
                    own,
                )
            }
        }
    }

    /// Adds what a sublayer gave.
    pub(super) fn join(&self, tape: &Tape, stream: Stream, sublayer: &Var, norm: Norm) -> Stream {
        let first = stream.first;
        let (sum, input) = norm.forward_residual(tape, &stream.sum, sublayer, tape.mask(first));
        match self.config.pre_norm {
            true => Stream { sum, input, first },
            false => Stream {
                sum: input.clone(),
                input,
                first,
            },
        }
    }
}
