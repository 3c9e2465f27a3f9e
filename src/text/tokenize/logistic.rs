//! Binary logistic regression over hashed features, trained by AdaGrad one example at a time.
//!
//! ```text
//! p = 1 / (1 + exp(−Σ w_f))      g = p − y      G_f += g²      w_f −= η g / √G_f
//! ```
//!
//! Features seen once only are left out: they can tell nothing about new text and would fill the model.
//! AdaGrad: Duchi, Hazan and Singer, "Adaptive Subgradient Methods", JMLR 12 (2011).

use crate::text::hash::mix;
use crate::text::weights::Weights;

/// The examples of one decision: hashed features and the answer.
#[derive(Default)]
pub struct Examples {
    features: Vec<u32>,
    /// Where each example's features end, and its answer.
    ends: Vec<(u32, bool)>,
}

/// How a table of weights is learned.
pub struct Training {
    /// The table has 2^bits entries.
    pub bits: u32,
    pub epochs: u32,
    /// Step length η.
    pub rate: f32,
    pub seed: u64,
}

impl Examples {
    /// Adds an example.
    pub fn push(&mut self, features: &[u64], answer: bool) {
        self.features.extend(features.iter().map(|f| *f as u32));
        self.ends.push((self.features.len() as u32, answer));
    }

    /// Learns the weights, rounded to 8 bits.
    pub fn train(&self, training: &Training) -> Weights {
        let size = 1usize << training.bits;
        let mask = (size - 1) as u32;
        let mut seen = vec![0u8; size];
        for f in &self.features {
            let count = &mut seen[(f & mask) as usize];
            *count = count.saturating_add(1);
        }
        let mut weights = vec![0.0f32; size];
        let mut squares = vec![0.0f32; size];
        let mut order: Vec<u32> = (0..self.ends.len() as u32).collect();
        let mut state = training.seed;
        for _ in 0..training.epochs {
            shuffle(&mut order, &mut state);
            for &example in &order {
                let example = example as usize;
                let start = match example {
                    0 => 0,
                    _ => self.ends[example - 1].0 as usize,
                };
                let (end, answer) = self.ends[example];
                let features = &self.features[start..end as usize];
                let sum: f32 = features.iter().map(|f| weights[(f & mask) as usize]).sum();
                let gradient = 1.0 / (1.0 + (-sum).exp()) - f32::from(u8::from(answer));
                if gradient.abs() < 1e-3 {
                    continue;
                }
                for f in features {
                    let slot = (f & mask) as usize;
                    if seen[slot] < 2 {
                        continue;
                    }
                    squares[slot] += gradient * gradient;
                    weights[slot] -= training.rate * gradient / squares[slot].sqrt();
                }
            }
        }
        Weights::quantize(&weights, 8.0)
    }
}

/// Fisher and Yates, by our own generator: the same order on every machine.
fn shuffle(order: &mut [u32], state: &mut u64) {
    for i in (1..order.len()).rev() {
        *state = mix(*state, i as u64 + 1);
        order.swap(i, (*state % (i as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAINING: Training = Training {
        bits: 10,
        epochs: 20,
        rate: 0.5,
        seed: 1,
    };

    #[test]
    fn a_rule_of_one_feature_is_learned() {
        let mut examples = Examples::default();
        for i in 0..200u64 {
            examples.push(&[1, 2 + i % 2, 4 + i % 5], i % 2 == 0);
        }
        let weights = examples.train(&TRAINING);
        assert!(weights.at(1) + weights.at(2) > 0);
        assert!(weights.at(1) + weights.at(3) < 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_weights() {
        let mut examples = Examples::default();
        for i in 0..200u64 {
            examples.push(&[i % 7, 10 + i % 3], i % 4 == 0);
        }
        assert_eq!(examples.train(&TRAINING), examples.train(&TRAINING));
    }
}
