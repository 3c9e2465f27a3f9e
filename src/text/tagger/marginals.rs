//! Marginal probabilities of a chain of tags: the forward-backward algorithm.
//!
//! ```text
//! p(t₁…tₙ) ∝ Πᵢ ψᵢ(tᵢ) φᵢ(tᵢ₋₁, tᵢ)        ψ = exp of a tag's score, φ = exp of the score of two neighbours
//! αᵢ(b) = ψᵢ(b) Σₐ αᵢ₋₁(a) φᵢ(a, b)          βᵢ₋₁(a) = Σ_b φᵢ(a, b) ψᵢ(b) βᵢ(b)
//! p(tᵢ = b) ∝ αᵢ(b) βᵢ(b)                    p(tᵢ₋₁ = a, tᵢ = b) ∝ αᵢ₋₁(a) φᵢ(a, b) ψᵢ(b) βᵢ(b)
//! ```
//!
//! α and β are scaled to a sum of 1 at every position. Rabiner (1989), A tutorial on hidden Markov models.

/// The chain of one sentence; reused from sentence to sentence.
#[derive(Debug, Default)]
pub struct Marginals {
    tags: usize,
    /// ψ: (position, tag)
    unary: Vec<f64>,
    /// φ: (position, tag before, tag); the first position has one tag before, in row 0
    edges: Vec<f64>,
    forward: Vec<f64>,  // (position, tag)
    backward: Vec<f64>, // (position, tag)
    found: Vec<f64>,
}

impl Marginals {
    /// Empties the chain for a sentence of words that have one of `tags` tags.
    pub fn clear(&mut self, tags: usize) {
        self.tags = tags;
        self.unary.clear();
        self.edges.clear();
    }

    /// Adds a position: scores of its tags, and a row of scores of its tags for each tag before (for the start alone, at
    /// the first).
    pub fn push(&mut self, unary: &[f32], edges: &[f32]) {
        // What is added to every score of a row of ψ cancels, so none has to overflow.
        let largest = unary.iter().copied().fold(f32::MIN, f32::max);
        self.unary
            .extend(unary.iter().map(|score| f64::from(score - largest).exp()));
        let start = self.edges.len();
        self.edges
            .extend(edges.iter().map(|score| f64::from(*score).exp()));
        self.edges.resize(start + self.tags * self.tags, 0.0);
    }

    /// The probability that the tags of a run of positions are these.
    pub fn run(&mut self, start: usize, tags: &[u16]) -> f64 {
        let Some(first) = tags.first() else {
            return 1.0;
        };
        let mut probability = self.tags(start)[usize::from(*first)];
        for (i, pair) in tags.windows(2).enumerate() {
            let [before, tag] = [pair[0], pair[1]].map(usize::from);
            let alone = self.tags(start + i)[before];
            let place = before * self.tags + tag;
            let both = self.pairs(start + i + 1)[place];
            probability *= if alone > 0.0 { both / alone } else { 0.0 };
        }
        probability
    }

    fn len(&self) -> usize {
        self.unary.len() / self.tags.max(1)
    }

    /// Computes α and β.
    pub fn compute(&mut self) {
        let (n, tags) = (self.len(), self.tags);
        self.forward.clear();
        self.forward.resize(n * tags, 0.0);
        self.backward.clear();
        self.backward.resize(n * tags, 1.0);
        for i in 0..n {
            let (done, rest) = self.forward.split_at_mut(i * tags);
            let before = &done[done.len() - done.len().min(tags)..];
            let row = &mut rest[..tags];
            for (a, weight) in before_or_start(before).iter().enumerate() {
                let edges = &self.edges[(i * tags + a) * tags..][..tags];
                row.iter_mut()
                    .zip(edges)
                    .for_each(|(sum, edge)| *sum += weight * edge);
            }
            row.iter_mut()
                .zip(&self.unary[i * tags..])
                .for_each(|(sum, unary)| *sum *= unary);
            normalize(row);
        }
        for i in (1..n).rev() {
            let (before, after) = self.backward.split_at_mut(i * tags);
            let row = &mut before[(i - 1) * tags..];
            for (a, sum) in row.iter_mut().enumerate() {
                let edges = &self.edges[(i * tags + a) * tags..][..tags];
                *sum = (0..tags)
                    .map(|b| edges[b] * self.unary[i * tags + b] * after[b])
                    .sum();
            }
            normalize(row);
        }
    }

    /// The probability of every tag at a position.
    pub fn tags(&mut self, i: usize) -> &[f64] {
        let range = i * self.tags..(i + 1) * self.tags;
        let products = self.forward[range.clone()]
            .iter()
            .zip(&self.backward[range])
            .map(|(a, b)| a * b);
        self.found.clear();
        self.found.extend(products);
        normalize(&mut self.found);
        &self.found
    }

    /// The probability of every tag before with every tag at a position: rows as in [`Marginals::push`].
    pub fn pairs(&mut self, i: usize) -> &[f64] {
        let tags = self.tags;
        let before = &self.forward[i.saturating_sub(1) * tags..i * tags];
        self.found.clear();
        for (a, weight) in before_or_start(before).iter().enumerate() {
            let edges = &self.edges[(i * tags + a) * tags..][..tags];
            let row = (0..tags).map(|b| {
                weight * edges[b] * self.unary[i * tags + b] * self.backward[i * tags + b]
            });
            self.found.extend(row);
        }
        normalize(&mut self.found);
        &self.found
    }
}

/// Before the first position only the start is possible.
fn before_or_start(forward: &[f64]) -> &[f64] {
    if forward.is_empty() { &[1.0] } else { forward }
}

fn normalize(row: &mut [f64]) {
    let total: f64 = row.iter().sum();
    row.iter_mut().for_each(|value| *value /= total);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores of three positions with two tags.
    const UNARY: [[f32; 2]; 3] = [[0.5, -1.0], [2.0, 1.0], [-0.5, 0.25]];
    const EDGES: [&[f32]; 3] = [&[0.1, 0.7], &[1.0, -1.0, 0.5, 0.2], &[-0.3, 0.4, 0.9, -2.0]];

    /// The probabilities of all eight sequences, by their definition.
    fn sequences() -> Vec<([usize; 3], f64)> {
        let all: Vec<[usize; 3]> = (0..8).map(|n| [n >> 2 & 1, n >> 1 & 1, n & 1]).collect();
        let weight = |t: &[usize; 3]| {
            let edge = |i: usize| EDGES[i][if i == 0 { t[0] } else { 2 * t[i - 1] + t[i] }];
            f64::from((0..3).map(|i| UNARY[i][t[i]] + edge(i)).sum::<f32>()).exp()
        };
        let total: f64 = all.iter().map(weight).sum();
        all.into_iter().map(|t| (t, weight(&t) / total)).collect()
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        // Scores are sums of f32.
        let far = found
            .iter()
            .zip(expected)
            .any(|(a, b)| (a - b).abs() > 1e-6);
        assert!(!far, "{found:?} is not {expected:?}");
    }

    #[test]
    fn marginals_are_sums_over_all_sequences() {
        let mut marginals = Marginals::default();
        for _ in 0..2 {
            marginals.clear(2);
            (0..3).for_each(|i| marginals.push(&UNARY[i], EDGES[i]));
            marginals.compute();
        }
        let sum = |wanted: &dyn Fn(&[usize; 3]) -> bool| -> f64 {
            sequences()
                .iter()
                .filter(|s| wanted(&s.0))
                .map(|s| s.1)
                .sum()
        };
        for i in 0..3 {
            let expected = [0, 1].map(|b| sum(&|t| t[i] == b));
            close(marginals.tags(i), &expected);
            for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let wanted = |t: &[usize; 3]| t[i] == a && t.get(i + 1).is_none_or(|t| *t == b);
                let run = [a as u16, b as u16];
                let run = &run[..2 - usize::from(i == 2)];
                close(&[marginals.run(i, run)], &[sum(&wanted)]);
            }
            if i == 0 {
                close(marginals.pairs(i), &expected);
            } else {
                let of = |a, b| sum(&|t| t[i - 1] == a && t[i] == b);
                close(
                    marginals.pairs(i),
                    &[of(0, 0), of(0, 1), of(1, 0), of(1, 1)],
                );
            }
        }
    }
}
