//! How sure a score is, and whether two systems differ, by drawing sentences at random.
//!
//! *Bootstrap:* as many sentences as there are, each drawn from all, over and over; the scores of the samples spread as
//! those of other test sets would. The interval leaves out a fortieth of them at either end. Two systems are scored on
//! the same samples: δ is the difference of their scores as they are, δ* that on a sample, and
//!
//! ```text
//! p = (#{ |δ*| − mean |δ*| > |δ| } + 1) / (samples + 1)
//! ```
//!
//! *Approximate randomization:* if the systems were equally good it would not matter which of them made a translation,
//! so each sentence's two change places with probability ½, over and over; δ* is then the difference after a shuffle:
//!
//! ```text
//! p = (#{ |δ*| > |δ| } + 1) / (shuffles + 1)
//! ```
//!
//! Koehn 2004, "Statistical significance tests for machine translation evaluation"; Riezler and Maxwell 2005, "On some
//! pitfalls in automatic evaluation and significance testing for MT".
//!
//! All is drawn as sacreBLEU does with numpy, so intervals and p are its own; the samples are those of the seed,
//! whatever the number of threads and the metric. Like it, only larger differences are counted, where the papers count
//! equal ones too: systems that are the same, or differ in one sentence, have the smallest p there is. Shuffles differ
//! from its own in two cases: of TER with three references it takes mean lengths, so rounding decides whether a
//! difference that is as large is larger; and of BLEU with add-k it rounds k to a whole number.

use super::pcg64::Pcg64;
use super::{Metric, Statistics, add};
use rayon::prelude::*;

/// How often is drawn, and by which random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    pub count: u32,
    pub seed: u64,
    /// Coins of the same seed that were tossed before.
    pub coins: u128,
}

impl Draws {
    /// Draws from the beginning of a seed's stream.
    pub fn new(count: u32, seed: u64) -> Draws {
        Draws {
            count,
            seed,
            coins: 0,
        }
    }

    /// The same after shuffles of so many sentences, where sacreBLEU draws samples of the systems that it shuffles.
    pub fn after_shuffles(self, shuffles: u32, sentences: usize) -> Draws {
        Draws {
            coins: u128::from(shuffles) * sentences as u128,
            ..self
        }
    }

    /// The generator behind the coins: each is a bit of a half that no other number uses.
    fn generator(self) -> Pcg64 {
        let halves = self.coins.div_ceil(32);
        let mut generator = Pcg64::new(self.seed);
        generator.skip(halves / 2);
        if halves % 2 == 1 {
            generator.half();
        }
        generator
    }
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
/// The systems must have as many sentences as each other.
pub fn bootstrap(metric: &dyn Metric, systems: &[Statistics], draws: Draws) -> Vec<Vec<f64>> {
    let sentences = systems.first().map_or(0, Statistics::len);
    let mut generator = draws.generator();
    // All samples are one stream, of which now and then a number is left out: where each begins is known only by drawing
    // all before it.
    let begin = |_| {
        let begin = generator.clone();
        (0..sentences).for_each(|_| _ = generator.below(sentences as u64));
        begin
    };
    let begins: Vec<Pcg64> = (0..draws.count).map(begin).collect();
    let sample = |mut generator: Pcg64| -> Vec<f64> {
        let picks: Vec<usize> = (0..sentences)
            .map(|_| generator.below(sentences as u64) as usize)
            .collect();
        let score = |system: &Statistics| {
            let mut sums = vec![0; system.width];
            for pick in &picks {
                let start = pick * system.width;
                add(&mut sums, &system.counts[start..start + system.width]);
            }
            metric.score(&sums)
        };
        systems.iter().map(score).collect()
    };
    let samples: Vec<Vec<f64>> = begins.into_par_iter().map(sample).collect();
    let of_system = |system: usize| samples.iter().map(|sample| sample[system]).collect();
    (0..systems.len()).map(of_system).collect()
}

/// How probable a larger difference of scores is if two systems are equally good, by their scores on the same
/// samples.
pub fn bootstrap_p(difference: f64, first: &[f64], second: &[f64]) -> f64 {
    let differences: Vec<f64> = (first.iter().zip(second))
        .map(|(a, b)| (a - b).abs())
        .collect();
    let mean = differences.iter().sum::<f64>() / differences.len().max(1) as f64;
    let extreme = (differences.iter()).filter(|&&found| found - mean > difference.abs());
    (extreme.count() + 1) as f64 / (differences.len() + 1) as f64
}

/// How probable a larger difference of scores is if two systems are equally good, by shuffles of their sentences.
pub fn randomization_p(
    metric: &dyn Metric,
    first: &Statistics,
    second: &Statistics,
    draws: Draws,
) -> f64 {
    let (a, b) = (first.sums(), second.sums());
    let difference = |a: &[i64], b: &[i64]| (metric.score(a) - metric.score(b)).abs();
    let observed = difference(&a, &b);
    // Most pairs of good systems have many sentences of which a swap changes nothing.
    let differing: Vec<usize> = (first.rows().zip(second.rows()).enumerate())
        .filter_map(|(sentence, (a, b))| (a != b).then_some(sentence))
        .collect();
    // What a swap of each of these gives to the first system and takes from the second. (sentences × width)
    let moves: Vec<i64> = (differing.iter())
        .flat_map(|sentence| sentence * first.width..(sentence + 1) * first.width)
        .map(|i| i64::from(second.counts[i]) - i64::from(first.counts[i]))
        .collect();
    let is_extreme = |shuffle: &u32| {
        // A coin for each sentence, from the low bit of a number to its high one; no shuffle begins with a new number.
        let coins = draws.coins + u128::from(*shuffle) * first.len() as u128;
        let (passed, offset) = (coins / 64, (coins % 64) as usize);
        let mut generator = Pcg64::new(draws.seed);
        generator.skip(passed);
        let numbers: Vec<u64> = (0..(offset + first.len()).div_ceil(64))
            .map(|_| generator.bits())
            .collect();
        let mut moved = vec![0; first.width];
        for (sentence, counts) in differing.iter().zip(moves.chunks_exact(first.width)) {
            let place = offset + sentence;
            let swaps = (numbers[place / 64] >> (place % 64) & 1) as i64;
            (moved.iter_mut().zip(counts)).for_each(|(sum, count)| *sum += swaps * count);
        }
        let with = |sums: &[i64], sign: i64| -> Vec<i64> {
            sums.iter()
                .zip(&moved)
                .map(|(sum, moved)| sum + sign * moved)
                .collect()
        };
        difference(&with(&a, 1), &with(&b, -1)) > observed
    };
    let extreme = (0..draws.count).into_par_iter().filter(is_extreme).count();
    (extreme + 1) as f64 / (f64::from(draws.count) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::{Bleu, Ter};
    use super::*;

    const SEED: u64 = 12345;

    const DRAWS: Draws = Draws {
        count: 1000,
        seed: SEED,
        coins: 0,
    };

    fn statistics(hypotheses: &[&str], references: &[&str]) -> Statistics {
        Statistics::of(&Bleu::default(), hypotheses, &[references]).unwrap()
    }

    /// What sacreBLEU 2.6.0 prints of these systems:
    ///
    /// ```python
    /// from sacrebleu.metrics import BLEU, TER
    /// from sacrebleu.significance import PairedTest
    /// references = [f"a b c d e {i}" for i in range(100)]
    /// first = [f"a b {'x' if i % 3 == 0 else 'c'} d e {i}" for i in range(100)]
    /// second = [f"a {'x' if i % 4 == 1 else 'b'} c d e {i}" for i in range(100)]
    /// systems = [("first", first), ("second", second)]
    /// for test in "bs", "ar":
    ///     metrics = {"BLEU": BLEU(), "TER": TER()}
    ///     _, found = PairedTest(systems, metrics, [references], test_type=test, n_ar_confidence=0)()
    ///     print(test, found)
    /// ```
    fn systems(metric: &dyn Metric) -> [Statistics; 2] {
        let text = |line: &dyn Fn(usize) -> String| (0..100).map(line).collect::<Vec<_>>();
        let references = text(&|i| format!("a b c d e {i}"));
        let word = |holds: bool, word| if holds { "x" } else { word };
        let first = text(&|i| format!("a b {} d e {i}", word(i % 3 == 0, "c")));
        let second = text(&|i| format!("a {} c d e {i}", word(i % 4 == 1, "b")));
        [first, second].map(|system| Statistics::of(metric, &system, &[&references]).unwrap())
    }

    /// Means, and margins, of intervals; sacreBLEU computes with floats of 32 bits.
    fn assert_intervals(samples: &[Vec<f64>], expected: &[(f64, f64)]) {
        let found: Vec<Interval> = (samples.iter())
            .filter_map(|scores| Interval::of(scores))
            .collect();
        assert_eq!(found.len(), expected.len());
        for (found, (mean, margin)) in found.iter().zip(expected) {
            let apart = (found.mean - mean).abs().max((found.margin - margin).abs());
            assert!(apart < 2e-5, "{found:?}, not {mean} ± {margin}");
        }
    }

    fn bootstrap_p_of(metric: &dyn Metric) -> f64 {
        let systems = systems(metric);
        let samples = bootstrap(metric, &systems, DRAWS);
        let [first, second] = systems.map(|system| metric.score(&system.sums()));
        bootstrap_p(first - second, &samples[0], &samples[1])
    }

    fn randomization_p_of(metric: &dyn Metric) -> f64 {
        let [first, second] = systems(metric);
        randomization_p(metric, &first, &second, Draws::new(10_000, SEED))
    }

    #[test]
    fn intervals_are_those_of_sacrebleu() {
        let metric = Bleu::default();
        let expected = [
            (79.47031526100261, 5.666450590211269),
            (88.94405746155195, 3.768023406889128),
        ];
        assert_intervals(&bootstrap(&metric, &systems(&metric), DRAWS), &expected);
        let metric = Ter::default();
        let expected = [(5.685333, 1.4999998), (4.205833, 1.4166667)];
        assert_intervals(&bootstrap(&metric, &systems(&metric), DRAWS), &expected);
    }

    #[test]
    fn intervals_behind_shuffles_are_those_of_sacrebleu() {
        let metric = Bleu::default();
        let behind = DRAWS.after_shuffles(10_000, 100);
        let samples = bootstrap(&metric, &systems(&metric)[1..], behind);
        assert_intervals(&samples, &[(88.99159113855691, 3.768023406889128)]);
    }

    #[test]
    fn an_odd_number_of_halves_is_passed_over() {
        // 35 coins are two halves, 15 one: `g = np.random.default_rng(12345); g.integers(2, size=15, dtype=bool)`, and
        // `g.choice(1000, size=3)`.
        let next = |coins| {
            let mut generator = DRAWS.after_shuffles(1, coins).generator();
            [(); 3].map(|()| generator.below(1000))
        };
        assert_eq!(next(15), [227, 788, 316]);
        assert_eq!(next(35), [788, 316, 204]);
    }

    #[test]
    fn bootstrap_p_is_that_of_sacrebleu() {
        assert_eq!(bootstrap_p_of(&Bleu::default()), 0.003996003996003996);
        assert_eq!(bootstrap_p_of(&Ter::default()), 0.07392607392607392);
    }

    #[test]
    fn randomization_p_is_that_of_sacrebleu() {
        assert_eq!(randomization_p_of(&Bleu::default()), 0.007699230076992301);
        // Many shuffles are exactly as far apart as the systems are.
        assert_eq!(randomization_p_of(&Ter::default()), 0.13238676132386762);
    }

    #[test]
    fn equal_systems_have_the_p_of_sacrebleu() {
        let system = statistics(&["a b c d", "e f g h"], &["a b c d", "e f g i"]);
        let metric = Bleu::default();
        let p = randomization_p(&metric, &system, &system, DRAWS);
        assert_eq!(p, 1.0 / 1001.0);
        let scores = &bootstrap(&metric, &[system], DRAWS)[0];
        assert_eq!(bootstrap_p(0.0, scores, scores), 1.0 / 1001.0);
    }

    #[test]
    fn differences_that_are_as_large_are_not_counted() {
        // Only one sentence differs: whether it changes places or not, the difference is as large.
        let references = ["a b c d", "e f g h"];
        let better = statistics(&references, &references);
        let worse = statistics(&["a b c d", "e f g i"], &references);
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
