//! Runs that a launcher such as `mpirun` has started as several processes.

use crate::stream::Failure;
use anyhow::{Result, bail};
use wordmill::nn::ranks::{Ranks, RanksError, launched, of_launcher};

/// All processes of the launch, if there are several.
///
/// # Errors
/// When they cannot talk to each other.
pub fn open() -> Result<Option<Box<dyn Ranks>>> {
    of_launcher().map_err(|error| {
        let failure = Failure::plain(error.to_string());
        match error {
            RanksError::Built { .. } => failure
                .hint("take a wordmill built with --features mpi, or start one process")
                .into(),
            _ => failure.into(),
        }
    })
}

/// # Errors
/// When a launcher has started several processes of a command that knows nothing of the others: they would write the same
/// files.
pub fn must_be_alone() -> Result<()> {
    match launched() {
        1 => Ok(()),
        size => bail!(
            Failure::plain(format!("started as one of {size} processes")).hint(
                "only `transformer train`, `seq2seq train` and `word2vec train` learn together; start one process"
            )
        ),
    }
}
