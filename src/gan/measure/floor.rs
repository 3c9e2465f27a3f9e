//! The floor: what a perfect generator would score, by measuring one half of the real samples beside the other.
//!
//! Distances of finite sets are not 0 even when both are real, and no share need be 1. What a number is worth is seen
//! beside the same number between two halves of the real set, drawn at random. Halves are smaller than the sets that
//! are measured, and the Fréchet distance of fewer samples is larger: a generator may come out slightly below its
//! floor.

use super::Points;
use crate::random::Random;

/// Where the halves are drawn.
const PLACE: u64 = 2 << 32;

/// The numbers of the samples of two halves of `n`, in order; the second has one more when n is odd.
pub fn halves(n: usize, seed: u64) -> [Vec<usize>; 2] {
    let mut first: Vec<usize> = (0..n).collect();
    Random::new(seed, PLACE).shuffle(&mut first);
    let mut second = first.split_off(n / 2);
    first.sort_unstable();
    second.sort_unstable();
    [first, second]
}

/// Copies of some samples.
pub fn choose(points: &Points, samples: &[usize]) -> Vec<f32> {
    let rows = samples.iter().flat_map(|&i| points.row(i));
    rows.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_all_samples_once() {
        let [first, second] = halves(7, 1);
        assert_eq!((first.len(), second.len()), (3, 4));
        let mut all = [first, second].concat();
        all.sort();
        assert_eq!(all, (0..7).collect::<Vec<_>>());
    }

    #[test]
    fn halves_of_another_seed_are_others() {
        assert_eq!(halves(100, 1), halves(100, 1));
        assert_ne!(halves(100, 1), halves(100, 2));
    }

    #[test]
    fn what_is_chosen_is_in_the_order_asked_for() {
        let points = Points::new(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 2).unwrap();
        assert_eq!(choose(&points, &[2, 0]), [4.0, 5.0, 0.0, 1.0]);
    }
}
