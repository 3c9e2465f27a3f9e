//! The layers of a Transformer at work, and the normalisations between them, all on the calling thread.

use crate::nn::buffer::Buffer;
use crate::nn::dense::{Dense, Precision};
use crate::nn::ops::BLOCK;
use crate::nn::ops::activation::Activation;
use crate::nn::ops::norm::Norm;
use crate::nn::parameters::Weights;
use crate::translate::transformer::model;

/// Attention of a sentence to itself.
pub struct Attention<'w> {
    /// Queries, keys and values.
    pub qkv: Dense<'w>,
    pub out: Dense<'w>,
    pub norm: Norm,
}

/// Attention to the source.
pub struct Cross<'w> {
    pub q: Dense<'w>,
    pub kv: Dense<'w>,
    pub out: Dense<'w>,
    pub norm: Norm,
}

/// A feed-forward layer.
pub struct Feed<'w> {
    pub inner: Dense<'w>,
    pub outer: Dense<'w>,
    /// Values between the two.
    pub size: usize,
    pub norm: Norm,
}

/// A layer of the encoder.
pub struct EncoderLayer<'w> {
    pub attention: Attention<'w>,
    pub feed: Feed<'w>,
}

/// A layer of the decoder.
pub struct DecoderLayer<'w> {
    pub attention: Attention<'w>,
    pub cross: Cross<'w>,
    pub feed: Feed<'w>,
}

/// The sum that goes from sublayer to sublayer, and what the next one works on; a post-norm model has one of both.
pub struct Stream {
    pub sum: Buffer,
    pub input: Buffer,
}

/// The normalisations of a pass in their order: of a post-norm model after each sublayer, of a pre-norm model before.
pub struct Norms {
    pub list: Vec<Norm>,
    pub is_pre: bool,
}

impl<'w> Attention<'w> {
    fn new(layer: &model::SelfAttention, weights: &'w Weights, precision: Precision) -> Self {
        Attention {
            qkv: Dense::new(weights, layer.qkv, precision),
            out: Dense::new(weights, layer.out, precision),
            norm: layer.norm,
        }
    }
}

impl<'w> Feed<'w> {
    fn new(layer: &model::FeedForward, weights: &'w Weights, precision: Precision) -> Self {
        Feed {
            inner: Dense::new(weights, layer.inner, precision),
            outer: Dense::new(weights, layer.outer, precision),
            size: layer.inner.weight.rows,
            norm: layer.norm,
        }
    }
}

impl<'w> EncoderLayer<'w> {
    pub fn new(layer: &model::EncoderLayer, weights: &'w Weights, precision: Precision) -> Self {
        EncoderLayer {
            attention: Attention::new(&layer.attention, weights, precision),
            feed: Feed::new(&layer.feed_forward, weights, precision),
        }
    }
}

impl<'w> DecoderLayer<'w> {
    pub fn new(layer: &model::DecoderLayer, weights: &'w Weights, precision: Precision) -> Self {
        DecoderLayer {
            attention: Attention::new(&layer.attention, weights, precision),
            cross: Cross {
                q: Dense::new(weights, layer.cross.q, precision),
                kv: Dense::new(weights, layer.cross.kv, precision),
                out: Dense::new(weights, layer.cross.out, precision),
                norm: layer.cross.norm,
            },
            feed: Feed::new(&layer.feed_forward, weights, precision),
        }
    }
}

impl Feed<'_> {
    pub fn apply(&self, x: &[f32], rows: usize) -> Buffer {
        let (mut inner, mut out) = (Buffer::of(rows * self.size), Buffer::of(x.len()));
        self.inner.apply(x, Activation::Relu, &mut inner);
        self.outer.apply(&inner, Activation::Identity, &mut out);
        out
    }
}

impl Norms {
    pub fn new(mut own: Vec<Norm>, last: Option<Norm>) -> Norms {
        own.extend(last);
        Norms {
            list: own,
            is_pre: last.is_some(),
        }
    }

    /// The embedded tokens.
    pub fn enter(&self, weights: &Weights, x: Buffer) -> Stream {
        match self.is_pre {
            false => Stream {
                sum: Buffer::default(),
                input: x,
            },
            true => {
                let (mut sum, mut input) = (x, Buffer::default());
                input.resize(sum.len());
                apply(weights, self.list[0], None, &mut sum, &mut input);
                Stream { sum, input }
            }
        }
    }

    /// Adds what the i-th sublayer gave.
    pub fn join(&self, weights: &Weights, i: usize, stream: &mut Stream, mut out: Buffer) {
        match self.is_pre {
            false => {
                let mut y = Buffer::of(out.len());
                apply(weights, self.list[i], Some(&stream.input), &mut out, &mut y);
                stream.input = y;
            }
            true => {
                let norm = self.list[i + 1];
                apply(
                    weights,
                    norm,
                    Some(&stream.sum),
                    &mut out,
                    &mut stream.input,
                );
                stream.sum = out;
            }
        }
    }
}

/// z = z + add, and y = norm(z).
fn apply(weights: &Weights, norm: Norm, add: Option<&[f32]>, z: &mut [f32], y: &mut [f32]) {
    let size = BLOCK * norm.scale.columns;
    let mut moments = [0.0; 2 * BLOCK];
    // A block is small enough for the layer to stay on this thread.
    for (i, (z, y)) in z.chunks_mut(size).zip(y.chunks_mut(size)).enumerate() {
        let add = add.map(|add| &add[i * size..i * size + z.len()]);
        let rows = z.len() / norm.scale.columns;
        norm.apply(weights, (add, z, None), y, &mut moments[..2 * rows]);
    }
}
