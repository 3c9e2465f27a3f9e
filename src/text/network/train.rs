//! Trains a [`Network`]: mini-batches, dropout, Adam.
//!
//! ```text
//! loss = −1/n Σ_i Σ_heads log softmax(s_i)[label]
//! m ← β₁ m + (1 − β₁) g      v ← β₂ v + (1 − β₂) g²      w ← w − rate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
//! ```
//!
//! The rate rises in a straight line over the first steps and falls to 0 over the others; vectors from running text move at
//! a quarter of it. Rows that a batch does not touch stay as they are. Kingma and Ba (2015), Adam; Srivastava et al.
//! (2014), Dropout. A tenth of the words is taken for unknown, so that the vector of unknown words means something.

use super::{BUCKETS, Input, Network, PROPERTIES, Parts, Rows, Sizes};
use crate::random::Random;
use crate::text::lexicon::{Lexicon, LexiconBuilder};
use crate::text::word_shape::WordShape;
use gemm::{Parallelism, gemm};

/// How a network is trained.
#[derive(Clone, Debug)]
pub struct Options {
    pub epochs: u32,
    /// Values of what is seen of a word.
    pub property: usize,
    /// Words on each side.
    pub reach: usize,
    /// A multiple of 32.
    pub hidden: usize,
    pub rate: f32,
    /// Share of the values of words and of the hidden layer that a step is done without.
    pub dropout: f32,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            epochs: 10,
            property: 32,
            reach: 3,
            hidden: 192,
            rate: 2e-3,
            dropout: 0.3,
            seed: 1,
        }
    }
}

/// A sentence to learn from.
pub struct Example {
    pub words: Vec<WordShape>,
    /// For each word a label of each head, numbered within the head, or [`NO_LABEL`].
    pub labels: Vec<u16>,
    pub source: usize,
}

/// The label of a head that says nothing about a word: it learns nothing from it.
pub const NO_LABEL: u16 = u16::MAX;

/// Vectors of words, learned from running text.
pub struct Vectors {
    words: Lexicon,
    dim: usize,
    /// A row of zeros for unknown words, then a row for each word.
    rows: Vec<f32>,
}

/// Words that can have vectors.
pub const MOST_WORDS: usize = 65_000;

impl Vectors {
    /// Of words and their rows, the most frequent first; rows past [`MOST_WORDS`] are left out, and all are scaled to a
    /// root mean square of ½.
    pub fn new<'a>(words: impl Iterator<Item = (&'a str, &'a [f32])>, dim: usize) -> Vectors {
        let mut builder = LexiconBuilder::default();
        let mut rows = vec![0.0; dim];
        let mut scratch = String::new();
        let mut count = 0;
        for (word, row) in words {
            let key = WordShape::new(word, &mut scratch).lower;
            // A word in another case, or with the same hash, has a vector already.
            if count < MOST_WORDS && builder.get(key).is_none() {
                builder.insert(key, vec![count as u16]);
                rows.extend_from_slice(row);
                count += 1;
            }
        }
        let squares: f64 = rows.iter().map(|v| f64::from(*v).powi(2)).sum();
        let count = (rows.len() - dim).max(1) as f64;
        let scale = (0.5 / (squares / count).sqrt().max(1e-9)) as f32;
        rows.iter_mut().for_each(|v| *v *= scale);
        Vectors {
            words: builder.build(),
            dim,
            rows,
        }
    }
}

/// Values that learn, with what Adam knows of them.
struct Weights {
    values: Vec<f32>,
    gradients: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

const BETA: (f32, f32) = (0.9, 0.99);

/// A step of Adam.
#[derive(Clone, Copy)]
struct Step {
    rate: f32,
    /// 1 − β₁ᵗ and 1 − β₂ᵗ.
    corrections: (f32, f32),
    /// What gradients are multiplied by.
    scale: f32,
}

impl Weights {
    fn new(values: Vec<f32>) -> Weights {
        let zeros = || vec![0.0; values.len()];
        Weights {
            gradients: zeros(),
            mean: zeros(),
            square: zeros(),
            values,
        }
    }

    /// Uniform with a standard deviation of `deviation`.
    fn random(size: usize, deviation: f32, random: &mut Random) -> Weights {
        let wide = deviation * 12f32.sqrt();
        Weights::new((0..size).map(|_| (random.unit() - 0.5) * wide).collect())
    }

    /// Moves the values of a range, and forgets their gradients.
    fn step(&mut self, range: std::ops::Range<usize>, step: Step) {
        let values = self.values[range.clone()].iter_mut();
        let gradients = self.gradients[range.clone()].iter_mut();
        let means = self.mean[range.clone()].iter_mut();
        let squares = self.square[range].iter_mut();
        for (((w, g), m), v) in values.zip(gradients).zip(means).zip(squares) {
            let gradient = *g * step.scale;
            *m = BETA.0 * *m + (1.0 - BETA.0) * gradient;
            *v = BETA.1 * *v + (1.0 - BETA.1) * gradient * gradient;
            let (m, v) = (*m / step.corrections.0, *v / step.corrections.1);
            *w -= step.rate * m / (v.sqrt() + 1e-8);
            *g = 0.0;
        }
    }

    fn squares(&self) -> f64 {
        self.gradients.iter().map(|g| f64::from(*g).powi(2)).sum()
    }
}

/// A network in training.
pub(super) struct Trainer {
    sizes: Sizes,
    dropout: f32,
    words: Lexicon,
    vectors: Weights,
    properties: Weights,
    /// (window, input, 2 H), and a.
    window: Weights,
    window_bias: Weights,
    /// (H, labels), and c of each source.
    output: Weights,
    output_bias: Weights,
    random: Random,
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

/// Words of a batch, at most; a fiftieth of little data.
const BATCH: usize = 2000;
/// Steps in which the rate rises, at most; a fifth of few.
const WARM_UP: f32 = 200.0;
/// Largest length of the gradient.
const CLIP: f64 = 5.0;
const UNKNOWN: f32 = 0.1;

/// Trains on sentences whose words have a label of each of some heads; `report` hears of each epoch and its loss.
pub fn train(
    examples: &[Example],
    vectors: Vectors,
    (heads, sources): (&[usize], usize),
    options: &Options,
    mut report: impl FnMut(u32, f32),
) -> Network {
    let mut trainer = Trainer::new(vectors, (heads, sources), options);
    let inputs: Vec<Vec<Input>> = examples
        .iter()
        .map(|e| {
            e.words
                .iter()
                .map(|w| Input::of(w, &trainer.words))
                .collect()
        })
        .collect();
    let words: usize = inputs.iter().map(Vec::len).sum();
    let size = (words / 50).clamp(1, BATCH);
    let total = (words as f32 / size as f32).max(1.0) * options.epochs as f32;
    let warm_up = WARM_UP.min(total / 5.0);
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut step = 0;
    for epoch in 0..options.epochs {
        let random = &mut trainer.random;
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i as u32 + 1) as usize);
        }
        let (mut sum, mut batches) = (0.0, 0.0);
        let mut at = 0;
        while at < order.len() {
            trainer.begin();
            while at < order.len() && trainer.batch.words < size {
                let number = order[at];
                let mut random = Random::new(options.seed, (step as u64) << 32 | number as u64);
                let known = inputs[number]
                    .iter()
                    .map(|input| match random.unit() < UNKNOWN {
                        true => Input { word: 0, ..*input },
                        false => *input,
                    });
                trainer.add(known, &examples[number]);
                at += 1;
            }
            trainer.end();
            sum += trainer.forward();
            batches += 1.0;
            trainer.backward();
            step += 1;
            let done = step as f32 / total;
            let rate = options.rate * (step as f32 / warm_up).min(1.0) * (1.0 - done).max(0.0);
            trainer.step(rate, step);
        }
        report(epoch, sum / f32::max(1.0, batches));
    }
    trainer.finish()
}

impl Trainer {
    pub(super) fn new(
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

    pub(super) fn begin(&mut self) {
        let batch = &mut self.batch;
        batch.inputs.clear();
        batch.labels.clear();
        batch.sources.clear();
        batch.words = 0;
        self.pad();
    }

    #[cfg(test)]
    pub(super) fn words(&self) -> &Lexicon {
        &self.words
    }

    #[cfg(test)]
    fn weights(&mut self) -> [&mut Weights; 6] {
        [
            &mut self.vectors,
            &mut self.properties,
            &mut self.window,
            &mut self.window_bias,
            &mut self.output,
            &mut self.output_bias,
        ]
    }

    /// Gradients of each kind of weights.
    #[cfg(test)]
    pub(super) fn gradients(&mut self) -> [Vec<f32>; 6] {
        self.weights().map(|weights| weights.gradients.clone())
    }

    /// Changes a weight of a kind.
    #[cfg(test)]
    pub(super) fn change(&mut self, kind: usize, at: usize, by: f32) {
        self.weights()[kind].values[at] += by;
    }

    fn pad(&mut self) {
        for _ in 0..self.sizes.reach {
            self.batch.inputs.push(None);
            self.batch.labels.push(None);
            self.batch.sources.push(0);
        }
    }

    pub(super) fn add(&mut self, inputs: impl Iterator<Item = Input>, example: &Example) {
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
    pub(super) fn end(&mut self) {
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
    pub(super) fn forward(&mut self) -> f32 {
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
            product(
                (rows, input, two),
                (&batch.x[o * input..], input, 1),
                (&self.window.values[o * input * two..], two, 1),
                (&mut batch.z, two),
                (true, Parallelism::Rayon(0)),
            );
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
        product(
            (rows, hidden, labels),
            (&batch.h, hidden, 1),
            (&self.output.values, labels, 1),
            (&mut batch.s, labels),
            (true, Parallelism::Rayon(0)),
        );
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
    pub(super) fn backward(&mut self) {
        let (input, window, hidden) = (self.sizes.input(), self.sizes.window(), self.sizes.hidden);
        let (reach, labels, two) = (self.sizes.reach, self.sizes.labels(), 2 * self.sizes.hidden);
        let batch = &mut self.batch;
        let rows = batch.rows - 2 * reach;
        let all = Parallelism::Rayon(0);
        for (s, source) in batch.s.chunks_exact(labels).zip(&batch.sources[reach..]) {
            let bias = &mut self.output_bias.gradients[source * labels..][..labels];
            bias.iter_mut().zip(s).for_each(|(b, s)| *b += s);
        }
        // U += hᵀ s
        product(
            (hidden, rows, labels),
            (&batch.h, 1, hidden),
            (&batch.s, labels, 1),
            (&mut self.output.gradients, labels),
            (true, all),
        );
        batch.dh.resize(rows * hidden, 0.0);
        product(
            (rows, labels, hidden),
            (&batch.s, labels, 1),
            (&self.output.values, 1, labels),
            (&mut batch.dh, hidden),
            (false, all),
        );
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
            product(
                (input, rows, two),
                (&batch.x[o * input..], 1, input),
                (&batch.dz, two, 1),
                (&mut self.window.gradients[o * input * two..], two),
                (true, all),
            );
            product(
                (rows, two, input),
                (&batch.dz, two, 1),
                (&self.window.values[o * input * two..], 1, two),
                (&mut batch.dx[o * input..], input),
                (true, all),
            );
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

    fn step(&mut self, rate: f32, number: i32) {
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
            corrections: (1.0 - BETA.0.powi(number), 1.0 - BETA.1.powi(number)),
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

    fn finish(self) -> Network {
        let (input, window, two) = (
            self.sizes.input(),
            self.sizes.window(),
            2 * self.sizes.hidden,
        );
        let mut side = vec![0.0; input * window * two];
        for (o, of_place) in self.window.values.chunks_exact(input * two).enumerate() {
            for (k, row) in of_place.chunks_exact(two).enumerate() {
                side[(k * window + o) * two..][..two].copy_from_slice(row);
            }
        }
        let labels = self.sizes.labels();
        let hidden = self.sizes.hidden;
        let output: Vec<f32> = (0..labels * hidden)
            .map(|at| self.output.values[at % hidden * labels + at / hidden])
            .collect();
        let (vector, property) = (self.sizes.vector, self.sizes.property);
        let mut properties = self.properties.values;
        let met = self.properties.square.chunks_exact(property);
        for (row, square) in properties.chunks_exact_mut(property).zip(met) {
            if square.iter().all(|v| *v == 0.0) {
                row.fill(0.0); // what was never met says nothing
            }
        }
        let parts = Parts {
            vectors: Rows::pack(&self.vectors.values, vector),
            properties: Rows::pack(&properties, property),
            window: Rows::pack(&side, window * two),
            window_bias: self.window_bias.values,
            output: Rows::pack(&output, hidden),
            output_bias: self.output_bias.values[..labels].to_vec(),
        };
        Network::new(self.sizes, self.words, parts)
    }
}

/// The rows of F of a word.
fn buckets(input: &Input) -> impl Iterator<Item = usize> {
    let all: [u16; PROPERTIES] = input.properties;
    all.into_iter().map(usize::from).filter(|b| *b < BUCKETS)
}

/// What values are multiplied by: 0 for some, and for the others what makes up for it.
fn masks(masks: &mut Vec<f32>, size: usize, dropout: f32, random: &mut Random) {
    let kept = 1.0 / (1.0 - dropout);
    masks.clear();
    masks.extend((0..size).map(|_| if random.unit() < dropout { 0.0 } else { kept }));
}

/// Puts probabilities in place of scores.
fn softmax(scores: &mut [f32]) -> &mut [f32] {
    let most = scores.iter().fold(f32::MIN, |most, s| most.max(*s));
    scores.iter_mut().for_each(|s| *s = (*s - most).exp());
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|s| *s /= sum);
    scores
}

/// C = A B, or C += A B, of (m, k) by (k, n): each of A and B with the steps from row to row and from column to column, C
/// with that from row to row.
fn product(
    (m, k, n): (usize, usize, usize),
    (a, a_row, a_column): (&[f32], usize, usize),
    (b, b_row, b_column): (&[f32], usize, usize),
    (c, c_row): (&mut [f32], usize),
    (adds, parallelism): (bool, Parallelism),
) {
    if m == 0 || n == 0 {
        return;
    }
    let reach = |rows: usize, row: usize, columns: usize, column: usize| {
        (rows.max(1) - 1) * row + (columns.max(1) - 1) * column
    };
    assert!(k > 0 && reach(m, a_row, k, a_column) < a.len());
    assert!(reach(k, b_row, n, b_column) < b.len());
    assert!(reach(m, c_row, n, 1) < c.len() && c_row >= n);
    // SAFETY: all places of the three matrices lie inside their slices, and C is borrowed alone.
    unsafe {
        gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            c_row as isize,
            adds,
            a.as_ptr(),
            a_column as isize,
            a_row as isize,
            b.as_ptr(),
            b_column as isize,
            b_row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}
