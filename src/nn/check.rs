//! For tests: gradients of a tape against central differences of the same function, written plainly in f64.
//!
//! ```text
//! ∂f/∂w ≈ (f(w + h) − f(w − h)) / 2h,   h = 10⁻⁵      error about h² + 10⁻¹⁶ / h = 10⁻¹⁰
//! ```

use super::dropout::Dropout;
use super::parameters::{Layout, Parameter, Weights};
use super::tape::{Tape, Var};
use crate::nn::buffer::Buffer;

/// What single precision may differ by, as a share of the length of the gradient.
const TOLERANCE: f64 = 1e-4;

/// Weights that are not round and all different.
pub fn weights(layout: &Layout, seed: f64) -> Weights {
    let mut weights = Weights::zeros(layout);
    let values = weights.values_mut().iter_mut().enumerate();
    values.for_each(|(i, v)| *v = (0.8 * (i as f64 * 1.7 + seed).sin()) as f32);
    weights
}

/// Passes a made-up gradient to a value: f is then the sum of y ∘ [`coefficient`].
pub fn seed(tape: &Tape, y: &Var) {
    let mut gradient = Buffer::of(y.values().len());
    gradient
        .iter_mut()
        .enumerate()
        .for_each(|(i, g)| *g = coefficient(i) as f32);
    let slot = y.slot().expect("a slot");
    tape.push(move |gradients| gradients.give(slot, gradient));
}

/// What the i-th value of a result is multiplied by.
pub fn coefficient(i: usize) -> f64 {
    (i as f64 * 0.9 + 0.3).cos()
}

/// The sum of values times their coefficients.
pub fn weighed(values: &[f64]) -> f64 {
    values
        .iter()
        .enumerate()
        .map(|(i, v)| coefficient(i) * v)
        .sum()
}

/// Checks the gradients of every parameter of one operation; and that the check sees it when one of them is lost.
pub fn gradients(layout: &Layout, pass: impl Fn(&Tape), exact: impl Fn(&[f64]) -> f64) {
    gradients_within(TOLERANCE, layout, pass, exact);
}

/// The same, where many operations follow one another and their errors add up.
pub fn gradients_within(
    tolerance: f64,
    layout: &Layout,
    pass: impl Fn(&Tape),
    exact: impl Fn(&[f64]) -> f64,
) {
    let weights = weights(layout, 0.4);
    let tape = Tape::recording(&weights, vec![0.0; layout.len()], Dropout::none());
    pass(&tape);
    let found = tape.backward();
    let values: Vec<f64> = weights.values().iter().map(|w| f64::from(*w)).collect();
    let differences = differences(&values, &exact);
    for (name, p) in layout.entries() {
        let error = distance(&found, &differences, p);
        assert!(error <= tolerance, "{name}: relative error {error}");
        let mut lost = found.clone();
        lost[p.range()].fill(0.0);
        assert!(
            distance(&lost, &differences, p) > tolerance,
            "{name} has no gradient to lose"
        );
    }
}

fn differences(values: &[f64], exact: &impl Fn(&[f64]) -> f64) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let mut moved = values.to_vec();
    let mut difference = |i: usize| {
        moved[i] = values[i] + STEP;
        let above = exact(&moved);
        moved[i] = values[i] - STEP;
        let below = exact(&moved);
        moved[i] = values[i];
        (above - below) / (2.0 * STEP)
    };
    (0..values.len()).map(&mut difference).collect()
}

/// ‖found − exact‖ / ‖exact‖ of a parameter.
fn distance(found: &[f32], exact: &[f64], p: Parameter) -> f64 {
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let exact = &exact[p.range()];
    let errors = found[p.range()]
        .iter()
        .zip(exact)
        .map(|(f, e)| f64::from(*f) - e);
    length(&mut errors.into_iter()) / length(&mut exact.iter().copied()).max(1e-12)
}
