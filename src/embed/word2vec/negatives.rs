//! Words drawn as negatives: p(w) ∝ count(w)^¾, by Walker's alias method.
//!
//! Every word has an equal slot; a slot keeps its own word with a probability and gives another word, its alias,
//! otherwise. A draw costs one random number and one look. Vose (1991), A linear algorithm for generating random numbers
//! with a given distribution.

use crate::embed::random::Random;

/// The power of the counts.
const POWER: f64 = 0.75;

pub struct Negatives {
    /// The probability of keeping the slot's own word, in 2^−32, and the alias.
    slots: Vec<(u32, u32)>,
}

impl Negatives {
    /// Of the counts of all words; at least one must be above 0.
    pub fn new(counts: &[u64]) -> Negatives {
        let weights: Vec<f64> = counts.iter().map(|&n| (n as f64).powf(POWER)).collect();
        let scale = weights.len() as f64 / weights.iter().sum::<f64>();
        let mut left: Vec<f64> = weights.iter().map(|w| w * scale).collect();
        let mut slots: Vec<(u32, u32)> = (0..counts.len() as u32).map(|n| (u32::MAX, n)).collect();
        let (mut poor, mut rich): (Vec<u32>, Vec<u32>) =
            (0..counts.len() as u32).partition(|&n| left[n as usize] < 1.0);
        while let (Some(p), Some(&r)) = (poor.pop(), rich.last()) {
            slots[p as usize] = ((left[p as usize] * 4_294_967_295.0) as u32, r);
            left[r as usize] -= 1.0 - left[p as usize];
            if left[r as usize] < 1.0 {
                rich.pop();
                poor.push(r);
            }
        }
        Negatives { slots }
    }

    /// Draws a word.
    #[inline(always)]
    pub fn draw(&self, random: &mut Random) -> u32 {
        let number = random.bits();
        // The upper half chooses the slot, the lower half between its words.
        let slot = ((number >> 32) * self.slots.len() as u64) >> 32;
        let (keep, alias) = self.slots[slot as usize];
        if (number as u32) <= keep {
            slot as u32
        } else {
            alias
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_drawn_as_often_as_the_power_of_their_counts_says() {
        let counts = [1000u64, 500, 300, 20, 20, 5, 1, 1];
        let negatives = Negatives::new(&counts);
        let mut random = Random::new(3, 0);
        let draws = 200_000;
        let mut seen = vec![0.0; counts.len()];
        (0..draws).for_each(|_| seen[negatives.draw(&mut random) as usize] += 1.0);
        let weights: Vec<f64> = counts.iter().map(|&n| (n as f64).powf(0.75)).collect();
        let total: f64 = weights.iter().sum();
        let chi: f64 = (seen.iter().zip(&weights))
            .map(|(n, w): (&f64, &f64)| {
                let expected = f64::from(draws) * w / total;
                (n - expected).powi(2) / expected
            })
            .sum();
        // 99.9 % of such sums with seven degrees of freedom lie below 24.3.
        assert!(chi < 24.3, "{chi}: {seen:?}");
    }

    #[test]
    fn one_word_is_always_drawn() {
        let negatives = Negatives::new(&[3]);
        assert_eq!(negatives.draw(&mut Random::new(1, 1)), 0);
    }
}
