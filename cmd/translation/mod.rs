//! What the commands share that train translators and translate with them, each of an architecture of its own.
//!
//! Such a command has the flags that shape its models, a [`Shape`]; it hands them to [`train::TrainArgs`], and its
//! architecture to [`translate::run`].

mod attention;
mod data;
mod lines;
mod loaded;
mod prepare;
mod references;
mod report;
mod search;
mod settings;
pub mod train;
pub mod translate;

use anyhow::Result;
use wordmill::translate::architecture::Architecture;

/// Flags for the shape of a model.
pub trait Shape: clap::Args {
    type Architecture: Architecture;

    /// What is advised when a run has diverged.
    const ADVICE: &'static str;

    /// The shape these flags come to, for a model that learns from so many pairs; whether source and target have one
    /// vocabulary.
    ///
    /// # Errors
    /// When flags do not go together.
    fn config(
        &self,
        pairs: u64,
        vocabularies: (usize, usize),
        is_joint: bool,
    ) -> Result<<Self::Architecture as Architecture>::Config>;

    /// Whether they ask for another model than that of a run.
    ///
    /// # Errors
    /// When they do.
    fn agree_with(&self, config: &<Self::Architecture as Architecture>::Config) -> Result<()>;
}
