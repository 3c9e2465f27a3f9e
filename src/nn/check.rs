//! For tests: gradients of a tape against central differences of the same function, written plainly in f64.
//!
//! ```text
//! ∂f/∂w ≈ (f(w + h) − f(w − h)) / 2h,   h = 10⁻⁵      error about h² + 10⁻¹⁶ / h = 10⁻¹⁰
//! ```

use super::device::{Gpu, Kind, Memory, Numbers};
use super::dropout::Dropout;
use super::parameters::{Layout, Parameter, Weights};
use super::tape::{Tape, Var};
use crate::nn::buffer::Buffer;
use crate::nn::ops::cuda::rows;
use crate::random::Random;
use std::sync::{Arc, OnceLock};

/// What single precision may differ by, as a share of the length of the gradient.
const TOLERANCE: f64 = 1e-4;

/// Weights that are not round and all different.
pub fn weights(layout: &Layout, seed: f64) -> Weights {
    let mut weights = Weights::zeros(layout);
    let values = weights.values_mut().iter_mut().enumerate();
    values.for_each(|(i, v)| *v = (0.8 * (i as f64 * 1.7 + seed).sin()) as f32);
    weights
}

/// Weights drawn at random, large enough for sums that differ.
pub fn random_weights(layout: &Layout) -> Weights {
    let (mut weights, mut random) = (Weights::zeros(layout), Random::new(1, 0));
    let values = weights.values_mut().iter_mut();
    values.for_each(|v| *v = 1.5 * random.normal());
    weights
}

/// Passes a made-up gradient to a value: f is then the sum of y ∘ [`coefficient`].
pub fn seed(tape: &Tape, y: &Var) {
    let mut gradient = Buffer::of(y.len());
    gradient
        .iter_mut()
        .enumerate()
        .for_each(|(i, g)| *g = coefficient(i) as f32);
    let slot = y.slot().expect("a slot");
    if let Some(gpu) = tape.gpu() {
        let gradient = rows::upload(gpu, &gradient);
        return tape.push(move |gradients| gradients.give_there(slot, gradient));
    }
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
    let differences = host_gradients_within(tolerance, layout, &pass, exact);
    if let Some(gpu) = gpu() {
        device_gradients_within(tolerance, gpu, layout, pass, &differences);
    }
}

/// On the host; gives the differences.
fn host_gradients_within(
    tolerance: f64,
    layout: &Layout,
    pass: impl Fn(&Tape),
    exact: impl Fn(&[f64]) -> f64,
) -> Vec<f64> {
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
    differences
}

/// Checks that the device, if there is one, gives the gradients of the host, of operations whose formulas are checked there.
pub fn same_gradients(layout: &Layout, pass: impl Fn(&Tape)) {
    let Some(gpu) = gpu() else { return };
    let weights = weights(layout, 0.4);
    let tape = Tape::recording(&weights, vec![0.0; layout.len()], Dropout::none());
    pass(&tape);
    let host: Vec<f64> = tape.backward().into_iter().map(f64::from).collect();
    let unused = |p: &Parameter| host[p.range()].iter().all(|g| *g == 0.0);
    assert!(!layout.entries().all(|(_, p)| unused(&p)));
    // Both are rounded.
    device_gradients_within(10.0 * TOLERANCE, gpu, layout, pass, &host);
}

fn device_gradients_within(
    tolerance: f64,
    gpu: &Gpu,
    layout: &Layout,
    pass: impl Fn(&Tape),
    differences: &[f64],
) {
    let mut weights = weights(layout, 0.4);
    weights.bring_to(gpu);
    let there = Arc::new(Memory::zeros(gpu, Kind::F32, layout.len()));
    let tape = Tape::recording_there(&weights, Arc::clone(&there), Dropout::none());
    pass(&tape);
    tape.backward();
    let found = there.to_f32();
    gpu.check().expect("a device that works");
    match gpu.numbers() {
        Numbers::F32 | Numbers::Tf32 => {
            for (name, p) in layout.entries() {
                let error = distance(&found, differences, p);
                assert!(error <= tolerance, "{name} on the device: error {error}");
            }
        }
        // Few bits of every value, and of every gradient on its way: what is small beside the rest is lost in it.
        Numbers::F16 | Numbers::Bf16 => {
            let length = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
            let errors = &mut found
                .iter()
                .zip(differences)
                .map(|(f, e)| f64::from(*f) - e);
            let error = (length(errors) / length(&mut differences.iter().copied())).sqrt();
            let most = match gpu.numbers() {
                Numbers::Bf16 => 0.06,
                _ => 0.01,
            };
            assert!(error <= most, "all together on the device: error {error}");
        }
    }
}

/// The result of an operation on the weights and its gradients: on the host, and on the device, which has the weights then.
pub fn on_both(
    weights: &mut Weights,
    dropout: Dropout,
    pass: impl Fn(&Tape) -> Var,
) -> [[Vec<f32>; 2]; 2] {
    let gpu = gpu().expect("WORDMILL_TEST_GPU is set");
    // Only what is computed is rounded.
    let kept = rows::upload(gpu, weights.values()).to_f32();
    weights.values_mut().copy_from_slice(&kept);
    let tape = Tape::recording(weights, vec![0.0; kept.len()], dropout);
    let out = pass(&tape).values().to_vec();
    let host = [out, tape.backward()];
    weights.bring_to(gpu);
    let there = Arc::new(Memory::zeros(gpu, Kind::F32, kept.len()));
    let tape = Tape::recording_there(weights, Arc::clone(&there), dropout);
    let out = pass(&tape).memory().to_f32();
    tape.backward();
    gpu.check().expect("a device that works");
    [host, [out, there.to_f32()]]
}

/// How far a few roundings on the device take a result from the host's, as a share.
pub fn rounding() -> f64 {
    match gpu().map(Gpu::numbers) {
        Some(Numbers::Bf16) => 0.01,
        Some(Numbers::F16) => 1.5e-3,
        _ => 2e-5,
    }
}

/// The device that tests run on besides the host: WORDMILL_TEST_GPU names how it keeps numbers, `f32`, `f16` or `bf16`. Only
/// operations that have a half there can be tested so (`tests/gpu/run.sh`).
pub fn gpu() -> Option<&'static Gpu> {
    static FOUND: OnceLock<Option<Gpu>> = OnceLock::new();
    let open = || {
        let numbers = match std::env::var("WORDMILL_TEST_GPU").ok()?.as_str() {
            "f32" => Numbers::F32,
            "tf32" => Numbers::Tf32,
            "f16" => Numbers::F16,
            "bf16" => Numbers::Bf16,
            other => panic!("WORDMILL_TEST_GPU is {other}"),
        };
        Some(Gpu::open(0, Some(numbers)).expect("a device"))
    };
    FOUND.get_or_init(open).as_ref()
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

/// ‖a − b‖ / ‖b‖
pub fn apart(a: &[f32], b: &[f32]) -> f64 {
    let square = |v: f32| f64::from(v) * f64::from(v);
    let difference: f64 = a.iter().zip(b).map(|(a, b)| square(a - b)).sum();
    let length: f64 = b.iter().map(|b| square(*b)).sum();
    (difference / length.max(1e-30)).sqrt()
}
