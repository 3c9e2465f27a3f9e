//! `wordmill classes`: word classes from running text.

use crate::corpus;
use crate::progress::Rounds;
use crate::stream::{Failure, Output};
use anyhow::{Result, bail};
use std::fmt::Write;
use std::path::PathBuf;
use wordmill::embed::classes::{self, Corpus, Options};

/// Find classes of words that stand in the same contexts
///
/// Reads sentences, one a line, their words parted by spaces, as `wordmill tokenize --lower` prints them. Writes a word
/// and the number of its class a line, parted by a tab, the most frequent word first. Taggers and recognizers learn
/// from such classes what words mean that they never saw annotated: `ner train --classes`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  \
        wordmill classes --classes 4 --min-count 2 corpora/sample.txt
  \
        wordmill tokenize --lower corpora/sample.txt | wordmill classes --min-count 2")]
pub struct Args {
    /// Files of sentences; - or none is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Number of classes
    #[arg(long, value_name = "N", default_value_t = Options::default().classes, value_parser = class_count)]
    classes: usize,
    /// Leave out words seen fewer times
    #[arg(long, value_name = "N", default_value_t = Options::default().min_count)]
    min_count: u32,
    /// At most this many rounds over all words
    #[arg(long, value_name = "N", default_value_t = Options::default().rounds)]
    rounds: u32,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

fn class_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if (1..=4096).contains(&n) => Ok(n),
        _ => Err("expected a number from 1 to 4096".to_owned()),
    }
}

pub fn run(args: &Args) -> Result<()> {
    let stdin = [PathBuf::from("-")];
    let files = if args.files.is_empty() {
        &stdin[..]
    } else {
        &args.files
    };
    let mut corpus = Corpus::default();
    for path in files {
        for line in corpus::read_text(path)?.lines() {
            corpus.add(line.split_whitespace());
        }
    }
    if corpus.is_empty() {
        bail!(Failure::of_file(
            &files[0].display().to_string(),
            "no words to classify"
        ));
    }
    let options = Options {
        classes: args.classes,
        min_count: args.min_count,
        rounds: args.rounds,
    };
    let rounds = Rounds::new(u64::from(args.rounds), args.quiet);
    let found = classes::find(&corpus, &options, |round, moved| {
        rounds.done(round, &format!("{moved} words moved"));
    });
    let mut out = String::new();
    for (word, class) in found {
        let _ = writeln!(out, "{word}\t{class}");
    }
    let mut output = Output::create(args.out.as_deref(), false)?;
    output.write(&out)?;
    output.finish()
}
