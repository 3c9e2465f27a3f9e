//! Penalties on how steep the critic is, and their exact gradients.
//!
//! ```text
//! g = ∂D/∂x at x        gradient penalty  λ (‖g‖ − 1)²        Gulrajani et al. 2017, x between real and made
//!                       R1, R2            γ/2 ‖g‖²            Mescheder et al. 2018, x real (R1) or made (R2)
//!
//! ∂φ(‖g‖)/∂w = ∂(v · g)/∂w   with v = φ′(‖g‖) · g / ‖g‖ held constant
//! v · g = ∂D(x + εv)/∂ε      which the critic with gates in place of activations computes from v
//! ```
//!
//! Three passes: the critic with its slopes kept, back to x, and the change along v forward and back to the weights. The
//! critic has windows, dense layers and leaky activations; with those the slopes do not change along the weights, and the
//! gradient is exact. Penalties are means over the batch.

use super::layers::{Kept, Pass, Slopes};
use super::model::{Given, Model};
use crate::nn::buffer::Buffer;
use crate::nn::dropout::Dropout;
use crate::nn::ops::batch_norm::Source;
use crate::nn::parameters::Weights;
use crate::nn::tape::{Tape, Var};

/// A penalty, and its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Penalty {
    /// λ (‖g‖ − 1)²
    Slope(f32),
    /// γ/2 ‖g‖²
    Square(f32),
}

impl Penalty {
    /// Its weight, and whether it is on what differs from a length of 1.
    pub(super) fn kind(self) -> (f32, bool) {
        match self {
            Penalty::Slope(weight) => (weight, true),
            Penalty::Square(weight) => (weight, false),
        }
    }

    /// φ(‖g‖), and φ′(‖g‖) / ‖g‖.
    fn of(self, length: f64) -> (f64, f64) {
        match self {
            Penalty::Slope(weight) => {
                let (weight, off) = (f64::from(weight), length - 1.0);
                (weight * off * off, 2.0 * weight * off / length.max(1e-12))
            }
            Penalty::Square(weight) => {
                let weight = f64::from(weight);
                (weight / 2.0 * length * length, weight)
            }
        }
    }

    /// Adds the gradient of the penalty at samples `x` to those of the critic's parameters, and gives its value.
    pub fn add(
        self,
        model: &Model,
        weights: &Weights,
        gradients: Vec<f32>,
        (x, given): (Buffer, &Given),
    ) -> (Vec<f32>, f64) {
        let (channels, group) = (
            model.shape.channels,
            model.shape.values() * model.shape.pack,
        );
        let groups = x.len() / group;
        let kept = Kept::default();
        let pass = |slopes| Pass {
            norms: Source::Unseen,
            slopes,
        };
        let tape = Tape::recording(weights, gradients, Dropout::none()).learning(0..0);
        let x = tape.var(x, channels, true);
        let verdicts = model.judge(&tape, &x, given, pass(Slopes::Keep(&kept)));
        ones(&tape, &verdicts);
        let (gradients, mut found) = tape.backward_to(x.slot().as_slice());
        drop((verdicts, x));
        let Some(Some(mut v)) = found.pop() else {
            return (gradients, 0.0);
        };
        let mut value = 0.0;
        for g in v.chunks_exact_mut(group) {
            let length = g.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
            let (penalty, factor) = self.of(length);
            value += penalty / groups as f64;
            let factor = (factor / groups as f64) as f32;
            g.iter_mut().for_each(|g| *g *= factor);
        }
        let tape = Tape::recording(weights, gradients, Dropout::none()).learning(model.of_critic());
        let v = tape.var(v, channels, false);
        let change = model.judge(&tape, &v, given, pass(Slopes::Follow(&kept)));
        ones(&tape, &change);
        (tape.backward(), value)
    }
}

/// Begins the way back with the sum of all verdicts.
fn ones(tape: &Tape, verdicts: &Var) {
    let mut gradient = Buffer::of(verdicts.values().len());
    gradient.fill(1.0);
    give(tape, verdicts, gradient);
}

/// Begins the way back with these gradients of the verdicts.
pub fn give(tape: &Tape, verdicts: &Var, gradient: Buffer) {
    if let Some(slot) = verdicts.slot() {
        tape.push(move |gradients| gradients.give(slot, gradient));
    }
}

#[cfg(test)]
mod tests;
