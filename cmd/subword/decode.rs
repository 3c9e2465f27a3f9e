//! `wordmill subword decode`: pieces to text.

use super::lines::{self, Line, LineArgs};
use super::load::load;
use anyhow::Result;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use wordmill::text::subword::Subword;

/// Put pieces together to text
///
/// Reads lines of pieces parted by spaces, as `encode` writes them, and writes a line of text for each. Pieces that
/// begin, end or fill up a sentence leave no trace; bytes that make no character together become U+FFFD, and a line end
/// among them a space.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill subword decode --model corpora/tokenizer.json <<< '▁T w o'\n  \
    wordmill subword decode --model corpora/tokenizer.json --from ids <<< '260 270 280'")]
pub struct Args {
    /// Model: a tokenizer.json, or a .model of SentencePiece
    #[arg(short, long, value_name = "FILE")]
    model: PathBuf,
    /// What is written of a piece
    #[arg(long, value_enum, default_value_t)]
    from: From,
    #[command(flatten)]
    lines: LineArgs,
}

/// What is written of a piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum From {
    /// Numbers if the first line that is not blank has nothing else, else texts
    #[default]
    Auto,
    /// Its text
    Pieces,
    /// Its number
    Ids,
}

impl From {
    /// What a line looks like.
    fn of(line: &str) -> From {
        let is_number = |field: &str| field.bytes().all(|b| b.is_ascii_digit());
        match line.split_whitespace().all(is_number) {
            true => From::Ids,
            false => From::Pieces,
        }
    }
}

pub fn run(args: &Args) -> Result<()> {
    let model = load(&args.model)?;
    let found = Arc::new(OnceLock::new());
    if args.from != From::Auto {
        found.get_or_init(|| args.from);
    }
    let seen = Arc::clone(&found);
    // Blocks come here in their order, and before their lines are worked on.
    let look = move |block: &lines::Block| {
        if seen.get().is_none()
            && let Some(line) = block.text().lines().find(|line| !line.trim().is_empty())
        {
            seen.get_or_init(|| From::of(line));
        }
    };
    lines::run(&args.lines, look, |line, out| {
        let from = found.get().copied().unwrap_or_default();
        let number = |field| number(&model, from, line, field);
        let fields = line.text.split(' ').filter(|field| !field.is_empty());
        let numbers: Vec<u32> = fields.map(number).collect::<Result<_>>()?;
        let text = model
            .decode(&numbers)
            .map_err(|error| line.failure(error.to_string()))?;
        out.extend(text.chars().map(|c| if c == '\n' { ' ' } else { c }));
        Ok(())
    })
}

fn number(model: &Subword, from: From, line: &Line, field: &str) -> Result<u32> {
    if from != From::Ids {
        let known = model
            .id(field)
            .or_else(|| model.id(&field.replace('▁', " ")));
        let failure = || line.failure(format!("the model has no piece `{field}`"));
        return Ok(known.ok_or_else(failure)?);
    }
    let number: u32 = field.parse().map_err(|_| {
        line.failure(format!("expected the number of a piece, found `{field}`"))
            .hint("--from pieces reads their texts")
    })?;
    match model.piece(number) {
        Some(_) => Ok(number),
        None => {
            let problem = format!(
                "no piece has the number {number}: the model has {}",
                model.vocab_size()
            );
            Err(line.failure(problem).into())
        }
    }
}
