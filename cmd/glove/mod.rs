//! `wordmill glove`: vectors from counts of words that stand near each other.

mod cooccur;
mod report;
mod train;

use anyhow::Result;
pub use cooccur::{is_counts, merge};

/// Learn word vectors from counts of words near each other
///
/// GloVe fits the product of two words' vectors to the logarithm of how often they stand near each other. `train` does
/// all in one; `cooccur` writes the counts to a file, to train on them many times, or to count a large text in parts
/// that `wordmill merge` adds up.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill glove train corpora/sample.txt --min-count 2 -o vectors.txt\n  \
    wordmill glove cooccur corpora/sample.txt -o sample.cooc")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Train(train::Args),
    Cooccur(cooccur::Args),
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Train(args) => train::run(args),
        Command::Cooccur(args) => cooccur::run(args),
    }
}

/// Flags for what is counted as near.
#[derive(clap::Args, Clone, Copy, Debug)]
struct WindowArgs {
    /// Count words up to so many words apart, from 1 to 20
    #[arg(long, value_name = "N", default_value_t = cooccur::DEFAULT.window, value_parser = clap::value_parser!(u32).range(1..=i64::from(cooccur::WIDEST)))]
    window: u32,
    /// What a word counts by its distance d
    #[arg(long, value_enum, default_value_t)]
    weighting: cooccur::Weigh,
    /// Count only what stands before a word
    #[arg(long)]
    left: bool,
}

/// Flags for what a run may use.
#[derive(clap::Args, Clone, Copy, Debug)]
struct ResourceArgs {
    /// Memory for counts, as in 512M or 2G; what is more goes to temporary files
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = crate::bag::args::size)]
    memory: usize,
    /// Number of threads, which change no byte of the result [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    #[command(flatten)]
    report: crate::report::ReportArgs,
}
