//! `wordmill NAME translate`: lines in one language to lines in another.

mod engine;
mod tasks;

use super::attention::Pictures;
use super::data::Tokenizers;
use super::lines::{Translated, print};
use super::loaded::Loaded;
use super::memory;
use super::references::References;
use super::search::SearchArgs;
use crate::device::DeviceArgs;
use crate::engine::Engine;
use crate::report::ReportArgs;
use crate::stream::Failure;
use crate::subword::lines::{Block, Line, LineArgs};
use crate::threads;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use wordmill::nn::dense::Precision;
use wordmill::nn::device::{Fault, Gpu};
use wordmill::nn::folder::Which;
use wordmill::translate::architecture::Architecture;
use wordmill::translate::decode::stream::{Load, translate};
use wordmill::translate::decode::{Model, Options};

/// Flags for what is translated, how, and what is printed of it.
#[derive(clap::Args)]
pub struct TranslateArgs {
    /// Folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    lines: LineArgs,
    /// Checkpoint to use: best, last, a step, or the mean of all that are there
    #[arg(long, value_name = "WHICH", default_value = "best")]
    checkpoint: Which,
    /// Another run whose probabilities are averaged with those of RUN; may be repeated
    #[arg(long, value_name = "RUN")]
    ensemble: Vec<PathBuf>,
    /// Compute with numbers of eight bits: faster, a little less exact
    #[arg(long, value_enum, value_name = "KIND")]
    quantize: Option<Quantize>,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    search: SearchArgs,
    /// Print up to N translations of each line
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Output")]
    nbest: Option<u16>,
    /// Print the score before each translation
    #[arg(long, help_heading = "Output")]
    score: bool,
    /// Print behind each translation which piece of the source each of its pieces attended to most: 0-0 1-2
    #[arg(long, help_heading = "Output")]
    alignment: bool,
    /// File for what each token attended to, by every head: .svg for the first line, .html for the first hundred
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "score_reference",
        help_heading = "Output"
    )]
    attention: Option<PathBuf>,
    /// What is printed of a line
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    to: To,
    /// Print the scores of these translations, line by line, and translate nothing
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["sample", "nbest", "alignment", "prefix"],
        help_heading = "Output"
    )]
    score_reference: Option<PathBuf>,
    /// Tokens of a line that are translated at once, at most; what is longer than anything a model has learned from is
    /// translated badly [default: 100; 256 of characters]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: Option<u32>,
    /// Tokens of the sentences that a thread has under way at once, at most [default: 4096, or as many as fit into half of
    /// the memory; 32768 on a GPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch_tokens: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Quantize {
    Int8,
}

/// What is printed of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum To {
    /// Its translation
    #[default]
    Text,
    /// An object: line, source, and translations with text, scores, pieces and alignment
    Jsonl,
}

/// Lines that are sorted by length together: on a GPU more, which has more of them under way.
const WINDOW: usize = 2000;
const WINDOW_THERE: usize = 16_000;

/// Loads the models, and hands what translates with them to `then`.
pub fn ready<A: Architecture>(
    args: &TranslateArgs,
    then: impl FnOnce(&dyn Engine) -> Result<()>,
) -> Result<()> {
    let mut all = vec![Loaded::<A>::new(&args.run, args.checkpoint)?];
    for path in &args.ensemble {
        all.push(other(path, args.checkpoint, &all[0])?);
    }
    threads::limit(args.lines.threads())?;
    if let Some(gpu) = gpu(args, &all)? {
        (all.iter_mut()).for_each(|loaded| loaded.weights.bring_to(&gpu));
        let aligns = args.aligns();
        let models = all
            .iter()
            .map(|loaded| loaded.model.there(&loaded.weights, aligns));
        if let Some(models) = models.collect::<Option<Vec<A::There<'_>>>>() {
            return then(&Job::new(args, &all[0].tokenizers, &models, Some(&gpu))?);
        }
    }
    let precision = match args.quantize {
        Some(Quantize::Int8) => Precision::Int8,
        None => Precision::Single,
    };
    let models: Vec<A::Decoder<'_>> = all
        .iter()
        .map(|loaded| loaded.model.decoder(&loaded.weights, precision))
        .collect();
    then(&Job::new(args, &all[0].tokenizers, &models, None)?)
}

/// The GPU, if one is to translate.
fn gpu<A: Architecture>(args: &TranslateArgs, all: &[Loaded<A>]) -> Result<Option<Gpu>> {
    let quantized = args
        .quantize
        .map(|_| "--quantize is for the CPU".to_owned());
    let model = || all.iter().find_map(|l| l.model.not_on_gpu());
    if let Some(problem) = quantized.or_else(model) {
        args.device.refuse(&problem)?;
        return Ok(None);
    }
    // All scores of all words would have to be brought back: every core of the CPU is quicker then.
    let is_heavy = !args.ensemble.is_empty() || args.search.looks_at_all();
    if is_heavy && args.device.is_auto() {
        return Ok(None);
    }
    let command = format!("{} translate", A::NAME);
    // Among translations nobody wants to be told.
    let report = ReportArgs {
        log: None,
        quiet: true,
    };
    args.device.open(report, &command)
}

/// Another run of an ensemble, which must cut words as the first does.
fn other<A: Architecture>(path: &Path, which: Which, first: &Loaded<A>) -> Result<Loaded<A>> {
    let loaded = Loaded::<A>::new(path, which)?;
    let (ours, theirs) = (&first.tokenizers, &loaded.tokenizers);
    if ours.source.to_json()? != theirs.source.to_json()?
        || ours.target().to_json()? != theirs.target().to_json()?
    {
        bail!(
            Failure::of_file(
                &path.display().to_string(),
                "has other subword models than the first run"
            )
            .hint("train the runs of an ensemble with the same --tokenizer, or with --init")
        );
    }
    Ok(loaded)
}

/// What every window is translated with.
struct Job<'a, M> {
    args: &'a TranslateArgs,
    tokenizers: &'a Tokenizers,
    models: &'a [M],
    /// Where the models are.
    gpu: Option<&'a Gpu>,
    options: Options,
    prefix: Vec<u32>,
    to: To,
    /// Bytes that there were to be had at the beginning.
    memory: Option<u64>,
}

/// A part of a line, under way.
struct Piece {
    line: usize,
    is_spaced: bool,
}

impl<'a, M: Model> Job<'a, M> {
    /// With models that are on a GPU, or here.
    ///
    /// # Errors
    /// When flags do not go together, or are not for these models.
    fn new(
        args: &'a TranslateArgs,
        tokenizers: &'a Tokenizers,
        models: &'a [M],
        gpu: Option<&'a Gpu>,
    ) -> Result<Job<'a, M>> {
        let looks_back = models.iter().any(|model| model.heads().0 > 0);
        if (args.alignment || args.attention.is_some()) && !looks_back {
            bail!(Failure::usage(
                "this model does not look back at the source: it has no attention"
            ));
        }
        let options = args.search.options(args.nbest, tokenizers)?;
        let prefix = match &args.search.prefix {
            Some(text) => tokenizers.target().encode(text)?,
            None => Vec::new(),
        };
        let job = Job {
            args,
            tokenizers,
            memory: memory::available(),
            models,
            gpu,
            options,
            prefix,
            to: args.to,
        };
        Ok(job.to(args.to))
    }

    /// The same, printed as `to`.
    fn to(&self, to: To) -> Self {
        let args = self.args;
        Job {
            to,
            options: Options {
                scores: args.score || args.nbest.is_some() || to == To::Jsonl,
                alignment: args.alignment || to == To::Jsonl,
                ..self.options.clone()
            },
            prefix: self.prefix.clone(),
            ..*self
        }
    }

    /// What is printed of each translation.
    fn shows(&self) -> Shows {
        Shows {
            to: self.to,
            is_list: self.args.nbest.is_some(),
            score: self.args.score,
            alignment: self.args.alignment,
            is_reference: self.args.score_reference.is_some(),
        }
    }

    /// Translates lines, window by window.
    fn translate(
        &self,
        block: &Block,
        (mut references, mut pictures): (Option<&mut References>, Option<&mut Pictures>),
        mut write: impl FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        let lines: Vec<Line> = block.lines().collect();
        let window = self.gpu.map_or(WINDOW, |_| WINDOW_THERE);
        for lines in lines.chunks(window) {
            let (pieces, tasks) = match references.as_deref_mut() {
                Some(references) => self.given(lines, references)?,
                None => self.tasks(lines)?,
            };
            let found = translate(self.models, &tasks, &self.options, self.load());
            if let Some(gpu) = self.gpu {
                // What a GPU that has failed gives are no translations.
                check(gpu)?;
            }
            let mut out = String::new();
            let mut parts = pieces.iter().zip(&tasks).zip(found).peekable();
            for (i, line) in lines.iter().enumerate() {
                let mut translated = Translated::default();
                while let Some(((piece, task), found)) =
                    parts.next_if(|((piece, _), _)| piece.line == i)
                {
                    if let (Some(pictures), Some(best)) = (&mut pictures, found.first()) {
                        let model = &self.models[0];
                        pictures.add(self.tokenizers, model, &task.source, &best.tokens)?;
                    }
                    translated.add(self.tokenizers.target(), task, found, piece.is_spaced)?;
                }
                let models = (&self.tokenizers.source, self.tokenizers.target());
                print(self.shows(), line, models, &translated, &mut out)?;
            }
            if let Some(gpu) = self.gpu {
                // Pictures are computed there, too.
                check(gpu)?;
            }
            write(&out)?;
        }
        Ok(())
    }

    /// Workers, and what each has under way at once.
    fn load(&self) -> (usize, Load) {
        let beam = self.options.beam;
        if self.gpu.is_some() {
            // The device is one, and so is who feeds it.
            let load = Load::on_device(beam);
            let tokens = self.args.batch_tokens.map_or(load.tokens, |n| n as usize);
            return (1, Load { tokens, ..load });
        }
        let (workers, load) = (rayon::current_num_threads(), Load::of_beam(beam));
        let each = self
            .models
            .iter()
            .map(|model| model.bytes(beam, self.options.factor));
        let tokens = match self.args.batch_tokens {
            Some(tokens) => tokens as usize,
            None => memory::tokens(load.tokens, each.sum(), workers, self.memory),
        };
        (workers, Load { tokens, ..load })
    }
}

/// Whether a GPU has done what it was asked for; what it lacked memory for is forgotten, for others may ask for less.
fn check(gpu: &Gpu) -> Result<()> {
    let Err(fault) = gpu.check() else {
        return Ok(());
    };
    gpu.forgive();
    let failure = Failure::plain(fault.to_string());
    bail!(match fault {
        Fault::Memory { .. } => failure.hint("a lower --batch-tokens takes less"),
        Fault::Failed { .. } => failure,
    })
}

impl TranslateArgs {
    /// Whether it is told what words attend to most.
    fn aligns(&self) -> bool {
        self.alignment || self.to == To::Jsonl
    }
}

/// What is printed of each translation.
#[derive(Clone, Copy, Debug)]
pub struct Shows {
    pub to: To,
    /// Several, each with its number and scores.
    pub is_list: bool,
    pub score: bool,
    pub alignment: bool,
    /// Only the score of what was given.
    pub is_reference: bool,
}
