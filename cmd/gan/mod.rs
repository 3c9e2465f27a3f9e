//! `wordmill gan`: generative adversarial networks.

mod data;
mod eval;
mod examine;
mod features;
mod loaded;
mod measure;
mod names;
mod near;
mod networks;
mod numbers;
mod pace;
mod pictures;
mod prepare;
mod report;
mod sample;
mod seeds;
mod settings;
mod source;
mod train;

use anyhow::Result;

/// Learn to make images, points and rows of tables, and measure what is made
///
/// Two networks learn from each other: one makes samples, the other tells them from real ones. A run is a folder, which
/// holds all that sampling needs.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill gan train --toy ring8 --max-steps 100 -q --out ring8\n  \
    wordmill gan sample ring8 -n 5\n  \
    wordmill gan eval ring8")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Train(Box<train::Args>),
    Sample(sample::Args),
    Eval(eval::Args),
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Train(args) => train::run(args),
        Command::Sample(args) => sample::run(args),
        Command::Eval(args) => eval::run(args),
    }
}
