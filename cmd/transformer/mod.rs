//! `wordmill transformer`: translation by attention.

mod shape;
mod train;
mod translate;

use crate::engine::{Engine, NotServed};
use anyhow::Result;

/// Learn to translate, and translate, by a Transformer
///
/// A model is trained from sentence pairs into a folder, which holds all that translating needs.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill transformer train --source corpora/parallel.en --target corpora/parallel.de \\\n    \
    --max-steps 20 -q --out run\n  \
    wordmill transformer translate run corpora/parallel.en")]
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
