//! What the commands share that train translators and translate with them, each of an architecture of its own.
//!
//! Such a command has the flags that shape its models, a [`Shape`]; it hands them to [`train::TrainArgs`], and its
//! architecture to [`translate::ready`].

mod attention;
mod data;
mod lines;
mod loaded;
mod memory;
mod prepare;
mod references;
mod report;
mod search;
pub mod settings;
pub mod train;
pub mod translate;

use crate::stream::Failure;
use anyhow::Result;
use wordmill::translate::architecture::{Architecture, Tied, Units};

/// Flags for the shape of a model.
pub trait Shape: clap::Args {
    type Architecture: Architecture;

    /// What is advised when a run has diverged.
    const ADVICE: &'static str;

    /// The shape these flags come to.
    fn config(&self, data: &Data) -> <Self::Architecture as Architecture>::Config;

    /// Whether they ask for another model than that of a run.
    ///
    /// # Errors
    /// When they do.
    fn agree_with(&self, config: &<Self::Architecture as Architecture>::Config) -> Result<()>;

    /// Puts what may change about a run in place of what is there.
    fn change(&self, _: &mut <Self::Architecture as Architecture>::Config) {}
}

/// What a model is to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Data {
    pub pairs: u64,
    /// Words of the source and of the target vocabulary.
    pub vocabularies: (usize, usize),
    /// Whether they are one.
    pub is_joint: bool,
    pub units: Units,
}

impl Default for Data {
    fn default() -> Data {
        Data {
            pairs: 0,
            vocabularies: (1, 1),
            is_joint: true,
            units: Units::Pieces,
        }
    }
}

/// Which tables of words are one.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum TiedName {
    /// Source, target and output
    All,
    /// Target and output
    Target,
    None,
}

impl TiedName {
    pub fn tied(self) -> Tied {
        match self {
            TiedName::All => Tied::All,
            TiedName::Target => Tied::Target,
            TiedName::None => Tied::None,
        }
    }

    /// What is asked for, or else as many as one vocabulary, or two, allow.
    pub fn or_by(asked: Option<TiedName>, is_joint: bool) -> Tied {
        match asked {
            Some(asked) => asked.tied(),
            None if is_joint => Tied::All,
            None => Tied::Target,
        }
    }
}

/// Flags, and whether each asks for another model than that of a run.
///
/// # Errors
/// When one does.
pub fn same(flags: &[(&str, bool)]) -> Result<()> {
    match flags.iter().find(|(_, is_other)| *is_other) {
        Some((flag, _)) => Err(Failure::usage(format!("{flag} is not that of the run"))
            .hint("the shape of a model cannot change; a run that is begun without --resume and --init has one of its own")
            .into()),
        None => Ok(()),
    }
}
