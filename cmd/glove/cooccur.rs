//! `wordmill glove cooccur`: counts of words near each other, and their sums.

use super::{ResourceArgs, WindowArgs};
use crate::sentences::CorpusArgs;
use crate::stream::input::name_of;
use crate::stream::{Failure, Output, open, s3};
use crate::threads;
use anyhow::{Context, Result, bail};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;
pub use wordmill::embed::cooccur::WIDEST;
use wordmill::embed::cooccur::count::count;
use wordmill::embed::cooccur::file::{FileError, MAGIC};
use wordmill::embed::cooccur::{Cooccurrence, Options, Parts, Weighting};
use wordmill::embed::corpus::Corpus;
use wordmill::text::shard::Shard;
use wordmill::text::transcode::read_head;

/// What is counted unless flags say otherwise.
pub const DEFAULT: Options = Options {
    window: 10,
    symmetric: true,
    weighting: Weighting::Harmonic,
};

/// Count how often words stand near each other
///
/// Reads sentences, one a line, their words parted by spaces. Writes a file of counts that `glove train` learns from and
/// that `wordmill merge` adds up: counts of all parts of a text, made with --shard on one machine or on many, add up to
/// the file that the whole text gives, byte for byte. So do counts of files that are parts of it, made with --vocab and
/// --part: then no machine needs the whole text. Counts are sums of exact fractions. --to tsv prints them for
/// people: a word, a word near it, and the count; of a symmetric pair one line only.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill glove cooccur corpora/sample.txt -o sample.cooc\n  \
    wordmill glove cooccur --to tsv --window 2 corpora/sample.txt")]
pub struct Args {
    #[command(flatten)]
    corpus: CorpusArgs,
    #[command(flatten)]
    window: WindowArgs,
    /// Count part I of N only, from I = 0; all parts read the whole text, for its vocabulary
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// The text is part I of N of a larger one, from I = 0, whose words --vocab lists
    #[arg(long, value_name = "I/N", requires = "vocab", conflicts_with = "shard")]
    part: Option<Shard>,
    /// Form of the counts
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    to: To,
    /// File to write; it appears when it is whole; .gz and .zst are compressed
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    resources: ResourceArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum To {
    /// A file for `glove train` and `merge`
    #[default]
    Counts,
    /// Lines for people
    Tsv,
}

/// What a word counts at distance d.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Weigh {
    /// 1/d
    #[default]
    Harmonic,
    /// (window + 1 − d)/window
    Linear,
    /// 1
    Flat,
}

impl WindowArgs {
    /// What the flags say.
    pub fn options(&self) -> Options {
        Options {
            window: self.window,
            symmetric: !self.left,
            weighting: match self.weighting {
                Weigh::Harmonic => Weighting::Harmonic,
                Weigh::Linear => Weighting::Linear,
                Weigh::Flat => Weighting::Flat,
            },
        }
    }
}

pub fn run(args: &Args) -> Result<()> {
    threads::limit(args.resources.threads)?;
    let mut output = Output::create(args.out.as_deref(), false)?;
    let corpus = args.corpus.read(None)?;
    let shard = args
        .shard
        .map_or((0, 1), |shard| (shard.index, shard.count));
    let mut counts = counted(corpus, &args.window, shard, &args.resources)?;
    if let Some(part) = args.part {
        counts.parts = Parts::one(part.index, part.count);
    }
    match args.to {
        To::Counts => counts.write(&mut output)?,
        To::Tsv => write_lines(&counts, &mut output)?,
    }
    output.finish()
}

/// Counts a corpus.
pub fn counted(
    corpus: Corpus,
    window: &WindowArgs,
    shard: (u64, u64),
    resources: &ResourceArgs,
) -> Result<Cooccurrence> {
    let start = Instant::now();
    let counts = count(corpus, window.options(), shard, resources.memory as u64)
        .with_context(temporary_files)?;
    super::report::counted(resources.report, &counts, start.elapsed());
    Ok(counts)
}

/// The place where a full disk is to be looked for.
pub fn temporary_files() -> String {
    format!("temporary files in {}", std::env::temp_dir().display())
}

fn write_lines(counts: &Cooccurrence, output: &mut Output) -> Result<()> {
    let words = &counts.vocabulary.words;
    let unit = counts.options.unit() as f64;
    let (mut walk, mut pairs) = (counts.rows.walk(), Vec::new());
    while let Some(word) = walk.next(&mut pairs) {
        for &(context, units) in &pairs {
            let (word, context) = (&words[word as usize], &words[context as usize]);
            output.write(&format!("{word}\t{context}\t{}\n", units as f64 / unit))?;
        }
    }
    Ok(())
}

/// Reads counts from what was opened.
///
/// # Errors
/// When they are cut short or damaged.
pub fn read(path: &Path, input: impl Read, memory: u64) -> Result<Cooccurrence> {
    Cooccurrence::read(input, memory).map_err(|error| {
        let failure = Failure::of_file(&name_of(path), error.to_string());
        match error {
            FileError::Short | FileError::Damaged(_) => {
                failure.hint("`wordmill glove cooccur` makes it again")
            }
            // Of the input or of the temporary file that takes its rows.
            FileError::Io(_) | FileError::Foreign => failure,
        }
        .into()
    })
}

/// Whether a file begins as one of counts does; standard input is none.
///
/// # Errors
/// When it cannot be opened.
pub fn is_counts(path: &Path) -> Result<bool> {
    // What is no plain file can be read only once.
    let is_plain = s3::is_address(path) || path.metadata().is_ok_and(|found| found.is_file());
    Ok(is_plain && read_head(&mut open(path)?, &[MAGIC])?.starts_with(MAGIC))
}

/// Adds up files of counts, for `wordmill merge`.
///
/// # Errors
/// When one cannot be read, or cannot be added to the first.
pub fn merge(files: &[PathBuf], out: Option<&Path>) -> Result<()> {
    let mut output = Output::create(out, false)?;
    // Rows are read once from front to back: only pages in use are in memory.
    let mut shards: Vec<Cooccurrence> = Vec::new();
    for path in files {
        let shard = read(path, open(path)?, 0)?;
        for earlier in &shards {
            if let Err(problem) = earlier.check_addend(&shard) {
                bail!(
                    Failure::of_file(&name_of(path), problem.to_string())
                        .hint("counts of one text add up, made with --shard 0/N to N-1/N")
                );
            }
        }
        shards.push(shard);
    }
    let sum = Cooccurrence::sum(shards, 0).with_context(temporary_files)?;
    sum.write(&mut output)?;
    output.finish()
}
