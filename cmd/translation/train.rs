//! `wordmill transformer train`: a run from its data to its last checkpoint.

use super::data::PairFiles;
use super::prepare::Prepared;
use super::report::Teller;
use super::settings::PlanArgs;
use super::shape::ShapeArgs;
use crate::report::ReportArgs;
use crate::stop;
use crate::stream::Failure;
use crate::threads;
use anyhow::{Error, Result, bail};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use wordmill::nn::dense::Precision;
use wordmill::nn::event::{Ended, Event};
use wordmill::nn::folder::{Folder, FolderError};
use wordmill::nn::parameters::Weights;
use wordmill::nn::run::{Limits, Run, RunError};
use wordmill::random::Random;
use wordmill::translate::batch::Batch;
use wordmill::translate::decode;
use wordmill::translate::decode::stream::{Load, translate};
use wordmill::translate::feed::{Feed, Plan as Order, Position, WINDOW};
use wordmill::translate::score::{corpus_bleu, corpus_chrf};
use wordmill::translate::store::Side;
use wordmill::translate::transformer::decode::Decoder;
use wordmill::translate::transformer::learn::{Learner, Valid};

/// Learn to translate from sentence pairs
///
/// Reads sentences and their translations, line by line, learns how to cut words into pieces, and trains a Transformer on
/// them. What a flag does not say follows from the number of pairs.
///
/// The folder --out holds all that translating needs, what was reported (log.jsonl) and its curves (curves.svg). SIGTERM
/// and SIGINT end a run with a checkpoint, and --resume goes on from it as if nothing had happened: the same weights, byte
/// for byte, with any number of threads.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill transformer train --source corpora/parallel.en --target corpora/parallel.de \\\n    \
    --valid corpora/parallel.en corpora/parallel.de --max-steps 20 --out run\n  \
    paste corpora/parallel.en corpora/parallel.de > pairs.tsv\n  \
    wordmill transformer train --pairs pairs.tsv --dim 32 --heads 2 --max-steps 20 -q --out small")]
pub struct TrainArgs {
    #[command(flatten)]
    pub files: PairFiles,
    /// Pairs to measure with: sentences and their translations, in two files
    #[arg(long, value_names = ["SOURCE", "TARGET"], num_args = 2)]
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
    #[arg(long, value_name = "FILE", conflicts_with = "vocab_size")]
    pub tokenizer: Vec<PathBuf>,
    /// Pieces that words are cut into, at most [default: by the number of pairs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(300..=1_000_000))]
    pub vocab_size: Option<u32>,
    /// Learn a subword model for each side
    #[arg(long)]
    pub separate_vocabularies: bool,
    /// Symbols that are never cut, one a line: placeholders, language tags, markup
    #[arg(long, value_name = "FILE")]
    pub user_symbols: Option<PathBuf>,
    #[command(flatten)]
    pub shape: ShapeArgs,
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Where to compute
    #[arg(long, value_enum, default_value = "cpu")]
    device: Device,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Device {
    Cpu,
    /// An NVIDIA GPU
    Cuda,
}

pub fn run(args: &TrainArgs) -> Result<()> {
    if args.device == Device::Cuda {
        bail!(Failure::usage("this wordmill computes on the CPU only")
            .hint("leave --device out; GPUs need a build with --features cuda, which this version has not yet"));
    }
    threads::limit(args.threads)?;
    let folder = Folder::new(&args.out);
    let is_there = folder.path("config.json").exists();
    match (is_there, args.resume) {
        (true, false) => bail!(
            Failure::of_file(&args.out.display().to_string(), "holds a run already")
                .hint("--resume goes on with it; another --out begins a new one")
        ),
        (false, true) => args.report.say(
            || serde_json::json!({"event": "no-run", "folder": args.out}),
            || {
                format!(
                    "wordmill transformer train: no run in {}: begins anew",
                    args.out.display()
                )
            },
        ),
        _ => {}
    }
    let prepared = match is_there {
        true => Prepared::of_folder(args, &folder)?,
        false => Prepared::new(args, &folder)?,
    };
    let (stop, signal) = stop::on_signals(true)?;
    let mut teller = Teller::new(
        args.report,
        &folder,
        &prepared.settings.plan,
        args.plan.max_time,
    );
    let limits = Limits {
        stop: &stop,
        time: args.plan.max_time,
    };
    // Inside the pool, so that this thread is one of its workers.
    let ended = rayon::scope(|_| prepared.train(is_there, &folder, &mut teller, limits))?;
    if ended == Ended::Stopped {
        signal_hook::low_level::emulate_default_handler(signal.load(Ordering::Relaxed) as i32)?;
    }
    Ok(())
}

impl Prepared {
    /// Trains until something ends it.
    fn train(
        self,
        resumes: bool,
        folder: &Folder,
        teller: &mut Teller,
        limits: Limits,
    ) -> Result<Ended> {
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
                ..decode::Options::default()
            };
            let task = |(number, source): (u64, &Vec<u32>)| decode::Task {
                number,
                source: source.clone(),
                ..decode::Task::default()
            };
            let tasks: Vec<_> = (0..).zip(sources).map(task).collect();
            let model = Decoder::new(&self.model, weights, Precision::Single);
            let how = (rayon::current_num_threads(), Load::of_beam(1));
            let found = translate(&[model], &tasks, &greedy, how);
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
            vec![("bleu".to_owned(), bleu), ("chrf".to_owned(), chrf)]
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
        });
        let learner = |position: Position| Learner {
            model: &self.model,
            feed: Feed::new(&self.store, &encode, order, position),
            smoothing: self.settings.label_smoothing,
            valid,
        };
        let plan = self.settings.plan.clone();
        let mut tell = |event: &Event| teller.tell(event);
        let layout = &self.model.layout;
        let run = match self.weights {
            Some(weights) => {
                let task = learner(Position::default());
                Run::new(folder, layout, (plan, task), weights, &mut tell)
            }
            None if resumes && !folder.steps().is_empty() => {
                Run::resume(folder, layout, plan, learner, &mut tell).map_err(run_failure)?
            }
            None => {
                let weights = self.model.initial_weights(plan.seed);
                Run::new(
                    folder,
                    layout,
                    (plan, learner(Position::default())),
                    weights,
                    &mut tell,
                )
            }
        };
        run.train(limits).map_err(run_failure)
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

fn run_failure(error: RunError) -> Error {
    let failure = Failure::plain(error.to_string());
    match error {
        RunError::Diverged { .. } => failure
            .hint("a smaller --lr, a longer --warmup or --clip 1 keep it; --norm pre is steadier; then --resume")
            .into(),
        RunError::Folder(FolderError::Shape { .. }) => {
            failure.hint("the folder holds a run of another model").into()
        }
        _ => failure.into(),
    }
}
