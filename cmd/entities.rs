//! The flags of the commands that find entities: `ner` and `annotate`.

use crate::layers::Models;
use crate::stream::{self, Failure};
use anyhow::Result;
use jiff::civil::Date;
use std::io::Read;
use std::path::{Path, PathBuf};
use wordmill::text::english;
use wordmill::text::format::FormatError;
use wordmill::text::grammar::{DateOrder, Grammar};

#[derive(clap::Args)]
#[command(next_help_heading = "Entities")]
pub struct EntityArgs {
    /// Day that "yesterday" is the day before of, as 2026-11-27; without it relative dates have no value
    #[arg(long, value_name = "DATE")]
    reference_date: Option<Date>,
    /// What 3/4/2024 means
    #[arg(long, value_enum, default_value_t)]
    date_order: DateOrder,
    /// Rules for dates, amounts and numbers instead of the English ones; "none" finds names only
    ///
    /// May be repeated; the files are read as one. Without it text in a language that a --model is for has none.
    #[arg(long, value_name = "FILE")]
    grammar: Vec<PathBuf>,
}

impl EntityArgs {
    /// The grammar that was asked for, if any.
    pub fn grammar(&self, models: &Models) -> Result<Option<Grammar>> {
        let mut grammar = match self.grammar.as_slice() {
            [none] if none.as_os_str() == "none" => return Ok(None),
            [] if !models.are_english() => return Ok(None),
            [] => english_grammar()?,
            files => named_grammar(files)?,
        };
        grammar.reference = self.reference_date;
        grammar.order = self.date_order;
        Ok(Some(grammar))
    }
}

/// The grammar inside the tool.
pub fn english_grammar() -> Result<Grammar> {
    let (names, texts): (Vec<&str>, Vec<&str>) = english::grammar().unzip();
    Grammar::parse(texts).map_err(|(i, error)| fault(&format!("{} grammar", names[i]), error))
}

fn named_grammar(files: &[PathBuf]) -> Result<Grammar> {
    let texts: Vec<String> = files.iter().map(|path| read(path)).collect::<Result<_>>()?;
    Grammar::parse(texts.iter().map(String::as_str))
        .map_err(|(i, error)| fault(&files[i].display().to_string(), error))
}

fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    stream::open(path)?
        .read_to_string(&mut text)
        .map_err(|error| Failure::of_file(&path.display().to_string(), error.to_string()))?;
    Ok(text)
}

fn fault(name: &str, error: FormatError) -> anyhow::Error {
    Failure::of_file(&format!("{name}:{}", error.line), error.problem).into()
}
