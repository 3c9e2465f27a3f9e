//! A run whose steps are computed on a device: when the host waits for it, and what it brings back.
//!
//! The host runs ahead of the device from report to report. Checkpoints are the host's, of what it has fetched; the device
//! goes on with its own. An evaluation brings the weights that are kept, an average or themselves, to the device again.

use super::{Learned, Run, RunError, Task};
use crate::nn::device::{Fault, Gpu};
use crate::nn::event::{Evaluation, Values};
use crate::nn::ops::cuda::learning::Learning;
use crate::nn::parameters::Weights;

impl Learned {
    /// Brings all of it to a device.
    fn bring_to(&mut self, gpu: &Gpu) {
        self.weights.bring_to(gpu);
        let average = self.average.as_ref().map(Weights::values);
        self.there = Some(Learning::of(gpu, &self.moments, average));
    }

    /// Brings what the device has learned back, as a copy.
    ///
    /// # Errors
    /// When the device has failed.
    fn fetch(&mut self) -> Result<(), Fault> {
        let Some(there) = &self.there else {
            return Ok(());
        };
        self.weights.fetch();
        there.fetch(&mut self.moments, self.average.as_mut());
        there.gpu().check()
    }
}

impl<'a, T: Task> Run<'a, T> {
    /// The same run, computed on a device.
    pub fn on(mut self, gpu: &Gpu) -> Run<'a, T> {
        self.learned.bring_to(gpu);
        if let (Some(there), Some(scales)) = (&mut self.learned.there, self.state.scales) {
            there.set_scales(scales);
        }
        self
    }

    /// Waits for a device where something is told or kept: one that is behind is training still.
    pub(super) fn wait_when_due(&self) -> Result<(), RunError> {
        let (plan, step) = (&self.plan, self.state.step);
        let due = [plan.report_every, plan.evaluate_every, plan.save_every];
        match &self.learned.there {
            Some(there) if due.iter().any(|every| step.is_multiple_of(*every)) => {
                let waited = there.gpu().wait();
                waited.map_err(|fault| RunError::of_device(step, fault))
            }
            _ => Ok(()),
        }
    }

    /// How good the weights are that are kept, as they were fetched: computed on the device where there is one, and where
    /// that has no room for it on the host.
    pub(super) fn evaluation(&mut self) -> Option<Evaluation> {
        let step = self.state.step;
        let own = self.learned.weights.leave();
        let gpu = (self.learned.there.as_ref())
            .filter(|_| T::EVALUATES_THERE)
            .map(Learning::gpu);
        let weights = (self.learned.average.as_mut()).unwrap_or(&mut self.learned.weights);
        let on_device = gpu.map(|gpu| {
            weights.bring_to(gpu);
            let found = self.task.evaluate(weights, step);
            weights.leave();
            (found, gpu)
        });
        let found = match on_device {
            Some((found, gpu)) if gpu.check().is_ok() => found,
            // The next step tells what has failed.
            Some((_, gpu)) if !gpu.forgive() => None,
            _ => self.task.evaluate(weights, step),
        };
        self.learned.weights.return_to(own);
        found
    }

    /// ‖g‖ of the last step on a device.
    pub(super) fn seen(&mut self, lr: f32) -> Result<f64, RunError> {
        let step = self.state.step;
        let Some(there) = &self.learned.there else {
            return Ok(0.0);
        };
        let seen = there.seen();
        (there.gpu().check()).map_err(|fault| RunError::of_device(step, fault))?;
        // Of a part of a batch, a loss may be none where those of other ranks are.
        let has_lost = self.is_of_any(!self.task.says_numbers(&self.learned));
        match seen.diverged {
            // Whatever the scale of gradients is, losses have none.
            None if has_lost => Err(RunError::Diverged {
                step,
                loss: f64::NAN,
                gradient: seen.gradient,
                lr,
            }),
            None => Ok(seen.gradient),
            // Updates are counted from the begin of the run, as steps are.
            Some((step, gradient)) => Err(RunError::Diverged {
                step,
                loss: f64::NAN,
                gradient,
                lr,
            }),
        }
    }

    /// What steps have seen, and what their gradients are multiplied by on a device where that changes.
    pub(super) fn told(&mut self, seconds: f64) -> Values {
        let mut values = self.task.told(&self.learned, seconds);
        if let Some([scale, _]) = self.learned.there.as_ref().and_then(Learning::scales) {
            values.insert("scale".to_owned(), scale.factor);
        }
        values
    }

    /// Brings what a device has learned to the host, for an evaluation or a checkpoint.
    pub(super) fn fetch(&mut self, lr: f32) -> Result<(), RunError> {
        self.seen(lr)?;
        let (step, fetched) = (self.state.step, self.fetch_all());
        fetched.map_err(|fault| RunError::of_device(step, fault))
    }

    fn fetch_all(&mut self) -> Result<(), Fault> {
        if let Some(scales) = self.learned.there.as_ref().and_then(Learning::scales) {
            self.state.scales = Some(scales);
        }
        self.learned.fetch()
    }

    /// Tells what a device has failed in after the last step, whose checkpoint stands.
    pub(super) fn check_there(&self) -> Result<(), RunError> {
        let checked = (self.learned.there.as_ref()).map_or(Ok(()), |there| there.gpu().check());
        checked.map_err(|fault| RunError::of_device(self.state.step, fault))
    }

    /// After a fault of the device: where it only lacked memory, the weights of the last whole step can still be had.
    pub(super) fn save_what_can_be(&mut self, error: RunError) -> RunError {
        let Learned { weights, there, .. } = &mut self.learned;
        if let Some(there) = there
            && there.gpu().forgive()
        {
            there.take_back(weights);
            if there.seen().diverged.is_none()
                && self.task.says_numbers(&self.learned)
                && self.fetch_all().is_ok()
            {
                self.keep();
            }
        }
        error
    }
}

#[cfg(test)]
mod tests;
