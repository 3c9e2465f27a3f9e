//! Words drawn as negatives: p(w) ∝ count(w)^¾, by Walker's alias method.
//!
//! Every word has an equal slot; a slot keeps its own word with a probability and gives another word, its alias,
//! otherwise. A draw costs one random number and one look. Vose (1991), A linear algorithm for generating random numbers
//! with a given distribution.
//!
//! Training draws from a [`Pool`] of words that were drawn lately. Each is used some times at places apart from each
//! other, so that its row is still in the cache: most of the traffic of training with negatives is their rows. (Shared by
//! 2, 4 or 8 words in a row instead, negatives cost 4, 6 or 16 % of the right analogies of 100 MB of text.)

use crate::random::Random;

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
        // A branch would be guessed wrong as often as not.
        let keeps = 0_u32.wrapping_sub(u32::from(number as u32 <= keep));
        (slot as u32 & keeps) | (alias & !keeps)
    }
}

/// Words in a pool: a hundred kilobytes of rows.
const POOL: usize = 256;

/// How often a word is drawn from the pool, on average.
const USES: usize = 4;

/// Negatives to draw from, every word as likely as in [`Negatives`], and one of them new for every few draws.
pub struct Pool {
    words: [u32; POOL],
    draws: usize,
}

impl Pool {
    pub fn new(negatives: &Negatives, random: &mut Random) -> Pool {
        Pool {
            words: std::array::from_fn(|_| negatives.draw(random)),
            draws: 0,
        }
    }

    /// Draws a word.
    #[inline(always)]
    pub fn draw(&mut self, negatives: &Negatives, random: &mut Random) -> u32 {
        self.draws += 1;
        if self.draws.is_multiple_of(USES) {
            self.words[self.draws / USES % POOL] = negatives.draw(random);
        }
        self.words[random.below(POOL as u32) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: [u64; 8] = [1000, 500, 300, 20, 20, 5, 1, 1];

    /// Pearson's χ² of so many draws.
    fn chi_square(draws: u32, mut draw: impl FnMut() -> u32) -> f64 {
        let mut seen = [0.0; COUNTS.len()];
        (0..draws).for_each(|_| seen[draw() as usize] += 1.0);
        let weights = COUNTS.map(|n| (n as f64).powf(0.75));
        let total: f64 = weights.iter().sum();
        (seen.iter().zip(&weights))
            .map(|(n, w): (&f64, &f64)| {
                let expected = f64::from(draws) * w / total;
                (n - expected).powi(2) / expected
            })
            .sum()
    }

    /// 99.9 % of the sums with seven degrees of freedom lie below.
    const LIMIT: f64 = 24.3;

    #[test]
    fn words_are_drawn_as_often_as_the_power_of_their_counts_says() {
        let negatives = Negatives::new(&COUNTS);
        let mut random = Random::new(3, 0);
        let chi = chi_square(200_000, || negatives.draw(&mut random));
        assert!(chi < LIMIT, "{chi}");
    }

    #[test]
    fn a_pool_draws_words_as_often() {
        // One draw of each pool, old enough to have new words: draws of one pool depend on each other.
        let negatives = Negatives::new(&COUNTS);
        let mut random = Random::new(4, 0);
        let chi = chi_square(5_000, || {
            let mut pool = Pool::new(&negatives, &mut random);
            (0..POOL).for_each(|_| {
                pool.draw(&negatives, &mut random);
            });
            pool.draw(&negatives, &mut random)
        });
        assert!(chi < LIMIT, "{chi}");
    }

    #[test]
    fn a_pool_changes_all_its_words() {
        let negatives = Negatives::new(&[1; 1 << 20]);
        let mut random = Random::new(5, 0);
        let mut pool = Pool::new(&negatives, &mut random);
        let before = pool.words;
        (0..POOL * USES).for_each(|_| {
            pool.draw(&negatives, &mut random);
        });
        assert!(
            pool.words
                .iter()
                .zip(before)
                .all(|(&now, then)| now != then)
        );
    }

    #[test]
    fn one_word_is_always_drawn() {
        let negatives = Negatives::new(&[3]);
        assert_eq!(negatives.draw(&mut Random::new(1, 1)), 0);
    }
}
