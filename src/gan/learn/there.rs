//! Steps on a device: the gradients of the part of a batch that is computed here, summed over all ranks.
//!
//! A rank whose device fails ends before it meets the others where gradients are summed, and tells them nothing: they may wait
//! for it in the middle of a pass. Whoever has started them ends them ([`crate::ranks`], mpirun, `srun --kill-on-bad-exit`).

use super::Learner;
use crate::gan::step::{Reals, Step as Host};
use crate::gan::there::{Place, Step};
use crate::gan::turns::Turn;
use crate::nn::ops::batch_norm::Moments;
use crate::nn::part::Part;
use crate::nn::reduce;
use crate::nn::run::{Learned, RunError};
use crate::random::Random;
use std::ops::Range;

impl Learner<'_> {
    /// Begins a step on the device, if one computes.
    pub(super) fn begin(&mut self, learned: &mut Learned, turn: Turn) -> Result<(), RunError> {
        let Some(there) = &mut learned.there else {
            return Ok(());
        };
        let (gpu, model) = (there.gpu(), self.model);
        self.there.get_or_insert_with(|| Place::new(gpu, model));
        if !matches!(turn, Turn::Generator { .. }) {
            there.begin(&learned.weights, (1, model.of_critic()));
        }
        there.gpu().check().map_err(|fault| {
            // Sums that there was no room for say nothing.
            self.there = None;
            RunError::of_device(learned.step, fault)
        })
    }

    /// The step on the device, if one computes.
    fn on_device<'l>(
        &'l self,
        learned: &'l Learned,
        part: Option<&'l Part<'l>>,
    ) -> Option<Step<'l>> {
        let there = learned.there.as_ref()?;
        Some(Step {
            host: Host {
                model: self.model,
                objective: &self.recipe.objective,
                part,
            },
            gradients: &there.gradients,
            place: self.there.as_ref()?,
            scales: [0, 1].map(|which| there.scale(which)),
        })
    }

    /// The gradients of a step of the critic; whether a device has computed them. What it has seen is told later.
    ///
    /// # Errors
    /// When the device has failed, and others wait for what it has found.
    pub(super) fn critic_there(
        &self,
        learned: &Learned,
        reals: &Reals,
        random: &mut Random,
    ) -> Result<bool, RunError> {
        let part = self.part();
        let Some(step) = self.on_device(learned, part.as_ref()) else {
            return Ok(false);
        };
        step.critic(&learned.weights, reals, random);
        self.sum_there(learned, self.model.of_critic())?;
        Ok(true)
    }

    /// Those of a step of the generator.
    ///
    /// # Errors
    /// The same.
    pub(super) fn generator_there(
        &self,
        learned: &Learned,
        reals: &Reals,
        with: (&mut Random, &Moments),
    ) -> Result<bool, RunError> {
        let part = self.part();
        let Some(step) = self.on_device(learned, part.as_ref()) else {
            return Ok(false);
        };
        step.generator(&learned.weights, reals, with);
        self.sum_there(learned, self.model.of_generator())?;
        Ok(true)
    }

    fn sum_there(&self, learned: &Learned, part: Range<usize>) -> Result<(), RunError> {
        let (Some(ranks), Some(there)) = (self.ranks, &learned.there) else {
            return Ok(());
        };
        let checked = there.gpu().check();
        checked.map_err(|fault| RunError::of_device(learned.step, fault))?;
        reduce::sum_there(ranks, &there.gradients, part);
        Ok(())
    }

    /// Brings what was summed on devices to what is known here.
    pub(super) fn collect(&mut self) {
        if let Some(place) = &self.there {
            let sums = place.take(self.ranks);
            self.seen.seen += sums.critic();
            self.seen.generator += sums.generator;
            self.right.0 += sums.right;
        }
    }
}
