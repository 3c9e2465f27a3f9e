//! `wordmill subword`: text to pieces of words and back, and learning the pieces.

mod decode;
mod encode;
pub mod lines;
pub mod load;
mod train;

use anyhow::Result;

/// Cut text into pieces of words, and put them together again
///
/// A model of pieces is learned from text by `train`, or comes from elsewhere: it is a tokenizer.json, as other programs
/// read and write it, or a .model of SentencePiece.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill subword train corpora/sample.txt --vocab-size 400 -o tokenizer.json\n  \
    echo 'Two violins.' | wordmill subword encode --model corpora/tokenizer.json\n  \
    echo '▁T w o' | wordmill subword decode --model corpora/tokenizer.json")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Train(train::Args),
    Encode(encode::Args),
    Decode(decode::Args),
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Train(args) => train::run(args),
        Command::Encode(args) => encode::run(args),
        Command::Decode(args) => decode::run(args),
    }
}
