//! `wordmill vectors similarity`: how alike two words are.

use super::load::Shared;
use super::queries::{self, Asked, Words};
use anyhow::Result;
use std::fmt::Write;
use std::path::PathBuf;
use wordmill::embed::vectors::search::Search;

/// Tell how alike two words are
///
/// Writes both words and the cosine of the angle between their vectors, parted by tabs. Without words, and with
/// --stdin, each line of standard input is a pair and gives one line: a blank one a blank line, one with a word that
/// has no vector a message and a line that ends after the pair.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill vectors similarity corpora/vectors.vec cat dog\n  \
    cut -f 1,2 corpora/pairs.tsv | wordmill vectors similarity corpora/vectors.vec --stdin")]
pub struct Args {
    /// Vectors; - is standard input
    #[arg(value_name = "VECTORS")]
    vectors: PathBuf,
    /// Two words
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Read pairs from standard input, one a line
    #[arg(long, conflicts_with = "words")]
    stdin: bool,
    #[command(flatten)]
    shared: Shared,
}

pub fn run(args: &Args) -> Result<()> {
    let two = Words::Some(2);
    two.check(&args.words)?;
    let vectors = args.shared.open(&args.vectors)?;
    let search = Search::new(vectors.view());
    let answer = |asked: &[Asked], out: &mut String| {
        for Asked { text, rows } in asked {
            // Writing to a string never fails.
            let _ = match rows.as_deref() {
                Some(&[a, b]) => writeln!(out, "{text}\t{:.6}", search.cosine(a, b)),
                _ if text.is_empty() => writeln!(out),
                _ => writeln!(out, "{text}\t"),
            };
        }
    };
    let output = args.shared.output()?;
    let words = (two, args.words.as_slice());
    queries::run("similarity", &vectors, words, output, answer)
}
