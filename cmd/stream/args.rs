//! The flags that every text command has.

use super::failure::Failure;
use anyhow::{Result, anyhow};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use wordmill::text::columns::ColumnSpec;
use wordmill::text::format::{InputFormat, OffsetUnit, OutputFormat};
use wordmill::text::shard::Shard;

/// Flags for what is read and how it is printed.
#[derive(Args, Clone, Debug)]
pub struct StreamArgs {
    /// Files to read; - or none is standard input; .gz and .zst are decompressed
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Format of the input [default: auto]
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value = "auto",
        hide_default_value = true,
        help_heading = "Input"
    )]
    pub from: From,
    /// What a newline inside a paragraph of text is
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub newline: Newline,
    /// Field of a JSON object that holds its text
    #[arg(
        long,
        value_name = "NAME",
        default_value = "text",
        help_heading = "Input"
    )]
    pub field: String,
    /// Encoding of the input, such as windows-1252; UTF-16 is known by its mark [default: utf-8]
    #[arg(long, value_name = "NAME", value_parser = encoding, help_heading = "Input")]
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// What to do about bytes that are not UTF-8
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub invalid: Invalid,
    /// Take every N-th line, paragraph, document or object only, counted from I = 0
    #[arg(long, value_name = "I/N", help_heading = "Input")]
    pub shard: Option<Shard>,
    /// Format of the output [default: as the input, else what the command says]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Output")]
    pub to: Option<OutputFormat>,
    /// File to write; it appears when it is whole; .gz and .zst are compressed
    #[arg(short = 'o', long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Unit of the offsets in JSON
    #[arg(
        long,
        value_name = "UNIT",
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    pub offsets: OffsetUnit,
    /// What the columns of `--from columns` and `--to columns` hold
    #[arg(
        long,
        value_name = "NAMES",
        default_value = "form,_,_,ner",
        help_heading = "Input"
    )]
    pub columns: ColumnNames,
    /// Rename an entity label of the columns, as in OTH=MISC
    #[arg(long, value_name = "FROM=TO", help_heading = "Input")]
    pub map: Vec<String>,
    /// Begin tab-separated output with the names of its columns
    #[arg(long, help_heading = "Output")]
    pub header: bool,
    /// Print every line, paragraph or sentence as soon as it is complete
    #[arg(long, help_heading = "Output")]
    pub line_buffered: bool,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Show no progress
    #[arg(short, long)]
    pub quiet: bool,
}

/// The flag of commands that add a layer.
#[derive(Args, Clone, Copy, Debug)]
pub struct KeepArgs {
    /// Fill in only what is missing; what the input says stays
    #[arg(long)]
    pub keep: bool,
}

/// The format of the input, or that it is to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Auto,
    Given(InputFormat),
}

impl ValueEnum for From {
    fn value_variants<'a>() -> &'a [From] {
        &[
            From::Auto,
            From::Given(InputFormat::Text),
            From::Given(InputFormat::Lines),
            From::Given(InputFormat::Tokens),
            From::Given(InputFormat::Conllu),
            From::Given(InputFormat::Jsonl),
            From::Given(InputFormat::Columns),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            From::Auto => Some(
                PossibleValue::new("auto")
                    .help("CoNLL-U or JSON Lines if the first line is, else what the command says"),
            ),
            From::Given(format) => format.to_possible_value(),
        }
    }
}

/// What a newline inside a paragraph is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Newline {
    /// A space
    #[default]
    Space,
    /// The end of the paragraph, as in verse and mail
    Break,
}

/// What is done about bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Invalid {
    /// Stop with an error
    #[default]
    Error,
    /// Put U+FFFD in their place
    Replace,
}

/// The value of `--columns`, checked.
#[derive(Clone, Debug)]
pub struct ColumnNames(ColumnSpec);

impl std::str::FromStr for ColumnNames {
    type Err = String;

    fn from_str(names: &str) -> Result<ColumnNames, String> {
        names.parse().map(ColumnNames)
    }
}

/// The encoding of a name.
pub fn encoding(name: &str) -> Result<&'static encoding_rs::Encoding> {
    encoding_rs::Encoding::for_label(name.as_bytes()).ok_or_else(|| {
        anyhow!("unknown encoding; utf-8, utf-16le, windows-1252, shift_jis are some")
    })
}

impl StreamArgs {
    /// The columns with their labels renamed as `--map` says.
    ///
    /// # Errors
    /// When a rule of `--map` is none.
    pub fn column_spec(&self) -> Result<ColumnSpec> {
        let mut spec = self.columns.0.clone();
        for rule in &self.map {
            spec = spec
                .map(rule)
                .map_err(|problem| Failure::usage(format!("--map {rule}: {problem}")))?;
        }
        Ok(spec)
    }
}
