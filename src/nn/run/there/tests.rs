//! What ranks that compute on devices agree on.

use super::*;
use crate::nn::check;
use crate::nn::folder::Folder;
use crate::nn::parameters::Layout;
use crate::nn::plan::Plan;
use crate::nn::run::{Limits, Stepped};
use crate::nn::schedule::{Decay, Schedule};
use crate::ranks::{Ranks, threads};
use std::sync::atomic::AtomicBool;

/// Learns nothing, and says after the second step whether the loss is a number.
struct Idle {
    steps: u64,
    has_lost: bool,
}

impl Task for Idle {
    type Position = u64;

    fn position(&self) -> u64 {
        self.steps
    }

    fn epoch(&self) -> u64 {
        0
    }

    fn step(&mut self, _: &mut Learned, _: &Plan) -> Result<Stepped, RunError> {
        self.steps += 1;
        let (lr, gradient) = (0.1, None);
        Ok(Stepped { lr, gradient })
    }

    fn told(&mut self, _: &Learned, _: f64) -> Values {
        Values::default()
    }

    fn says_numbers(&self, _: &Learned) -> bool {
        self.steps < 2 || !self.has_lost
    }

    fn evaluate(&mut self, _: &mut Weights, _: u64) -> Option<Evaluation> {
        None
    }
}

fn plan() -> Plan {
    Plan {
        schedule: Schedule {
            lr: 0.1,
            warmup: 0,
            decay: Decay::Constant,
            last: 0,
        },
        dropout: 0.0,
        dropout_ramp: 0,
        accumulate: 1,
        clip: 0.0,
        decay: 0.0,
        average: 0.0,
        seed: 1,
        max_steps: Some(5),
        epochs: None,
        patience: 0,
        metric: "loss".to_owned(),
        report_every: 1,
        evaluate_every: 100,
        save_every: 100,
        keep: 1,
    }
}

#[test]
#[ignore = "wants a GPU"]
fn a_loss_that_is_no_number_for_one_rank_ends_all_at_the_same_step() {
    let gpu = check::gpu().expect("WORDMILL_TEST_GPU is set");
    let mut layout = Layout::default();
    layout.vector("w", 3);
    let found = threads::run(3, |ranks| {
        let place = tempfile::tempdir().unwrap();
        let (folder, mut tell) = (Folder::new(place.path()), |_: &_| {});
        let task = Idle {
            steps: 0,
            has_lost: ranks.rank() == 1,
        };
        let weights = Weights::zeros(&layout);
        let open = || {
            Ok(Run::new(
                &folder,
                &layout,
                (plan(), task),
                weights,
                &mut tell,
            ))
        };
        let run = Run::among(&folder, Some(ranks as &dyn Ranks), open).unwrap();
        let limits = Limits {
            stop: &AtomicBool::new(false),
            time: None,
        };
        run.on(gpu).train(limits)
    });
    for ended in found {
        let is_lost = matches!(&ended, Err(RunError::Diverged { step: 2, .. }));
        assert!(is_lost, "{ended:?}");
    }
}
