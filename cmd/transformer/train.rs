//! `wordmill transformer train`: a Transformer learns from sentence pairs.

use super::shape::ShapeArgs;
use crate::translation::train::{self, TrainArgs};
use anyhow::Result;

/// Learn to translate from sentence pairs
///
/// Reads sentences and their translations, line by line, learns how to cut words into pieces, and trains a Transformer on
/// them. What a flag does not say follows from the number of pairs.
///
/// The folder --out holds all that translating needs, what was reported (log.jsonl) and its curves (curves.svg). SIGTERM
/// and SIGINT end a run with a checkpoint, and --resume goes on from it as if nothing had happened: the same weights, byte
/// for byte, with any number of threads.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill transformer train --source corpora/parallel.en --target corpora/parallel.de \\\n    \
    --valid corpora/parallel.en corpora/parallel.de --max-steps 20 --out run\n  \
    paste corpora/parallel.en corpora/parallel.de > pairs.tsv\n  \
    wordmill transformer train --pairs pairs.tsv --dim 32 --heads 2 --max-steps 20 -q --out small")]
pub struct Args {
    #[command(flatten)]
    train: TrainArgs<ShapeArgs>,
}

pub fn run(args: &Args) -> Result<()> {
    train::run(&args.train)
}
