//! What a run keeps in its checkpoints, and how it goes on from them.

use super::{Run, RunError, Task};
use crate::nn::event::Event;
use crate::nn::folder::{Folder, FolderError};
use crate::nn::ops::cuda::learning::Scale;
use crate::nn::parameters::{Layout, Weights};
use crate::nn::plan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Where a run is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State<P> {
    pub step: u64,
    pub position: P,
    pub updates: u64,
    pub best: Option<(u64, f64)>,
    /// Evaluations since the best.
    pub waited: u32,
    /// Whether an evaluation was due at this step, and was not made.
    #[serde(default)]
    pub is_unmeasured: bool,
    /// What gradients in f16 are multiplied by, where a device has learned in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scales: Option<[Scale; 2]>,
    /// Seconds of training so far, evaluations and checkpoints left out.
    pub seconds: f64,
}

impl<'a, T: Task> Run<'a, T> {
    /// Goes on from the last checkpoint that can be read; `resume` builds the task at its place in the data.
    ///
    /// # Errors
    /// When there is none.
    pub fn resume(
        folder: &'a Folder,
        layout: &'a Layout,
        plan: Plan,
        task: impl FnOnce(T::Position) -> T,
        tell: &'a mut (dyn FnMut(&Event) + Send),
    ) -> Result<Run<'a, T>, RunError> {
        let mut problem = None;
        for step in folder.steps().into_iter().rev() {
            let read = || -> Result<_, FolderError> {
                let state: State<T::Position> = folder.state(step)?;
                let optimizer =
                    folder.optimizer(step, &["first", "second"], "weights", layout.len())?;
                Ok((state, optimizer, folder.weights(step, layout)?))
            };
            match read() {
                Ok((state, mut tensors, model)) => {
                    // Of a checkpoint with an average, that is the model. Whether a run keeps one may change: a new one
                    // begins with the weights.
                    let raw = if tensors.len() > 2 {
                        tensors.pop()
                    } else {
                        None
                    };
                    let mut weights = Weights::zeros(layout);
                    weights
                        .values_mut()
                        .copy_from_slice(raw.as_ref().unwrap_or(&model));
                    let task = task(state.position.clone());
                    let mut run = Run::new(folder, layout, (plan, task), weights, tell);
                    if let Some(average) = &mut run.learned.average {
                        average.values_mut().copy_from_slice(&model);
                    }
                    run.learned.moments.second = tensors.pop().unwrap_or_default();
                    run.learned.moments.first = tensors.pop().unwrap_or_default();
                    run.learned.moments.updates = state.updates;
                    if let Some(scales) = state.scales {
                        run.learned.moments.left_out = scales.map(|scale| scale.left_out);
                    }
                    run.state = state;
                    (run.tell)(&Event::Resumed { step });
                    return Ok(run);
                }
                Err(error) => {
                    tell(&Event::Skipped {
                        problem: error.to_string(),
                    });
                    problem = Some(error);
                }
            }
        }
        let empty = || FolderError::Empty {
            folder: folder.path("checkpoints").display().to_string(),
        };
        Err(problem.unwrap_or_else(empty).into())
    }

    /// Writes a checkpoint. A full disk ends no run: what was learned is still in memory, and the last checkpoint stands.
    pub(super) fn save(&mut self) {
        self.share_learned();
        self.keep();
    }

    /// Writes it without asking the other ranks, which may be gone.
    pub(super) fn keep(&mut self) {
        if !self.is_first() {
            return;
        }
        let step = self.state.step;
        let event = match self.write() {
            Ok(()) => Event::Saved { step },
            Err(error) => Event::NotSaved {
                step,
                problem: error.to_string(),
            },
        };
        self.tell(&event);
    }

    fn write(&self) -> Result<(), FolderError> {
        let len = self.layout.len();
        let model = self
            .learned
            .average
            .as_ref()
            .unwrap_or(&self.learned.weights);
        let tensors = self
            .layout
            .entries()
            .map(|(name, p)| (name.to_owned(), (p.rows, p.columns), model.of(p)));
        let mut optimizer = vec![
            (
                "first".to_owned(),
                (1, len),
                &self.learned.moments.first[..],
            ),
            (
                "second".to_owned(),
                (1, len),
                &self.learned.moments.second[..],
            ),
        ];
        if self.learned.average.is_some() {
            optimizer.push((
                "weights".to_owned(),
                (1, len),
                self.learned.weights.values(),
            ));
        }
        self.folder
            .save(self.state.step, tensors.collect(), optimizer, &self.state)?;
        let best = self.state.best.map(|(step, _)| step);
        if let Some(step) = best.filter(|step| *step == self.state.step) {
            self.folder
                .write_json("best.json", &HashMap::from([("step", step)]))?;
        }
        self.folder.prune(self.plan.keep, best.as_slice());
        Ok(())
    }
}
