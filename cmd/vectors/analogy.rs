//! `wordmill vectors analogy`: what is to c as b is to a.

use super::load::Shared;
use super::nearest::answer;
use super::queries::{self, Words};
use anyhow::Result;
use std::path::PathBuf;
use wordmill::embed::vectors::search::Search;

/// Find the fourth word: A is to B as C is to what
///
/// Takes the words nearest to B - A + C, vectors being of length one and the three words themselves left out (3CosAdd).
/// Writes the three words, the answer and its score a line, parted by tabs. Without words, and with --stdin, each line
/// of standard input is a question of three words. A blank line gives a blank line; a word without a vector, a message
/// and a line that ends after the question.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill vectors analogy corpora/vectors.vec man king woman\n  \
    echo france paris japan | wordmill vectors analogy corpora/vectors.vec --stdin -k 1")]
pub struct Args {
    /// Vectors; - is standard input
    #[arg(value_name = "VECTORS")]
    vectors: PathBuf,
    /// Three words
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Number of answers
    #[arg(short, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    k: u32,
    /// Read questions from standard input, one a line
    #[arg(long, conflicts_with = "words")]
    stdin: bool,
    #[command(flatten)]
    shared: Shared,
}

pub fn run(args: &Args) -> Result<()> {
    let three = Words::Some(3);
    let usage = three.check(&args.words);
    usage.map_err(|failure| failure.hint("as in: man king woman"))?;
    let vectors = args.shared.open(&args.vectors)?;
    let search = Search::new(vectors.view());
    let most = args.k as usize;
    let ask = |rows: &[u32]| search.query(&rows[1..], &rows[..1]);
    let output = args.shared.output()?;
    let words = (three, args.words.as_slice());
    queries::run("analogy", &vectors, words, output, |asked, out| {
        answer(&vectors, &search, (asked, ask), most, out)
    })
}
