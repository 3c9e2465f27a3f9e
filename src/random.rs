//! A small fast generator of random numbers: the same seed gives the same numbers everywhere.
//!
//! `state ← state + K`, output = fold(state · (state ⊕ K′)), the folded multiply of wyrand.

use crate::text::hash;

/// Weyl increment: odd, and about 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of numbers for a place in a run: one seed gives independent streams for different places.
    pub fn new(seed: u64, place: u64) -> Random {
        Random(hash::mix(hash::mix(seed ^ 0x776f_7264, STEP), place).rotate_left(17))
    }

    /// 64 random bits.
    #[inline(always)]
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let product = u128::from(self.0) * u128::from(self.0 ^ 0xe703_7ed1_a0b4_28db);
        (product as u64) ^ ((product >> 64) as u64)
    }

    /// Leaves out the next `n` times 64 bits.
    pub fn skip(&mut self, n: usize) {
        self.0 = self.0.wrapping_add(STEP.wrapping_mul(n as u64));
    }

    /// A number below `bound`, each as likely as the others to 2^−32.
    #[inline(always)]
    pub fn below(&mut self, bound: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// Puts fewer than 2^32 items in an order of which each is as likely as the others (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u32 + 1) as usize);
        }
    }

    /// A number from 0 to 1, 1 left out.
    #[inline(always)]
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// A number of the standard normal distribution (Box and Muller 1958).
    pub fn normal(&mut self) -> f32 {
        let (radius, angle) = (1.0 - self.unit(), self.unit() * std::f32::consts::TAU);
        (-2.0 * radius.ln()).sqrt() * angle.cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_below_a_bound_are_equally_likely() {
        let mut random = Random::new(7, 0);
        let mut counts = [0.0; 10];
        (0..100_000).for_each(|_| counts[random.below(10) as usize] += 1.0);
        let chi: f64 = counts
            .iter()
            .map(|n: &f64| (n - 10_000.0).powi(2) / 10_000.0)
            .sum();
        // 99.9 % of such sums with nine degrees of freedom lie below 27.9.
        assert!(chi < 27.9, "{chi}");
    }

    #[test]
    fn orders_are_equally_likely() {
        let mut random = Random::new(7, 0);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            random.shuffle(&mut items);
            *counts.entry(items).or_insert(0.0) += 1.0;
        }
        let chi: f64 = (counts.values())
            .map(|n: &f64| (n - 1000.0).powi(2) / 1000.0)
            .sum();
        // 99.9 % of such sums with 23 degrees of freedom lie below 49.7.
        assert!(counts.len() == 24 && chi < 49.7, "{chi}");
    }

    #[test]
    fn numbers_that_are_left_out_are_not_drawn() {
        let (mut drawn, mut skipped) = (Random::new(3, 1), Random::new(3, 1));
        (0..5).for_each(|_| _ = drawn.unit());
        skipped.skip(5);
        assert_eq!(drawn.bits(), skipped.bits());
    }

    #[test]
    fn places_have_streams_of_their_own() {
        let first = |seed, place| Random::new(seed, place).bits();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
    }
}
