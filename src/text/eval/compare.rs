//! Whether the difference of two systems' F1 may be chance: approximate randomization over sentences.
//!
//! If the systems were equally good, it would not matter which of them annotated a sentence. So each sentence's two
//! annotations change places with probability ½, over and over; δ is the difference of the two F1 as they are, δ* that
//! after a shuffle:
//!
//! ```text
//! p = (#{ |δ*| ≥ |δ| } + 1) / (shuffles + 1)
//! ```
//!
//! Two-sided. Noreen 1989, "Computer-Intensive Methods for Testing Hypotheses", section 2; for F1, where the counts of a
//! sentence change places and not its score, Yeh 2000, "More accurate tests for the statistical significance of result
//! differences". The shuffles depend on the seed only, not on the number of threads. A sentence on which both systems
//! have the same counts changes nothing and is left out; the others are integers, so that equal differences are equal
//! whatever the order: no tolerance is needed.

use super::scores::Score;
use crate::random::Random;
use rayon::prelude::*;
use serde::Serialize;

/// Two systems by one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    pub metric: String,
    /// The type of entities that it is about, if not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    pub f1: f64,
    pub against_f1: f64,
    /// The first less the second.
    pub difference: f64,
    /// How probable so large a difference is if the systems are equally good.
    pub p: f64,
}

/// How often the sentences are shuffled, and by which random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Randomization {
    pub shuffles: u32,
    pub seed: u64,
}

impl Default for Randomization {
    fn default() -> Randomization {
        Randomization {
            shuffles: 10_000,
            seed: 1,
        }
    }
}

/// Compares two systems by their scores on the same sentences.
pub fn compare(
    metric: &str,
    first: &[Score],
    second: &[Score],
    randomization: &Randomization,
) -> Comparison {
    let (a, b) = (total(first), total(second));
    let sentences = first.iter().zip(second);
    // What a swap takes from the second system and gives to the first.
    let moves: Vec<Counts> = sentences
        .map(|(a, b)| Counts::of(b).less(Counts::of(a)))
        .filter(|&counts| counts != Counts::default())
        .collect();
    let (ours, other) = (Counts::of(&a), Counts::of(&b));
    let observed = Difference::of(ours, other);
    let is_extreme = |shuffle: u64| {
        let moved = moved(&moves, Random::new(randomization.seed, shuffle));
        Difference::of(ours.plus(moved), other.less(moved)).is_at_least(observed)
    };
    let shuffles = u64::from(randomization.shuffles);
    let extreme = (0..shuffles).into_par_iter().filter(|&n| is_extreme(n));
    let extreme = extreme.count() as u64;
    Comparison {
        metric: metric.to_owned(),
        label: None,
        f1: a.f1(),
        against_f1: b.f1(),
        difference: a.f1() - b.f1(),
        p: (extreme + 1) as f64 / (shuffles + 1) as f64,
    }
}

fn total(scores: &[Score]) -> Score {
    let mut total = Score::default();
    scores.iter().for_each(|&score| total += score);
    total
}

/// What a shuffle moves: a coin for each sentence, 64 coins a number.
fn moved(moves: &[Counts], mut random: Random) -> Counts {
    let mut moved = Counts::default();
    for sentences in moves.chunks(64) {
        let coins = random.bits();
        for (i, counts) in sentences.iter().enumerate() {
            let swaps = (coins >> i & 1) as i64;
            moved.correct += swaps * counts.correct;
            moved.found += swaps * counts.found;
        }
    }
    moved
}

/// The counts of F1 = 2·correct / found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    correct: i64,
    /// By the system and in the gold standard.
    found: i64,
}

impl Counts {
    fn of(score: &Score) -> Counts {
        Counts {
            correct: score.correct as i64,
            found: (score.system + score.gold) as i64,
        }
    }

    fn plus(self, other: Counts) -> Counts {
        Counts {
            correct: self.correct + other.correct,
            found: self.found + other.found,
        }
    }

    fn less(self, other: Counts) -> Counts {
        Counts {
            correct: self.correct - other.correct,
            found: self.found - other.found,
        }
    }
}

/// Half the absolute difference of two F1, as a fraction.
#[derive(Clone, Copy, Debug)]
struct Difference {
    above: i128,
    below: i128,
}

impl Difference {
    fn of(a: Counts, b: Counts) -> Difference {
        // Nothing found, nothing to find: F1 is 0, whatever the denominator.
        let whole = |counts: Counts| i128::from(counts.found.max(1));
        let (correct_a, correct_b) = (i128::from(a.correct), i128::from(b.correct));
        Difference {
            above: (correct_a * whole(b) - correct_b * whole(a)).abs(),
            below: whole(a) * whole(b),
        }
    }

    /// Exact: with counts below 2^31, far above any treebank's, the products stay below 2^127.
    fn is_at_least(self, other: Difference) -> bool {
        self.above * other.below >= other.above * self.below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sentence in which so many are right, of those found and of those there are.
    fn sentence(correct: u64, system: u64, gold: u64) -> Score {
        Score {
            gold,
            system,
            correct,
            aligned: None,
        }
    }

    fn p(first: &[Score], second: &[Score]) -> f64 {
        compare("X", first, second, &Randomization::default()).p
    }

    /// Four standard deviations of a share near ½ of 10 000 shuffles, the widest there is: 4·√(¼ / 10 000).
    const TOLERANCE: f64 = 0.02;

    #[test]
    fn equal_systems_differ_by_chance() {
        let scores = vec![sentence(9, 10, 10); 30];
        let found = compare("UPOS", &scores, &scores, &Randomization::default());
        assert_eq!((found.difference, found.p), (0.0, 1.0));
    }

    #[test]
    fn accuracies_of_three_sentences_are_shuffled_in_eight_ways() {
        // Right words of 10 each: 9 8 9 against 7 7 9; the third sentence changes nothing. The first moves 2 words, the
        // second 1, so the four distinct shuffles differ by 3, −1, 1, −3 words: two of four by at least 3.
        let ours = [9, 8, 9].map(|correct| sentence(correct, 10, 10));
        let other = [7, 7, 9].map(|correct| sentence(correct, 10, 10));
        let found = compare("X", &ours, &other, &Randomization::default());
        assert!((found.difference - 0.1).abs() < 1e-12);
        assert!((found.p - 0.5).abs() < TOLERANCE, "p = {}", found.p);
    }

    #[test]
    fn f1_of_three_sentences_is_that_of_the_swapped_counts() {
        // (correct, found, gold), ours (2 2 2) (1 1 2) (0 0 1) and other (1 1 2) (0 2 2) (1 1 1). F1 = 2·correct / (found
        // + gold). Without a swap 6/8 and 4/9: δ = 0.3056. The eight shuffles, by the sentences swapped:
        //   -   2·3/(3+5) − 2·2/(4+5) = 0.3056     1 2 3   the same, reversed
        //   1   2·2/(2+5) − 2·3/(5+5) = −0.0286    2 3     the same, reversed
        //   2   2·2/(4+5) − 2·3/(3+5) = −0.3056    1 3     the same, reversed
        //   3   2·4/(4+5) − 2·1/(3+5) = 0.6389     1 2     the same, reversed
        // Six of eight are at least as large as δ.
        let ours = [sentence(2, 2, 2), sentence(1, 1, 2), sentence(0, 0, 1)];
        let other = [sentence(1, 1, 2), sentence(0, 2, 2), sentence(1, 1, 1)];
        let found = compare("X", &ours, &other, &Randomization::default());
        assert!((found.difference - (0.75 - 4.0 / 9.0)).abs() < 1e-12);
        assert!((found.p - 0.75).abs() < TOLERANCE, "p = {}", found.p);
        assert!((found.p - enumerated(&ours, &other)).abs() < TOLERANCE);
    }

    /// The share of all 2^n shuffles that differ at least as much, by the definition.
    fn enumerated(ours: &[Score], other: &[Score]) -> f64 {
        let difference = |swapped: usize| {
            let (mut a, mut b) = (Score::default(), Score::default());
            for (i, (&x, &y)) in ours.iter().zip(other).enumerate() {
                let (x, y) = if swapped >> i & 1 == 1 {
                    (y, x)
                } else {
                    (x, y)
                };
                a += x;
                b += y;
            }
            (a.f1() - b.f1()).abs()
        };
        let all = 1 << ours.len();
        let extreme = (0..all).filter(|&n| difference(n) >= difference(0) - 1e-12);
        extreme.count() as f64 / all as f64
    }

    #[test]
    fn more_sentences_than_coins_in_a_number_agree_with_the_sign_test() {
        // One word a sentence, 70 sentences won and 50 lost of 120 that differ: the binomial test says
        // P(|X − 60| ≥ 10) = 0.0824 (two tails, n = 120; by the exact sum of binomial coefficients).
        let word = |is_right: bool| sentence(u64::from(is_right), 1, 1);
        let ours: Vec<Score> = (0..120).map(|i| word(i < 70)).collect();
        let other: Vec<Score> = (0..120).map(|i| word(i >= 70)).collect();
        let p = p(&ours, &other);
        assert!((p - 0.0824).abs() < 0.012, "p = {p}");
    }

    #[test]
    fn a_system_better_in_every_sentence_is_better() {
        // Only the shuffles that swap all or none differ as much: 2 of 2^30.
        let least = 1.0 / 10_001.0;
        assert_eq!(
            p(&[sentence(9, 10, 10); 30], &[sentence(7, 10, 10); 30]),
            least
        );
    }

    #[test]
    fn one_sentence_of_difference_proves_nothing() {
        let mut better = vec![sentence(8, 10, 10); 30];
        better[3] = sentence(9, 10, 10);
        assert_eq!(p(&better, &[sentence(8, 10, 10); 30]), 1.0);
    }

    #[test]
    fn the_seed_decides() {
        let first: Vec<Score> = (0..50).map(|i| sentence(i % 10, 10, 10)).collect();
        let second: Vec<Score> = (0..50).map(|i| sentence(i % 9, 10, 10)).collect();
        let by_seed = |seed| {
            let randomization = Randomization {
                seed,
                ..Randomization::default()
            };
            compare("X", &first, &second, &randomization)
        };
        assert_eq!(by_seed(1), by_seed(1));
        assert_ne!(by_seed(1), by_seed(2));
    }

    #[test]
    fn no_sentences_make_no_difference() {
        assert_eq!(p(&[], &[]), 1.0);
    }
}
