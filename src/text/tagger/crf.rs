//! Learns the weights of a [`Lattice`] model as a conditional random field: the probability of the gold tags is made
//! large, not only their score larger than that of others.
//!
//! ```text
//! log p(t | words) = score(t) − log Σ exp score(t′)        gradient at a feature: whether gold has it − how likely it is
//! g ← gradient,  G ← G + g²,  w ← w + RATE · g / √(1 + G)  the step gets smaller for features that are met often
//! ```
//!
//! The features of two tags before are not used. The result is the mean of w over all sentences, as in
//! [`super::train`]. Lafferty, McCallum, Pereira (2001), Conditional random fields; Duchi, Hazan, Singer (2011),
//! Adaptive subgradient methods. Two things are done against learning by heart and against silence:
//!
//! - *dropout*: a sentence is learned with a random part of its features, so that no single one, the word itself above
//!   all, is relied on (Wang and Manning 2013, Fast dropout training);
//! - *miss cost*: while learning, labelling a word of an entity as outside gets a head start, so that the field has to be
//!   surer of entities (Mohit et al. 2012, Recall-oriented learning of named entities in Arabic Wikipedia).

use super::marginals::Marginals;
use super::{Lattice, START, with_previous, with_tag};
use crate::text::hash;

/// How a field is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The weight table has 2^bits entries.
    pub bits: u32,
    /// Share of the features that a sentence is learned without, 0 to 1.
    pub dropout: f32,
    /// The tag that stands for nothing, as `O` does, and its head start, in units of scores.
    pub outside: u16,
    pub miss_cost: f32,
    /// Seed of the features left out.
    pub seed: u64,
}

/// The largest step. Scores are sums of about a hundred weights, so that one sentence moves them by ten at most.
const RATE: f32 = 0.1;

/// Errors of probability below this are not corrected: most words are far from any entity, and correcting them a
/// little would fill the table with noise.
const LEAST_ERROR: f64 = 0.05;

/// Seed of the hashes that say which features are left out.
const DROP: u64 = 997;

/// A conditional random field in training. Every position of its lattices has the same candidates, 0 to n − 1.
pub struct RandomField {
    options: Options,
    weights: Vec<f32>,
    /// 1 + G.
    squares: Vec<f32>,
    /// Each change times its step.
    accumulated: Vec<f32>,
    /// How often each entry was changed.
    changes: Vec<u8>,
    step: u32,
    marginals: Marginals,
    kept: Vec<u64>,
    scores: Vec<f32>,
}

impl RandomField {
    pub fn new(options: Options) -> RandomField {
        let size = 1 << options.bits;
        RandomField {
            options,
            weights: vec![0.0; size],
            squares: vec![1.0; size],
            accumulated: vec![0.0; size],
            changes: vec![0; size],
            step: 0,
            marginals: Marginals::default(),
            kept: Vec::new(),
            scores: Vec::new(),
        }
    }

    /// Learns from one sentence; whether every gold tag was likelier than not. `gold` must have a tag for every
    /// position.
    pub fn learn(&mut self, lattice: &Lattice, gold: &[u16]) -> bool {
        if lattice.is_empty() {
            return true;
        }
        self.step += 1;
        let mut marginals = std::mem::take(&mut self.marginals);
        marginals.clear(lattice.candidates(0).len());
        for (i, tag) in gold.iter().enumerate() {
            self.score(lattice, i, *tag, &mut marginals);
        }
        marginals.compute();
        let mut right = true;
        for i in 0..lattice.len() {
            right &= self.correct(lattice, i, gold, &mut marginals);
        }
        self.marginals = marginals;
        right
    }

    /// The mean weights; entries changed fewer than `min_changes` times are 0 (they are noise, and cost space).
    pub fn averaged(&self, min_changes: u8) -> Vec<f32> {
        let steps = (self.step + 1) as f32;
        let entries = self
            .weights
            .iter()
            .zip(&self.accumulated)
            .zip(&self.changes);
        entries
            .map(|((w, a), &n)| if n < min_changes { 0.0 } else { w - a / steps })
            .collect()
    }

    fn score(&mut self, lattice: &Lattice, i: usize, gold: u16, marginals: &mut Marginals) {
        let tags = lattice.candidates(i).len();
        let before = if i == 0 { 1 } else { tags };
        self.keep(lattice.unary(i));
        self.scores.clear();
        self.scores.resize(tags + before * tags, 0.0);
        let (unary, edges) = self.scores.split_at_mut(tags);
        let mask = self.weights.len() - 1;
        let add = |row: &mut [f32], feature: u64| {
            for (tag, sum) in row.iter_mut().enumerate() {
                *sum += self.weights[with_tag(feature, tag as u16) as usize & mask];
            }
        };
        self.kept.iter().for_each(|feature| add(unary, *feature));
        for (previous, row) in edges.chunks_exact_mut(tags).enumerate() {
            let previous = previous_tag(i, previous);
            for feature in lattice.first(i) {
                add(row, with_previous(*feature, previous));
            }
        }
        // As much as all features would have said.
        unary
            .iter_mut()
            .for_each(|score| *score /= 1.0 - self.options.dropout);
        if gold != self.options.outside {
            unary[usize::from(self.options.outside)] += self.options.miss_cost;
        }
        marginals.push(unary, edges);
    }

    /// Corrects the features of a position; whether gold is likelier than not there.
    fn correct(
        &mut self,
        lattice: &Lattice,
        i: usize,
        gold: &[u16],
        marginals: &mut Marginals,
    ) -> bool {
        self.keep(lattice.unary(i));
        let kept = std::mem::take(&mut self.kept);
        let likely = marginals.tags(i);
        let right = likely[usize::from(gold[i])] > 0.5;
        let tags = likely.len();
        for (tag, p) in likely.iter().enumerate() {
            let error = f64::from(u8::from(tag == usize::from(gold[i]))) - p;
            if error.abs() >= LEAST_ERROR {
                for feature in &kept {
                    self.change(with_tag(*feature, tag as u16), error as f32);
                }
            }
        }
        self.kept = kept;
        let before = if i == 0 { 0 } else { usize::from(gold[i - 1]) };
        let gold_pair = before * tags + usize::from(gold[i]);
        for (pair, p) in marginals.pairs(i).iter().enumerate() {
            let error = f64::from(u8::from(pair == gold_pair)) - p;
            if error.abs() >= LEAST_ERROR {
                let previous = previous_tag(i, pair / tags);
                for feature in lattice.first(i) {
                    let feature = with_previous(*feature, previous);
                    self.change(with_tag(feature, (pair % tags) as u16), error as f32);
                }
            }
        }
        right
    }

    /// Drops features by their hash, so that scoring and correcting a sentence drop the same.
    fn keep(&mut self, features: &[u64]) {
        let seed = self.options.seed << 32 | u64::from(self.step);
        let limit = (f64::from(self.options.dropout) * 2f64.powi(32)) as u64;
        let kept = |feature: &u64| hash::pair(DROP, *feature, seed) >> 32 >= limit;
        self.kept.clear();
        self.kept.extend(features.iter().filter(|f| kept(f)));
    }

    fn change(&mut self, hash: u64, gradient: f32) {
        let at = hash as usize & (self.weights.len() - 1);
        self.squares[at] += gradient * gradient;
        let by = RATE * gradient / self.squares[at].sqrt();
        self.weights[at] += by;
        self.accumulated[at] += by * self.step as f32;
        self.changes[at] = self.changes[at].saturating_add(1);
    }
}

/// The tag before position `i` that has the given row.
fn previous_tag(i: usize, row: usize) -> u16 {
    if i == 0 { START } else { row as u16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(dropout: f32, miss_cost: f32) -> RandomField {
        RandomField::new(Options {
            bits: 16,
            dropout,
            outside: 0,
            miss_cost,
            seed: 1,
        })
    }

    /// A lattice of words with one feature each and one feature of neighbours, and two tags.
    fn lattice(words: &[u64]) -> Lattice {
        let mut lattice = Lattice::default();
        for word in words {
            lattice.push(&[hash::pair(1, *word, 0)], &[2], &[], &[0, 1]);
        }
        lattice
    }

    fn weight(field: &RandomField, word: u64, tag: u16) -> f32 {
        field.weights[with_tag(hash::pair(1, word, 0), tag) as usize & 0xffff]
    }

    #[test]
    fn the_first_step_is_the_gradient_over_its_length() {
        let mut field = field(0.0, 0.0);
        field.learn(&lattice(&[7]), &[1]);
        // Both tags are as likely: g = ±1/2, G = 1/4, and 0.1 · 0.5 / √1.25 = 0.044721.
        assert!((weight(&field, 7, 1) - 0.044_721).abs() < 1e-6);
        assert!((weight(&field, 7, 0) + 0.044_721).abs() < 1e-6);
        let mean: f32 = field.averaged(1).iter().map(|w| w.abs()).sum();
        // Two weights of the word and two of the start, which were 0 before the only step.
        assert!((mean - 4.0 * 0.044_721 / 2.0).abs() < 1e-6);
    }

    #[test]
    fn a_miss_that_costs_more_is_corrected_more() {
        let mut field = field(0.0, 3f32.ln());
        field.learn(&lattice(&[7]), &[1]);
        // Outside is three times as likely: g = ±3/4, and 0.1 · 0.75 / √(1 + 9/16) = 0.06.
        assert!((weight(&field, 7, 1) - 0.06).abs() < 1e-6);
    }

    #[test]
    fn a_sentence_without_words_teaches_nothing() {
        let mut field = field(0.0, 0.0);
        assert!(field.learn(&Lattice::default(), &[]));
        assert!(field.averaged(0).iter().all(|w| *w == 0.0));
    }

    #[test]
    fn a_tag_is_learned_from_the_tag_before() {
        let mut field = field(0.0, 0.0);
        let sentences = [([1, 3], [0, 0]), ([2, 3], [1, 1])];
        let mut learn = || -> Vec<bool> {
            let each = sentences.iter();
            each.map(|(words, gold)| field.learn(&lattice(words), gold))
                .collect()
        };
        assert!(!learn()[0]);
        (0..50).for_each(|_| drop(learn()));
        assert_eq!(learn(), [true, true]);
    }

    #[test]
    fn a_sentence_is_scored_and_corrected_without_the_same_features() {
        let mut field = field(0.3, 0.0);
        let features: Vec<u64> = (0..10_000).map(|n| hash::pair(1, n, 0)).collect();
        field.keep(&features);
        let kept = field.kept.clone();
        // A share of 0.7 ± 4 standard deviations, √(0.21 / 10,000) each.
        assert!((6_800..7_200).contains(&kept.len()), "{}", kept.len());
        field.keep(&features);
        assert_eq!(field.kept, kept);
        field.step += 1;
        field.keep(&features);
        assert_ne!(field.kept, kept);
    }
}
