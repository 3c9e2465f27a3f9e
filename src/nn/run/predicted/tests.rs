//! A device learns in f16 what the host learns.

use super::*;
use crate::nn::adam::Moments;
use crate::nn::check;
use crate::nn::device::{Gpu, Numbers};
use crate::nn::ops::cuda::learning::Learning;
use crate::nn::ops::projection;
use crate::nn::parameters::{Layout, Parameter};
use crate::nn::schedule::{Decay, Schedule};

/// Words that are told by the rows of a matrix, all of which are in each batch; the loss is so many times that of the words.
struct Words {
    rows: Parameter,
    table: Parameter,
    times: f32,
    batches: u32,
}

impl Predict for Words {
    type Batch = Vec<u32>;
    type Position = u32;

    fn next(&mut self) -> Vec<u32> {
        self.batches += 1;
        (0..self.rows.rows as u32)
            .map(|row| (row * 5 + self.batches % 2) % self.table.rows as u32)
            .collect()
    }

    fn position(&self) -> u32 {
        self.batches
    }

    fn epoch(&self) -> u64 {
        0
    }

    fn tokens(&self, batch: &Vec<u32>) -> (usize, usize) {
        (batch.len(), batch.len())
    }

    fn part(&self, batch: &Vec<u32>, _: usize, _: usize) -> Vec<u32> {
        batch.clone()
    }

    fn loss(&self, tape: &Tape, batch: &Vec<u32>, weight: f32) -> Loss {
        let rows = tape.parameter(self.rows);
        projection::loss(tape, &rows, self.table, batch, 0.0, weight * self.times)
    }

    fn evaluate(&mut self, _: &mut Weights) -> Option<Evaluation> {
        None
    }
}

/// Two batches to an update, and a clip that is less than every gradient.
fn plan(clip: f32) -> Plan {
    Plan {
        schedule: Schedule {
            lr: 0.01,
            warmup: 0,
            decay: Decay::Constant,
            last: 0,
        },
        dropout: 0.0,
        dropout_ramp: 0,
        accumulate: 2,
        clip,
        decay: 0.0,
        average: 0.0,
        seed: 1,
        max_steps: None,
        epochs: None,
        patience: 0,
        metric: "loss".to_owned(),
        report_every: 1,
        evaluate_every: 1,
        save_every: 1,
        keep: 1,
    }
}

/// The weights after 15 steps, ‖g‖ of the last, and the loss of all.
fn learned(gpu: Option<&Gpu>, (times, clip): (f32, f32)) -> (Vec<f32>, f64, f64) {
    let mut layout = Layout::default();
    let words = Words {
        rows: layout.matrix("rows", 7, 6),
        table: layout.matrix("table", 9, 6),
        times,
        batches: 0,
    };
    let (mut weights, moments) = (check::weights(&layout, 0.4), Moments::zeros(layout.len()));
    let there = gpu.map(|gpu| {
        weights.bring_to(gpu);
        Learning::of(gpu, &moments, None)
    });
    let mut learned = Learned {
        weights,
        average: None,
        gradients: vec![0.0; layout.len()],
        moments,
        step: 0,
        there,
    };
    let (mut task, mut gradient) = (Predicted::new(words, None), None);
    for step in 1..=15 {
        learned.step = step;
        gradient = task.step(&mut learned, &plan(clip)).unwrap().gradient;
    }
    let loss = task.told(&learned, 1.0)["loss"];
    let gradient = match &learned.there {
        Some(there) => there.seen().gradient,
        None => gradient.unwrap(),
    };
    learned.weights.fetch();
    (learned.weights.values().to_vec(), gradient, loss)
}

#[test]
#[ignore = "wants a GPU"]
fn gradients_of_several_batches_are_scaled_summed_and_clipped_as_on_the_host() {
    let gpu = Gpu::open(0, Some(Numbers::F16)).expect("a device");
    let how = (1e-6, 1e-8);
    let (weights, gradient, loss) = learned(None, how);
    let (found, found_gradient, found_loss) = learned(Some(&gpu), how);
    assert!(gradient > 2e-8, "{gradient} is not clipped");
    let apart = |found: f64, expected: f64| (found / expected - 1.0).abs();
    assert!(
        apart(found_gradient, gradient) < 0.01,
        "{found_gradient}, not {gradient}"
    );
    assert!(apart(found_loss, loss) < 2e-3, "{found_loss}, not {loss}");
    let most = weights.iter().zip(&found).map(|(a, b)| (a - b).abs());
    let most = most.fold(0.0, f32::max);
    // Each has moved by 0.15 at most.
    assert!(most < 5e-4, "{most}");
}
