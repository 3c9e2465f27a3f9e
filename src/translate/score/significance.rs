//! How sure a score is, and whether two systems differ, by drawing sentences at random.
//!
//! *Bootstrap:* as many sentences as there are, each drawn from all, over and over; the scores of the samples spread as
//! those of other test sets would. The interval leaves out a fortieth of them at either end. Two systems are scored on
//! the same samples: δ is the difference of their scores as they are, δ* that on a sample, and
//!
//! ```text
//! p = (#{ |δ*| − mean |δ*| ≥ |δ| } + 1) / (samples + 1)
//! ```
//!
//! *Approximate randomization:* if the systems were equally good it would not matter which of them made a translation,
//! so each sentence's two change places with probability ½, over and over; δ* is then the difference after a shuffle:
//!
//! ```text
//! p = (#{ |δ*| ≥ |δ| } + 1) / (shuffles + 1)
//! ```
//!
//! Koehn 2004, "Statistical significance tests for machine translation evaluation"; Riezler and Maxwell 2005, "On some
//! pitfalls in automatic evaluation and significance testing for MT". The samples are those of the seed, whatever the
//! number of threads and the metric.

use super::{Metric, Statistics, add};
use crate::random::Random;
use rayon::prelude::*;

/// How often is drawn, and by which random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    pub count: u32,
    pub seed: u64,
}

/// Where a score lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Of the scores of the samples.
    pub mean: f64,
    /// Half of the width in which 95 % of them lie.
    pub margin: f64,
}

impl Interval {
    /// The interval of the scores of samples; none of no scores.
    pub fn of(scores: &[f64]) -> Option<Interval> {
        let mut sorted = scores.to_vec();
        sorted.sort_by(f64::total_cmp);
        let cut = sorted.len() / 40;
        let (first, last) = (sorted.get(cut)?, sorted.get(sorted.len() - 1 - cut)?);
        Some(Interval {
            mean: sorted.iter().sum::<f64>() / sorted.len() as f64,
            margin: (last - first) / 2.0,
        })
    }
}

/// The scores of every system on every sample: the same sentences for all. (systems, samples)
///
/// The systems must have as many sentences as each other; more than 2³² are too many.
pub fn bootstrap(metric: &dyn Metric, systems: &[Statistics], draws: Draws) -> Vec<Vec<f64>> {
    let sentences = systems.first().map_or(0, Statistics::len);
    let sample = |number: u32| -> Vec<f64> {
        let score = |system: &Statistics| {
            let mut random = Random::new(draws.seed, u64::from(number));
            let mut sums = vec![0; system.width];
            for _ in 0..sentences {
                let start = random.below(sentences as u32) as usize * system.width;
                add(&mut sums, &system.counts[start..start + system.width]);
            }
            metric.score(&sums)
        };
        systems.iter().map(score).collect()
    };
    let samples: Vec<Vec<f64>> = (0..draws.count).into_par_iter().map(sample).collect();
    let of_system = |system: usize| samples.iter().map(|sample| sample[system]).collect();
    (0..systems.len()).map(of_system).collect()
}

/// How probable so large a difference of scores is if two systems are equally good, by their scores on the same
/// samples.
pub fn bootstrap_p(difference: f64, first: &[f64], second: &[f64]) -> f64 {
    let differences: Vec<f64> = (first.iter().zip(second))
        .map(|(a, b)| (a - b).abs())
        .collect();
    let mean = differences.iter().sum::<f64>() / differences.len().max(1) as f64;
    let extreme = (differences.iter()).filter(|&&found| found - mean >= difference.abs());
    (extreme.count() + 1) as f64 / (differences.len() + 1) as f64
}

/// How probable so large a difference of scores is if two systems are equally good, by shuffles of their sentences.
pub fn randomization_p(
    metric: &dyn Metric,
    first: &Statistics,
    second: &Statistics,
    draws: Draws,
) -> f64 {
    let (a, b) = (first.sums(), second.sums());
    let difference = |a: &[i64], b: &[i64]| (metric.score(a) - metric.score(b)).abs();
    let observed = difference(&a, &b);
    // What a swap gives to the first system and takes from the second; nothing, for most pairs of good systems.
    let moves: Vec<i64> = (first.rows().zip(second.rows()))
        .filter(|(a, b)| a != b)
        .flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| i64::from(*b) - i64::from(*a)))
        .collect();
    let is_extreme = |shuffle: &u32| {
        let mut random = Random::new(draws.seed, u64::from(*shuffle));
        let mut moved = vec![0; first.width];
        for sentences in moves.chunks(64 * first.width) {
            let coins = random.bits();
            for (i, counts) in sentences.chunks_exact(first.width).enumerate() {
                let swaps = (coins >> i & 1) as i64;
                (moved.iter_mut().zip(counts)).for_each(|(sum, count)| *sum += swaps * count);
            }
        }
        let with = |sums: &[i64], sign: i64| -> Vec<i64> {
            sums.iter()
                .zip(&moved)
                .map(|(sum, moved)| sum + sign * moved)
                .collect()
        };
        difference(&with(&a, 1), &with(&b, -1)) >= observed
    };
    let extreme = (0..draws.count).into_par_iter().filter(is_extreme).count();
    (extreme + 1) as f64 / (f64::from(draws.count) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::Bleu;
    use super::*;

    const DRAWS: Draws = Draws {
        count: 1000,
        seed: 1,
    };

    fn statistics(hypotheses: &[&str], references: &[&str]) -> Statistics {
        Statistics::of(&Bleu::default(), hypotheses, &[references]).unwrap()
    }

    #[test]
    fn equal_systems_do_not_differ() {
        let system = statistics(&["a b c d", "e f g h"], &["a b c d", "e f g i"]);
        let metric = Bleu::default();
        assert_eq!(randomization_p(&metric, &system, &system, DRAWS), 1.0);
        let scores = &bootstrap(&metric, &[system], DRAWS)[0];
        assert_eq!(bootstrap_p(0.0, scores, scores), 1.0);
    }

    #[test]
    fn one_sentence_more_of_two_is_no_proof() {
        // Only one sentence differs: whether it changes places or not, the difference is as large.
        let references = ["a b c d", "e f g h"];
        let better = statistics(&references, &references);
        let worse = statistics(&["a b c d", "e f g i"], &references);
        let p = randomization_p(&Bleu::default(), &better, &worse, DRAWS);
        assert_eq!(p, 1.0);
    }

    #[test]
    fn a_system_that_is_better_everywhere_is_better() {
        let references: Vec<String> = (0..50).map(|i| format!("a b c d {i}")).collect();
        let references: Vec<&str> = references.iter().map(String::as_str).collect();
        let better = statistics(&references, &references);
        let worse = statistics(&["a b c x y"; 50], &references);
        let p = randomization_p(&Bleu::default(), &better, &worse, DRAWS);
        assert_eq!(p, 1.0 / 1001.0);
    }

    #[test]
    fn the_interval_leaves_out_a_fortieth_at_either_end() {
        let scores: Vec<f64> = (1..=80).map(f64::from).collect();
        let interval = Interval::of(&scores).unwrap();
        // From the third, 3, to the 78th.
        assert_eq!((interval.mean, interval.margin), (40.5, 37.5));
        assert_eq!(Interval::of(&[]), None);
    }

    #[test]
    fn samples_of_equal_sentences_have_one_score() {
        let system = statistics(&["a b c d e"; 5], &["a b c d f"; 5]);
        let scores = &bootstrap(&Bleu::default(), &[system], DRAWS)[0];
        assert!(scores.iter().all(|score| *score == scores[0]), "{scores:?}");
    }
}
