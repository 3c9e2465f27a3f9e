//! Runs of several processes: those that a launcher such as `mpirun` has started, and those that a run on several GPUs starts.

use crate::device::DeviceArgs;
use crate::report::ReportArgs;
use crate::stream::Failure;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::os::fd::AsFd;
use std::process::Command;
use wordmill::nn::device::{Gpu, Numbers};
use wordmill::nn::run::RunError;
use wordmill::ranks::local::{self, OnLost, Place};
use wordmill::ranks::{Ranks, RanksError, launched, of_launcher};

/// All processes that learn together, if there are several: one for each GPU of a list, of which the first starts the others,
/// or those of a launcher.
///
/// # Errors
/// When they cannot be started, or cannot talk to each other, or what they are to read reaches one of them.
pub fn open_on(
    device: &DeviceArgs,
    is_stdin: bool,
    command: &str,
) -> Result<Option<Box<dyn Ranks>>> {
    if device.gpus().len() < 2 {
        let ranks = open()?;
        must_be_files(is_stdin && ranks.is_some())?;
        return Ok(ranks);
    }
    let ranks = match Place::of_this() {
        Some(place) => {
            let first = std::io::stdin().as_fd().try_clone_to_owned()?;
            // The first process says what has ended it.
            local::join(place, first.into(), Box::new(|_| std::process::exit(1)))
        }
        None => {
            must_be_alone_on(device)?;
            must_be_files(is_stdin)?;
            device.must_be_there()?;
            start(device.gpus(), command)
        }
    };
    let ranks = ranks.context("the processes of the GPUs cannot be started")?;
    Ok(Some(Box::new(ranks)))
}

/// Starts this command once more for each GPU but the first.
fn start(gpus: &[usize], command: &str) -> std::io::Result<local::Process> {
    let binary = std::env::current_exe()?;
    let again = || {
        let mut again = Command::new(&binary);
        again.args(std::env::args_os().skip(1));
        again
    };
    local::start(gpus.len(), again, end_of_first(gpus, command))
}

/// Ends the first process, as it has lost another one.
fn end_of_first(gpus: &[usize], command: &str) -> OnLost {
    let (gpus, command) = (gpus.to_owned(), command.to_owned());
    Box::new(move |lost| {
        let how = lost.status.map(|status| format!(" ({status})"));
        let problem = format!(
            "the process of GPU {} has failed{}",
            gpus[lost.rank],
            how.unwrap_or_default()
        );
        let failure = Failure::plain(problem)
            .hint("if there is a checkpoint, --resume goes on from it, on any GPUs");
        crate::report(&command, &failure.into());
        std::process::exit(1)
    })
}

/// # Errors
/// When a launcher has started several processes, each of which would start more.
fn must_be_alone_on(device: &DeviceArgs) -> Result<()> {
    match (launched(), device.gpus().len()) {
        (1, _) => Ok(()),
        (size, gpus) => bail!(
            Failure::usage(format!(
                "started as one of {size} processes, and --device names {gpus} GPUs"
            ))
            .hint("--device cuda gives each process a GPU, and --device with several needs no launcher")
        ),
    }
}

/// A process failed for a reason that the first one tells.
#[derive(Debug, thiserror::Error)]
#[error("the first process tells why")]
pub struct Told;

/// Whether a failure is the first process's to tell. Of a launcher's processes each tells it, for the launcher may end the
/// first before it can.
pub fn is_told(error: &RunError, ranks: Option<&dyn Ranks>, device: &DeviceArgs) -> bool {
    ranks.is_some_and(|ranks| is_started(ranks, device)) && error.is_of_all()
}

/// Whether the first process has started this one.
fn is_started(ranks: &dyn Ranks, device: &DeviceArgs) -> bool {
    ranks.rank() > 0 && device.gpus().len() > 1
}

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

/// The processes, whose GPUs sum among themselves where they can, and the GPU of this one, if all have one.
///
/// # Errors
/// When one was asked for that cannot be used, or they do not go together.
pub fn with_gpus(
    ranks: Box<dyn Ranks>,
    device: &DeviceArgs,
    (report, command): (ReportArgs, &str),
) -> Result<(Box<dyn Ranks>, Option<Gpu>)> {
    let gpu = device.open_behind(ranks.local(), report, command)?;
    let gpu = gpu_like_others(&*ranks, gpu, device, (report, command))?;
    let ranks = on_gpus(ranks, gpu.as_ref(), (report, command))?;
    Ok((ranks, gpu))
}

/// The GPU of this process, if all have one; otherwise none, unless one was asked for.
///
/// # Errors
/// When one was asked for, and another process has none; when gradients of some have a scale, and of others none.
fn gpu_like_others(
    ranks: &dyn Ranks,
    gpu: Option<Gpu>,
    device: &DeviceArgs,
    (report, command): (ReportArgs, &str),
) -> Result<Option<Gpu>> {
    let is_scaled = gpu
        .as_ref()
        .is_some_and(|gpu| gpu.numbers() == Numbers::F16);
    let mut found = [gpu.is_some(), is_scaled].map(|is_so| f64::from(u8::from(is_so)));
    ranks.sum_f64(&mut found);
    let ([with_gpu, scaled], size) = (found, ranks.size() as f64);
    let problem = (with_gpu < size).then(|| format!("{with_gpu} of {size} processes have a GPU"));
    if problem.is_none() && scaled > 0.0 && scaled < size {
        if is_started(ranks, device) {
            bail!(Told);
        }
        bail!(
            Failure::usage(format!(
                "{scaled} of {size} GPUs compute in f16, the others in other numbers"
            ))
            .hint("--precision f32 is what every GPU has; f16 wants compute capability 7.0")
        );
    }
    device.allow(gpu, problem, (report, command))
}

/// The same processes, whose GPUs sum among themselves where they can.
///
/// # Errors
/// When they should be able to, and do not reach each other.
fn on_gpus(
    ranks: Box<dyn Ranks>,
    gpu: Option<&Gpu>,
    (report, command): (ReportArgs, &str),
) -> Result<Box<dyn Ranks>> {
    let Some(gpu) = gpu else {
        return Ok(ranks);
    };
    let size = ranks.size();
    let (ranks, is_direct) = wordmill::ranks::on_gpus(ranks, gpu).map_err(|problem| {
        Failure::plain(format!("the GPUs do not reach each other: {problem}"))
            .hint("NCCL has its own variables; without its library, sums go by way of the host")
    })?;
    let way = match is_direct {
        Ok(()) => "by NCCL".to_owned(),
        Err(problem) => format!("by way of the host: {problem}"),
    };
    report.say(
        || json!({"event": "gpus", "number": size, "sums": way}),
        || format!("wordmill {command}: {size} GPUs sum {way}"),
    );
    Ok(ranks)
}
