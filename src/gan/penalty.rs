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
mod tests {
    use super::super::shape::{Kind, Shape};
    use super::*;

    fn shape(network: Kind) -> Shape {
        let side = if network == Kind::Mlp { 2 } else { 8 };
        Shape {
            height: side,
            width: side,
            ..Shape::small(network)
        }
    }

    /// The gradients of a penalty at three samples or groups, and its value with weights moved.
    fn check(shape: Shape, penalty: Penalty) {
        let model = Model::new(shape).unwrap();
        let mut weights = model.initial_weights(3);
        // Larger than they begin with, so that all slopes differ.
        let border = model.of_critic().start;
        weights.values_mut()[border..].iter_mut().for_each(|w| {
            *w = w.signum() * (0.05 + w.abs().min(0.2));
        });
        let values = model.shape.values();
        let n = 3 * model.shape.pack;
        let x: Vec<f32> = (0..n * values).map(|i| (i as f32 * 0.77).sin()).collect();
        let mut given = Given::default();
        if model.shape.classes > 0 {
            given.labels = [1, 0, 2].into();
        }
        given.conditions = (0..n * model.shape.condition)
            .map(|i| (i as f32).cos())
            .collect();
        let (found, value) = penalty.add(
            &model,
            &weights,
            vec![0.0; model.layout().len()],
            (Buffer::copy_of(&x), &given),
        );
        let at = |weights: &Weights| {
            let (_, value) = penalty.add(
                &model,
                weights,
                vec![0.0; model.layout().len()],
                (Buffer::copy_of(&x), &given),
            );
            value
        };
        assert!(value > 0.0 && (at(&weights) - value).abs() < 1e-12);
        // Slopes are pieces of planes in every single weight: differences in single precision are enough, between weights
        // so close that no activation changes its sign.
        for (name, p) in model
            .layout()
            .entries()
            .filter(|(name, _)| name.starts_with("critic"))
        {
            if name.ends_with("bias") {
                assert!(found[p.range()].iter().all(|g| *g == 0.0), "{name}");
                continue;
            }
            let (mut errors, mut length) = (Vec::new(), 0.0);
            for i in p.range() {
                let mut moved = |by: f32| {
                    let before = weights.values()[i];
                    weights.values_mut()[i] = before + by;
                    let value = at(&weights);
                    weights.values_mut()[i] = before;
                    value
                };
                let slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
                errors.push((f64::from(found[i]) - slope).abs());
                length += slope * slope;
            }
            // A few weights move an activation over its bend; all others agree.
            errors.sort_by(f64::total_cmp);
            let most = errors[errors.len() * 9 / 10];
            let typical = (length / errors.len() as f64).sqrt();
            assert!(
                typical > 1e-6 && most <= 2e-2 * typical,
                "{name}: {most} of {typical}"
            );
        }
        assert!(found[..border].iter().all(|g| *g == 0.0));
    }

    #[test]
    fn penalties_have_the_gradients_of_their_formulas_for_every_weight_of_the_critic() {
        for network in [Kind::Mlp, Kind::Dcgan, Kind::Resnet] {
            for penalty in [Penalty::Slope(10.0), Penalty::Square(2.0)] {
                check(shape(network), penalty);
            }
        }
    }

    #[test]
    fn classes_and_samples_seen_together_are_penalised_as_well() {
        let with_classes = Shape {
            classes: 3,
            ..shape(Kind::Dcgan)
        };
        check(with_classes, Penalty::Slope(10.0));
        let packed = Shape {
            pack: 2,
            ..shape(Kind::Mlp)
        };
        check(packed, Penalty::Square(1.0));
        let told = Shape {
            height: 1,
            width: 1,
            condition: 3,
            ..shape(Kind::Mlp)
        };
        check(told, Penalty::Slope(10.0));
    }

    #[test]
    fn a_critic_of_slope_one_is_not_penalised_and_one_of_slope_two_is() {
        // D(x) = w · x: g = w, whatever x is.
        let linear = Shape {
            critic: vec![],
            ..shape(Kind::Mlp)
        };
        let model = Model::new(linear).unwrap();
        let mut weights = model.initial_weights(1);
        let w = model.critic_matrices()[0];
        weights.values_mut()[w.range()].fill(0.0);
        for (length, expected, slope) in [(1.0, 0.0, 0.0), (2.0, 10.0, 20.0)] {
            weights.values_mut()[w.range().start] = length;
            let x = Buffer::copy_of(&[0.3; 16]);
            let (found, value) = Penalty::Slope(10.0).add(
                &model,
                &weights,
                vec![0.0; model.layout().len()],
                (x, &Given::default()),
            );
            assert!((value - expected).abs() < 1e-5);
            assert!((f64::from(found[w.range().start]) - slope).abs() < 1e-4);
        }
    }
}
