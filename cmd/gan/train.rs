//! `wordmill gan train`: two networks learn from each other.

use super::data::DataArgs;
use super::examine::{Examiner, show_reals};
use super::loaded::{self, Config, NAME};
use super::measure::Real;
use super::networks::{self, ShapeArgs};
use super::report::LINES;
use super::settings::{PlanArgs, Settings};
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
use std::sync::atomic::Ordering;
use std::time::Duration;
use wordmill::gan::feed::{Data, Feed, Position};
use wordmill::gan::learn::Learner;
use wordmill::gan::model::Model;
use wordmill::gan::shape::Shape;
use wordmill::gan::there::not_on_gpu;
use wordmill::nn::device::{Fault, Gpu};
use wordmill::nn::event::{Ended, Event};
use wordmill::nn::folder::{Folder, Which};
use wordmill::nn::parameters::Weights;
use wordmill::nn::run::{Limits, Run, RunError};

/// Learn to make images, points, or rows of a table
///
/// Reads images, rows of a CSV file, or the points of a --toy, and trains a generator and a critic against each other. What
/// a flag does not say follows from the data.
///
/// The folder --out holds all that sampling needs, what was reported (log.jsonl) and its curves (curves.svg), and pictures:
/// real samples (reals.png), and at each evaluation what is made of the same random numbers (samples-000500.png). Losses
/// say little about how good samples are; so each evaluation measures distances between made and real samples, and warns
/// of signs that training goes wrong. SIGTERM and SIGINT end a run with a checkpoint, and --resume goes on from it as if
/// nothing had happened.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill gan train --toy ring8 --max-steps 100 -q\n  \
    wordmill gan train corpora/digits --max-steps 3 --eval-samples 20 -q --out digits\n  \
    wordmill gan train corpora/deliveries.csv --max-steps 20 -q --out deliveries")]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Folder of the run [default: the name of the toy]
    #[arg(short, long, value_name = "FOLDER", required_unless_present = "toy")]
    out: Option<PathBuf>,
    /// Go on with the run in the folder, with what flags change
    #[arg(long, conflicts_with = "init")]
    resume: bool,
    /// Begin with the weights of another run
    #[arg(long, value_name = "FOLDER")]
    init: Option<PathBuf>,
    #[command(flatten)]
    shape: ShapeArgs,
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    #[command(flatten)]
    report: ReportArgs,
}

/// Fewer images than that are learned by heart.
const FEW: usize = 1000;

pub fn run(args: &Args) -> Result<()> {
    ranks::must_be_alone()?;
    threads::limit(args.threads)?;
    let toy = (args.data.toy).map(|toy| clap::ValueEnum::to_possible_value(&toy));
    let toy = toy.flatten().map(|toy| PathBuf::from(toy.get_name()));
    let Some(out) = args.out.clone().or(toy) else {
        bail!(Failure::usage("no folder to write to").hint("--out names it"));
    };
    let (mut run, is_there) = RunFolder::to_train(&out, args.resume)?;
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
    let out = run.path().to_owned();
    let folder = Folder::new(&out);
    let _made = Made::new(&out)?;
    let prepared = match is_there {
        true => Prepared::of_folder(args, &out, &folder)?,
        false => Prepared::new(args)?,
    };
    let gpu = prepared.gpu(args)?;
    prepared.keep(&folder, is_there)?;
    show_reals(&prepared.source, &folder)?;
    let real = rayon::scope(|_| Real::new(&prepared.source, &folder.path(""), args.report))?;
    // Before, a signal ends the process: nothing is lost.
    let (stop, signal) = stop::on_signals(true)?;
    let settings = &prepared.settings;
    let time = settings.max_seconds.map(Duration::from_secs_f64);
    let mut teller = Teller::new((NAME, LINES), args.report, &mut run, (&settings.plan, time));
    let limits = Limits { stop: &stop, time };
    let ended = rayon::scope(|_| {
        prepared.train(
            (is_there, &real, gpu.as_ref()),
            (&folder, args.report),
            &mut teller,
            limits,
        )
    })?;
    run.finish()?;
    if ended == Ended::Stopped {
        stop::end(signal.load(Ordering::Relaxed))?;
    }
    Ok(())
}

/// All that a run needs.
struct Prepared {
    settings: Settings,
    source: Source,
    model: Model,
    /// The weights to begin with.
    weights: Option<Weights>,
}

impl Prepared {
    /// A new run.
    fn new(args: &Args) -> Result<Prepared> {
        let mut source = open(&args.data, args.report)?;
        let how = (args.shape.pack(&source), args.shape.is_spectral());
        let settings = Settings::new(&args.data, &source, &args.plan, how)?;
        let shape = match &args.init {
            Some(init) => {
                let run = RunFolder::to_read(init, Which::Best)?;
                let config = loaded::config(run.path())?;
                args.shape.agree_with(&config.shape)?;
                source.fit(config.shape.network);
                agree(&config.shape, &source)?;
                config.shape
            }
            None => {
                source.fit(args.shape.kind(&source));
                args.shape.shape(&source, &settings.recipe)?
            }
        };
        networks::check(&shape, &settings.recipe)?;
        let model = loaded::model(&shape)?;
        let weights = match &args.init {
            Some(init) => {
                let mut weights = Weights::zeros(model.layout());
                let run = RunFolder::to_read(init, Which::Best)?;
                let found = Folder::new(run.path()).weights_of(Which::Best, model.layout())?;
                weights.values_mut().copy_from_slice(&found);
                weights
            }
            None => model.initial_weights(settings.plan.seed),
        };
        Ok(Prepared {
            settings,
            source,
            model,
            weights: Some(weights),
        })
    }

    /// The run that a folder holds.
    fn of_folder(args: &Args, out: &Path, folder: &Folder) -> Result<Prepared> {
        let config = loaded::config(out)?;
        args.shape.agree_with(&config.shape)?;
        let mut settings: Settings = folder.read_json("training.json")?;
        if !args.data.is_empty() {
            settings.data = args.data.clone();
        }
        let mut source = open(&settings.data, args.report)?;
        if source.fingerprint() != settings.fingerprint {
            bail!(
                Failure::plain("the data is not that of the run")
                    .hint("--init begins a new run, with other data, from its weights")
            );
        }
        source.fit(config.shape.network);
        args.plan
            .change_loss(&mut settings, &source, config.shape.spectral);
        let alternate = settings.recipe.alternate;
        args.plan.change(&mut settings, &source)?;
        if settings.recipe.alternate != alternate {
            bail!(Failure::usage("--alternate is not that of the run"));
        }
        networks::check(&config.shape, &settings.recipe)?;
        Ok(Prepared {
            model: loaded::model(&config.shape)?,
            settings,
            source,
            weights: None,
        })
    }

    /// The GPU, if one is to train.
    fn gpu(&self, args: &Args) -> Result<Option<Gpu>> {
        if let Some(problem) = not_on_gpu(&self.model.shape, &self.settings.recipe) {
            args.device.refuse(&problem)?;
            return Ok(None);
        }
        // Networks for points are too small to gain by it, and points lie closer than bf16 tells apart.
        if matches!(self.source, Source::Points(..)) && args.device.is_auto() {
            return Ok(None);
        }
        args.device.open(args.report, "gan train")
    }

    /// Writes what the folder holds of a run before its first step; the networks of one that is there stay.
    fn keep(&self, folder: &Folder, is_there: bool) -> Result<()> {
        folder.write_json("training.json", &self.settings)?;
        if !is_there {
            let config = Config {
                shape: self.model.shape.clone(),
                data: self.source.kept(),
            };
            folder.write_config(NAME, &config)?;
        }
        Ok(())
    }

    /// Trains until something ends it.
    fn train(
        &self,
        (resumes, real, gpu): (bool, &Real, Option<&Gpu>),
        (folder, report): (&Folder, ReportArgs),
        teller: &mut Teller,
        limits: Limits,
    ) -> Result<Ended> {
        let Prepared {
            settings,
            source,
            model,
            weights,
        } = self;
        let samples = settings.eval_samples;
        let mut examiner = Examiner::new(real, source, model, (folder, report), samples);
        let measure = move |weights: &Weights, step: u64, right: Option<f64>| {
            Some(examiner.examine(weights, step, right))
        };
        let learner = |position: Position| {
            let feed = Feed::new(source, settings.plan.seed, position);
            Learner::new(model, &settings.recipe, feed, Box::new(measure))
        };
        let plan = settings.plan.clone();
        let mut tell = |event: &Event| teller.tell(event);
        let layout = model.layout();
        let run = match resumes && !folder.steps().is_empty() {
            true => Run::resume(folder, layout, plan, learner, &mut tell)?,
            false => {
                let mut first = Weights::zeros(layout);
                let begin = weights.as_ref().map_or_else(
                    || model.initial_weights(plan.seed).values().to_vec(),
                    |weights| weights.values().to_vec(),
                );
                first.values_mut().copy_from_slice(&begin);
                let task = learner(Position::default());
                Run::new(folder, layout, (plan, task), first, &mut tell)
            }
        };
        let run = match gpu {
            Some(gpu) => run.on(gpu),
            None => run,
        };
        run.train(limits).map_err(run_failure)
    }
}

/// # Errors
/// When networks of a run cannot see the samples of some data.
fn agree(shape: &Shape, source: &Source) -> Result<()> {
    let is_known = shape.classes == 0 || shape.classes == source.classes().len();
    let is_alike = shape.size() == source.shape()
        && shape.spans == source.spans()
        && shape.condition == source.condition();
    match is_known && is_alike {
        true => Ok(()),
        false => Err(Failure::usage(
            "the data is not of the kind that the run in --init has learned",
        )
        .hint("its samples have another size, other classes or other columns")
        .into()),
    }
}

/// Opens data, and says what is wrong with parts of it.
fn open(data: &DataArgs, report: ReportArgs) -> Result<Source> {
    let mut tell = |problem: String| {
        report.say(
            || json!({"event": "left-out", "problem": problem}),
            || format!("wordmill gan train: {problem}"),
        );
    };
    let source = data.open(&mut tell)?;
    if let (Source::Images { images, .. }, true) = (&source, source.len() < FEW) {
        let n = images.len();
        report.say(
            || json!({"event": "few", "images": n}),
            || {
                format!(
                    "wordmill gan train: {n} images are few: they will be learned by heart; `wordmill gan eval` reports copies"
                )
            },
        );
    }
    Ok(source)
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
