//! `wordmill subword train`: pieces learned from text.

use super::lines::{Block, Blocks, InputArgs};
use crate::corpus;
use crate::stream::{Failure, Output};
use anyhow::Result;
use std::path::PathBuf;
use wordmill::text::subword::{Algorithm, Normalization, Options, SubwordError, Trainer};

/// Learn pieces from text
///
/// Reads sentences, one a line, and writes a tokenizer.json, which other programs read too. The same lines give the same
/// file, whatever their order and --threads.
///
/// Pieces of bpe, unigram and char give every text back in its normal form: spaces are part of them, written as ▁, and what
/// has no piece is written in bytes. So do those of byte-level. Those of wordpiece give words back, not the spaces
/// between them, and [UNK] for what has no piece.
///
/// The first pieces are <pad>, <s>, </s> and <unk>, with the numbers 0 to 3; for wordpiece [PAD], [UNK], [CLS], [SEP]
/// and [MASK]. Such names in a text are text.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill subword train corpora/sample.txt --vocab-size 400 -o tokenizer.json\n  \
    wordmill subword train corpora/sample.txt -a byte-level --vocab-size 300 -o tokenizer.json")]
pub struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// How pieces are learned
    #[arg(short, long, value_enum, default_value_t)]
    algorithm: Algorithm,
    /// Pieces, at most; fewer if there are no more that are seen twice
    #[arg(long, value_name = "N", default_value_t = Options::default().vocab_size)]
    vocab_size: usize,
    /// Texts that are one piece each, wherever they stand, one a line: placeholders, language tags, markup
    #[arg(long, value_name = "FILE")]
    user_symbols: Option<PathBuf>,
    /// Form that characters are brought to
    #[arg(long, value_enum, default_value_t)]
    normalize: Normalization,
    /// Make all letters small
    #[arg(long)]
    lower: bool,
    /// File to write; it appears when it is whole; .gz and .zst are compressed
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Bytes of text that words are counted in at a time.
const BATCH: usize = 8 << 20;

pub fn run(args: &Args) -> Result<()> {
    if let Some(path) = &args.out {
        // A folder that takes no file is better known before the work than after it.
        Output::check(path)?;
    }
    let mut blocks = Blocks::new(&args.input, None, false)?;
    crate::threads::limit(args.input.threads)?;
    let mut trainer = Trainer::new(Options {
        algorithm: args.algorithm,
        vocab_size: args.vocab_size,
        symbols: symbols(args)?,
        normalization: args.normalize,
        lower: args.lower,
    })
    .map_err(|error| failure(args, &error))?;
    let mut batch = Vec::new();
    loop {
        let block = blocks.next()?;
        let is_last = block.is_none();
        batch.extend(block);
        let bytes: usize = batch.iter().map(|block: &Block| block.text().len()).sum();
        if is_last || bytes >= BATCH {
            trainer.add(
                &batch
                    .iter()
                    .flat_map(|block| block.text().lines())
                    .collect::<Vec<_>>(),
            );
            batch.clear();
        }
        if is_last {
            break;
        }
    }
    let model = trainer.finish().map_err(|error| failure(args, &error))?;
    let mut output = Output::create(args.out.as_deref(), false)?;
    output.write(&model.to_json()?)?;
    output.write("\n")?;
    output.finish()
}

fn symbols(args: &Args) -> Result<Vec<String>> {
    let Some(path) = &args.user_symbols else {
        return Ok(Vec::new());
    };
    let text = corpus::read_text(path)?;
    let lines = text.lines().filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

fn failure(args: &Args, error: &SubwordError) -> Failure {
    let problem = error.to_string();
    match error {
        SubwordError::NoText => {
            let name = args
                .input
                .files
                .first()
                .map_or("-".to_owned(), |path| path.display().to_string());
            Failure::of_file(&name, problem)
        }
        SubwordError::TooSmall { least, .. } => {
            Failure::usage(problem).hint(format!("--vocab-size {} leaves room for more", least * 2))
        }
        SubwordError::Symbol { .. } => match &args.user_symbols {
            Some(path) => Failure::of_file(&path.display().to_string(), problem),
            None => Failure::plain(problem),
        },
        _ => Failure::plain(problem),
    }
}
