//! The folder of a training run: what the model is, and what it had learned when.
//!
//! ```text
//! config.json                          the architecture and the shape of the model
//! tokenizer.json                       or tokenizer.source.json and tokenizer.target.json
//! checkpoints/STEP/model.safetensors   weights; with averages of weights, those are what is used
//!                 /optimizer.safetensors   "first", "second": the moments; "weights" where the model has averages
//!                 /state.json          where the run is
//! last.json, best.json                 {"step": 300}
//! log.jsonl, curves.svg                what was reported
//! ```
//!
//! A checkpoint is written under another name, synced and renamed, so that it is whole or not there.

mod config;
mod shared;
mod tensors;
mod which;

use super::parameters::Layout;
pub use config::StoredError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
pub use tensors::{Tensors, read_tensors, rows_of, write_tensors};
pub use which::Which;

/// What is wrong with a run's folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{file}: {error}")]
    Io { file: String, error: std::io::Error },
    #[error("{file}: {problem}")]
    Damaged { file: String, problem: String },
    #[error("{file}: {tensor} is {found}, and the model of config.json has {expected}")]
    Shape {
        file: String,
        tensor: String,
        expected: String,
        found: String,
    },
    #[error("{folder}: has no checkpoint")]
    Empty { folder: String },
    #[error("{folder}: has no checkpoint of step {step}; there are {there}")]
    NoStep {
        folder: String,
        step: u64,
        there: String,
    },
}

/// A folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn new(path: &Path) -> Folder {
        Folder {
            path: path.to_owned(),
        }
    }

    /// A file or folder in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn checkpoint(&self, step: u64) -> PathBuf {
        self.path.join("checkpoints").join(step.to_string())
    }

    /// The steps of all checkpoints, the first first.
    pub fn steps(&self) -> Vec<u64> {
        let entries = std::fs::read_dir(self.path("checkpoints"))
            .into_iter()
            .flatten()
            .flatten();
        let mut steps: Vec<u64> = entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        steps.sort_unstable();
        steps
    }

    /// The step that is asked for: the best is the last where none is known to be the best.
    ///
    /// # Errors
    /// When there is no such checkpoint.
    pub fn step(&self, which: Which) -> Result<u64, FolderError> {
        let steps = self.steps();
        let named = |name: &str| {
            self.read_json::<HashMap<String, u64>>(name)
                .ok()?
                .get("step")
                .copied()
        };
        let wanted = match which {
            Which::Step(step) => Some(step),
            Which::Best => named("best.json").or_else(|| named("last.json")),
            Which::Last | Which::Mean => steps.last().copied(),
        };
        let found = wanted.filter(|step| steps.contains(step));
        let last = steps
            .last()
            .copied()
            .filter(|_| !matches!(which, Which::Step(_)));
        let folder = || self.path.display().to_string();
        found.or(last).ok_or_else(|| match which {
            Which::Step(step) if !steps.is_empty() => FolderError::NoStep {
                folder: folder(),
                step,
                there: steps
                    .iter()
                    .map(u64::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
            },
            _ => FolderError::Empty { folder: folder() },
        })
    }

    /// The weights of a checkpoint, or the mean of those of all.
    ///
    /// # Errors
    /// When there is none, or one is damaged or another model's.
    pub fn weights_of(&self, which: Which, layout: &Layout) -> Result<Vec<f32>, FolderError> {
        let mut mean = self.weights(self.step(which)?, layout)?;
        if which == Which::Mean {
            let steps = self.steps();
            for step in &steps[..steps.len() - 1] {
                let weights = self.weights(*step, layout)?;
                mean.iter_mut().zip(weights).for_each(|(sum, w)| *sum += w);
            }
            mean.iter_mut().for_each(|sum| *sum /= steps.len() as f32);
        }
        Ok(mean)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, FolderError> {
        let path = self.path(name);
        std::fs::read(&path).map_err(|error| io(&path, error))
    }

    /// Reads a file of JSON.
    ///
    /// # Errors
    /// When it is not there or is not what it should be.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, FolderError> {
        let path = self.path(name);
        let text = std::fs::read_to_string(&path).map_err(|error| io(&path, error))?;
        serde_json::from_str(&text).map_err(|error| damaged(&path, &error.to_string()))
    }

    /// Writes a file of JSON, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), FolderError> {
        let path = self.path(name);
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| damaged(&path, &error.to_string()))?;
        self.write(name, (text + "\n").as_bytes())
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.path(name);
        let written = (|| {
            let place = path.parent().unwrap_or(&self.path);
            std::fs::create_dir_all(place)?;
            let mut file = tempfile::NamedTempFile::new_in(place)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            std::fs::File::set_permissions(
                file.as_file(),
                std::os::unix::fs::PermissionsExt::from_mode(0o644),
            )?;
            file.persist(&path).map(drop).map_err(|error| error.error)
        })();
        written.map_err(|error| io(&path, error))
    }

    /// Writes a checkpoint; a failed one leaves nothing behind.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(
        &self,
        step: u64,
        model: Tensors,
        optimizer: Tensors,
        state: &impl Serialize,
    ) -> Result<(), FolderError> {
        let place = self.checkpoint(step);
        let written = (|| {
            std::fs::create_dir_all(self.path("checkpoints"))?;
            let folder = tempfile::Builder::new()
                .prefix(".new")
                .tempdir_in(self.path("checkpoints"))?;
            write_tensors(&folder.path().join("model.safetensors"), model)?;
            write_tensors(&folder.path().join("optimizer.safetensors"), optimizer)?;
            let mut file = std::fs::File::create(folder.path().join("state.json"))?;
            serde_json::to_writer_pretty(&mut file, state)?;
            file.sync_all()?;
            if place.exists() {
                std::fs::remove_dir_all(&place)?;
            }
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(folder.path(), mode)?;
            std::fs::rename(folder.path(), &place)?;
            std::fs::File::open(self.path("checkpoints"))?.sync_all()
        })();
        written.map_err(|error| io(&place, error))?;
        self.write_json("last.json", &HashMap::from([("step", step)]))
    }

    /// Removes all but the last `keep` checkpoints and those that are named.
    pub fn prune(&self, keep: usize, also: &[u64]) {
        let steps = self.steps();
        let old = &steps[..steps.len().saturating_sub(keep.max(1))];
        for step in old.iter().filter(|step| !also.contains(step)) {
            // What cannot be removed only takes room.
            let _ = std::fs::remove_dir_all(self.checkpoint(*step));
        }
    }

    /// The weights of a checkpoint, as the layout has them.
    ///
    /// # Errors
    /// When the file is damaged or is of another model.
    pub fn weights(&self, step: u64, layout: &Layout) -> Result<Vec<f32>, FolderError> {
        let path = self.checkpoint(step).join("model.safetensors");
        let expected = layout
            .entries()
            .map(|(name, p)| (name, (p.rows, p.columns)));
        read_tensors(&path, expected.collect(), None).map(|tensors| tensors.concat())
    }

    /// Flat tensors of the optimizer by name, `len` values each; behind them `more`, where it is there.
    ///
    /// # Errors
    /// When the file is damaged or is of another model.
    pub fn optimizer(
        &self,
        step: u64,
        names: &[&str],
        more: &str,
        len: usize,
    ) -> Result<Vec<Vec<f32>>, FolderError> {
        let path = self.checkpoint(step).join("optimizer.safetensors");
        let sizes = |name| (name, (1, len));
        let expected = names.iter().copied().map(sizes).collect();
        read_tensors(&path, expected, Some(sizes(more)))
    }

    /// The state of a checkpoint.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn state<T: DeserializeOwned>(&self, step: u64) -> Result<T, FolderError> {
        self.read_json(&format!("checkpoints/{step}/state.json"))
    }
}

fn io(path: &Path, error: std::io::Error) -> FolderError {
    FolderError::Io {
        file: path.display().to_string(),
        error,
    }
}

fn damaged(path: &Path, problem: &str) -> FolderError {
    FolderError::Damaged {
        file: path.display().to_string(),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        let mut layout = Layout::default();
        layout.matrix("a.weight", 2, 3);
        layout.vector("a.bias", 2);
        layout
    }

    fn saved(steps: &[u64]) -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(place.path());
        for step in steps {
            let values: Vec<f32> = (0..8).map(|i| i as f32 + *step as f32).collect();
            let model = vec![
                ("a.weight".to_owned(), (2, 3), &values[..6]),
                ("a.bias".to_owned(), (1, 2), &values[6..]),
            ];
            let optimizer = vec![("first".to_owned(), (1, 8), &values[..])];
            folder
                .save(*step, model, optimizer, &HashMap::from([("epoch", 3)]))
                .expect("saved");
        }
        (place, folder)
    }

    #[test]
    fn what_is_saved_is_read_again() {
        let (_place, folder) = saved(&[5]);
        let values: Vec<f32> = (5..13).map(|i| i as f32).collect();
        assert_eq!(folder.weights(5, &layout()).expect("weights"), values);
        assert_eq!(
            folder
                .optimizer(5, &["first"], "weights", 8)
                .expect("moments"),
            [values]
        );
        let state: HashMap<String, u64> = folder.state(5).expect("a state");
        assert_eq!(state["epoch"], 3);
    }

    #[test]
    fn the_best_checkpoint_is_the_last_until_one_is_named() {
        let (_place, folder) = saved(&[5, 10, 15]);
        assert_eq!(folder.step(Which::Best).expect("a step"), 15);
        folder
            .write_json("best.json", &HashMap::from([("step", 10)]))
            .expect("written");
        assert_eq!(folder.step(Which::Best).expect("a step"), 10);
        assert_eq!(folder.step(Which::Step(5)).expect("a step"), 5);
        assert!(folder.step(Which::Step(6)).is_err());
    }

    #[test]
    fn the_mean_is_that_of_all_checkpoints() {
        let (_place, folder) = saved(&[5, 10, 15]);
        let each = |step| folder.weights(step, &layout()).expect("weights");
        let (a, b, c) = (each(5), each(10), each(15));
        let mean = folder.weights_of(Which::Mean, &layout()).expect("weights");
        assert_ne!(a, c);
        for i in 0..mean.len() {
            assert!((mean[i] - (a[i] + b[i] + c[i]) / 3.0).abs() < 1e-6);
        }
        assert_eq!(
            folder
                .weights_of(Which::Step(10), &layout())
                .expect("weights"),
            b
        );
    }

    #[test]
    fn old_checkpoints_go_and_the_best_stays() {
        let (_place, folder) = saved(&[1, 2, 3, 4, 5]);
        folder.prune(2, &[1]);
        assert_eq!(folder.steps(), [1, 4, 5]);
    }

    #[test]
    fn a_cut_or_changed_file_and_another_model_are_refused_by_name() {
        let (_place, folder) = saved(&[5]);
        let path = folder.path("checkpoints/5/model.safetensors");
        let bytes = std::fs::read(&path).expect("bytes");
        std::fs::write(&path, &bytes[..bytes.len() - 3]).expect("written");
        assert!(matches!(
            folder.weights(5, &layout()),
            Err(FolderError::Damaged { .. })
        ));
        let mut changed = bytes.clone();
        *changed.last_mut().expect("a byte") ^= 1;
        std::fs::write(&path, &changed).expect("written");
        let error = folder
            .weights(5, &layout())
            .expect_err("damaged")
            .to_string();
        assert!(
            error.ends_with("model.safetensors: the checksum is wrong"),
            "{error}"
        );
        std::fs::write(&path, &bytes).expect("written");
        let mut other = Layout::default();
        other.matrix("a.weight", 3, 3);
        let error = folder
            .weights(5, &other)
            .expect_err("another model")
            .to_string();
        assert!(
            error.contains("a.weight is F32 [2, 3], and the model of config.json has [3, 3]"),
            "{error}"
        );
    }
}
