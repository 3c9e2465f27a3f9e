//! `wordmill glove train`: from text or counts to vectors.

use super::{ResourceArgs, WindowArgs, cooccur};
use crate::ranks;
use crate::sentences::CorpusArgs;
use crate::stream::input::{Stream, inputs, name_of};
use crate::stream::{Failure, Output};
use crate::threads;
use anyhow::{Result, bail};
use serde_json::json;
use std::io::{Cursor, Read};
use std::path::PathBuf;
use wordmill::embed::cooccur::Cooccurrence;
use wordmill::embed::cooccur::file::MAGIC;
use wordmill::embed::glove::train::{Model, TrainError};
use wordmill::embed::glove::{Options, Side};
use wordmill::embed::vectors::{self, Format, View};
use wordmill::text::transcode::read_head;

/// Learn vectors from text, or from counts of it
///
/// Reads sentences, one a line, their words parted by spaces, or one file that `glove cooccur` wrote, which is known by
/// its first bytes. Writes a word and its vector a line, the most frequent word first. The same seed gives the same bytes,
/// whatever the number of threads.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill glove train corpora/sample.txt --min-count 2 -o vectors.txt\n  \
    wordmill tokenize --lower corpora/sample.txt | wordmill glove train --min-count 2 > v.txt")]
pub struct Args {
    #[command(flatten)]
    corpus: CorpusArgs,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    fit: FitArgs,
    /// File of vectors to write; it appears when it is whole; .gz and .zst are compressed
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Format to write [default: by the name of the output]
    #[arg(long, value_name = "FORMAT", value_enum)]
    to: Option<Format>,
    #[command(flatten)]
    resources: ResourceArgs,
}

/// Flags for how vectors are fitted.
#[derive(clap::Args)]
struct FitArgs {
    /// Values of a vector
    #[arg(long, value_name = "N", default_value_t = Options::default().dim as u32, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    dim: u32,
    /// How often to go over all pairs
    #[arg(long, value_name = "N", default_value_t = Options::default().epochs, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Learning rate of AdaGrad
    #[arg(long, value_name = "RATE", default_value_t = Options::default().rate, value_parser = positive)]
    lr: f32,
    /// Counts from here on weigh as much as any; smaller ones less
    #[arg(long, value_name = "X", default_value_t = Options::default().x_max as f32, value_parser = positive)]
    x_max: f32,
    /// Power of the weight of smaller counts, (x/X)^A
    #[arg(long, value_name = "A", default_value_t = Options::default().alpha as f32, value_parser = power)]
    alpha: f32,
    /// Which vectors to write
    #[arg(long, value_enum, default_value_t)]
    output: Vectors,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = Options::default().seed)]
    seed: u64,
}

/// The vectors of a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Vectors {
    /// The sum of its two: as a word, and as the context of others
    #[default]
    Sum,
    /// That of a word
    Word,
    /// The two, one behind the other
    Both,
}

fn positive(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && f32::is_finite(value) => Ok(value),
        _ => Err("expected a number above 0".to_owned()),
    }
}

fn power(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..=10.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 10".to_owned()),
    }
}

impl FitArgs {
    fn options(&self) -> Options {
        Options {
            dim: self.dim as usize,
            epochs: self.epochs,
            rate: self.lr,
            x_max: f64::from(self.x_max),
            alpha: f64::from(self.alpha),
            seed: self.seed,
        }
    }

    fn side(&self) -> Side {
        match self.output {
            Vectors::Sum => Side::Sum,
            Vectors::Word => Side::Word,
            Vectors::Both => Side::Both,
        }
    }
}

pub fn run(args: &Args) -> Result<()> {
    ranks::must_be_alone()?;
    threads::limit(args.resources.threads)?;
    let mut output = Output::create(args.out.as_deref(), false)?;
    let counts = counts(args)?;
    if !counts.parts.are_all() {
        let (there, of) = (counts.parts.counted.len(), counts.parts.of);
        args.resources.report.say(
            || json!({"warning": "incomplete", "parts": there, "of": of}),
            || format!("wordmill glove train: counts of {there} of {of} parts of the text"),
        );
    }
    let options = args.fit.options();
    // The rows may take the other half.
    let memory = args.resources.memory as u64 / 2;
    let mut model = Model::new(&counts, &options, memory).map_err(failure)?;
    let vocabulary = counts.vocabulary;
    drop(counts.rows);
    let report = super::report::epochs(args.resources.report, options.epochs);
    model.fit(&options, report).map_err(failure)?;
    let (data, dim) = model.vectors(args.fit.side());
    let view = View {
        words: &vocabulary.words,
        dim,
        stride: dim,
        data: &data,
    };
    let named = args.out.as_deref().and_then(Format::from_path);
    let format = args.to.or(named).unwrap_or(Format::Word2vec);
    vectors::write(&view, format, &mut output)?;
    output.finish()
}

/// Counts read from a file, or made of text.
fn counts(args: &Args) -> Result<Cooccurrence> {
    let files = inputs(&args.corpus.files)?;
    let mut reader = args.corpus.reader()?;
    for path in &files {
        let mut stream = args.corpus.open(path)?;
        let head = read_head(&mut stream, &[MAGIC])?;
        let is_counts = head.starts_with(MAGIC);
        let stream: Stream = Box::new(Cursor::new(head).chain(stream));
        if !is_counts {
            args.corpus.add(&mut reader, path, stream)?;
        } else if files.len() > 1 {
            bail!(
                Failure::of_file(&name_of(path), "is a file of counts among others")
                    .hint("`wordmill merge` adds up counts")
            );
        } else if args.corpus.vocab.is_some() {
            bail!(Failure::usage(
                "a file of counts has its words, and --vocab gives others"
            ));
        } else {
            return cooccur::read(path, stream, args.resources.memory as u64);
        }
    }
    let corpus = args.corpus.finish(reader)?;
    cooccur::counted(corpus, &args.window, (0, 1), &args.resources)
}

fn failure(error: TrainError) -> Failure {
    let failure = Failure::plain(error.to_string());
    match error {
        TrainError::NoPairs => failure.hint("a line is a sentence, and needs two words"),
        TrainError::NotFinite { .. } => failure.hint("try a smaller --lr"),
        TrainError::Io(_) => Failure::of_file(&cooccur::temporary_files(), error.to_string()),
    }
}
