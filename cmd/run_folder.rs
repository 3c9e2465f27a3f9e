//! The folder of a training run: one of this machine, or `s3://bucket/run`, of which there is a copy here while it is used.
//!
//! ```text
//! train --resume   all is fetched, but checkpoints that are not whole
//! train            after each checkpoint and at the end, what has changed is sent
//! translate, …     what describes the run is fetched, and the checkpoint that is asked for
//! ```
//!
//! A checkpoint is whole when its `state.json` is there, which is sent behind its other files and removed before them; last.json
//! and best.json follow. So one whose upload breaks off is as if it had not been, and those before it stand.

use crate::stream::Failure;
use crate::stream::s3::{self, Object};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tempfile::TempDir;
use wordmill::nn::folder::{Folder, Which};

/// A folder, as commands use it.
pub enum RunFolder {
    Here(PathBuf),
    There(Mirror),
}

/// A copy of a folder of S3.
pub struct Mirror {
    remote: Object,
    here: TempDir,
    /// The files that are there, as they were here when they were sent; nothing of one that is not here.
    sent: BTreeMap<String, Option<Stamp>>,
}

/// What changes when a file is written anew.
type Stamp = (u64, SystemTime);

const CONFIG: &str = "config.json";
const STATE: &str = "state.json";
const CHECKPOINTS: &str = "checkpoints/";

impl RunFolder {
    /// The folder of a run that begins or goes on; only then what it holds is fetched. Says too whether it holds a run.
    ///
    /// # Errors
    /// When S3 cannot be read.
    pub fn to_train(path: &Path, resume: bool) -> Result<(RunFolder, bool)> {
        if !s3::is_address(path) {
            return Ok((RunFolder::Here(path.to_owned()), path.join(CONFIG).exists()));
        }
        let mut mirror = Mirror::new(path)?;
        let names = mirror.remote.list()?;
        let is_there = names.iter().any(|name| name == CONFIG);
        if is_there && resume {
            let whole = whole_steps(&names);
            let is_wanted = |name: &str| step_of(name).is_none_or(|step| whole.contains(step));
            mirror.fetch(&names, is_wanted)?;
        }
        Ok((RunFolder::There(mirror), is_there))
    }

    /// The folder of a run that is read, with a checkpoint.
    ///
    /// # Errors
    /// When S3 cannot be read, or there is no run.
    pub fn to_read(path: &Path, which: Which) -> Result<RunFolder> {
        if !s3::is_address(path) {
            return Ok(RunFolder::Here(path.to_owned()));
        }
        let mut mirror = Mirror::new(path)?;
        let names = mirror.remote.list()?;
        if !names.iter().any(|name| name == CONFIG) {
            let name = path.display().to_string();
            return Err(Failure::of_file(&name, "holds no run: it has no config.json").into());
        }
        mirror.fetch(&names, |name| {
            step_of(name).is_none() && name.ends_with(".json")
        })?;
        let whole = whole_steps(&names);
        for step in &whole {
            std::fs::create_dir_all(mirror.here.path().join(CHECKPOINTS).join(step))?;
        }
        let step = Folder::new(mirror.here.path()).step(which);
        let step = step
            .with_context(|| path.display().to_string())?
            .to_string();
        mirror.fetch(&names, |name| {
            step_of(name)
                .is_some_and(|other| other == step || which == Which::Mean && whole.contains(other))
        })?;
        Ok(RunFolder::There(mirror))
    }

    /// Where it is on this machine.
    pub fn path(&self) -> &Path {
        match self {
            RunFolder::Here(path) => path,
            RunFolder::There(mirror) => mirror.here.path(),
        }
    }

    /// Sends what has changed here.
    ///
    /// # Errors
    /// When something could not be sent; the next call tries again.
    pub fn send(&mut self) -> Result<(), Failure> {
        match self {
            RunFolder::Here(_) => Ok(()),
            RunFolder::There(mirror) => mirror.send(),
        }
    }

    /// Sends what has changed for the last time. What cannot be sent stays on this machine.
    ///
    /// # Errors
    /// Then.
    pub fn finish(mut self) -> Result<()> {
        let sent = self.send();
        if let (Err(failure), RunFolder::There(mut mirror)) = (sent, self) {
            mirror.here.disable_cleanup(true);
            let hint = format!("the run is kept in {}", mirror.here.path().display());
            return Err(failure.hint(hint).into());
        }
        Ok(())
    }
}

impl Mirror {
    fn new(path: &Path) -> Result<Mirror> {
        Ok(Mirror {
            remote: Object::at(path)?,
            here: tempfile::tempdir()?,
            sent: BTreeMap::new(),
        })
    }

    /// Fetches the files that are wanted, of those that are there.
    fn fetch(&mut self, names: &[String], is_wanted: impl Fn(&str) -> bool) -> Result<()> {
        for name in names {
            if !is_wanted(name) {
                // It is removed with the next thing that is sent, unless it is written here.
                self.sent.entry(name.clone()).or_insert(None);
                continue;
            }
            let path = self.here.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(self.here.path()))?;
            let mut file = File::create(&path)?;
            let object = self.remote.below(name)?;
            std::io::copy(&mut object.read()?, &mut file)
                .map_err(|error| transfer_failure(&error, &object))?;
            self.sent.insert(name.clone(), Some(stamp(&path)?));
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), Failure> {
        let mut names = Vec::new();
        let problem = |error: std::io::Error| Failure::plain(error.to_string());
        collect(self.here.path(), "", &mut names).map_err(problem)?;
        names.sort_by_key(|name| (rank(name), name.clone()));
        for name in &names {
            let path = self.here.path().join(name);
            let now = stamp(&path).map_err(problem)?;
            if self.sent.get(name) != Some(&Some(now)) {
                self.send_file(name, &path)?;
                self.sent.insert(name.clone(), Some(now));
            }
        }
        let here: BTreeSet<String> = names.into_iter().collect();
        let mut gone: Vec<String> = self.sent.keys().cloned().collect();
        gone.retain(|name| !here.contains(name));
        gone.sort_by_key(|name| std::cmp::Reverse((rank(name), name.clone())));
        for name in gone {
            self.remote.below(&name)?.remove()?;
            self.sent.remove(&name);
        }
        Ok(())
    }

    fn send_file(&self, name: &str, path: &Path) -> Result<(), Failure> {
        let object = self.remote.below(name)?;
        let mut upload = object.write()?;
        let written = File::open(path)
            .and_then(|mut file| std::io::copy(&mut file, &mut upload))
            .and_then(|_| upload.finish());
        written.map_err(|error| transfer_failure(&error, &object))
    }
}

fn transfer_failure(error: &std::io::Error, object: &Object) -> Failure {
    let failure = Failure::inside(error);
    failure
        .unwrap_or_else(|| Failure::plain(error.to_string()))
        .in_file(object.name())
}

/// The order in which files are sent.
fn rank(name: &str) -> u8 {
    match name {
        "last.json" | "best.json" => 3,
        _ if step_of(name).is_none() => 0,
        _ if name.ends_with(STATE) => 2,
        _ => 1,
    }
}

/// The step of a checkpoint's file.
fn step_of(name: &str) -> Option<&str> {
    let (step, _) = name.strip_prefix(CHECKPOINTS)?.split_once('/')?;
    Some(step)
}

/// The steps of checkpoints that are whole.
fn whole_steps(names: &[String]) -> BTreeSet<&str> {
    let states = names.iter().filter(|name| name.ends_with(STATE));
    states.filter_map(|name| step_of(name)).collect()
}

/// The files below a folder; those whose names begin with a point are being written.
fn collect(folder: &Path, above: &str, names: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name();
        let Some(file) = file.to_str().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        match entry.file_type()?.is_dir() {
            true => collect(&entry.path(), &format!("{above}{file}/"), names)?,
            false => names.push(format!("{above}{file}")),
        }
    }
    Ok(())
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let found = path.metadata()?;
    Ok((found.len(), found.modified()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_a_checkpoint_whole_is_sent_behind_its_files_and_before_what_names_it() {
        let mut names = [
            "best.json",
            "checkpoints/20/state.json",
            "checkpoints/20/model.safetensors",
            "last.json",
            "checkpoints/20/optimizer.safetensors",
            "config.json",
        ];
        names.sort_by_key(|name| (rank(name), *name));
        assert_eq!(
            names,
            [
                "config.json",
                "checkpoints/20/model.safetensors",
                "checkpoints/20/optimizer.safetensors",
                "checkpoints/20/state.json",
                "best.json",
                "last.json",
            ]
        );
    }

    #[test]
    fn a_checkpoint_without_a_state_is_not_whole() {
        let names = [
            "checkpoints/20/model.safetensors",
            "checkpoints/20/state.json",
            "checkpoints/40/model.safetensors",
            "state.json",
        ];
        let names = names.map(str::to_owned);
        assert_eq!(whole_steps(&names), BTreeSet::from(["20"]));
    }
}
