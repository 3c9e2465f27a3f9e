//! A linear sequence model over hashed features, decoded by beam search: the learner behind parts of speech and entities.
//!
//! The score of a tag sequence t₁…tₙ is a sum over positions,
//!
//! ```text
//! Σᵢ  Σ_{u ∈ unaryᵢ} w(u, tᵢ)  +  Σ_{f ∈ firstᵢ} w(f, tᵢ₋₁, tᵢ)  +  Σ_{s ∈ secondᵢ} w(s, tᵢ₋₂, tᵢ₋₁, tᵢ)
//! ```
//!
//! where each w is one entry of a hashed table, and tᵢ is one of the few candidates a lexicon allows at i. A task fills
//! a [`Lattice`] with the feature hashes and candidates of a sentence; [`Decoder`] finds the best sequence;
//! [`train`] or [`crf`] learns the weights. Collins (2002), Discriminative training methods for hidden Markov models;
//! Huang, Fayong, Guo (2012), Structured perceptron with inexact search.

pub mod crf;
mod lattice;
pub mod marginals;
pub mod train;

pub use lattice::{Aspects, Lattice};

use super::hash;
use super::weights::Weights;

/// A tag before the first word.
pub const START: u16 = u16::MAX;

/// Where scores come from: quantised weights when tagging, `f32` while training.
pub trait Scores {
    /// A score, and a sum of scores.
    type Sum: Copy + PartialOrd + Default + std::ops::Add<Output = Self::Sum> + std::ops::AddAssign;
    /// The weight at a hash.
    fn at(&self, hash: u64) -> Self::Sum;
    /// A score from elsewhere, in the unit of the weights.
    fn of(&self, score: f32) -> Self::Sum;
}

impl Scores for Weights {
    type Sum = i32;

    #[inline(always)]
    fn at(&self, hash: u64) -> i32 {
        Weights::at(self, hash)
    }

    fn of(&self, score: f32) -> i32 {
        (score / self.scale).round() as i32
    }
}

/// The hash of a feature with its tag.
#[inline(always)]
fn with_tag(feature: u64, tag: u16) -> u64 {
    feature.wrapping_add(u64::from(tag).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The hash of a feature with the tag before.
#[inline(always)]
fn with_previous(feature: u64, previous: u16) -> u64 {
    hash::mix(feature, u64::from(previous) + 1)
}

/// The hash of a feature with the two tags before.
#[inline(always)]
fn with_two(feature: u64, previous: u16, before: u16) -> u64 {
    hash::mix(
        feature,
        (u64::from(previous) + 1) << 17 | (u64::from(before) + 1),
    )
}

/// A path that ends in `tag`, after `previous`.
#[derive(Clone, Copy, Debug)]
struct State<S> {
    score: S,
    tag: u16,
    previous: u16,
    /// Index of the state it extends, in the column before.
    back: u32,
}

/// Beam search with buffers that are reused.
#[derive(Debug)]
pub struct Decoder<S> {
    beam: usize,
    states: Vec<State<S>>,
    /// Where the column of each position ends in `states`.
    columns: Vec<u32>,
    unary: Vec<S>,
    /// Sums of the aspects of a position, as far as they were needed.
    aspects: Vec<(u16, S)>,
    extensions: Vec<State<S>>,
}

impl<S: Copy + PartialOrd + Default + std::ops::Add<Output = S> + std::ops::AddAssign> Decoder<S> {
    /// A decoder that keeps the `beam` best paths at every position.
    pub fn new(beam: usize) -> Decoder<S> {
        Decoder {
            beam,
            states: Vec::new(),
            columns: Vec::new(),
            unary: Vec::new(),
            aspects: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// Finds the best tags of a sentence and writes them to `tags`.
    pub fn decode(
        &mut self,
        lattice: &Lattice,
        scores: &impl Scores<Sum = S>,
        tags: &mut Vec<u16>,
    ) {
        self.search(lattice, scores);
        self.best_path(lattice.len(), tags);
    }

    /// Fills the columns of the beam; each is sorted, best first.
    fn search(&mut self, lattice: &Lattice, scores: &impl Scores<Sum = S>) {
        self.states.clear();
        self.columns.clear();
        let mut column = vec![State {
            score: S::default(),
            tag: START,
            previous: START,
            back: 0,
        }];
        for i in 0..lattice.len() {
            self.score_unary(lattice, i, scores);
            self.extend(lattice, i, &column, scores);
            keep_best(&mut self.extensions, self.beam);
            column.clear();
            column.extend_from_slice(&self.extensions);
            self.states.extend_from_slice(&column);
            self.columns.push(self.states.len() as u32);
        }
    }

    fn score_unary(&mut self, lattice: &Lattice, i: usize, scores: &impl Scores<Sum = S>) {
        let candidates = lattice.candidates(i);
        self.unary.clear();
        self.unary.resize(candidates.len(), S::default());
        if candidates.len() == 1 {
            return; // every path gets the same sum
        }
        for &feature in lattice.unary(i) {
            for (sum, &tag) in self.unary.iter_mut().zip(candidates) {
                *sum += scores.at(with_tag(feature, tag));
            }
        }
        for (sum, &opinion) in self.unary.iter_mut().zip(lattice.opinions(i)) {
            *sum += scores.of(opinion);
        }
        if !lattice.aspects.is_empty() {
            self.score_aspects(lattice, i, scores);
        }
    }

    fn score_aspects(&mut self, lattice: &Lattice, i: usize, scores: &impl Scores<Sum = S>) {
        self.aspects.clear();
        for (sum, &tag) in self.unary.iter_mut().zip(lattice.candidates(i)) {
            for &aspect in lattice.aspects(tag) {
                let known = self.aspects.iter().find(|(other, _)| *other == aspect);
                if let Some((_, score)) = known {
                    *sum += *score;
                    continue;
                }
                let mut score = S::default();
                for &feature in lattice.unary(i) {
                    score += scores.at(with_tag(feature, aspect));
                }
                self.aspects.push((aspect, score));
                *sum += score;
            }
        }
    }

    fn extend(
        &mut self,
        lattice: &Lattice,
        i: usize,
        column: &[State<S>],
        scores: &impl Scores<Sum = S>,
    ) {
        self.extensions.clear();
        let candidates = lattice.candidates(i);
        for (back, state) in column.iter().enumerate() {
            let merged = self.extensions.len();
            for (&tag, &unary) in candidates.iter().zip(&self.unary) {
                let score = state.score + unary;
                self.extensions.push(State {
                    score,
                    tag,
                    previous: state.tag,
                    back: back as u32,
                });
            }
            if candidates.len() == 1 && column.len() == 1 {
                return;
            }
            let new = &mut self.extensions[merged..];
            for &feature in lattice.first(i) {
                let feature = with_previous(feature, state.tag);
                new.iter_mut()
                    .for_each(|e| e.score += scores.at(with_tag(feature, e.tag)));
            }
            for &feature in lattice.second(i) {
                let feature = with_two(feature, state.tag, state.previous);
                new.iter_mut()
                    .for_each(|e| e.score += scores.at(with_tag(feature, e.tag)));
            }
            let new = if lattice.aspects.is_empty() {
                &mut []
            } else {
                new
            };
            for e in new {
                lattice.aspect_edges(i, state.tag, e.tag, |hash| e.score += scores.at(hash));
            }
        }
        // Paths that end in the same two tags have the same future: only the best of them can win.
        if column.len() > 1 {
            self.extensions
                .sort_unstable_by_key(|e| (e.tag, e.previous, e.back));
            self.extensions.dedup_by(|later, kept| {
                let same = (later.tag, later.previous) == (kept.tag, kept.previous);
                if same && later.score > kept.score {
                    *kept = *later;
                }
                same
            });
        }
    }

    fn column(&self, i: usize) -> &[State<S>] {
        let start = if i == 0 { 0 } else { self.columns[i - 1] };
        &self.states[start as usize..self.columns[i] as usize]
    }

    /// The tags of the best path through the first `length` positions.
    fn best_path(&self, length: usize, tags: &mut Vec<u16>) {
        tags.clear();
        let mut at = 0;
        for i in (0..length).rev() {
            let state = self.column(i)[at];
            tags.push(state.tag);
            at = state.back as usize;
        }
        tags.reverse();
    }
}

/// Keeps the `beam` best states, best first; ties go to the smaller tags, so that the order of work never shows.
fn keep_best<S: Copy + PartialOrd>(states: &mut Vec<State<S>>, beam: usize) {
    let better = |a: &State<S>, b: &State<S>| {
        let by_score = b
            .score
            .partial_cmp(&a.score)
            .unwrap_or(std::cmp::Ordering::Equal);
        by_score.then_with(|| (a.tag, a.previous).cmp(&(b.tag, b.previous)))
    };
    if states.len() > beam {
        states.select_nth_unstable_by(beam, better);
        states.truncate(beam);
    }
    states.sort_unstable_by(better);
}
