//! `wordmill vectors odd-one-out`: the word that does not go with the others.

use super::load::Shared;
use super::queries::{self, Asked, Words};
use anyhow::Result;
use std::path::PathBuf;
use wordmill::embed::vectors::search::Search;

/// Find the word that does not go with the others
///
/// It is the one farthest from the mean of all, vectors being of length one. Writes it. Without words, and with
/// --stdin, each line of standard input is a list of three words or more and gives one line, which is blank when a word
/// has no vector.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill vectors odd-one-out corpora/vectors.vec paris london cat rome\n  \
    echo cat dog king | wordmill vectors odd-one-out corpora/vectors.vec --stdin")]
pub struct Args {
    /// Vectors; - is standard input
    #[arg(value_name = "VECTORS")]
    vectors: PathBuf,
    /// Three words or more
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Read lists from standard input, one a line
    #[arg(long, conflicts_with = "words")]
    stdin: bool,
    #[command(flatten)]
    shared: Shared,
}

pub fn run(args: &Args) -> Result<()> {
    Words::Several.check(&args.words)?;
    let vectors = args.shared.open(&args.vectors)?;
    let search = Search::new(vectors.view());
    let answer = |asked: &[Asked], out: &mut String| {
        for Asked { text, rows } in asked {
            let words = text.split('\t');
            if let Some(rows) = rows {
                // As many words as rows.
                out.push_str(words.clone().nth(search.odd_one(rows)).unwrap_or_default());
            }
            out.push('\n');
        }
    };
    let output = args.shared.output()?;
    let words = (Words::Several, args.words.as_slice());
    queries::run("odd-one-out", &vectors, words, output, answer)
}
