//! One step of a [`Network`](super::Network) in training: a batch of sentences forward, and its gradients backward.
//!
//! ```text
//! ds = softmax(s) − label      dU = hᵀ ds      dh = ds Uᵀ      dz = dh where z was the larger half
//! dW_o = Σ_i e(w_{i+o})ᵀ dz_i                  de(w_i) = Σ_o dz_{i−o} W_oᵀ
//! ```
//!
//! Sentences lie one behind the other with empty rows between them, so that the product with W_o is one product of shifted
//! rows, without a copy of any window.

use super::adam::{Step, Weights, corrections};
use super::ops::{masks, softmax};
use super::train::{Example, NO_LABEL, Options};
use super::vectors::Vectors;
use super::{BUCKETS, Input, Sizes};
use crate::nn::matmul::{Into, Panels, Rows, multiply_all};
use crate::nn::outer;
use crate::random::Random;
use crate::text::lexicon::Lexicon;

/// Largest length of the gradient.
const CLIP: f64 = 5.0;

/// A network in training.
pub struct Trainer {
    pub sizes: Sizes,
    dropout: f32,
    pub words: Lexicon,
    pub vectors: Weights,
    pub properties: Weights,
    /// (window, input, 2 H), and a.
    pub window: Weights,
    pub window_bias: Weights,
    /// (H, labels), and c of each source.
    pub output: Weights,
    pub output_bias: Weights,
    pub random: Random,
    batch: Batch,
}

/// Some sentences, one behind the other with `reach` empty rows between them, and what is computed of them.
#[derive(Default)]
struct Batch {
    rows: usize,
    inputs: Vec<Option<Input>>,
    /// Label of each head; none at empty rows.
    labels: Vec<Option<Vec<u16>>>,
    sources: Vec<usize>,
    /// (rows, input): values, and what each was multiplied by.
    x: Vec<f32>,
    x_mask: Vec<f32>,
    /// (rows, 2 H).
    z: Vec<f32>,
    /// (rows, H).
    h: Vec<f32>,
    h_mask: Vec<f32>,
    /// (rows, labels): scores, then their gradients.
    s: Vec<f32>,
    dh: Vec<f32>,
    dz: Vec<f32>,
    dx: Vec<f32>,
    words: usize,
}

impl Trainer {
    /// Random weights.
    pub fn new(
        vectors: Vectors,
        (heads, sources): (&[usize], usize),
        options: &Options,
    ) -> Trainer {
        let sizes = Sizes {
            vector: vectors.dim,
            property: options.property,
            reach: options.reach,
            hidden: options.hidden,
            heads: heads.to_vec(),
        };
        let mut random = Random::new(options.seed, 1 << 50);
        let (input, window, hidden) = (sizes.input(), sizes.window(), sizes.hidden);
        let wide = 1.0 / (3.0 * (input * window) as f32).sqrt();
        let narrow = 1.0 / (3.0 * hidden as f32).sqrt();
        let labels = sizes.labels();
        Trainer {
            words: vectors.words,
            vectors: Weights::new(vectors.rows),
            properties: Weights::random(BUCKETS * sizes.property, 0.1, &mut random),
            window: Weights::random(window * input * 2 * hidden, wide, &mut random),
            window_bias: Weights::new(vec![0.0; 2 * hidden]),
            output: Weights::random(hidden * labels, narrow, &mut random),
            output_bias: Weights::new(vec![0.0; sources * labels]),
            dropout: options.dropout,
            batch: Batch::default(),
            sizes,
            random,
        }
    }

    /// Begins a batch.
    pub fn begin(&mut self) {
        let batch = &mut self.batch;
        batch.inputs.clear();
        batch.labels.clear();
        batch.sources.clear();
        batch.words = 0;
        self.pad();
    }

    fn pad(&mut self) {
        for _ in 0..self.sizes.reach {
            self.batch.inputs.push(None);
            self.batch.labels.push(None);
            self.batch.sources.push(0);
        }
    }

    /// Words in the batch.
    pub fn words_in_batch(&self) -> usize {
        self.batch.words
    }

    /// Adds a sentence to the batch.
    pub fn add(&mut self, inputs: impl Iterator<Item = Input>, example: &Example) {
        let heads = self.sizes.heads.len();
        for (input, labels) in inputs.zip(example.labels.chunks(heads)) {
            self.batch.inputs.push(Some(input));
            self.batch.labels.push(Some(labels.to_vec()));
            self.batch.sources.push(example.source);
            self.batch.words += 1;
        }
        self.pad();
    }

    /// All sentences are there: makes the values of their words.
    pub fn end(&mut self) {
        let (wide, vector, property) = (self.sizes.input(), self.sizes.vector, self.sizes.property);
        let batch = &mut self.batch;
        batch.rows = batch.inputs.len();
        let size = batch.rows * wide;
        batch.x.clear();
        batch.x.resize(size, 0.0);
        masks(&mut batch.x_mask, size, self.dropout, &mut self.random);
        for (input, x) in batch.inputs.iter().zip(batch.x.chunks_exact_mut(wide)) {
            let Some(input) = input else { continue };
            let row = &self.vectors.values[input.word as usize * vector..][..vector];
            x[..vector].copy_from_slice(row);
            for bucket in buckets(input) {
                let row = &self.properties.values[bucket * property..][..property];
                x[vector..].iter_mut().zip(row).for_each(|(x, v)| *x += v);
            }
        }
        let masks = &batch.x_mask;
        batch.x.iter_mut().zip(masks).for_each(|(x, m)| *x *= m);
    }

    /// Computes the scores; the loss for each word. Afterwards `s` has the gradients of the scores.
    pub fn forward(&mut self) -> f32 {
        let (input, window, hidden) = (self.sizes.input(), self.sizes.window(), self.sizes.hidden);
        let (reach, labels, two) = (self.sizes.reach, self.sizes.labels(), 2 * self.sizes.hidden);
        let batch = &mut self.batch;
        // Rows from `reach` on, as far as the window of each is whole.
        let rows = batch.rows - 2 * reach;
        batch.z.clear();
        for _ in 0..rows {
            batch.z.extend_from_slice(&self.window_bias.values);
        }
        for o in 0..window {
            let weights = Rows::dense(&self.window.values[o * input * two..], two);
            let weights = Panels::of_rows(weights, (input, two));
            let x = Rows::dense(&batch.x[o * input..], input);
            multiply_all(x, rows, &weights, &mut batch.z, Into::Add);
        }
        batch.h.clear();
        for z in batch.z.chunks_exact(two) {
            let (low, high) = z.split_at(hidden);
            batch.h.extend(low.iter().zip(high).map(|(a, b)| a.max(*b)));
        }
        masks(
            &mut batch.h_mask,
            rows * hidden,
            self.dropout,
            &mut self.random,
        );
        let masks = &batch.h_mask;
        batch.h.iter_mut().zip(masks).for_each(|(h, m)| *h *= m);
        batch.s.clear();
        for source in &batch.sources[reach..reach + rows] {
            let bias = &self.output_bias.values[source * labels..][..labels];
            batch.s.extend_from_slice(bias);
        }
        let weights = Rows::dense(&self.output.values, labels);
        let weights = Panels::of_rows(weights, (hidden, labels));
        let h = Rows::dense(&batch.h, hidden);
        multiply_all(h, rows, &weights, &mut batch.s, Into::Add);
        let mut loss = 0.0;
        let each = 1.0 / batch.words.max(1) as f32;
        for (row, s) in batch.s.chunks_exact_mut(labels).enumerate() {
            let Some(gold) = &batch.labels[row + reach] else {
                s.fill(0.0);
                continue;
            };
            let mut s = s;
            for (&label, &size) in gold.iter().zip(&self.sizes.heads) {
                let (head, rest) = s.split_at_mut(size);
                s = rest;
                if label == NO_LABEL {
                    head.fill(0.0);
                    continue;
                }
                loss -= softmax(head)[usize::from(label)].max(1e-30).ln();
                head[usize::from(label)] -= 1.0;
                head.iter_mut().for_each(|g| *g *= each);
            }
        }
        loss * each
    }

    /// Computes all gradients from those of the scores.
    pub fn backward(&mut self) {
        let (input, window, hidden) = (self.sizes.input(), self.sizes.window(), self.sizes.hidden);
        let (reach, labels, two) = (self.sizes.reach, self.sizes.labels(), 2 * self.sizes.hidden);
        let batch = &mut self.batch;
        let rows = batch.rows - 2 * reach;
        for (s, source) in batch.s.chunks_exact(labels).zip(&batch.sources[reach..]) {
            let bias = &mut self.output_bias.gradients[source * labels..][..labels];
            bias.iter_mut().zip(s).for_each(|(b, s)| *b += s);
        }
        let (h, s) = (Rows::dense(&batch.h, hidden), Rows::dense(&batch.s, labels));
        let shape = (rows, hidden, labels);
        outer::add(h, s, shape, &mut self.output.gradients, None);
        batch.dh.resize(rows * hidden, 0.0);
        let weights = Rows::dense(&self.output.values, labels);
        let weights = Panels::of_columns(weights, (labels, hidden));
        multiply_all(s, rows, &weights, &mut batch.dh, Into::Set);
        batch.dz.clear();
        batch.dz.resize(rows * two, 0.0);
        let masked = batch
            .dh
            .chunks_exact(hidden)
            .zip(batch.h_mask.chunks_exact(hidden));
        let both = batch
            .z
            .chunks_exact(two)
            .zip(batch.dz.chunks_exact_mut(two));
        for ((dh, mask), (z, dz)) in masked.zip(both) {
            for j in 0..hidden {
                let from = if z[j] >= z[hidden + j] { j } else { hidden + j };
                dz[from] = dh[j] * mask[j];
            }
        }
        for dz in batch.dz.chunks_exact(two) {
            let bias = self.window_bias.gradients.iter_mut();
            bias.zip(dz).for_each(|(b, z)| *b += z);
        }
        batch.dx.clear();
        batch.dx.resize(batch.rows * input, 0.0);
        for o in 0..window {
            let own = o * input * two..(o + 1) * input * two;
            let (x, dz) = (
                Rows::dense(&batch.x[o * input..], input),
                Rows::dense(&batch.dz, two),
            );
            let to = &mut self.window.gradients[own.clone()];
            outer::add(x, dz, (rows, input, two), to, None);
            let weights = Rows::dense(&self.window.values[own], two);
            let weights = Panels::of_columns(weights, (two, input));
            let to = &mut batch.dx[o * input..][..rows * input];
            multiply_all(dz, rows, &weights, to, Into::Add);
        }
        let (vector, property) = (self.sizes.vector, self.sizes.property);
        let rows = batch
            .dx
            .chunks_exact_mut(input)
            .zip(batch.x_mask.chunks_exact(input));
        for (word, (dx, mask)) in batch.inputs.iter().zip(rows) {
            let Some(word) = word else { continue };
            dx.iter_mut().zip(mask).for_each(|(d, m)| *d *= m);
            let row = &mut self.vectors.gradients[word.word as usize * vector..][..vector];
            row.iter_mut().zip(&*dx).for_each(|(g, d)| *g += d);
            for bucket in buckets(word) {
                let row = &mut self.properties.gradients[bucket * property..][..property];
                row.iter_mut().zip(&dx[vector..]).for_each(|(g, d)| *g += d);
            }
        }
    }

    /// Moves all weights against their gradients in the `number`-th step, from 1 on.
    pub fn step(&mut self, rate: f32, number: i32) {
        let dense = [
            &mut self.window,
            &mut self.window_bias,
            &mut self.output,
            &mut self.output_bias,
        ];
        let inputs = self.batch.inputs.iter().flatten();
        let mut words: Vec<usize> = inputs.clone().map(|i| i.word as usize).collect();
        let mut properties: Vec<usize> = inputs.flat_map(buckets).collect();
        for rows in [&mut words, &mut properties] {
            rows.sort_unstable();
            rows.dedup();
        }
        let range = |row: usize, wide: usize| row * wide..(row + 1) * wide;
        let (vector, property) = (self.sizes.vector, self.sizes.property);
        let of = |weights: &Weights, range: std::ops::Range<usize>| -> f64 {
            let values = weights.gradients[range].iter();
            values.map(|g| f64::from(*g).powi(2)).sum()
        };
        let squares = dense.iter().map(|w| w.squares()).sum::<f64>()
            + (words.iter())
                .map(|r| of(&self.vectors, range(*r, vector)))
                .sum::<f64>()
            + (properties.iter())
                .map(|r| of(&self.properties, range(*r, property)))
                .sum::<f64>();
        let step = Step {
            rate,
            corrections: corrections(number),
            scale: (CLIP / squares.sqrt().max(CLIP)) as f32,
        };
        for weights in dense {
            weights.step(0..weights.values.len(), step);
        }
        let slow = Step {
            rate: rate / 4.0,
            ..step
        };
        for row in words {
            self.vectors.step(range(row, vector), slow);
        }
        for row in properties {
            self.properties.step(range(row, property), step);
        }
    }
}

/// The rows of F of a word.
fn buckets(input: &Input) -> impl Iterator<Item = usize> {
    input
        .properties
        .into_iter()
        .map(usize::from)
        .filter(|b| *b < BUCKETS)
}
