//! `wordmill vectors`: what word vectors know, and what they are good for.

mod analogy;
mod average;
mod convert;
mod eval;
pub mod load;
mod nearest;
mod odd;
mod plot;
mod queries;
mod similarity;

use anyhow::Result;
use clap::Subcommand;

/// Ask, score, convert and draw word vectors
///
/// Every command reads vectors in word2vec's text or binary format, fastText's .vec, GloVe's text, or safetensors,
/// found out by content; .gz and .zst are decompressed. A word that has no vector is looked up in lower case too.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill vectors nearest corpora/vectors.vec king paris -k 3\n  \
    wordmill vectors analogy corpora/vectors.vec man king woman -k 1\n  \
    wordmill vectors eval corpora/vectors.vec --analogies corpora/analogies.txt")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Nearest(nearest::Args),
    Analogy(analogy::Args),
    OddOneOut(odd::Args),
    Similarity(similarity::Args),
    Average(average::Args),
    Eval(eval::Args),
    Convert(convert::Args),
    Plot(plot::Args),
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Nearest(args) => nearest::run(args),
        Command::Analogy(args) => analogy::run(args),
        Command::OddOneOut(args) => odd::run(args),
        Command::Similarity(args) => similarity::run(args),
        Command::Average(args) => average::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Convert(args) => convert::run(args),
        Command::Plot(args) => plot::run(args),
    }
}
