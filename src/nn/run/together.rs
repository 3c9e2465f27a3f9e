//! A run of several ranks: what they agree on, and what only the first does.

use super::{Run, RunError, Task};
use crate::nn::event::Event;
use crate::nn::folder::Folder;
use crate::ranks::{self, Ranks};

impl RunError {
    /// Whether all ranks meet it, or are told of it, so that the first can speak for them.
    pub fn is_of_all(&self) -> bool {
        matches!(
            self,
            RunError::Diverged { .. }
                | RunError::NoTokens
                | RunError::Other { .. }
                | RunError::Apart { .. }
        )
    }
}

impl<'a, T: Task> Run<'a, T> {
    /// A run of several ranks, if there are others, as each opens it in a folder of its own: the first gives the others its
    /// checkpoint, and all begin with what it has.
    ///
    /// # Errors
    /// When it cannot be opened, or the first is at another step: what the others have read is not what it has written.
    pub fn among(
        folder: &Folder,
        ranks: Option<&'a dyn Ranks>,
        open: impl FnOnce() -> Result<Run<'a, T>, RunError>,
    ) -> Result<Run<'a, T>, RunError> {
        let Some(ranks) = ranks else {
            return open();
        };
        let mut run = if ranks.rank() == 0 {
            let run = open()?;
            let step = Some(run.steps()).filter(|step| *step > 0);
            folder.share_checkpoint(ranks, step)?;
            run
        } else {
            folder.share_checkpoint(ranks, None)?;
            let run = open()?;
            // All of it is in memory: nothing of it is left behind, whatever ends this process.
            let _ = std::fs::remove_dir_all(folder.path(""));
            run
        };
        run.ranks = Some(ranks);
        let step = run.state.step;
        if !ranks::have_same(ranks, step) {
            return Err(RunError::Apart { step });
        }
        run.share_learned();
        Ok(run)
    }

    /// Whether this one evaluates, tells and writes.
    pub(super) fn is_first(&self) -> bool {
        ranks::is_first(self.ranks)
    }

    pub(super) fn tell(&mut self, event: &Event) {
        if self.is_first() {
            (self.tell)(event);
        }
    }

    /// Whether any rank was told to stop, and whether the first finds that its time is over: its clock counts.
    pub(super) fn agree(&self, [is_stopped, is_late]: [bool; 2]) -> [bool; 2] {
        let Some(ranks) = self.ranks else {
            return [is_stopped, is_late];
        };
        let is_late = is_late && self.is_first();
        let mut asked = [is_stopped, is_late].map(|is_so| f64::from(u8::from(is_so)));
        ranks.sum_f64(&mut asked);
        asked.map(|sum| sum > 0.0)
    }

    /// Whether it is so of any rank.
    pub(super) fn is_of_any(&self, is_so: bool) -> bool {
        let mut found = [f64::from(u8::from(is_so))];
        if let Some(ranks) = self.ranks {
            ranks.sum_f64(&mut found);
        }
        found[0] > 0.0
    }

    /// What the first rank found: nothing where nothing was evaluated, and no score where none decides.
    pub(super) fn share_score(&self, found: Option<Option<f64>>) -> Option<Option<f64>> {
        let Some(ranks) = self.ranks else {
            return found;
        };
        let score = found.flatten();
        let mut row = [
            found.is_some().into(),
            score.is_some().into(),
            score.unwrap_or(0.0),
        ];
        if !self.is_first() {
            row = [0.0; 3];
        }
        ranks.sum_f64(&mut row);
        (row[0] > 0.0).then(|| (row[1] > 0.0).then_some(row[2]))
    }

    /// Everybody goes on from what the first has learned: processors of different kinds round differently.
    pub(super) fn share_learned(&mut self) {
        let Some(ranks) = self.ranks else {
            return;
        };
        let learned = &mut self.learned;
        ranks::share_values(ranks, learned.weights.values_mut());
        ranks::share_values(ranks, &mut learned.moments.first);
        ranks::share_values(ranks, &mut learned.moments.second);
        if let Some(average) = &mut learned.average {
            ranks::share_values(ranks, average.values_mut());
        }
    }
}
