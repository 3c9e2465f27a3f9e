//! `wordmill word2vec`: vectors of words that predict their neighbours.

mod choice;

use crate::corpus;
use crate::ranks;
use crate::report::{ReportArgs, Words};
use crate::sentences::CorpusArgs;
use crate::stop;
use crate::stream::{Failure, Output, s3};
use anyhow::{Result, bail};
use choice::ChoiceArgs;
use serde_json::json;
use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use wordmill::embed::vectors::{self, Format, View};
use wordmill::embed::word2vec::{CheckpointError, Ended, TrainError, Trainer};
use wordmill::ranks::{Ranks, is_first};

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
#[derive(clap::Args, Clone)]
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

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Train(args) => train(args),
    }
}

fn train(args: &TrainArgs) -> Result<()> {
    let Some(ranks) = ranks::open()? else {
        return stop::end(train_among(args, None)?);
    };
    ranks::must_be_files(args.corpus.is_stdin())?;
    let signal = match is_first(Some(&*ranks)) {
        true => train_among(args, Some(&*ranks))?,
        false => {
            let args = TrainArgs {
                report: ranks::silent(args.report),
                ..args.clone()
            };
            train_among(&args, Some(&*ranks))?
        }
    };
    ranks.finish();
    stop::end(signal)
}

/// Trains and writes, and gives the signal that has stopped the run, or 0.
fn train_among(args: &TrainArgs, ranks: Option<&dyn Ranks>) -> Result<usize> {
    let checkpoint = args.out.as_deref().map(checkpoint_of);
    let is_first = is_first(ranks);
    if let Some(path) = args.out.as_ref().filter(|_| is_first) {
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
    match checkpoint.as_ref().filter(|_| is_first) {
        Some(path) if args.resume && s3::exists(path)? => resume(&mut trainer, path)?,
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
    let (how, tell) = ((threads(args), &*stop), |progress| {
        words.tell(&progress, epochs);
    });
    let ended = match ranks {
        Some(ranks) => trainer.run_among(ranks, how, tell),
        None => trainer.run(how.0, how.1, tell),
    };
    let ended = ended.map_err(train_failure)?;
    drop(words);
    let signal = match ended {
        Ended::Done => 0,
        Ended::Stopped => stop::asked(&signal),
    };
    if !is_first {
        return Ok(signal);
    }
    if let (Ended::Stopped, Some(path)) = (ended, &checkpoint) {
        let mut output = Output::create(Some(path), false)?;
        trainer.save(&mut output)?;
        output.finish()?;
        eprintln!(
            "wordmill word2vec train: stopped; --resume goes on from {}",
            path.display()
        );
        return Ok(signal);
    }
    write(args, &mut trainer, unknown.as_deref().unwrap_or(""))?;
    if let Some(path) = checkpoint.filter(|_| args.resume)
        && s3::exists(&path)?
    {
        s3::remove(&path)?;
    }
    Ok(0)
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

/// Where a run that was stopped keeps what it has learned.
pub fn checkpoint_of(out: &Path) -> PathBuf {
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
    let bytes = corpus::read_bytes(path)?;
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
        TrainError::NoWords => {
            failure.hint("no word of the text is in the vocabulary, or frequent enough")
        }
        TrainError::OtherText => failure.hint("give each process the same files and flags"),
    }
}
