//! `wordmill gan train`: two networks learn from each other.

use super::data::DataArgs;
use super::examine::{Examiner, show_reals};
use super::loaded::NAME;
use super::measure::Real;
use super::networks::ShapeArgs;
use super::prepare::Prepared;
use super::report::LINES;
use super::settings::PlanArgs;
use super::source::Source;
use crate::device::DeviceArgs;
use crate::made::Made;
use crate::ranks;
use crate::report::ReportArgs;
use crate::run_folder::RunFolder;
use crate::stop;
use crate::stream::Failure;
use crate::teller::Teller;
use crate::threads;
use anyhow::{Error, Result, bail};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wordmill::gan::feed::{Feed, Position};
use wordmill::gan::learn::{Learner, Measure};
use wordmill::nn::device::{Fault, Gpu};
use wordmill::nn::event::{Ended, Event};
use wordmill::nn::folder::Folder;
use wordmill::nn::parameters::Weights;
use wordmill::nn::run::{Limits, Run, RunError};
use wordmill::ranks::Ranks;

/// Learn to make images, points, or rows of a table
///
/// Reads images, rows of a CSV file, or the points of a --toy, and trains a generator and a critic against each other. What
/// a flag does not say follows from the data.
///
/// The folder --out holds all that sampling needs, what was reported (log.jsonl) and its curves (curves.svg), and pictures:
/// real samples (reals.png), and at each evaluation what is made of the same random numbers (samples-000500.png). Losses
/// say little about how good samples are; so each evaluation measures distances between made and real samples, and warns
/// of signs that training goes wrong. --device auto takes a GPU for images alone; networks for points and rows are too small
/// to gain by it, and are computed in f32 there. SIGTERM and SIGINT end a run with a checkpoint, and --resume goes on from
/// it as if nothing had happened.
#[derive(clap::Args, Clone)]
#[command(after_help = "Examples:\n  \
    wordmill gan train --toy ring8 --max-steps 100 -q\n  \
    wordmill gan train corpora/digits --max-steps 3 --eval-samples 20 -q --out digits\n  \
    wordmill gan train corpora/deliveries.csv --max-steps 20 -q --out deliveries")]
pub struct Args {
    #[command(flatten)]
    pub data: DataArgs,
    /// Folder of the run [default: the name of the toy]
    #[arg(short, long, value_name = "FOLDER", required_unless_present = "toy")]
    out: Option<PathBuf>,
    /// Go on with the run in the folder, with what flags change
    #[arg(long, conflicts_with = "init")]
    resume: bool,
    /// Begin with the weights of another run
    #[arg(long, value_name = "FOLDER")]
    pub init: Option<PathBuf>,
    #[command(flatten)]
    pub shape: ShapeArgs,
    #[command(flatten)]
    pub plan: PlanArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Number of threads [default: one per core, shared among the processes of several GPUs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    #[command(flatten)]
    pub report: ReportArgs,
}

pub fn run(args: &Args) -> Result<()> {
    threads::share(args.threads, args.device.gpus().len())?;
    let toy = (args.data.toy).map(|toy| clap::ValueEnum::to_possible_value(&toy));
    let toy = toy.flatten().map(|toy| PathBuf::from(toy.get_name()));
    let Some(out) = args.out.clone().or(toy) else {
        bail!(Failure::usage("no folder to write to").hint("--out names it"));
    };
    let ranks = ranks::open_on(&args.device, args.data.is_stdin(), COMMAND)?;
    stop::end(match ranks {
        Some(ranks) if ranks.rank() > 0 => follow(args, ranks)?,
        ranks => lead(args, &out, ranks)?,
    })
}

/// Trains as the only process or the first of several, which has the folder of the run and measures. Gives the signal that has
/// stopped the run, or 0.
fn lead(args: &Args, out: &Path, ranks: Option<Box<dyn Ranks>>) -> Result<usize> {
    let (run, is_there) = RunFolder::to_train(out, args.resume)?;
    match (is_there, args.resume) {
        (true, false) => bail!(
            Failure::of_file(&out.display().to_string(), "holds a run already")
                .hint("--resume goes on with it; another --out begins a new one")
        ),
        (false, true) => args.report.say(
            || json!({"event": "no-run", "folder": out}),
            || {
                format!(
                    "wordmill gan train: no run in {}: begins anew",
                    out.display()
                )
            },
        ),
        _ => {}
    }
    let folder = Folder::new(run.path());
    let _made = Made::new(run.path())?;
    let prepared = match is_there {
        true => Prepared::of_folder(args, &folder)?,
        false => Prepared::new(args)?,
    };
    prepared.fit(ranks.as_deref())?;
    let is_of_images = matches!(prepared.source, Source::Images { .. });
    let (ranks, gpu) = match ranks {
        Some(ranks) => {
            let (ranks, gpu) = with_gpus(args, ranks, is_of_images)?;
            (Some(ranks), gpu)
        }
        None => {
            let device = device(args, is_of_images);
            let gpu = device.map(|device| device.open(args.report, COMMAND));
            (None, gpu.transpose()?.flatten())
        }
    };
    prepared.keep(&folder, is_there)?;
    let real = prepared.first(&folder, (args.report, ranks.as_deref()))?;
    let how = (is_there, gpu.as_ref(), ranks.as_deref());
    let signal = prepared.learn(args, run, how, Some(&real))?;
    if let Some(ranks) = ranks {
        ranks.finish();
    }
    Ok(signal)
}

/// The same as another process, which has what the first gives it in a folder of its own for a while.
fn follow(args: &Args, ranks: Box<dyn Ranks>) -> Result<usize> {
    let args = &Args {
        resume: true,
        init: None,
        report: ranks::silent(args.report),
        ..args.clone()
    };
    let (ranks, gpu) = with_gpus(args, ranks, false)?;
    let copy = tempfile::tempdir()?;
    let folder = Folder::new(copy.path());
    folder.share(&*ranks, &[])?;
    let prepared = Prepared::of_first(args, &folder)?;
    let (run, is_there) = RunFolder::to_train(copy.path(), true)?;
    let how = (is_there, gpu.as_ref(), Some(&*ranks));
    let signal = prepared.learn(args, run, how, None)?;
    ranks.finish();
    Ok(signal)
}

const COMMAND: &str = "gan train";

/// Where networks for images, or for other samples, are computed; nothing where that is the CPU.
fn device(args: &Args, is_of_images: bool) -> Option<DeviceArgs> {
    match is_of_images {
        true => Some(args.device.clone()),
        // Networks for points and rows are too small to gain by it, and values lie closer than 16 bits tell apart.
        false => (!args.device.is_auto()).then(|| args.device.exact()),
    }
}

/// The processes, and the GPU of this one. The first says whether they learn from images; all must have their GPUs before it
/// writes anything.
fn with_gpus(
    args: &Args,
    ranks: Box<dyn Ranks>,
    is_of_images: bool,
) -> Result<(Box<dyn Ranks>, Option<Gpu>)> {
    let mut said = [u8::from(is_of_images)];
    ranks.share(&mut said);
    match device(args, said != [0]) {
        Some(device) => ranks::with_gpus(ranks, &device, (args.report, COMMAND)),
        None => Ok((ranks, None)),
    }
}

/// What other processes need of the folder, besides a checkpoint.
const FILES: &[&str] = &["config.json", "training.json"];

impl Prepared {
    /// # Errors
    /// When so many processes cannot learn together.
    fn fit(&self, ranks: Option<&dyn Ranks>) -> Result<()> {
        let size = ranks.map_or(1, Ranks::size);
        let (batch, pack) = (self.settings.recipe.batch, self.model.shape.pack);
        if batch / pack < size {
            let groups = match pack {
                1 => String::new(),
                _ => format!(" in groups of {pack}"),
            };
            bail!(
                Failure::usage(format!(
                    "{size} processes cannot share a batch of {batch} samples{groups}"
                ))
                .hint("--batch-size sets it")
            );
        }
        Ok(())
    }

    /// What the first process does alone, while the others read the data: real samples are shown, and measured.
    fn first(
        &self,
        folder: &Folder,
        (report, ranks): (ReportArgs, Option<&dyn Ranks>),
    ) -> Result<Real<'_>> {
        if let Some(ranks) = ranks {
            ranks::must_be_files(self.settings.data.is_stdin())?;
            folder.share(ranks, FILES)?;
        }
        show_reals(&self.source, folder)?;
        rayon::scope(|_| Real::new(&self.source, &folder.path(""), report))
    }

    /// Trains until something ends it, and gives the signal that has, or 0.
    fn learn(
        &self,
        args: &Args,
        mut run: RunFolder,
        (resumes, gpu, ranks): (bool, Option<&Gpu>, Option<&dyn Ranks>),
        real: Option<&Real>,
    ) -> Result<usize> {
        let folder = Folder::new(run.path());
        // Before, a signal ends the process: nothing is lost.
        let (stop, signal) = stop::on_signals(true)?;
        let time = self.settings.max_seconds.map(Duration::from_secs_f64);
        let ends = (&self.settings.plan, time);
        let mut teller = Teller::new((NAME, LINES), args.report, &mut run, ends);
        let limits = Limits { stop: &stop, time };
        let ended = rayon::scope(|_| {
            self.train(
                (resumes, gpu, ranks),
                (&folder, args.report, real),
                &mut teller,
                limits,
            )
        })
        .map_err(|error| match ranks::is_told(&error, ranks, &args.device) {
            true => ranks::Told.into(),
            false => run_failure(error),
        })?;
        run.finish()?;
        Ok(match ended {
            Ended::Stopped => stop::asked(&signal),
            _ => 0,
        })
    }

    /// Trains until something ends it.
    fn train(
        &self,
        (resumes, gpu, ranks): (bool, Option<&Gpu>, Option<&dyn Ranks>),
        (folder, report, real): (&Folder, ReportArgs, Option<&Real>),
        teller: &mut Teller,
        limits: Limits,
    ) -> Result<Ended, RunError> {
        let Prepared {
            settings,
            source,
            model,
            weights,
        } = self;
        let samples = settings.eval_samples;
        let measure: Box<Measure> = match real {
            None => Box::new(|_, _, _| None),
            Some(real) => {
                let mut examiner = Examiner::new(real, source, model, (folder, report), samples);
                Box::new(move |weights, step, right| Some(examiner.examine(weights, step, right)))
            }
        };
        let learner = |position: Position| {
            let feed = Feed::new(source, settings.plan.seed, position);
            Learner::new(model, &settings.recipe, feed, measure).among(ranks)
        };
        let plan = settings.plan.clone();
        let mut tell = |event: &Event| teller.tell(event);
        let layout = model.layout();
        let open = || match resumes && !folder.steps().is_empty() {
            true => Run::resume(folder, layout, plan, learner, &mut tell),
            false => {
                let mut first = Weights::zeros(layout);
                let begin = weights.as_ref().map_or_else(
                    || model.initial_weights(plan.seed).values().to_vec(),
                    |weights| weights.values().to_vec(),
                );
                first.values_mut().copy_from_slice(&begin);
                let task = learner(Position::default());
                Ok(Run::new(folder, layout, (plan, task), first, &mut tell))
            }
        };
        let run = Run::among(folder, ranks, open)?;
        let run = match gpu {
            Some(gpu) => run.on(gpu),
            None => run,
        };
        run.train(limits)
    }
}

fn run_failure(error: RunError) -> Error {
    let failure = Failure::plain(error.to_string());
    match error {
        RunError::Diverged { .. } => failure
            .hint(
                "--resume goes on from the last checkpoint, with a lower --lr or --clip 1; \
                 a new run with --spectral-norm or another --loss may do better",
            )
            .into(),
        RunError::Device {
            fault: Fault::Memory { .. },
            ..
        } => failure
            .hint("--resume --batch-size N goes on from the checkpoint with fewer samples, which take less")
            .into(),
        _ => failure.into(),
    }
}
