//! The weights of a trained linear model: a hashed table of 8-bit numbers under one scale.
//!
//! `w(f) = scale · table[hash(f) & mask]`. Training keeps `f32` tables of the same size;
//! [`Weights::quantize`] rounds them to 8 bits, so that models compress well.

use super::model::{ModelError, Section, Tensor};

/// A quantised weight table whose length is a power of two.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    pub table: Vec<i8>,
    /// The value of one step of a table entry.
    pub scale: f32,
}

impl Weights {
    /// Rounds `weights` to 8 bits. The scale clips the largest weights at `clip` times the root mean square of those
    /// that are not zero: a few outliers must not cost all others their precision.
    ///
    /// The length must be a power of two.
    pub fn quantize(weights: &[f32], clip: f32) -> Weights {
        assert!(
            weights.len().is_power_of_two(),
            "a hashed table has 2^n entries"
        );
        let (mut squares, mut count, mut largest) = (0.0f64, 0u64, 0.0f32);
        for &w in weights.iter().filter(|w| **w != 0.0) {
            squares += f64::from(w) * f64::from(w);
            count += 1;
            largest = largest.max(w.abs());
        }
        let rms = if count == 0 {
            1.0
        } else {
            (squares / count as f64).sqrt() as f32
        };
        let scale = (largest.min(clip * rms) / 127.0).max(f32::MIN_POSITIVE);
        let table = weights
            .iter()
            .map(|w| (w / scale).round().clamp(-127.0, 127.0) as i8)
            .collect();
        Weights { table, scale }
    }

    /// The quantised weight at a hash; multiply sums of these by `scale` where the unit matters.
    #[inline(always)]
    pub fn at(&self, hash: u64) -> i32 {
        i32::from(self.table[hash as usize & (self.table.len() - 1)])
    }

    /// Adds the table to a model's section, as tensor `name` and `name.scale`.
    pub fn save(&self, section: &mut Section, name: &str) {
        section
            .tensors
            .insert(name.to_owned(), Tensor::from_i8(&self.table));
        section
            .tensors
            .insert(format!("{name}.scale"), Tensor::from_f32(&[self.scale]));
    }

    /// Reads the table back.
    ///
    /// # Errors
    /// A tensor is missing, of another type, or not a power of two long.
    pub fn load(section: &Section, name: &str) -> Result<Weights, ModelError> {
        let table = section.i8s(name)?;
        if !table.len().is_power_of_two() {
            return Err(ModelError::Shape {
                tensor: name.to_owned(),
                found: table.len(),
            });
        }
        let scale = section
            .f32s(&format!("{name}.scale"))?
            .first()
            .copied()
            .unwrap_or(1.0);
        Ok(Weights { table, scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantising_keeps_weights_to_one_part_in_254() {
        let weights = Weights::quantize(&[1.0, -0.5, 0.25, 0.0], 100.0);
        assert_eq!(weights.table, [127, -64, 32, 0]); // -63.5 rounds away from zero, 31.75 up
        assert_eq!(weights.scale, 1.0 / 127.0);
    }

    #[test]
    fn an_outlier_is_clipped() {
        let mut table = vec![1.0; 64];
        table[0] = 100.0;
        let weights = Weights::quantize(&table, 4.0); // rms 12.54, so 50.2 is the largest that can be said
        assert_eq!(weights.table[0], 127);
        assert_eq!(weights.table[1], 3); // 1 / (50.2 / 127) = 2.53
    }
}
