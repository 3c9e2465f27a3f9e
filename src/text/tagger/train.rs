//! Learns the weights of a [`Lattice`] model: the averaged structured perceptron with max-violation updates.
//!
//! Where the best path of the beam scores above the gold path, the prefix with the largest difference is corrected:
//! w ← w + Φ(gold prefix) − Φ(best prefix). The result is the mean of w over all steps, kept as w − a / T, where
//! a gathers each change times the step it was made at.

use super::{Decoder, Lattice, START, Scores, with_previous, with_tag, with_two};

/// A perceptron in training.
pub struct Perceptron {
    weights: Table,
    /// Each change times its step.
    accumulated: Vec<f32>,
    /// How often each entry was changed.
    changes: Vec<u8>,
    step: f32,
    decoder: Decoder<f32>,
    tags: Vec<u16>,
    gold_scores: Vec<f32>,
}

struct Table {
    weights: Vec<f32>,
}

impl Scores for Table {
    type Sum = f32;

    #[inline(always)]
    fn at(&self, hash: u64) -> f32 {
        self.weights[hash as usize & (self.weights.len() - 1)]
    }

    fn of(&self, score: f32) -> f32 {
        score
    }
}

impl Perceptron {
    /// A perceptron with a table of 2^`bits` weights.
    pub fn new(bits: u32, beam: usize) -> Perceptron {
        let size = 1 << bits;
        Perceptron {
            weights: Table {
                weights: vec![0.0; size],
            },
            accumulated: vec![0.0; size],
            changes: vec![0; size],
            step: 1.0,
            decoder: Decoder::new(beam),
            tags: Vec::new(),
            gold_scores: Vec::new(),
        }
    }

    /// Learns from one sentence; whether it was tagged right. `gold` must be among the lattice's candidates.
    pub fn learn(&mut self, lattice: &Lattice, gold: &[u16]) -> bool {
        self.step += 1.0;
        self.decoder.search(lattice, &self.weights);
        self.score_gold(lattice, gold);
        let Some(end) = self.largest_violation(gold) else {
            return true;
        };
        self.decoder.best_path(end, &mut self.tags);
        let tags = std::mem::take(&mut self.tags);
        self.update(lattice, &tags, gold);
        self.tags = tags;
        false
    }

    /// The mean weights; entries changed fewer than `min_changes` times are 0 (they are noise, and cost space).
    pub fn averaged(&self, min_changes: u8) -> Vec<f32> {
        let entries = self
            .weights
            .weights
            .iter()
            .zip(&self.accumulated)
            .zip(&self.changes);
        entries
            .map(|((w, a), &n)| {
                if n < min_changes {
                    0.0
                } else {
                    w - a / self.step
                }
            })
            .collect()
    }

    /// Scores of all prefixes of the gold path.
    fn score_gold(&mut self, lattice: &Lattice, gold: &[u16]) {
        let mut score = 0.0;
        self.gold_scores.clear();
        for i in 0..gold.len() {
            // As in the search: a position without a choice adds nothing of its own.
            if lattice.candidates(i).len() > 1 {
                for &tag in [gold[i]].iter().chain(lattice.aspects(gold[i])) {
                    let weights = lattice.unary(i).iter();
                    score += weights
                        .map(|&f| self.weights.at(with_tag(f, tag)))
                        .sum::<f32>();
                }
                score += lattice.opinion(i, gold[i]);
            }
            let column = if i == 0 {
                1
            } else {
                self.decoder.column(i - 1).len()
            };
            if lattice.candidates(i).len() > 1 || column > 1 {
                edges(lattice, gold, i, |hash| score += self.weights.at(hash));
            }
            self.gold_scores.push(score);
        }
    }

    /// The length of the prefix where the beam's best is furthest above gold.
    fn largest_violation(&self, gold: &[u16]) -> Option<usize> {
        let mut worst = (0.0, None);
        for (i, tag) in gold.iter().enumerate() {
            let best = self.decoder.column(i)[0];
            let violation = best.score - self.gold_scores[i];
            let differs = best.tag != *tag || violation > 0.0;
            if differs && (violation > worst.0 || worst.1.is_none() && violation >= 0.0) {
                worst = (violation, Some(i + 1));
            }
        }
        worst.1
    }

    fn update(&mut self, lattice: &Lattice, predicted: &[u16], gold: &[u16]) {
        for i in 0..predicted.len() {
            let before = |tags: &[u16], k: usize| if i < k { START } else { tags[i - k] };
            let same = predicted[i] == gold[i];
            let same_first = same && before(predicted, 1) == before(gold, 1);
            if same_first && before(predicted, 2) == before(gold, 2) {
                continue;
            }
            if !same {
                for &feature in lattice.unary(i) {
                    self.change(with_tag(feature, gold[i]), 1.0);
                    self.change(with_tag(feature, predicted[i]), -1.0);
                }
                let (right, wrong) = (lattice.aspects(gold[i]), lattice.aspects(predicted[i]));
                for (these, others, by) in [(right, wrong, 1.0), (wrong, right, -1.0)] {
                    for aspect in these.iter().filter(|aspect| !others.contains(aspect)) {
                        for &feature in lattice.unary(i) {
                            self.change(with_tag(feature, *aspect), by);
                        }
                    }
                }
            }
            edges(lattice, gold, i, |hash| {
                change(
                    &mut self.weights.weights,
                    &mut self.accumulated,
                    &mut self.changes,
                    self.step,
                    hash,
                    1.0,
                );
            });
            edges(lattice, predicted, i, |hash| {
                change(
                    &mut self.weights.weights,
                    &mut self.accumulated,
                    &mut self.changes,
                    self.step,
                    hash,
                    -1.0,
                );
            });
        }
    }

    fn change(&mut self, hash: u64, by: f32) {
        change(
            &mut self.weights.weights,
            &mut self.accumulated,
            &mut self.changes,
            self.step,
            hash,
            by,
        );
    }
}

fn change(
    weights: &mut [f32],
    accumulated: &mut [f32],
    changes: &mut [u8],
    step: f32,
    hash: u64,
    by: f32,
) {
    let at = hash as usize & (weights.len() - 1);
    weights[at] += by;
    accumulated[at] += by * step;
    changes[at] = changes[at].saturating_add(1);
}

/// Calls `each` with the hashes of the features that join position `i` to the tags before.
fn edges(lattice: &Lattice, tags: &[u16], i: usize, mut each: impl FnMut(u64)) {
    let previous = if i < 1 { START } else { tags[i - 1] };
    let before = if i < 2 { START } else { tags[i - 2] };
    for &feature in lattice.first(i) {
        each(with_tag(with_previous(feature, previous), tags[i]));
    }
    for &feature in lattice.second(i) {
        each(with_tag(with_two(feature, previous, before), tags[i]));
    }
    lattice.aspect_edges(i, previous, tags[i], each);
}
