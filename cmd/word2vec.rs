//! `wordmill word2vec`: vectors of words that predict their neighbours.

use crate::corpus;
use crate::ranks;
use crate::report::{ReportArgs, Words};
use crate::sentences::CorpusArgs;
use crate::stop;
use crate::stream::{Failure, Output};
use anyhow::{Result, bail};
use serde_json::json;
use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use wordmill::embed::corpus::Corpus;
use wordmill::embed::phrases::Phrases;
use wordmill::embed::vectors::{self, Format, View};
use wordmill::embed::word2vec::options::{Model, Objective, Options};
use wordmill::embed::word2vec::subwords::Subwords;
use wordmill::embed::word2vec::{CheckpointError, Ended, TrainError, Trainer};

/// Learn word vectors from the words around each word
///
/// Skip-gram and CBOW, by negative sampling or hierarchical softmax, of words or of words and their character n-grams.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill word2vec train corpora/sample.txt --min-count 2 -q -o vectors.bin\n  \
    wordmill tokenize --lower corpora/sample.txt | wordmill word2vec train --min-count 2 -q")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Train(TrainArgs),
}

/// Learn vectors from text
///
/// Reads sentences, one a line, their words parted by spaces, as `wordmill tokenize --lower` prints them. Writes a word
/// and its vector a line, the most frequent word first, or what the name of the output or --to says.
///
/// Several threads write to the same vectors without waiting for each other, so that two runs differ a little; one
/// thread and a seed give the same bytes every time, and so does --deterministic, which trains on one thread.
///
/// SIGTERM and SIGINT end a run with what it has learned in OUT.checkpoint, and --resume goes on from there.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill word2vec train corpora/sample.txt --min-count 2 -q -o vectors.bin\n  \
    wordmill tokenize --lower corpora/sample.txt | wordmill word2vec train --min-count 2 -q\n  \
    wordmill word2vec train corpora/sample.txt -q --min-count 2 --min-n 3 --buckets 1000")]
pub struct TrainArgs {
    #[command(flatten)]
    corpus: CorpusArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// File of vectors to write; it appears when it is whole; .gz and .zst are compressed
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Format to write [default: by the name of the output]
    #[arg(long, value_name = "FORMAT", value_enum)]
    to: Option<Format>,
    /// Words to write vectors for too, one a line, seen or not: they are put together from their n-grams
    #[arg(long, value_name = "FILE")]
    also_words: Option<PathBuf>,
    /// Go on from OUT.checkpoint, if it is there
    #[arg(long, requires = "out")]
    resume: bool,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Give the same bytes every time, whatever --threads says, by training on one thread
    #[arg(long)]
    deterministic: bool,
    #[command(flatten)]
    report: ReportArgs,
}

/// Flags for what is learned and how.
#[derive(clap::Args)]
struct ChoiceArgs {
    /// What predicts what
    #[arg(long, value_enum, default_value = "skip-gram")]
    model: ModelName,
    /// How a prediction is scored [default: negative; hierarchical for skip-gram without n-grams of texts below 5 million
    /// words, unless --negative is given]
    #[arg(long, value_enum)]
    objective: Option<ObjectiveName>,
    /// Values of a vector
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    dim: u32,
    /// Words on each side that are learned from, at most
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    window: u32,
    /// Negatives to a word [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    negative: Option<u32>,
    /// Thin out words more frequent than this share of the text; 0 keeps all
    #[arg(long, value_name = "SHARE", default_value_t = 1e-4, value_parser = share)]
    sample: f64,
    /// How often to go over the text [default: 5, and more for texts below 20 million words]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Learning rate at the beginning [default: 0.025; 0.05 for CBOW and with n-grams]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    lr: Option<f32>,
    /// CBOW: move each of C neighbours by a C-th of the gradient of their mean, not by all of it; wants a larger --lr
    #[arg(long)]
    share_gradient: bool,
    /// Shortest character n-grams, if words are put together from them [default: 3 with --max-n]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=20))]
    min_n: Option<u8>,
    /// Longest character n-grams [default: 6 with --min-n]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=20))]
    max_n: Option<u8>,
    /// Rows that n-grams share
    #[arg(long, value_name = "N", default_value_t = 2_000_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    buckets: u32,
    /// Join words that stand together more often than chance, as in new_york, going over the text N times
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10))]
    phrases: u32,
    /// Score above which words are joined
    #[arg(long, value_name = "SCORE", default_value_t = 100.0)]
    phrase_threshold: f64,
    /// Cut lines after so many words; nothing is dropped
    #[arg(long, value_name = "WORDS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..))]
    max_sentence: u32,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum ModelName {
    /// Each neighbour predicts the word
    SkipGram,
    /// The mean of the neighbours predicts the word
    Cbow,
}

#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum ObjectiveName {
    /// Against words drawn at random
    Negative,
    /// Along the path to the word in a Huffman tree
    Hierarchical,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

fn rate(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f32::is_finite(rate) => Ok(rate),
        _ => Err("expected a number above 0".to_owned()),
    }
}

impl ChoiceArgs {
    fn options(&self, corpus: &Corpus) -> Result<Options> {
        let is_cbow = self.model == ModelName::Cbow;
        let subwords = self.subwords()?;
        let tokens = corpus.vocabulary.tokens();
        let has_pairs_of_words = !is_cbow && subwords.is_none();
        Ok(Options {
            model: if is_cbow {
                Model::Cbow
            } else {
                Model::SkipGram
            },
            objective: match self.objective {
                Some(ObjectiveName::Negative) => Objective::Negative,
                Some(ObjectiveName::Hierarchical) => Objective::Hierarchical,
                None if has_pairs_of_words && self.negative.is_none() => {
                    Objective::for_text(tokens)
                }
                None => Objective::Negative,
            },
            dim: self.dim as usize,
            window: self.window,
            negative: self.negative.unwrap_or(5) as usize,
            sample: self.sample,
            epochs: self.epochs.unwrap_or_else(|| Options::epochs_for(tokens)),
            rate: self
                .lr
                .unwrap_or(if has_pairs_of_words { 0.025 } else { 0.05 }),
            shares_gradient: self.share_gradient,
            subwords,
            max_sentence: self.max_sentence as usize,
            seed: self.seed,
        })
    }

    /// A pair must be seen more than `min_count` times, and so must its words.
    fn phrases(&self, min_count: u64) -> Option<Phrases> {
        (self.phrases > 0).then_some(Phrases {
            passes: self.phrases,
            threshold: self.phrase_threshold,
            min_count,
            discount: min_count,
        })
    }

    fn subwords(&self) -> Result<Option<Subwords>> {
        if self.min_n.is_none() && self.max_n.is_none() {
            return Ok(None);
        }
        let (min_n, max_n) = (self.min_n.unwrap_or(3), self.max_n.unwrap_or(6));
        if min_n > max_n {
            bail!(Failure::usage(format!(
                "--min-n {min_n} is more than --max-n {max_n}"
            )));
        }
        Ok(Some(Subwords {
            min_n: usize::from(min_n),
            max_n: usize::from(max_n),
            buckets: self.buckets,
        }))
    }
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Train(args) => train(args),
    }
}

fn train(args: &TrainArgs) -> Result<()> {
    ranks::must_be_alone()?;
    let checkpoint = args.out.as_deref().map(checkpoint_of);
    if let Some(path) = &args.out {
        // A folder that takes no file is better known before the run than after it.
        Output::check(path)?;
    }
    let phrases = args.choice.phrases(args.corpus.min_count);
    if phrases.is_some() && args.corpus.vocab.is_some() {
        bail!(Failure::usage(
            "--phrases finds its words in the text, and --vocab gives them"
        ));
    }
    let corpus = args.corpus.read(phrases.as_ref())?;
    let unknown = args
        .also_words
        .as_deref()
        .map(corpus::read_text)
        .transpose()?;
    if unknown.is_some() && args.choice.subwords()?.is_none() {
        bail!(Failure::usage(
            "--also-words needs --min-n or --max-n: only n-grams say what an unknown word means"
        ));
    }
    let options = args.choice.options(&corpus)?;
    let epochs = options.epochs;
    let mut trainer = Trainer::new(&corpus, options).map_err(train_failure)?;
    match &checkpoint {
        Some(path) if args.resume && path.exists() => resume(&mut trainer, path)?,
        Some(path) if args.resume => args.report.say(
            || json!({"warning": "no checkpoint", "file": path}),
            || {
                format!(
                    "wordmill word2vec train: no {}: begins anew",
                    path.display()
                )
            },
        ),
        _ => {}
    }
    let (stop, signal) = stop::on_signals(checkpoint.is_some())?;
    let mut words = Words::new(args.report);
    let ended = trainer
        .run(threads(args), &stop, |progress| {
            words.tell(&progress, epochs)
        })
        .map_err(train_failure)?;
    drop(words);
    if let (Ended::Stopped, Some(path)) = (ended, &checkpoint) {
        let mut output = Output::create(Some(path), false)?;
        trainer.save(&mut output)?;
        output.finish()?;
        eprintln!(
            "wordmill word2vec train: stopped; --resume goes on from {}",
            path.display()
        );
        signal_hook::low_level::emulate_default_handler(signal.load(Ordering::Relaxed) as i32)?;
    }
    write(args, &mut trainer, unknown.as_deref().unwrap_or(""))?;
    if let Some(path) = checkpoint.filter(|path| args.resume && path.exists()) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// Writes the vectors of the vocabulary, and of the words in `also` that are not in it.
fn write<'a>(args: &TrainArgs, trainer: &mut Trainer<'a>, also: &'a str) -> Result<()> {
    let mut rows = Vec::new();
    let mut words = Vec::new();
    let mut seen: HashSet<&str> = trainer
        .corpus()
        .vocabulary
        .words
        .iter()
        .map(|w| w.as_str())
        .collect();
    for word in also.split_whitespace() {
        if seen.insert(word)
            && let Some(row) = trainer.vector_of_unknown(word)
        {
            words.push(word.into());
            rows.extend(row);
        }
    }
    let known = trainer.vectors();
    let all = [known.words, &words].concat();
    let data;
    let view = match words.is_empty() {
        true => known,
        false => {
            data = [known.data, &rows].concat();
            View {
                words: &all,
                data: &data,
                ..known
            }
        }
    };
    let mut output = Output::create(args.out.as_deref(), false)?;
    let named = args.out.as_deref().and_then(Format::from_path);
    let format = args.to.or(named).unwrap_or(Format::Word2vec);
    vectors::write(&view, format, &mut output)?;
    output.finish()
}

fn checkpoint_of(out: &Path) -> PathBuf {
    let mut name = OsString::from(out);
    name.push(".checkpoint");
    PathBuf::from(name)
}

fn threads(args: &TrainArgs) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    match args.deterministic {
        true => 1,
        false => args.threads.map_or_else(cores, usize::from),
    }
}

fn resume(trainer: &mut Trainer, path: &Path) -> Result<()> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| Failure::of_file(&name, error.to_string()))?;
    trainer.resume(&bytes).map_err(|error| {
        let failure = Failure::of_file(&name, error.to_string());
        match error {
            CheckpointError::Options { .. } => {
                failure.hint("give the same flags as before, or remove the file")
            }
            CheckpointError::Corpus => {
                failure.hint("give the same files and --min-count as before, or remove the file")
            }
            _ => failure.hint("remove the file to begin again"),
        }
    })?;
    Ok(())
}

fn train_failure(error: TrainError) -> Failure {
    let failure = Failure::plain(error.to_string());
    match error {
        TrainError::Diverged { .. } => failure.hint("try a smaller --lr"),
        TrainError::TooManyNegatives { .. } => {
            failure.hint("--negative or --min-count can be smaller")
        }
        TrainError::Memory { .. } => failure.hint("--max-vocab, --buckets or --dim can be smaller"),
        TrainError::NoWords => failure,
    }
}
