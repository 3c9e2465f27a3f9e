//! The flags that `bow`, `tfidf` and `merge` share.

use crate::corpus;
use crate::layers::Models;
use crate::stream::{self, Failure, Invalid};
use anyhow::Result;
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;
use std::path::PathBuf;
use wordmill::bag::accents::Accents;
use wordmill::bag::analyzer::{Analyzer, Layer, TermOptions, TermUnit, WordScheme};
use wordmill::bag::cut::{Bound, Cut};
use wordmill::bag::documents::Fields;
use wordmill::bag::matrix::MatrixFormat;
use wordmill::text::shard::Shard;
use wordmill::text::stem::Language;
use wordmill::text::tokenize::{self, Tokenizer};

/// What is read, and what in it is a document.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Documents")]
pub struct DocumentArgs {
    /// Files to read, with --doc file also folders; - or none is standard input; .gz and .zst are decompressed
    #[arg(value_name = "FILE", help_heading = None)]
    pub files: Vec<PathBuf>,
    /// What is a document in text
    #[arg(long, value_enum, default_value_t)]
    pub doc: DocumentUnit,
    /// Format of the input
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub from: DocumentFormat,
    /// Field of a JSON object, or column of CSV, that holds the text
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub field: String,
    /// Field or column that names the document; documents without one go by their number
    #[arg(long, value_name = "NAME", default_value = "id")]
    pub id: String,
    /// Field or column that holds the document's label
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
    /// What parts the columns of CSV
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter)]
    pub delimiter: u8,
    /// Encoding of the input, such as windows-1252; UTF-16 is known by its mark [default: utf-8]
    #[arg(long, value_name = "NAME", value_parser = stream::encoding)]
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// What to do about bytes that are not UTF-8
    #[arg(long, value_enum, default_value_t)]
    pub invalid: Invalid,
    /// Take every N-th document only, counted from I = 0
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Skip files that cannot be read, and say so
    #[arg(long)]
    pub keep_going: bool,
    #[command(flatten)]
    pub resources: ResourceArgs,
}

/// What the command may use.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = None)]
pub struct ResourceArgs {
    /// Memory for terms, as in 512M or 2G; what is more goes to temporary files
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = size)]
    pub memory: usize,
    /// Folder of temporary files [default: that of the system]
    #[arg(long, value_name = "FOLDER")]
    pub temp_dir: Option<PathBuf>,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Show no progress
    #[arg(short, long)]
    pub quiet: bool,
}

/// What is a document in text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DocumentUnit {
    /// A line, blank or not
    #[default]
    Line,
    /// What blank lines part
    Paragraph,
    /// A file, or all of standard input
    File,
}

/// How input is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DocumentFormat {
    /// CoNLL-U or JSON Lines if the first line is, CSV if the name ends in .csv, else text
    #[default]
    Auto,
    /// Text: --doc says what a document is
    Text,
    /// JSON Lines: an object is a document
    Jsonl,
    /// CSV with a header: a record is a document
    Csv,
    /// CoNLL-U: a document begins at # newdoc
    Conllu,
}

/// How documents become terms.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Terms")]
pub struct TermArgs {
    /// What a term is
    #[arg(long, value_enum, default_value_t)]
    pub analyzer: TermUnit,
    /// Where words end
    #[arg(long, value_enum, default_value_t)]
    pub scheme: WordScheme,
    /// Regular expression whose matches, or first group, are the words [default: \b\w\w+\b with Python's \w: letters,
    /// numbers and _]
    #[arg(long, value_name = "REGEX")]
    pub pattern: Option<String>,
    /// Lower-case the text (the default)
    #[arg(long, overrides_with = "no_lower")]
    pub lower: bool,
    /// Keep capitals
    #[arg(long)]
    pub no_lower: bool,
    /// Take the accents off letters; =ascii drops what is not ASCII then
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "unicode"
    )]
    pub strip_accents: Option<Accents>,
    /// Leave out the words of a file, one a line; `en` is a list inside the tool
    #[arg(long, value_name = "FILE|en")]
    pub stopwords: Option<PathBuf>,
    /// Cut words to their Snowball stems
    #[arg(long, value_name = "LANGUAGE", value_enum, hide_possible_values = true)]
    pub stem: Option<Language>,
    /// Runs of so many words or characters, as in 2 or 1-3
    #[arg(long, value_name = "N|N-M", default_value = "1", value_parser = ngrams)]
    pub ngrams: (usize, usize),
    /// Count a term once in a document
    #[arg(long)]
    pub binary: bool,
    /// Layer of CoNLL-U that the terms are
    #[arg(long, value_enum, default_value_t)]
    pub layer: Layer,
    /// Universal parts of speech that stay, of CoNLL-U, as in NOUN,VERB
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub pos: Vec<String>,
}

/// Which terms stay.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Terms")]
pub struct CutArgs {
    /// Leave out terms of fewer documents; a number with a point is a share of all
    #[arg(long, value_name = "N|SHARE")]
    pub min_df: Option<Bound>,
    /// Leave out terms of more documents; a number with a point is a share of all
    #[arg(long, value_name = "N|SHARE")]
    pub max_df: Option<Bound>,
    /// Keep so many terms, the most frequent ones; of equals the first in byte order
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_features: Option<u32>,
}

/// How the matrix is written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub struct MatrixArgs {
    /// Format of the matrix [default: by the name of --out, else svmlight]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub to: Option<MatrixFormat>,
    /// With CSV: a document a line and a column for each term
    #[arg(long)]
    pub dense: bool,
    /// File to write; it appears when it is whole; .gz and .zst are compressed; beside x.npz, x.mtx and x.svm, x.terms.tsv
    /// and x.docs.tsv name columns and rows
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

impl TermArgs {
    /// The options, with the stop words read.
    pub fn options(&self) -> Result<TermOptions> {
        if self.pattern.is_some() && self.scheme != WordScheme::Regex {
            return Err(Failure::usage("--pattern is for --scheme regex").into());
        }
        let stopwords = match &self.stopwords {
            None => BTreeSet::new(),
            Some(path) if path.as_os_str() == "en" => {
                tokenize::english_stopwords().into_iter().collect()
            }
            Some(path) => tokenize::parse_stopwords(&corpus::read_text(path)?)
                .into_iter()
                .collect(),
        };
        Ok(TermOptions {
            analyzer: self.analyzer,
            scheme: self.scheme,
            pattern: self.pattern.clone(),
            lower: !self.no_lower,
            strip_accents: self.strip_accents,
            stopwords,
            stem: self.stem,
            ngrams: self.ngrams,
            binary: self.binary,
            layer: self.layer,
            pos: self.pos.iter().cloned().collect(),
        })
    }
}

/// The analyzer that options ask for.
pub fn analyzer(options: TermOptions) -> Result<Analyzer> {
    let tokenizer = match options.scheme {
        WordScheme::Regex => None,
        WordScheme::Unicode => Some(Tokenizer::unicode()),
        WordScheme::Whitespace => Some(Tokenizer::whitespace()),
        WordScheme::Ud => Some(Models::open(&[])?.tokenizer(false)?),
    };
    Ok(Analyzer::new(options, tokenizer).map_err(|error| Failure::usage(error.to_string()))?)
}

impl CutArgs {
    pub fn cut(&self) -> Cut {
        let whole = Cut::default();
        Cut {
            min_df: self.min_df.unwrap_or(whole.min_df),
            max_df: self.max_df.unwrap_or(whole.max_df),
            max_features: self.max_features.map(|most| most as usize),
        }
    }

    /// Whether any of its flags was given.
    pub fn is_given(&self) -> bool {
        self.min_df.is_some() || self.max_df.is_some() || self.max_features.is_some()
    }
}

impl MatrixArgs {
    /// Whether a matrix was asked for.
    pub fn is_given(&self) -> bool {
        self.to.is_some() || self.dense || self.out.is_some()
    }

    /// The format: what was asked for, what the file's name says, or `default`.
    pub fn format(&self, default: MatrixFormat) -> MatrixFormat {
        let named = || MatrixFormat::of_name(self.out.as_ref()?.to_str()?);
        self.to.or_else(named).unwrap_or(default)
    }
}

impl DocumentArgs {
    pub fn fields(&self) -> Fields {
        Fields {
            text: self.field.clone(),
            id: self.id.clone(),
            label: self.label.clone(),
        }
    }
}

impl ResourceArgs {
    pub fn folder(&self) -> PathBuf {
        self.temp_dir.clone().unwrap_or_else(std::env::temp_dir)
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] => Ok(*byte),
        b"\\t" => Ok(b'\t'),
        _ => Err("expected one character, or \\t".to_owned()),
    }
}

pub fn size(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let factor = match &text[digits.len()..] {
        "" | "B" => 1,
        "K" | "k" | "KB" => 1 << 10,
        "M" | "MB" => 1 << 20,
        "G" | "GB" => 1 << 30,
        _ => 0usize,
    };
    let bytes = digits
        .parse::<usize>()
        .ok()
        .and_then(|n| n.checked_mul(factor));
    bytes
        .filter(|_| factor > 0)
        .ok_or_else(|| "expected a size such as 512M or 2G".to_owned())
}

pub fn at_least_zero(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..f64::INFINITY).contains(&value) => Ok(value),
        _ => Err("expected a number of at least 0".to_owned()),
    }
}

pub fn zero_to_one(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

fn ngrams(text: &str) -> Result<(usize, usize), String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) if 1 <= from && from <= to && to <= 100 => Ok((from, to)),
        _ => Err("expected a number from 1 to 100, or two as in 1-3".to_owned()),
    }
}
