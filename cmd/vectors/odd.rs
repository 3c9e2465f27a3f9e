//! `wordmill vectors odd-one-out`: the word that does not go with the others.

use super::load::Shared;
use super::queries::{self, Asked, Words};
use crate::stream::Failure;
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
    if matches!(args.words.len(), 1 | 2) {
        let problem = format!("expected three words or more, found {}", args.words.len());
        return Err(Failure::usage(problem).into());
    }
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
    let mut output = args.shared.output()?;
    if args.words.is_empty() {
        queries::stream("odd-one-out", &vectors, Words::Several, &mut output, answer)?;
    } else {
        let mut out = String::new();
        let all = args.words.chunks(args.words.len());
        answer(&queries::given(&vectors, all)?, &mut out);
        output.write(&out)?;
    }
    output.finish()
}
