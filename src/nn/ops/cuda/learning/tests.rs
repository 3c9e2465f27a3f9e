//! The scale of gradients in f16, on a device, real or emulated (`tests/gpu/run.sh`).

use super::*;
use crate::nn::check::{self, apart};
use crate::nn::dropout::Dropout;
use crate::nn::ops::activation::Activation;
use crate::nn::ops::linear::Linear;
use crate::nn::ops::projection;
use crate::nn::parameters::{Layout, Parameter};
use crate::nn::tape::Tape;

/// A layer whose results are told apart by a table: rows of `x` are to be taken for the words in `TARGETS`.
struct Toy {
    layout: Layout,
    x: Parameter,
    layer: Linear,
    table: Parameter,
}

const TARGETS: [u32; 6] = [3, 0, 8, 1, 5, 3];

impl Toy {
    fn new() -> Toy {
        let mut layout = Layout::default();
        Toy {
            x: layout.matrix("x", TARGETS.len(), 7),
            layer: Linear::new(&mut layout, "layer", 7, 5),
            table: layout.matrix("table", 9, 5),
            layout,
        }
    }

    /// Leaves the gradients of the loss times `weight`, and gives the loss; a device keeps its own.
    fn learn(&self, tape: Tape, weight: f32) -> (Vec<f32>, f64) {
        let x = tape.parameter(self.x);
        let h = self.layer.forward(&tape, &x, Activation::Tanh, None);
        let loss = projection::loss(&tape, &h, self.table, &TARGETS, 0.0, weight);
        drop((x, h));
        (tape.backward(), loss.nll)
    }

    /// Weights and what is learned of them, in f16.
    fn begin(&self) -> (Weights, Learning) {
        let gpu = Gpu::open(0, Some(Numbers::F16)).expect("a device");
        let mut weights = check::weights(&self.layout, 0.4);
        weights.bring_to(&gpu);
        let learning = Learning::of(&gpu, &Moments::zeros(self.layout.len()), None);
        (weights, learning)
    }

    /// A step on the device; gives its loss.
    fn step(&self, weights: &Weights, learning: &Learning, (number, weight): (u64, f32)) -> f64 {
        let gradients = Arc::clone(&learning.gradients);
        let tape = Tape::recording_there(weights, gradients, Dropout::none());
        self.learn(tape.scaled(learning.scale(0)), weight);
        learning.update(weights, &Adam::default(), number, (0.02, 0.0));
        weights.there().expect("weights there").take_losses().1
    }
}

/// Makes these the gradients.
fn give(learning: &Learning, gradients: &[f32]) {
    let gradients = Memory::from_f32(learning.gpu(), gradients);
    learning.gradients.copy_from(&gradients);
}

fn scale(factor: f64, good: u64) -> Scale {
    Scale {
        factor,
        good,
        left_out: 0,
    }
}

fn values(weights: &Weights) -> Vec<f32> {
    weights.there().expect("weights there").values.to_f32()
}

#[test]
#[ignore = "wants a GPU"]
fn a_scale_that_is_too_large_falls_without_a_change_of_weights_and_then_the_loss_falls() {
    let toy = Toy::new();
    let (weights, learning) = toy.begin();
    let begin = values(&weights);
    // The gradient of a logit is up to 8, and times the first scale more than f16 has.
    let mut losses = Vec::new();
    let mut scales = vec![learning.seen().scale.factor];
    for number in 1..=30 {
        losses.push(toy.step(&weights, &learning, (number, 8.0)));
        scales.push(learning.seen().scale.factor);
        if number == 1 {
            assert_eq!(values(&weights), begin);
        }
    }
    assert_eq!(scales[..2], [32768.0, 16384.0]);
    let skipped = scales.windows(2).filter(|pair| pair[1] == pair[0] / 2.0);
    assert_eq!(losses[1], losses[0]);
    assert!(skipped.count() < 6, "{scales:?}");
    assert!(losses[29] < 0.5 * losses[0], "{losses:?}");
    let seen = learning.seen();
    assert!(seen.diverged.is_none() && seen.gradient > 0.0 && seen.gradient < 100.0);
}

#[test]
#[ignore = "wants a GPU"]
fn gradients_too_small_for_f16_are_learned_from_as_the_host_does() {
    const WEIGHT: f32 = 1e-8;
    let toy = Toy::new();
    let (weights, learning) = toy.begin();
    let gradients = || Arc::clone(&learning.gradients);
    let plain = Tape::recording_there(&weights, gradients(), Dropout::none());
    toy.learn(plain, WEIGHT);
    let lost = learning.gradients.to_f32();
    assert!(lost.iter().all(|g| *g == 0.0), "f16 has numbers for them");

    let mut host = check::weights(&toy.layout, 0.4);
    let n = toy.layout.len();
    let tape = Tape::recording(&host, vec![0.0; n], Dropout::none());
    let (mut expected, _) = toy.learn(tape, WEIGHT);
    let begin = host.values().to_vec();
    let length = crate::nn::adam::norm(&expected);
    // ε is of the size of the gradients, so that an update by larger or smaller ones would be another.
    let (adam, moments) = (Adam::default(), &mut Moments::zeros(n));
    adam.update(host.values_mut(), &mut expected, moments, 0.02, 1.0);

    toy.step(&weights, &learning, (1, WEIGHT));
    let seen = learning.seen().gradient;
    assert!((seen / length - 1.0).abs() < 0.01, "{seen} {length}");
    let change = |after: &[f32]| -> Vec<f32> {
        let pairs = after.iter().zip(&begin);
        pairs.map(|(after, before)| after - before).collect()
    };
    let found = apart(&change(&values(&weights)), &change(host.values()));
    assert!(found < 0.01, "{found}");
}

#[test]
#[ignore = "wants a GPU"]
fn the_length_of_many_gradients_is_that_of_all_their_shares() {
    let n = 3 * VALUES + 5;
    let mut layout = Layout::default();
    layout.vector("many", n);
    let gpu = Gpu::open(0, Some(Numbers::F32)).expect("a device");
    let mut weights = check::weights(&layout, 0.4);
    weights.bring_to(&gpu);
    let learning = Learning::of(&gpu, &Moments::zeros(n), None);
    let gradients = Memory::from_f32(&gpu, &vec![0.5; n]);
    learning.gradients.copy_from(&gradients);
    learning.update(&weights, &Adam::default(), 1, (0.02, 0.0));
    let (seen, length) = (learning.seen().gradient, 0.5 * (n as f64).sqrt());
    assert!((seen / length - 1.0).abs() < 1e-9, "{seen} {length}");
}

#[test]
#[ignore = "wants a GPU"]
fn clipping_knows_the_length_without_the_scale() {
    let toy = Toy::new();
    let (weights, learning) = toy.begin();
    give(&learning, &vec![3.0 * 32768.0; toy.layout.len()]);
    // Without its first moment and with an ε that all else is small beside, the update is the gradient.
    let adam = Adam {
        beta1: 0.0,
        epsilon: 1e6,
        ..Adam::default()
    };
    let begin = values(&weights);
    learning.update(&weights, &adam, 1, (1e6, 0.5));
    let changes: Vec<f32> = (values(&weights).iter().zip(&begin))
        .map(|(after, before)| before - after)
        .collect();
    let length = changes.iter().map(|c| c * c).sum::<f32>().sqrt();
    assert!((length - 0.5).abs() < 1e-3, "{length}");
}

#[test]
#[ignore = "wants a GPU"]
fn a_scale_doubles_after_two_thousand_good_steps_from_where_it_was_left() {
    let toy = Toy::new();
    let (weights, mut learning) = toy.begin();
    learning.set_scales([scale(64.0, 1998), scale(128.0, 7)]);
    toy.step(&weights, &learning, (1, 1.0));
    assert_eq!(
        learning.scales(),
        Some([scale(64.0, 1999), scale(128.0, 7)])
    );
    toy.step(&weights, &learning, (2, 1.0));
    assert_eq!(learning.seen().scale, scale(128.0, 0));
}

#[test]
#[ignore = "wants a GPU"]
fn a_scale_of_two_to_the_24_stays() {
    let toy = Toy::new();
    let (weights, mut learning) = toy.begin();
    let most = Scale {
        factor: 16_777_216.0,
        good: 5000,
        left_out: 0,
    };
    learning.set_scales([most; 2]);
    // A gradient of nothing is a number, however it is scaled.
    learning.update(&weights, &Adam::default(), 1, (0.0, 0.0));
    assert_eq!(learning.seen().scale.factor, most.factor);
}

#[test]
#[ignore = "wants a GPU"]
fn an_average_of_numbers_stays_one() {
    let (toy, mut average) = (Toy::new(), Weights::zeros(&Toy::new().layout));
    let (mut weights, other) = toy.begin();
    weights.values_mut()[3] = f32::NAN;
    weights.values_mut()[4] = 6.0;
    weights.bring_to(other.gpu());
    let moments = &mut Moments::zeros(toy.layout.len());
    let learning = Learning::of(other.gpu(), moments, Some(average.values()));
    learning.update_average(&weights, 0.5);
    learning.fetch(moments, Some(&mut average));
    assert_eq!(average.values()[3..5], [0.0, 3.0]);
}

#[test]
#[ignore = "wants a GPU"]
fn gradients_that_are_no_numbers_at_a_scale_of_one_are_a_divergence() {
    let toy = Toy::new();
    let (weights, mut learning) = toy.begin();
    learning.set_scales([scale(2.0, 5); 2]);
    let begin = values(&weights);
    let step = |number, gradient: f32| {
        give(&learning, &vec![gradient; toy.layout.len()]);
        learning.update(&weights, &Adam::default(), number, (0.1, 1.0));
        learning.seen().diverged
    };
    assert_eq!(step(1, f32::INFINITY), None);
    let fallen = Scale {
        left_out: 1,
        ..scale(1.0, 0)
    };
    assert_eq!(learning.seen().scale, fallen);
    assert_eq!(step(2, f32::INFINITY), Some((2, f64::INFINITY)));
    // No later step changes what the last good one has left.
    assert_eq!(step(3, 1.0), Some((2, f64::INFINITY)));
    assert_eq!(values(&weights), begin);
}

/// Updates of weights on a device, and of the same on the host.
struct Both {
    there: (Weights, Learning),
    here: (Weights, Moments),
}

impl Both {
    fn begin(numbers: Numbers, moments: &Moments) -> Both {
        let (toy, gpu) = (Toy::new(), Gpu::open(0, Some(numbers)).expect("a device"));
        let [mut there, here] = [(); 2].map(|()| check::weights(&toy.layout, 0.4));
        there.bring_to(&gpu);
        Both {
            there: (there, Learning::of(&gpu, moments, None)),
            here: (here, Moments::zeros(toy.layout.len())),
        }
    }

    /// The `asked`-th update, by gradients that are no numbers if it is to be left out, which the host never knows of.
    fn update(&mut self, asked: u64, is_left_out: bool) {
        let (weights, learning) = &self.there;
        let (here, moments) = &mut self.here;
        let adam = Adam {
            decay: 0.1,
            ..Adam::default()
        };
        let gradients = (0..moments.first.len()).map(|i| (i as f32 * 0.7 + asked as f32).sin());
        let mut gradients: Vec<f32> = gradients.collect();
        let scale = match is_left_out {
            true => f32::INFINITY,
            false => learning.seen().scale.factor as f32,
        };
        let scaled: Vec<f32> = gradients.iter().map(|g| g * scale).collect();
        give(learning, &scaled);
        learning.update(weights, &adam, asked, (0.02, 0.5));
        if !is_left_out {
            let clip = (0.5 / crate::nn::adam::norm(&gradients)) as f32;
            adam.update(here.values_mut(), &mut gradients, moments, 0.02, clip);
        }
    }

    fn apart(&self) -> f32 {
        apart(&values(&self.there.0), self.here.0.values()) as f32
    }
}

#[test]
#[ignore = "wants a GPU"]
fn updates_are_those_of_the_host_and_what_is_left_out_is_not_counted() {
    let nothing = Moments::zeros(Toy::new().layout.len());
    for numbers in [Numbers::F32, Numbers::F16] {
        let is_scaled = numbers == Numbers::F16;
        let mut both = Both::begin(numbers, &nothing);
        for (i, is_too_large) in [true, false, true, false, false].into_iter().enumerate() {
            let is_left_out = is_too_large && is_scaled;
            both.update(i as u64 + 1, is_left_out);
            assert!(both.apart() < 1e-6, "{numbers:?} {i}: {}", both.apart());
        }
        let expected = if is_scaled { 2 } else { 0 };
        assert_eq!(both.there.1.seen().scale.left_out, expected);
    }
}

#[test]
#[ignore = "wants a GPU"]
fn a_device_of_other_numbers_knows_what_was_left_out_before() {
    let mut moments = Moments::zeros(Toy::new().layout.len());
    moments.left_out = [4, 0];
    let mut both = Both::begin(Numbers::F32, &moments);
    both.update(5, false);
    assert!(both.apart() < 1e-6, "{}", both.apart());
}

#[test]
fn a_scale_of_an_earlier_version_has_left_out_nothing() {
    let read: Scale = serde_json::from_str(r#"{"factor":64.0,"good":3}"#).unwrap();
    assert_eq!(read, scale(64.0, 3));
}

#[test]
#[ignore = "wants a GPU"]
fn a_step_that_came_to_no_end_is_taken_back_and_a_whole_one_is_not() {
    let toy = Toy::new();
    let (weights, mut learning) = toy.begin();
    let (n, first) = (toy.layout.len(), toy.x.range().len());
    let all = |learning: &Learning| {
        let mut moments = Moments::zeros(n);
        learning.fetch(&mut moments, None);
        (values(&weights), moments, learning.scales())
    };
    let step = |learning: &mut Learning, number: u64, gradient: f32| {
        learning.begin(&weights, (1, first..n));
        give(learning, &vec![gradient; n]);
        let part = (1, first..n);
        learning.update_part(
            &weights,
            &Adam::default(),
            part,
            (number, number),
            (0.1, 0.0),
        );
    };
    let begin = all(&learning);
    for gradient in [1.0, f32::INFINITY] {
        step(&mut learning, 1, gradient);
        assert_ne!(all(&learning), begin);
        learning.take_back(&weights);
        assert_eq!(all(&learning), begin);
    }
    step(&mut learning, 1, 1.0);
    learning.end();
    let after = all(&learning);
    learning.take_back(&weights);
    assert_eq!(all(&learning), after);
}
