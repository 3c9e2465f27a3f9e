//! Runs that a launcher such as `mpirun` has started as several processes.

use crate::device::DeviceArgs;
use crate::report::ReportArgs;
use crate::stream::Failure;
use anyhow::{Result, bail};
use wordmill::nn::device::Gpu;
use wordmill::ranks::{Ranks, RanksError, launched, of_launcher};

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
                "only `transformer train`, `seq2seq train`, `gan train` and `word2vec train` learn together; start one process"
            )
        ),
    }
}

/// # Errors
/// When what all processes are to read is standard input, which reaches one of them.
pub fn must_be_files(is_stdin: bool) -> Result<()> {
    match is_stdin {
        true => bail!(
            Failure::usage("standard input reaches one process only")
                .hint("give files that all machines have")
        ),
        false => Ok(()),
    }
}

/// What processes besides the first tell.
pub fn silent(report: ReportArgs) -> ReportArgs {
    ReportArgs {
        quiet: true,
        ..report
    }
}

/// The GPU of this process, if all have one; otherwise none, unless one was asked for.
///
/// # Errors
/// When one was asked for, and another process has none.
pub fn gpu_like_others(
    ranks: &dyn Ranks,
    gpu: Option<Gpu>,
    device: &DeviceArgs,
    (report, command): (ReportArgs, &str),
) -> Result<Option<Gpu>> {
    let mut found = [f64::from(u8::from(gpu.is_some()))];
    ranks.sum_f64(&mut found);
    let problem = (found[0] < ranks.size() as f64)
        .then(|| format!("{} of {} processes have a GPU", found[0], ranks.size()));
    device.allow(gpu, problem, (report, command))
}
