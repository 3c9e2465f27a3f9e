//! A small neural network that tags the words of a sentence: what a word looks like and where it stands in running text,
//! of the word and its neighbours, through one hidden layer.
//!
//! ```text
//! e(w)  = V[w] ⊕ Σ_k F[k-th property of w]                 a vector learned from running text, and one of what is seen of w
//! z     = a + Σ_{o = −r … r} W_o e(w_{i+o})                 (2 H); nothing stands outside the sentence
//! h_j   = max(z_j, z_{H+j})                                 (H)
//! s     = U h + c                                           scores of all labels of all heads; c of the source of the text
//! ```
//!
//! Each head is a set of labels of its own, of which a word has one. Words not in V have the vector of unknown words;
//! properties are hashed. Maxout: Goodfellow et al. (2013), Maxout networks. Feed-forward taggers of this size: Botha et
//! al. (2017), Natural language processing with small feed-forward networks.
//!
//! W e(w) depends on the form of the word alone, so that it is kept for forms that were met lately: a word costs 2 r + 1
//! sums of rows that are there already.
//!
//! | module | what is in it |
//! |---|---|
//! | `kernel` | the products and sums of reading, the same in any company |
//! | [`vectors`] | vectors of words to begin with |
//! | [`train`] | the run: epochs, batches, rates |
//! | `trainer`, `ops`, `adam` | one step of it, what it computes with, and how weights move |

mod adam;
mod kernel;
mod ops;
pub mod train;
mod trainer;
pub mod vectors;

use super::lexicon::Lexicon;
use super::model::{ModelError, Section, Tensor};
use super::word_shape::WordShape;
use std::collections::HashMap;

/// Properties of a word that have rows in F.
const PROPERTIES: usize = 12;

/// F has 2^15 rows.
const BUCKETS: usize = 1 << 15;

/// What a network knows of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Input {
    /// Row of V; 0 is that of unknown words.
    word: u32,
    /// Rows of F; [`BUCKETS`] for a property that it has not.
    properties: [u16; PROPERTIES],
}

impl Input {
    fn of(shape: &WordShape, words: &Lexicon) -> Input {
        let mut properties = [BUCKETS as u16; PROPERTIES];
        let seen = [shape.lower, shape.exact, shape.shape];
        let affixes = shape.suffixes[..5].iter().chain(&shape.prefixes);
        for (property, hash) in properties.iter_mut().zip(seen.iter().chain(affixes)) {
            if *hash != 0 {
                *property = (hash >> 17) as u16 & (BUCKETS - 1) as u16;
            }
        }
        Input {
            word: words.find(shape.lower).map_or(0, |row| row + 1),
            properties,
        }
    }
}

/// The sizes of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sizes {
    /// Values of a row of V and of F.
    vector: usize,
    property: usize,
    /// r, words on each side.
    reach: usize,
    /// H.
    hidden: usize,
    /// Labels of each head.
    heads: Vec<usize>,
}

impl Sizes {
    /// Values of e(w).
    fn input(&self) -> usize {
        self.vector + self.property
    }

    fn window(&self) -> usize {
        2 * self.reach + 1
    }

    fn labels(&self) -> usize {
        self.heads.iter().sum()
    }
}

/// A trained network.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    sizes: Sizes,
    words: Lexicon,
    parts: Parts,
    /// The values of `parts.window` and `parts.output`.
    unpacked: [Vec<f32>; 2],
}

/// What a network has learned.
#[derive(Clone, Debug, PartialEq)]
struct Parts {
    /// V: the row of unknown words, then one for each word of the network.
    vectors: Rows,
    /// F.
    properties: Rows,
    /// W side by side, (input, window · 2 H), and a.
    window: Rows,
    window_bias: Vec<f32>,
    /// U, (labels, H), and c of the target source.
    output: Rows,
    output_bias: Vec<f32>,
}

/// Forms whose products are kept, 5 KB of each.
const KEPT: usize = 4096;

/// The forms that came first are kept for good: most words of any text are among its first two thousand forms.
const FOR_GOOD: usize = 2048;

/// Products are kept in steps of 1/2048, so that their sums are exact.
const STEPS: f32 = 2048.0;

/// Buffers of one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Slots of forms by their hash.
    slots: HashMap<u64, u32>,
    /// W e(w) of each slot, in [`STEPS`].
    products: Vec<i16>,
    /// The slot of each word of the sentence.
    sentence: Vec<u32>,
    /// e(w) of the forms that are new, and W e(w).
    new: Vec<f32>,
    new_products: Vec<f32>,
    sums: Vec<i32>,
    hidden: Vec<f32>,
}

impl Network {
    /// Reads a sentence: afterwards `scratch` has the products of all its words.
    pub fn read<'s>(
        &self,
        words: impl ExactSizeIterator<Item = &'s WordShape>,
        scratch: &mut Scratch,
    ) {
        let wide = self.parts.window_bias.len() * self.sizes.window();
        scratch.sentence.clear();
        scratch.new.clear();
        if scratch.slots.len() + words.len() > KEPT {
            scratch.slots.retain(|_, slot| (*slot as usize) < FOR_GOOD);
        }
        let first = scratch.slots.len();
        for shape in words {
            let next = scratch.slots.len() as u32;
            let slot = *scratch.slots.entry(shape.exact).or_insert(next);
            if slot == next {
                self.embed(&Input::of(shape, &self.words), &mut scratch.new);
            }
            scratch.sentence.push(slot);
        }
        let size = wide * (scratch.slots.len() - first);
        scratch.new_products.resize(size, 0.0);
        let sizes = (self.sizes.input(), wide);
        kernel::product(
            &scratch.new,
            &self.unpacked[0],
            sizes,
            &mut scratch.new_products,
        );
        scratch.products.truncate(wide * first);
        kernel::round(&scratch.new_products, STEPS, &mut scratch.products);
    }

    /// Appends e(w).
    fn embed(&self, input: &Input, out: &mut Vec<f32>) {
        let start = out.len();
        out.resize(start + self.sizes.input(), 0.0);
        let (vector, property) = out[start..].split_at_mut(self.sizes.vector);
        self.parts.vectors.add(input.word as usize, vector);
        for bucket in input.properties.map(usize::from) {
            if bucket < BUCKETS {
                self.parts.properties.add(bucket, property);
            }
        }
    }

    /// Looks at a word of the sentence that was read: afterwards `scratch` has its hidden layer.
    pub fn look(&self, at: usize, scratch: &mut Scratch) {
        let (two, window) = (self.parts.window_bias.len(), self.sizes.window());
        let z = &mut scratch.sums;
        z.clear();
        z.resize(two, 0);
        for o in 0..window {
            let place = (at + o).checked_sub(self.sizes.reach);
            if let Some(&slot) = place.and_then(|place| scratch.sentence.get(place)) {
                let product = &scratch.products[(slot as usize * window + o) * two..][..two];
                kernel::add(product, z);
            }
        }
        let half = self.sizes.hidden;
        let value = |j: usize| z[j] as f32 * (1.0 / STEPS) + self.parts.window_bias[j];
        scratch.hidden.clear();
        (scratch.hidden).extend((0..half).map(|j| value(j).max(value(half + j))));
    }

    /// The score of a label, numbered through all heads, of the word that was looked at: the logarithm of its
    /// probability, and something that all labels of its head have.
    pub fn score(&self, label: usize, scratch: &Scratch) -> f32 {
        let hidden = &scratch.hidden[..self.sizes.hidden];
        let row = &self.unpacked[1][label * hidden.len()..][..hidden.len()];
        self.parts.output_bias[label] + kernel::dot(hidden, row)
    }

    /// Adds the network to a model's section, under names that begin with `network`.
    pub fn save(&self, section: &mut Section) {
        let Sizes {
            vector,
            property,
            reach,
            hidden,
            ..
        } = self.sizes;
        let sizes = [vector, property, reach, hidden].map(|n| n as u32);
        self.words.save(section, "network.words");
        let mut put = |name: &str, tensor| {
            section.tensors.insert(format!("network.{name}"), tensor);
        };
        put("sizes", Tensor::from_u32(&sizes));
        put("window.bias", Tensor::from_f32(&self.parts.window_bias));
        put("output.bias", Tensor::from_f32(&self.parts.output_bias));
        self.parts.vectors.save(section, "network.vectors");
        self.parts.properties.save(section, "network.properties");
        self.parts.window.save(section, "network.window");
        self.parts.output.save(section, "network.output");
    }

    /// Reads a network with so many labels of each head back, if the section has one.
    ///
    /// # Errors
    /// A tensor is missing or does not fit the others.
    pub fn load(section: &Section, heads: &[usize]) -> Result<Option<Network>, ModelError> {
        if !section.tensors.contains_key("network.sizes") {
            return Ok(None);
        }
        let all = section.u32s("network.sizes")?;
        let wrong = |tensor: &str, found| ModelError::Shape {
            tensor: format!("network.{tensor}"),
            found,
        };
        let [vector, property, reach, hidden] = all[..] else {
            return Err(wrong("sizes", all.len()));
        };
        let limit = |n: u32| (1..=1 << 16).contains(&n);
        let is_odd = !(2 * hidden as usize).is_multiple_of(kernel::COLUMNS);
        if ![vector, property, hidden].into_iter().all(limit) || reach > 100 || is_odd {
            return Err(wrong("sizes", all.len()));
        }
        let sizes = Sizes {
            vector: vector as usize,
            property: property as usize,
            reach: reach as usize,
            hidden: hidden as usize,
            heads: heads.to_vec(),
        };
        let words = Lexicon::load(section, "network.words", usize::from(u16::MAX))?;
        let (two, labels) = (2 * sizes.hidden, sizes.labels());
        let rows = |name: &str, rows, wide| Rows::load(section, name, (rows, wide));
        let bias = |name: &str, expected| {
            let found = section.f32s(&format!("network.{name}"))?;
            match found.len() == expected {
                true => Ok(found),
                false => Err(wrong(name, found.len())),
            }
        };
        let parts = Parts {
            vectors: rows("network.vectors", words.lists() + 1, sizes.vector)?,
            properties: rows("network.properties", BUCKETS, sizes.property)?,
            window: rows("network.window", sizes.input(), sizes.window() * two)?,
            window_bias: bias("window.bias", two)?,
            output: rows("network.output", labels, sizes.hidden)?,
            output_bias: bias("output.bias", labels)?,
        };
        Ok(Some(Network::new(sizes, words, parts)))
    }

    fn new(sizes: Sizes, words: Lexicon, parts: Parts) -> Network {
        Network {
            unpacked: [parts.window.unpack(), parts.output.unpack()],
            sizes,
            words,
            parts,
        }
    }
}

/// A matrix in 8 bits, with a scale for each row.
#[derive(Clone, Debug, PartialEq)]
struct Rows {
    wide: usize,
    values: Vec<i8>,
    scales: Vec<f32>,
}

impl Rows {
    /// Rounds rows of `wide` values to 127 steps up and down.
    fn pack(values: &[f32], wide: usize) -> Rows {
        let mut rows = Rows {
            wide,
            values: Vec::new(),
            scales: Vec::new(),
        };
        for row in values.chunks_exact(wide) {
            let largest = row.iter().fold(0f32, |most, v| most.max(v.abs()));
            let scale = (largest / 127.0).max(f32::MIN_POSITIVE);
            let steps = row.iter().map(|v| (v / scale).round() as i8);
            rows.values.extend(steps);
            rows.scales.push(scale);
        }
        rows
    }

    /// Adds a row.
    fn add(&self, row: usize, to: &mut [f32]) {
        let scale = self.scales[row];
        let values = &self.values[row * self.wide..][..self.wide];
        let pairs = to.iter_mut().zip(values);
        pairs.for_each(|(to, value)| *to += f32::from(*value) * scale);
    }

    fn unpack(&self) -> Vec<f32> {
        let rows = self.values.chunks_exact(self.wide).zip(&self.scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |v| f32::from(*v) * scale))
            .collect()
    }

    fn save(&self, section: &mut Section, name: &str) {
        let mut put = |name: String, tensor| section.tensors.insert(name, tensor);
        put(name.to_owned(), Tensor::from_i8(&self.values));
        put(format!("{name}.scales"), Tensor::from_f32(&self.scales));
    }

    /// Reads a matrix of so many rows and columns.
    fn load(
        section: &Section,
        name: &str,
        (rows, wide): (usize, usize),
    ) -> Result<Rows, ModelError> {
        let values = section.i8s(name)?;
        let scales = section.f32s(&format!("{name}.scales"))?;
        if values.len() != rows * wide || scales.len() != rows {
            return Err(ModelError::Shape {
                tensor: name.to_owned(),
                found: values.len(),
            });
        }
        Ok(Rows {
            wide,
            values,
            scales,
        })
    }
}

#[cfg(test)]
mod tests;
