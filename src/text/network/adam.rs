//! Adam (Kingma and Ba 2015), for whole arrays and for rows of them.
//!
//! ```text
//! m ← β₁ m + (1 − β₁) g      v ← β₂ v + (1 − β₂) g²      w ← w − rate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
//! ```

use crate::random::Random;

/// Values that learn, with what Adam knows of them.
pub struct Weights {
    pub values: Vec<f32>,
    pub gradients: Vec<f32>,
    mean: Vec<f32>,
    /// 0 where no gradient ever was.
    pub square: Vec<f32>,
}

const BETA: (f32, f32) = (0.9, 0.99);

/// A step of Adam.
#[derive(Clone, Copy)]
pub struct Step {
    pub rate: f32,
    /// 1 − β₁ᵗ and 1 − β₂ᵗ.
    pub corrections: (f32, f32),
    /// What gradients are multiplied by.
    pub scale: f32,
}

/// 1 − β₁ᵗ and 1 − β₂ᵗ of the t-th step.
pub fn corrections(t: i32) -> (f32, f32) {
    (1.0 - BETA.0.powi(t), 1.0 - BETA.1.powi(t))
}

impl Weights {
    pub fn new(values: Vec<f32>) -> Weights {
        let zeros = || vec![0.0; values.len()];
        Weights {
            gradients: zeros(),
            mean: zeros(),
            square: zeros(),
            values,
        }
    }

    /// Uniform with a standard deviation of `deviation`.
    pub fn random(size: usize, deviation: f32, random: &mut Random) -> Weights {
        let wide = deviation * 12f32.sqrt();
        Weights::new((0..size).map(|_| (random.unit() - 0.5) * wide).collect())
    }

    /// Moves the values of a range, and forgets their gradients.
    pub fn step(&mut self, range: std::ops::Range<usize>, step: Step) {
        let values = self.values[range.clone()].iter_mut();
        let gradients = self.gradients[range.clone()].iter_mut();
        let means = self.mean[range.clone()].iter_mut();
        let squares = self.square[range].iter_mut();
        for (((w, g), m), v) in values.zip(gradients).zip(means).zip(squares) {
            let gradient = *g * step.scale;
            *m = BETA.0 * *m + (1.0 - BETA.0) * gradient;
            *v = BETA.1 * *v + (1.0 - BETA.1) * gradient * gradient;
            let (m, v) = (*m / step.corrections.0, *v / step.corrections.1);
            *w -= step.rate * m / (v.sqrt() + 1e-8);
            *g = 0.0;
        }
    }

    /// The square of the length of all gradients.
    pub fn squares(&self) -> f64 {
        self.gradients.iter().map(|g| f64::from(*g).powi(2)).sum()
    }
}
