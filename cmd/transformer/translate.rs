//! `wordmill transformer translate`: lines in one language to lines in another.

use crate::engine::Engine;
use crate::translation::translate::{self, TranslateArgs};
use anyhow::Result;
use wordmill::translate::transformer::model::Transformer;

/// Translate lines with a trained model
///
/// Reads lines of text and writes a line for each: its translation, blank for blank, in their order. Lines longer than
/// --max-tokens are cut into sentences, and these where they are too long at clauses or words, to be translated one by one.
///
/// Scores are natural logarithms of probabilities, 0 at best: of a translation the sum over its pieces and its end. The
/// normalised score, by which translations are compared, is the sum divided by the number of pieces, with the end, to the
/// power of A (--length-penalty): with 1 their mean.
///
/// With --nbest there are several lines for each: its number, counted from 0, the translation, its score and its
/// normalised score, parted by `|||`. Pieces in alignments and JSON are those of `wordmill subword encode`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill transformer train --source corpora/parallel.en --target corpora/parallel.de \\\n    \
    --dim 32 --heads 2 --max-steps 20 -q --out run\n  \
    wordmill transformer translate run corpora/parallel.en\n  \
    echo 'The dog sees the cat.' | wordmill transformer translate run --nbest 3 --alignment\n  \
    wordmill transformer translate run corpora/parallel.en --score-reference corpora/parallel.de")]
pub struct Args {
    #[command(flatten)]
    translate: TranslateArgs,
}

pub fn run(args: &Args) -> Result<()> {
    ready(args, |engine| engine.run())
}

/// Loads the model, and hands what translates with it to `then`.
pub fn ready(args: &Args, then: impl FnOnce(&dyn Engine) -> Result<()>) -> Result<()> {
    translate::ready::<Transformer>(&args.translate, then)
}
