//! `wordmill seq2seq train`: a recurrent network learns from pairs of lines.

use super::shape::ShapeArgs;
use crate::translation::train::{self, TrainArgs};
use anyhow::Result;

/// Learn to rewrite sequences from pairs of lines
///
/// Reads lines and what is to be made of them, learns how to cut words into pieces, or cuts them into characters (--char),
/// and trains a recurrent encoder and decoder with attention on them. What a flag does not say follows from the number of
/// pairs and from the vocabulary.
///
/// The folder --out holds all that translating needs, what was reported (log.jsonl) and its curves (curves.svg). SIGTERM
/// and SIGINT end a run with a checkpoint, and --resume goes on from it as if nothing had happened: the same weights, byte
/// for byte, with any number of threads.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill seq2seq train --pairs corpora/dates.tsv --char --max-steps 50 -q --out dates\n  \
    wordmill seq2seq train --source corpora/parallel.en --target corpora/parallel.de \\\n    \
    --cell gru --dim 64 --attention concat --max-steps 20 -q --out small")]
pub struct Args {
    #[command(flatten)]
    train: TrainArgs<ShapeArgs>,
}

pub fn run(args: &Args) -> Result<()> {
    train::run(&args.train)
}
