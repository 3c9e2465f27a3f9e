//! `wordmill stem`: words cut to their stems.

use crate::engine::Engine;
use crate::layers::Models;
use crate::stream::{Failure, From, Job, KeepArgs, Layered, Newline, StreamArgs, Tsv};
use anyhow::Result;
use wordmill::text::format::{InputFormat, OutputFormat};
use wordmill::text::plain::View;
use wordmill::text::stem::{Algorithm, Generation, Language, Running, StemError, Stemmer};
use wordmill::text::tsv::TsvColumn;

/// Cut words to their stems
///
/// From text, every word (a segment of UAX #29 that holds a letter) is replaced by its stem, in lower case; every other
/// byte is copied, and lines stay. From lines, tokens, CoNLL-U, JSON Lines and columns, every word gets its stem as a
/// layer: `Stem=` in MISC, `stem` in JSON, or in place of the word in text and words. `--to tsv` has the columns form
/// and stem.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill stem corpora/sample.txt\n  \
    echo 'Fishing, fished, fisher' | wordmill stem --algorithm lancaster\n  \
    wordmill tokenize --to conllu corpora/sample.txt | wordmill stem")]
pub struct Args {
    /// Rules by which endings are cut off
    #[arg(short, long, value_enum, default_value_t)]
    algorithm: Algorithm,
    /// Language of the text, for snowball; codes such as de are understood too
    #[arg(short, long, value_enum, default_value_t)]
    language: Language,
    /// Generation of the Snowball algorithms
    #[arg(long, value_enum, default_value_t, value_name = "GENERATION")]
    snowball: Generation,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    stream: StreamArgs,
}

pub fn run(args: &Args) -> Result<()> {
    ready(args, |engine| engine.run())
}

/// Loads the models, and hands what works with them to `then`.
pub fn ready(args: &Args, then: impl FnOnce(&dyn Engine) -> Result<()>) -> Result<()> {
    let stemmer = || {
        Stemmer::new(args.algorithm, args.language, args.snowball).map_err(|error| {
            let failure = Failure::usage(error.to_string());
            match error {
                StemError::OnlyInGenerationThree(_) => failure.hint("add --snowball 3"),
                StemError::EnglishOnly(..) => failure,
            }
        })
    };
    let layer = stemmer()?;
    let running = Running::new(stemmer()?);
    let from_text = |text: &str, out: &mut String| running.stem(text, out);
    // A line may be a token already, and `--to words` wants one a line: both go by tokens.
    let by_token = args.stream.from == From::Given(InputFormat::Lines)
        || args.stream.to == Some(OutputFormat::Words);
    let job = Job {
        view: View::Stem,
        tsv: Tsv::Words(&[TsvColumn::Form, TsvColumn::Stem]),
        from_text: (!by_token).then_some(&from_text),
        ..Job::default()
    };
    let tokenizer = Models::open(&[])?.tokenizer(args.stream.newline == Newline::Break)?;
    then(&Layered {
        args: &args.stream,
        job,
        layer: &|document| {
            tokenizer.segment(document);
            for sentence in &mut document.sentences {
                if args.keep.keep {
                    layer.annotate_missing(sentence);
                } else {
                    layer.annotate(sentence);
                }
            }
            Ok(())
        },
    })
}
