//! What steps have seen, summed until it is told.

use super::step::Seen;
use crate::nn::event::Values;

/// Sums since the last report.
#[derive(Default)]
pub(super) struct Sums {
    pub seen: Seen,
    pub critic_steps: u64,
    pub generator: f64,
    pub steps: u64,
    pub samples: u64,
    /// ‖g‖ of the last step.
    pub critic_gradient: f64,
    pub generator_gradient: f64,
}

impl Sums {
    /// Means over the steps, of so many seconds; with the penalty, where there is one.
    pub fn told(&self, seconds: f64, is_penalised: bool) -> Values {
        let (critic, steps) = (self.critic_steps.max(1) as f64, self.steps.max(1) as f64);
        let mut values = vec![("samples_per_second", self.samples as f64 / seconds)];
        if self.critic_steps > 0 {
            values.extend([
                ("critic_loss", self.seen.loss / critic),
                ("real", self.seen.real / critic),
                ("made", self.seen.made / critic),
                ("right", self.seen.right / critic),
                ("critic_gradient", self.critic_gradient),
            ]);
        }
        if self.steps > 0 {
            values.extend([
                ("generator_loss", self.generator / steps),
                ("generator_gradient", self.generator_gradient),
            ]);
        }
        if is_penalised && self.critic_steps > 0 {
            values.push(("penalty", self.seen.penalty / critic));
        }
        (values.into_iter())
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}
