//! Dropout whose masks are computed again wherever they are needed, and stored nowhere.
//!
//! ```text
//! y[i] = x[i] / (1 − p)   if h(key, i) ≥ p      0 otherwise
//! ```
//!
//! h is a hash of the element's number (the mixer *lowbias32* of C. Wellons' search, keyed between its rounds); each
//! 32-bit value decides two elements, by 16 bits each. Srivastava et al. 2014; counter-based generators: Salmon et al.
//! 2011.

use crate::simd::{Lanes, dispatch};
use crate::text::hash;

/// Elements that are decided together; rows begin at a multiple of it.
const GROUP: usize = 32;

/// How often values are dropped in one pass, and the seed of that pass.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    pub rate: f32,
    pub seed: u64,
}

impl Dropout {
    pub fn none() -> Dropout {
        Dropout { rate: 0.0, seed: 0 }
    }

    /// The mask of the `place`-th operation that drops values; nothing when none are dropped.
    pub fn mask(&self, place: u32) -> Option<Mask> {
        let key = hash::mix(self.seed ^ 0x6472_6f70, u64::from(place) | 1 << 40);
        (self.rate > 0.0).then(|| Mask {
            low: key as u32,
            high: (key >> 32) as u32,
            first: 0,
            threshold: (self.rate * 65536.0).round() as u32,
            scale: 1.0 / (1.0 - (self.rate * 65536.0).round() / 65536.0),
        })
    }
}

/// Which elements of a matrix are dropped.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    low: u32,
    high: u32,
    /// The number of the first row at hand, in the matrix that the mask is for.
    first: u32,
    threshold: u32,
    /// What kept values are multiplied by.
    pub scale: f32,
}

impl Mask {
    /// As kernels on a device are told.
    pub fn words(mask: Option<Mask>) -> [u32; 5] {
        match mask {
            Some(mask) => [
                mask.low,
                mask.high,
                mask.first,
                mask.threshold,
                mask.scale.to_bits(),
            ],
            None => [0, 0, 0, 0, 1.0f32.to_bits()],
        }
    }

    /// The mask of a part of the matrix, whose rows begin at this one.
    pub fn from_row(self, first: usize) -> Mask {
        Mask {
            first: self.first.wrapping_add(first as u32),
            ..self
        }
    }

    /// Multiplies a row, the `row`-th of its matrix, by the mask, in place. To be inlined into a kernel.
    #[inline(always)]
    pub fn apply(&self, row: usize, values: &mut [f32]) {
        let groups = values.len().div_ceil(GROUP);
        let row = row + self.first as usize;
        let first = (row * groups * GROUP / 2) as u32;
        for (g, group) in values.chunks_mut(GROUP).enumerate() {
            let counter = first.wrapping_add((g * GROUP / 2) as u32);
            if let Ok(group) = <&mut [f32; GROUP]>::try_from(&mut *group) {
                let (low, high) = group.split_at_mut(GROUP / 2);
                for i in 0..GROUP / 2 {
                    let bits = self.hash(counter.wrapping_add(i as u32));
                    low[i] = self.keep(bits & 0xffff, low[i]);
                    high[i] = self.keep(bits >> 16, high[i]);
                }
            } else {
                for (i, value) in group.iter_mut().enumerate() {
                    let bits = self.hash(counter.wrapping_add((i % 16) as u32));
                    *value = self.keep(if i < 16 { bits & 0xffff } else { bits >> 16 }, *value);
                }
            }
        }
    }

    #[inline(always)]
    fn keep(&self, bits: u32, value: f32) -> f32 {
        if bits >= self.threshold {
            value * self.scale
        } else {
            0.0
        }
    }

    #[inline(always)]
    fn hash(&self, counter: u32) -> u32 {
        let mut x = counter.wrapping_add(self.low);
        x ^= x >> 16;
        x = x.wrapping_mul(0x7feb_352d);
        x ^= (x >> 15) ^ self.high;
        x = x.wrapping_mul(0x846c_a68b);
        x ^ (x >> 16)
    }
}

dispatch!(unsafe fn apply_rows(mask: &Mask, first: usize, columns: usize, values: &mut [f32]) = apply_rows_in);

#[inline(always)]
unsafe fn apply_rows_in<L: Lanes>(mask: &Mask, first: usize, columns: usize, values: &mut [f32]) {
    for (r, row) in values.chunks_exact_mut(columns).enumerate() {
        mask.apply(first + r, row);
    }
}

/// Multiplies rows of a matrix, from the `first` on, by its mask.
pub fn apply(mask: &Mask, first: usize, columns: usize, values: &mut [f32]) {
    // SAFETY: the level is that of this processor.
    unsafe { apply_rows(crate::simd::Level::best(), mask, first, columns, values) }
}

/// The same for rows with these numbers.
pub fn apply_to(mask: &Mask, numbers: &[usize], columns: usize, rows: &mut [f32]) {
    for (row, number) in rows.chunks_exact_mut(columns).zip(numbers) {
        apply(mask, *number, columns, row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(seed: u64, place: u32, rows: usize, columns: usize) -> Vec<f32> {
        let mask = Dropout { rate: 0.1, seed }.mask(place).expect("a mask");
        let mut values = vec![1.0; rows * columns];
        apply(&mask, 0, columns, &mut values);
        values
    }

    #[test]
    fn a_tenth_is_dropped_and_the_mean_is_kept() {
        let values = dropped(3, 0, 1000, 1000);
        let zeros = values.iter().filter(|v| **v == 0.0).count() as f64;
        // Four standard deviations of a million tries.
        assert!((zeros - 100_000.0).abs() < 4.0 * 300.0, "{zeros}");
        let sum: f64 = values.iter().map(|v| f64::from(*v)).sum();
        assert!((sum / 1e6 - 1.0).abs() < 0.0014, "{sum}");
    }

    #[test]
    fn masks_of_other_seeds_places_rows_and_columns_are_independent() {
        let a = dropped(3, 0, 500, 500);
        let pairs = |b: &[f32], shift: usize| {
            let both = a
                .iter()
                .skip(shift)
                .zip(b)
                .filter(|(x, y)| **x == 0.0 && **y == 0.0);
            both.count() as f64
        };
        for (name, count) in [
            ("seed", pairs(&dropped(4, 0, 500, 500), 0)),
            ("place", pairs(&dropped(3, 1, 500, 500), 0)),
            ("next", pairs(&a, 1)),
            ("half a group on", pairs(&a, 16)),
            ("row", pairs(&a, 500)),
        ] {
            // 250,000 pairs, a hundredth of them both dropped; four standard deviations.
            assert!((count - 2_500.0).abs() < 4.0 * 50.0, "{name}: {count}");
        }
    }

    #[test]
    fn a_row_has_its_mask_wherever_it_is_computed_from() {
        let all = dropped(9, 2, 7, 50);
        let mask = Dropout { rate: 0.1, seed: 9 }.mask(2).expect("a mask");
        let mut row = vec![1.0; 50];
        apply(&mask, 5, 50, &mut row);
        assert_eq!(row, all[250..300]);
        let mut rows = vec![1.0; 100];
        apply(&mask.from_row(3), 1, 50, &mut rows);
        assert_eq!(rows, all[200..300]);
    }
}
