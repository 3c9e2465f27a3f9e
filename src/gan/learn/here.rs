//! The gradients of both networks on the host, of the part of a batch that is computed here, summed over all ranks.

use super::Learner;
use crate::gan::step::{Reals, Seen, Step};
use crate::nn::ops::batch_norm::Moments;
use crate::nn::run::Learned;
use crate::random::Random;

impl Learner<'_> {
    /// The gradients of a step of the critic on the host.
    pub(super) fn critic_here(
        &mut self,
        learned: &mut Learned,
        reals: &Reals,
        random: &mut Random,
    ) -> Seen {
        let part = self.part();
        let step = Step {
            model: self.model,
            objective: &self.recipe.objective,
            part: part.as_ref(),
        };
        let gradients = std::mem::take(&mut learned.gradients);
        let (mut gradients, seen) = match &mut self.spectral {
            None => step.critic(&learned.weights, gradients, reals, random),
            Some(spectral) => {
                let divided = spectral.divide(&mut learned.weights, true);
                let (mut gradients, seen) = step.critic(&divided, gradients, reals, random);
                spectral.pull_back(&learned.weights, &mut gradients);
                (gradients, seen)
            }
        };
        if let Some(part) = part {
            part.sum_gradients(&mut gradients[self.model.of_critic()]);
        }
        learned.gradients = gradients;
        seen
    }

    /// Those of a step of the generator, and its loss.
    pub(super) fn generator_here(
        &mut self,
        learned: &mut Learned,
        reals: &Reals,
        with: (&mut Random, &Moments),
    ) -> f64 {
        let part = self.part();
        let step = Step {
            model: self.model,
            objective: &self.recipe.objective,
            part: part.as_ref(),
        };
        let spectral = self.spectral.as_mut();
        let divided = spectral.map(|spectral| spectral.divide(&mut learned.weights, false));
        let weights = divided.as_ref().unwrap_or(&learned.weights);
        let gradients = std::mem::take(&mut learned.gradients);
        let (mut gradients, loss) = step.generator(weights, gradients, reals, with);
        if let Some(part) = part {
            part.sum_gradients(&mut gradients[self.model.of_generator()]);
        }
        learned.gradients = gradients;
        loss
    }
}
