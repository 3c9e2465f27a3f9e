//! `wordmill seq2seq translate`: lines to what a model makes of them.

use crate::engine::Engine;
use crate::translation::translate::{self, TranslateArgs};
use anyhow::Result;
use wordmill::translate::recurrent::model::Recurrent;

/// Rewrite lines with a trained model
///
/// Reads lines of text and writes a line for each: what the model makes of it, blank for blank, in their order. Lines
/// longer than --max-tokens are cut into sentences, and these where they are too long at clauses or words, to be rewritten
/// one by one.
///
/// Scores are natural logarithms of probabilities, 0 at best: of a line the sum over its pieces and its end. The normalised
/// score, by which candidates are compared, is the sum divided by the number of pieces, with the end, to the power of A
/// (--length-penalty): with 1 their mean.
///
/// With --nbest there are several lines for each: its number, counted from 0, the text, its score and its normalised score,
/// parted by `|||`. Pieces in alignments and JSON are those of `wordmill subword encode`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill seq2seq train --pairs corpora/dates.tsv --char --max-steps 50 -q --out dates\n  \
    echo 'May 4th, 1977' | wordmill seq2seq translate dates\n  \
    echo '4 May 1977' | wordmill seq2seq translate dates --nbest 3 --alignment\n  \
    wordmill seq2seq translate dates corpora/sample.txt --beam 1")]
pub struct Args {
    #[command(flatten)]
    translate: TranslateArgs,
}

pub fn run(args: &Args) -> Result<()> {
    ready(args, |engine| engine.run())
}

/// Loads the model, and hands what translates with it to `then`.
pub fn ready(args: &Args, then: impl FnOnce(&dyn Engine) -> Result<()>) -> Result<()> {
    translate::ready::<Recurrent>(&args.translate, then)
}
