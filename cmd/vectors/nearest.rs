//! `wordmill vectors nearest`: the neighbours of words.

use super::load::Shared;
use super::queries::{self, Asked, Words};
use anyhow::Result;
use std::fmt::Write;
use std::path::PathBuf;
use wordmill::embed::vectors::Vectors;
use wordmill::embed::vectors::search::{Query, Search};

/// Find the words nearest to words
///
/// Writes a query, a word and the cosine of the angle between their vectors a line, parted by tabs, the nearest first.
/// Each WORD is a query of its own; without words, and with --stdin, each line of standard input is one. A blank line
/// gives a blank line; a word without a vector, a message and a line that ends after the query.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill vectors nearest corpora/vectors.vec king paris -k 3\n  \
    cut -f 1 corpora/pairs.tsv | wordmill vectors nearest corpora/vectors.vec --stdin -k 1")]
pub struct Args {
    /// Vectors; - is standard input
    #[arg(value_name = "VECTORS")]
    vectors: PathBuf,
    /// Words to find neighbours of
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Number of neighbours
    #[arg(short, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    k: u32,
    /// Read words from standard input, one a line
    #[arg(long, conflicts_with = "words")]
    stdin: bool,
    #[command(flatten)]
    shared: Shared,
}

pub fn run(args: &Args) -> Result<()> {
    let vectors = args.shared.open(&args.vectors)?;
    let search = Search::new(vectors.view());
    let most = args.k as usize;
    let ask = |rows: &[u32]| search.query(rows, &[]);
    let output = args.shared.output()?;
    let words = (Words::One, args.words.as_slice());
    queries::run("nearest", &vectors, words, output, |asked, out| {
        answer(&vectors, &search, (asked, ask), most, out)
    })
}

/// Appends the best rows of each query that `ask` makes of the rows of its words.
pub fn answer(
    vectors: &Vectors,
    search: &Search,
    (asked, ask): (&[Asked], impl Fn(&[u32]) -> Query),
    most: usize,
    out: &mut String,
) {
    let known = asked.iter().filter_map(|asked| asked.rows.as_deref());
    let queries: Vec<Query> = known.map(ask).collect();
    let mut answers = search.top(&queries, most).into_iter();
    for Asked { text, rows } in asked {
        let hits = rows.as_ref().and_then(|_| answers.next());
        match hits {
            Some(hits) => {
                for hit in hits {
                    let word = vectors.word(hit.row);
                    // Writing to a string never fails.
                    let _ = writeln!(out, "{text}\t{word}\t{:.6}", hit.score);
                }
            }
            None if text.is_empty() => out.push('\n'),
            None => {
                let _ = writeln!(out, "{text}\t\t");
            }
        }
    }
}
