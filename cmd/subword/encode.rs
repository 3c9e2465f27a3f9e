//! `wordmill subword encode`: text to pieces.

use super::lines::{self, LineArgs};
use super::load::load;
use crate::stream::Failure;
use anyhow::Result;
use std::path::PathBuf;
use wordmill::random::Random;
use wordmill::text::subword::{Subword, SubwordError};

/// Cut text into pieces
///
/// Reads lines and writes their pieces, parted by spaces: a line of output for each line, blank for blank. A space
/// inside a piece is written as ▁.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill subword encode --model corpora/tokenizer.json corpora/sample.txt\n  \
    echo 'Two violins.' | wordmill subword encode --model corpora/tokenizer.json --to ids --eos")]
pub struct Args {
    /// Model: a tokenizer.json, or a .model of SentencePiece
    #[arg(short, long, value_name = "FILE")]
    model: PathBuf,
    /// What is written of a piece
    #[arg(long, value_enum, default_value_t)]
    to: To,
    /// Leave each merge of a BPE model out with this probability, for other pieces every time
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = probability)]
    dropout: f32,
    /// Seed of what is left out; a line's pieces depend on it and on the number of the line
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Begin each line with the piece that begins a sentence
    #[arg(long)]
    bos: bool,
    /// End each line with the piece that ends a sentence
    #[arg(long)]
    eos: bool,
    /// Read names of special pieces in the text as text, as models made by `train` always do
    #[arg(long)]
    literal: bool,
    #[command(flatten)]
    lines: LineArgs,
}

/// What is written of a piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum To {
    /// Its text
    #[default]
    Pieces,
    /// Its number
    Ids,
}

fn probability(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(p) if (0.0..=1.0).contains(&p) => Ok(p),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

pub fn run(args: &Args) -> Result<()> {
    let mut model = load(&args.model)?;
    model.set_literal(args.literal);
    let first = args.bos.then(|| named("--bos", model.bos())).transpose()?;
    let last = args.eos.then(|| named("--eos", model.eos())).transpose()?;
    let model = &model;
    lines::run(
        &args.lines,
        |_| (),
        |line, out| {
            if line.text.is_empty() {
                return Ok(());
            }
            let cut = match args.dropout > 0.0 {
                true => {
                    let mut random = Random::new(args.seed, line.number);
                    model.encode_with_dropout(line.text, args.dropout, &mut random)
                }
                false => model.encode(line.text),
            };
            let pieces = cut.map_err(|error| match error {
                SubwordError::NoMerges => Failure::usage(format!("--dropout: {error}")),
                other => line.failure(other.to_string()),
            })?;
            print(
                args.to,
                model,
                first.into_iter().chain(pieces).chain(last),
                out,
            );
            Ok(())
        },
    )
}

fn named(flag: &str, piece: Option<u32>) -> Result<u32, Failure> {
    let problem = || Failure::usage(format!("{flag}: the model has no such piece"));
    piece.ok_or_else(problem)
}

fn print(to: To, model: &Subword, pieces: impl Iterator<Item = u32>, out: &mut String) {
    let mut digits = itoa::Buffer::new();
    for (i, number) in pieces.enumerate() {
        if i > 0 {
            out.push(' ');
        }
        match (to, model.piece(number)) {
            (To::Pieces, Some(piece)) if piece.contains(' ') => {
                out.push_str(&piece.replace(' ', "▁"))
            }
            (To::Pieces, Some(piece)) => out.push_str(piece),
            (To::Pieces, None) | (To::Ids, _) => out.push_str(digits.format(number)),
        }
    }
}
