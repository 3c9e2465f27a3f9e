//! Whether the difference of two systems' F1 may be chance: the paired bootstrap over sentences.
//!
//! Sentences are drawn with replacement, the same for both systems; δ is the difference of the two F1 on the whole
//! text, δ* that on a draw. If only chance made δ, then δ* − δ would be as large as δ often:
//!
//! ```text
//! p = (1 + #{ |δ* − δ| ≥ |δ| }) / (1 + draws)
//! ```
//!
//! Two-sided, with the shift of Berg-Kirkpatrick, Burkett and Klein 2012, "An Empirical Investigation of Statistical
//! Significance in NLP", section 2. The draws depend on the seed only, not on the number of threads.

use super::scores::Score;
use crate::text::hash;
use rayon::prelude::*;
use serde::Serialize;

/// Two systems by one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    pub metric: String,
    pub f1: f64,
    pub against_f1: f64,
    /// The first less the second.
    pub difference: f64,
    /// How probable so large a difference is if the systems are equally good.
    pub p: f64,
}

/// p is reported to three decimals; the treebanks at hand take well under a second with these.
const DRAWS: u64 = 2000;
const SEED: u64 = 1;

/// Compares two systems by their scores on the same sentences.
pub fn compare(metric: &str, first: &[Score], second: &[Score]) -> Comparison {
    let pairs: Vec<(Score, Score)> = first.iter().copied().zip(second.iter().copied()).collect();
    let (a, b) = total(pairs.iter());
    let difference = a - b;
    let draw = |n: u64| {
        let mut state = hash::mix(SEED, n + 1);
        let drawn = (0..pairs.len()).map(|_| {
            state = state.wrapping_add(1);
            &pairs[below(hash::pair(SEED, n, state), pairs.len())]
        });
        let (a, b) = total(drawn);
        // A tolerance, so that equal sums in another order stay equal.
        u64::from((a - b - difference).abs() >= difference.abs() - 1e-12)
    };
    let extreme: u64 = (0..DRAWS).into_par_iter().map(draw).sum();
    Comparison {
        metric: metric.to_owned(),
        f1: a,
        against_f1: b,
        difference,
        p: (1 + extreme) as f64 / (1 + DRAWS) as f64,
    }
}

fn total<'a>(pairs: impl Iterator<Item = &'a (Score, Score)>) -> (f64, f64) {
    let (mut a, mut b) = (Score::default(), Score::default());
    for (first, second) in pairs {
        a += *first;
        b += *second;
    }
    (a.f1(), b.f1())
}

/// A number below `n` from 64 random bits.
fn below(random: u64, n: usize) -> usize {
    ((u128::from(random) * n as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sentence of ten words, so many of them right.
    fn sentence(correct: u64) -> Score {
        Score {
            gold: 10,
            system: 10,
            correct,
            aligned: None,
        }
    }

    #[test]
    fn equal_systems_differ_by_chance() {
        let scores = vec![sentence(9); 30];
        let found = compare("UPOS", &scores, &scores);
        assert_eq!((found.difference, found.p), (0.0, 1.0));
    }

    #[test]
    fn a_system_better_in_every_sentence_is_better() {
        let found = compare("UPOS", &[sentence(9); 30], &[sentence(7); 30]);
        assert!((found.difference - 0.2).abs() < 1e-12);
        // Every draw gives the same difference, so none deviates: the least p there is.
        assert_eq!(found.p, 1.0 / (1.0 + DRAWS as f64));
    }

    #[test]
    fn one_sentence_of_difference_proves_nothing() {
        let mut better = vec![sentence(8); 30];
        better[3] = sentence(9);
        let found = compare("UPOS", &better, &[sentence(8); 30]);
        // That sentence is drawn 0 times or at least twice with probability 1 − 30·(1/30)·(29/30)^29 = 0.63.
        assert!((found.p - 0.63).abs() < 0.05, "p = {}", found.p);
    }

    #[test]
    fn the_same_systems_give_the_same_p() {
        let first: Vec<Score> = (0..50).map(|i| sentence(i % 10)).collect();
        let second: Vec<Score> = (0..50).map(|i| sentence(i % 9)).collect();
        assert_eq!(compare("X", &first, &second), compare("X", &first, &second));
    }

    #[test]
    fn no_sentences_make_no_difference() {
        assert_eq!(compare("X", &[], &[]).p, 1.0);
    }
}
