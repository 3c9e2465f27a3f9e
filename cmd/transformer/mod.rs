//! `wordmill transformer`: translation by attention.

mod data;
mod report;
mod settings;
mod train;

use anyhow::Result;

/// Learn to translate, and translate, by a Transformer
///
/// A model is trained from sentence pairs into a folder, which holds all that translating needs.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill transformer train --source corpora/parallel.en --target corpora/parallel.de \\\n    \
    --max-steps 20 -q --out run")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Train(train::TrainArgs),
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Train(args) => train::run(args),
    }
}
