//! `wordmill NAME train`: a run from its data to its last checkpoint.

use super::Shape;
use super::data::PairFiles;
use super::prepare::Prepared;
use super::report::LINES;
use super::settings::{PlanArgs, Settings};
use crate::device::DeviceArgs;
use crate::ranks;
use crate::report::ReportArgs;
use crate::run_folder::RunFolder;
use crate::stop;
use crate::stream::Failure;
use crate::teller::Teller;
use crate::threads;
use anyhow::{Error, Result, bail};
use std::path::PathBuf;
use wordmill::nn::dense::Precision;
use wordmill::nn::device::{Fault, Gpu};
use wordmill::nn::event::{Ended, Event};
use wordmill::nn::folder::{Folder, FolderError};
use wordmill::nn::parameters::Weights;
use wordmill::nn::run::{Limits, Predicted, Run, RunError};
use wordmill::random::Random;
use wordmill::ranks::Ranks;
use wordmill::translate::architecture::Architecture;
use wordmill::translate::batch::Batch;
use wordmill::translate::decode;
use wordmill::translate::decode::stream::{Load, translate_until};
use wordmill::translate::feed::{Feed, Plan as Order, Position, WINDOW};
use wordmill::translate::learn::{Learner, Valid};
use wordmill::translate::score::{corpus_bleu, corpus_chrf};
use wordmill::translate::store::Side;

/// Flags for a run: what it learns from, what it begins with, and how it goes on.
#[derive(clap::Args, Clone)]
pub struct TrainArgs<S: clap::Args> {
    #[command(flatten)]
    pub files: PairFiles,
    /// Pairs to measure with: sentences and their translations in two files, or one as for --pairs
    #[arg(long, value_name = "FILE", num_args = 1..=2)]
    pub valid: Vec<PathBuf>,
    /// Folder of the run
    #[arg(short, long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Go on with the run in the folder, with what flags change
    #[arg(long, conflicts_with = "init")]
    resume: bool,
    /// Begin with the weights and the subword models of another run
    #[arg(long, value_name = "FOLDER")]
    pub init: Option<PathBuf>,
    /// Subword model to use: a tokenizer.json or .model; given twice, one for source and one for target
    #[arg(long, value_name = "FILE", conflicts_with_all = ["vocab_size", "init"])]
    pub tokenizer: Vec<PathBuf>,
    /// Pieces that words are cut into, at most [default: by the number of pairs; with --char as many as there are characters
    /// seen twice]
    #[arg(long, value_name = "N", conflicts_with = "init", value_parser = clap::value_parser!(u32).range(300..=1_000_000))]
    pub vocab_size: Option<u32>,
    /// Cut words into characters
    #[arg(long, conflicts_with_all = ["tokenizer", "init", "bpe_dropout"])]
    pub char: bool,
    /// Learn a subword model for each side
    #[arg(long, conflicts_with_all = ["tokenizer", "init"])]
    pub separate_vocabularies: bool,
    /// Symbols that are never cut, one a line: placeholders, language tags, markup
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tokenizer", "init"])]
    pub user_symbols: Option<PathBuf>,
    #[command(flatten)]
    pub shape: S,
    #[command(flatten)]
    pub plan: PlanArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Number of threads [default: one per core, shared among the processes of several GPUs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    #[command(flatten)]
    pub report: ReportArgs,
}

pub fn run<S: Shape + Clone>(args: &TrainArgs<S>) -> Result<()> {
    threads::share(args.threads, args.device.gpus().len())?;
    let command = format!("{} train", S::Architecture::NAME);
    let Some(ranks) = ranks::open_on(&args.device, args.files.is_stdin(), &command)? else {
        let gpu = args.device.open(args.report, &command)?;
        return stop::end(train(args, gpu, None)?);
    };
    let report = match ranks.rank() {
        0 => args.report,
        _ => ranks::silent(args.report),
    };
    // All processes have their GPUs before the first one writes anything.
    let (ranks, gpu) = ranks::with_gpus(ranks, &args.device, (report, &command))?;
    let signal = match ranks.rank() {
        0 => train(args, gpu, Some(&*ranks))?,
        _ => {
            let copy = tempfile::tempdir()?;
            copy_run(&Folder::new(copy.path()), &*ranks)?;
            let args = TrainArgs {
                out: copy.path().to_owned(),
                resume: true,
                valid: Vec::new(),
                init: None,
                report,
                ..args.clone()
            };
            train(&args, gpu, Some(&*ranks))?
        }
    };
    ranks.finish();
    stop::end(signal)
}

/// The run that rank 0 has written, for a process that does not measure and that is given the weights to begin with.
fn copy_run(folder: &Folder, ranks: &dyn Ranks) -> Result<()> {
    folder.share(ranks, &[])?;
    let mut settings: Settings = folder.read_json(SETTINGS)?;
    (settings.valid, settings.init) = (Vec::new(), None);
    folder.write_json(SETTINGS, &settings)?;
    Ok(())
}

/// Trains, and gives the signal that has stopped the run, or 0.
fn train<S: Shape + Clone>(
    args: &TrainArgs<S>,
    gpu: Option<Gpu>,
    ranks: Option<&dyn Ranks>,
) -> Result<usize> {
    let name = S::Architecture::NAME;
    let (mut run, is_there) = RunFolder::to_train(&args.out, args.resume)?;
    match (is_there, args.resume) {
        (true, false) => bail!(
            Failure::of_file(&args.out.display().to_string(), "holds a run already")
                .hint("--resume goes on with it; another --out begins a new one")
        ),
        (false, true) => args.report.say(
            || serde_json::json!({"event": "no-run", "folder": args.out}),
            || {
                format!(
                    "wordmill {name} train: no run in {}: begins anew",
                    args.out.display()
                )
            },
        ),
        _ => {}
    }
    let args = &TrainArgs {
        out: run.path().to_owned(),
        ..args.clone()
    };
    let folder = Folder::new(&args.out);
    let command = format!("{name} train");
    let prepared = match is_there {
        true => Prepared::of_folder(args, &folder)?,
        false => Prepared::new(args, &folder)?,
    };
    let problem = prepared.model.not_on_gpu();
    let gpu = args.device.allow(gpu, problem, (args.report, &command))?;
    if let Some(ranks) = ranks.filter(|ranks| ranks.rank() == 0) {
        ranks::must_be_files(prepared.settings.pairs.is_stdin())?;
        folder.share(ranks, FILES)?;
    }
    let (stop, signal) = stop::on_signals(true)?;
    let ends = (&prepared.settings.plan, args.plan.max_time);
    let mut teller = Teller::new((name, LINES), args.report, &mut run, ends);
    let limits = Limits {
        stop: &stop,
        time: args.plan.max_time,
    };
    // Inside the pool, so that this thread is one of its workers.
    let ended = rayon::scope(|_| {
        prepared.train(
            (is_there, gpu.as_ref(), ranks),
            &folder,
            &mut teller,
            limits,
        )
    })
    .map_err(|error| match ranks::is_told(&error, ranks, &args.device) {
        true => ranks::Told.into(),
        false => run_failure(error, S::ADVICE),
    })?;
    run.finish()?;
    Ok(match ended {
        Ended::Stopped => stop::asked(&signal),
        _ => 0,
    })
}

/// The file of a run's settings.
const SETTINGS: &str = "training.json";

/// What other ranks need of the folder, besides a checkpoint.
const FILES: &[&str] = &[
    "config.json",
    SETTINGS,
    "tokenizer.json",
    "tokenizer.source.json",
    "tokenizer.target.json",
];

impl<A: Architecture> Prepared<A> {
    /// Trains until something ends it.
    fn train(
        self,
        (resumes, gpu, ranks): (bool, Option<&Gpu>, Option<&dyn Ranks>),
        folder: &Folder,
        teller: &mut Teller,
        limits: Limits,
    ) -> Result<Ended, RunError> {
        let dropout = self.settings.bpe_dropout;
        let encode = |side: Side, text: &str, random: Option<&mut Random>| {
            self.tokenizers.encode(side, text, dropout, random)
        };
        let order = Order {
            budget: self.settings.batch,
            window: WINDOW,
            seed: self.settings.plan.seed,
        };
        let target = self.tokenizers.target();
        let translate_all = |weights: &Weights, sources: &[Vec<u32>]| -> Vec<String> {
            let greedy = decode::Options {
                beam: 1,
                factor: self.tokenizers.max_ratio(),
                ..decode::Options::default()
            };
            let task = |(number, source): (u64, &Vec<u32>)| decode::Task {
                number,
                source: source.clone(),
                ..decode::Task::default()
            };
            let tasks: Vec<_> = (0..).zip(sources).map(task).collect();
            let found = match self.model.there(weights, false) {
                Some(model) => {
                    let how = (1, Load::on_device(1));
                    translate_until(&[model], &tasks, &greedy, how, limits.stop)
                }
                None => {
                    let model = self.model.decoder(weights, Precision::Single);
                    let how = (rayon::current_num_threads(), Load::of_beam(1));
                    translate_until(&[model], &tasks, &greedy, how, limits.stop)
                }
            };
            let texts = found
                .iter()
                .map(|found| found.first().map(|best| target.decode(&best.tokens)));
            // A text that cannot be decoded scores as an empty one.
            texts
                .map(|text| text.and_then(Result::ok).unwrap_or_default())
                .collect()
        };
        let score = |found: &[String], references: &[String]| {
            let (bleu, chrf) = (
                corpus_bleu(found, references),
                corpus_chrf(found, references),
            );
            let same = found
                .iter()
                .zip(references)
                .filter(|(a, b)| a.trim() == b.trim());
            let exact = 100.0 * same.count() as f64 / references.len().max(1) as f64;
            [("bleu", bleu), ("chrf", chrf), ("exact", exact)]
                .map(|(name, score)| (name.to_owned(), score))
                .to_vec()
        };
        let valid = (!self.valid.is_empty()).then(|| Valid {
            batches: self.batches(),
            sources: self
                .valid
                .iter()
                .map(|pair| encode(Side::Source, &pair.source, None))
                .collect(),
            texts: self
                .valid
                .iter()
                .map(|pair| [pair.source.clone(), pair.target.clone()])
                .collect(),
            translate: &translate_all,
            score: &score,
            stop: limits.stop,
        });
        let learner = |position: Position| {
            let learner = Learner {
                model: &self.model,
                feed: Feed::new(&self.store, &encode, order, position),
                smoothing: self.settings.label_smoothing,
                valid,
            };
            Predicted::new(learner, ranks)
        };
        let plan = self.settings.plan.clone();
        let mut tell = |event: &Event| teller.tell(event);
        let layout = self.model.layout();
        let open = || match self.weights {
            None if resumes && !folder.steps().is_empty() => {
                Run::resume(folder, layout, plan, learner, &mut tell)
            }
            weights => {
                let begin = weights.unwrap_or_else(|| self.model.initial_weights(plan.seed));
                let task = learner(Position::default());
                Ok(Run::new(folder, layout, (plan, task), begin, &mut tell))
            }
        };
        let run = Run::among(folder, ranks, open)?;
        match gpu {
            Some(gpu) => run.on(gpu).train(limits),
            None => run.train(limits),
        }
    }

    fn batches(&self) -> Vec<Batch> {
        let pairs = self.valid.iter().map(|pair| {
            let source = self
                .tokenizers
                .encode(Side::Source, &pair.source, 0.0, None);
            (
                source,
                self.tokenizers
                    .encode(Side::Target, &pair.target, 0.0, None),
            )
        });
        let mut pairs: Vec<(Vec<u32>, Vec<u32>)> = pairs.collect();
        pairs.sort_by_key(|(source, target)| (source.len().max(target.len()), target.len()));
        let lengths = pairs
            .iter()
            .map(|(source, target)| source.len().max(target.len()) + 1);
        let parts = self.settings.batch.cut(lengths);
        let of = |part: std::ops::Range<usize>| {
            Batch::of(pairs[part].iter().map(|(s, t)| (&s[..], &t[..])))
        };
        parts.into_iter().map(of).collect()
    }
}

fn run_failure(error: RunError, advice: &str) -> Error {
    let failure = Failure::plain(error.to_string());
    match error {
        RunError::Diverged { .. } => failure.hint(advice).into(),
        RunError::Device {
            fault: Fault::Memory { .. },
            ..
        } => failure
            .hint(
                "a smaller --batch-tokens needs less (--accumulate makes up for it); then --resume",
            )
            .into(),
        RunError::Device { .. } => failure
            .hint("the last checkpoint stands: --resume goes on from it")
            .into(),
        RunError::Folder(FolderError::Shape { .. }) => failure
            .hint("the folder holds a run of another model")
            .into(),
        _ => failure.into(),
    }
}
