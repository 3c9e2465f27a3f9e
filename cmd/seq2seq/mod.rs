//! `wordmill seq2seq`: sequences to sequences by recurrent networks with attention.

mod shape;
mod train;
mod translate;

use crate::engine::{Engine, NotServed};
use anyhow::Result;

/// Learn to rewrite sequences, and rewrite them, by a recurrent network
///
/// A model is trained from pairs of lines into a folder, which holds all that translating needs: sentences and their
/// translations, words and their pronunciations, dates and how they are to be written.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill seq2seq train --pairs corpora/dates.tsv --char --max-steps 50 -q --out dates\n  \
    echo 'May 4th, 1977' | wordmill seq2seq translate dates")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Train(Box<train::Args>),
    Translate(Box<translate::Args>),
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Train(args) => train::run(args),
        Command::Translate(args) => translate::run(args),
    }
}

/// Loads what is translated with, and hands it to `then`.
pub fn ready(args: &Args, then: impl FnOnce(&dyn Engine) -> Result<()>) -> Result<()> {
    match &args.command {
        Command::Train(_) => Err(NotServed.into()),
        Command::Translate(args) => translate::ready(args, then),
    }
}
