//! What is to be decided about a sentence: the features and the candidate tags of each of its positions.

use super::marginals::Marginals;
use super::{START, with_previous, with_tag};
use crate::text::weights::Weights;
use std::ops::Range;
use std::sync::Arc;

/// The features and candidate tags of one sentence, reused from sentence to sentence.
#[derive(Clone, Debug, Default)]
pub struct Lattice {
    features: Vec<u64>,
    candidates: Vec<u16>,
    /// What another model adds to the score of each candidate; empty when there is none.
    opinions: Vec<f32>,
    positions: Vec<Position>,
    /// For each tag the numbers of its aspects, behind those of the tags; empty when tags are learned as wholes.
    pub(super) aspects: Aspects,
}

/// For each tag its aspects: parts it shares with other tags, such as the values of FEATS, that unary features are learned for
/// too. What is seen of a rare tag is then little less than what is seen of its parts. Müller, Schmid and Schütze (2013),
/// Efficient higher-order CRFs for morphological tagging.
pub type Aspects = Arc<[Vec<u16>]>;

/// Where the features and candidates of one position end.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    unary: u32,
    first: u32,
    second: u32,
    candidates: u32,
}

impl Lattice {
    /// A lattice for tags that have aspects.
    pub fn with_aspects(aspects: &Aspects) -> Lattice {
        Lattice {
            aspects: aspects.clone(),
            ..Lattice::default()
        }
    }

    /// Calls `each` with the hashes of the aspects of a tag with those of the one before.
    #[inline]
    pub(super) fn aspect_edges(
        &self,
        i: usize,
        previous: u16,
        tag: u16,
        mut each: impl FnMut(u64),
    ) {
        let Some(&feature) = self.first(i).first() else {
            return;
        };
        for &before in self.aspects(previous) {
            let feature = with_previous(feature, before);
            self.aspects(tag)
                .iter()
                .for_each(|&aspect| each(with_tag(feature, aspect)));
        }
    }

    /// The aspects of a tag.
    pub(super) fn aspects(&self, tag: u16) -> &[u16] {
        self.aspects
            .get(usize::from(tag))
            .map_or(&[], |aspects| aspects)
    }

    /// Empties the lattice for the next sentence.
    pub fn clear(&mut self) {
        self.features.clear();
        self.candidates.clear();
        self.opinions.clear();
        self.positions.clear();
    }

    /// Adds a position: features of its tag, of its tag with the one before, of its tag with the two before, and the
    /// tags it may have (at least one).
    pub fn push(&mut self, unary: &[u64], first: &[u64], second: &[u64], candidates: &[u16]) {
        debug_assert!(!candidates.is_empty());
        self.features.extend_from_slice(unary);
        let unary = self.features.len() as u32;
        self.features.extend_from_slice(first);
        let first = self.features.len() as u32;
        self.features.extend_from_slice(second);
        let second = self.features.len() as u32;
        self.candidates.extend_from_slice(candidates);
        self.positions.push(Position {
            unary,
            first,
            second,
            candidates: self.candidates.len() as u32,
        });
    }

    /// Makes sure that a tag is among the candidates of a position (training: the gold tag).
    pub fn allow(&mut self, position: usize, tag: u16) {
        if self.candidates(position).contains(&tag) {
            return;
        }
        self.candidates
            .insert(self.positions[position].candidates as usize, tag);
        self.positions[position..]
            .iter_mut()
            .for_each(|p| p.candidates += 1);
    }

    /// Asks another model what it adds to the score of each candidate of the positions where there is a choice: `ask` gets
    /// a position and a tag.
    pub fn ask(&mut self, mut ask: impl FnMut(usize, u16) -> f32) {
        self.opinions.clear();
        self.opinions.resize(self.candidates.len(), 0.0);
        for i in 0..self.len() {
            let range = self.candidate_range(i);
            if range.len() > 1 {
                for at in range {
                    self.opinions[at] = ask(i, self.candidates[at]);
                }
            }
        }
    }

    pub fn len(&self) -> usize {
        self.positions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Puts the scores of a sentence into a chain, whose probabilities they make. Every position must have the same
    /// candidates, 0 to n − 1; the features of two tags before and the aspects of tags count for nothing.
    pub fn fill(&self, weights: &Weights, marginals: &mut Marginals) {
        let Some(first) = self.positions.first() else {
            return marginals.clear(0);
        };
        let tags = first.candidates as usize;
        marginals.clear(tags);
        let mut scores = Vec::new();
        for i in 0..self.len() {
            let before = if i == 0 { 1 } else { tags };
            scores.clear();
            scores.resize(tags + before * tags, 0.0);
            let (unary, edges) = scores.split_at_mut(tags);
            let add = |row: &mut [f32], feature: u64| {
                for (tag, sum) in row.iter_mut().enumerate() {
                    *sum += weights.scale * weights.at(with_tag(feature, tag as u16)) as f32;
                }
            };
            self.unary(i)
                .iter()
                .for_each(|feature| add(unary, *feature));
            for (previous, row) in edges.chunks_exact_mut(tags).enumerate() {
                let previous = if i == 0 { START } else { previous as u16 };
                for feature in self.first(i) {
                    add(row, with_previous(*feature, previous));
                }
            }
            marginals.push(unary, edges);
        }
        marginals.compute();
    }

    pub(super) fn candidate_range(&self, i: usize) -> Range<usize> {
        let start = if i == 0 {
            0
        } else {
            self.positions[i - 1].candidates
        };
        start as usize..self.positions[i].candidates as usize
    }

    pub fn candidates(&self, i: usize) -> &[u16] {
        &self.candidates[self.candidate_range(i)]
    }

    /// What another model adds to the candidates of a position, if one was asked.
    pub(super) fn opinions(&self, i: usize) -> &[f32] {
        self.opinions
            .get(self.candidate_range(i))
            .unwrap_or_default()
    }

    /// What another model adds to one candidate.
    pub(super) fn opinion(&self, i: usize, tag: u16) -> f32 {
        let opinions = self.candidates(i).iter().zip(self.opinions(i));
        let found = opinions.filter(|(candidate, _)| **candidate == tag);
        found.map(|(_, opinion)| *opinion).sum()
    }

    pub(super) fn start(&self, i: usize) -> usize {
        if i == 0 {
            0
        } else {
            self.positions[i - 1].second as usize
        }
    }

    pub(super) fn slice(&self, range: Range<usize>) -> &[u64] {
        &self.features[range]
    }

    pub(super) fn unary(&self, i: usize) -> &[u64] {
        self.slice(self.start(i)..self.positions[i].unary as usize)
    }

    pub(super) fn first(&self, i: usize) -> &[u64] {
        self.slice(self.positions[i].unary as usize..self.positions[i].first as usize)
    }

    pub(super) fn second(&self, i: usize) -> &[u64] {
        self.slice(self.positions[i].first as usize..self.positions[i].second as usize)
    }
}
