//! `wordmill bow`: documents as vectors of term counts.

use crate::bag::args::{CutArgs, DocumentArgs, MatrixArgs, TermArgs, analyzer};
use crate::bag::model::{read_counts, read_vocabulary, terms_of};
use crate::bag::{self, Job, Known};
use crate::stream::{Failure, Output};
use anyhow::Result;
use std::path::PathBuf;
use wordmill::bag::columns::Columns;
use wordmill::bag::counts::{Header, Options};
use wordmill::bag::cut::Cut;
use wordmill::bag::fit::Keeps;
use wordmill::bag::hashing::Hasher;
use wordmill::bag::matrix::Labels;

/// Count the terms of documents, as a sparse matrix
///
/// Reads a document a line, or what --doc and --from say. Writes a row for each document and a column for each term, the
/// terms in byte order, as --to says: svmlight, Matrix Market, CSV, TSV, JSON Lines, SciPy's npz. The columns are learned from the
/// documents, unless --vocab, --model or --hashing gives them.
///
/// With --counts it writes what a shard has counted instead, sorted: term, occurrences, documents; `wordmill merge` adds
/// such files.
///
/// Words are by default what scikit-learn takes for words: two or more characters of Python's \w, which are letters
/// (general category L), numbers of any kind (N) and the underscore; combining marks part words. A --pattern has the
/// classes of Rust's regex crate, where \w also has marks and joiners, and not ².
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill bow corpora/sample.txt\n  \
    wordmill bow --to tsv --ngrams 1-2 --stopwords en corpora/notes.jsonl\n  \
    wordmill bow corpora/notes.jsonl -o notes.npz\n  \
    wordmill bow --counts corpora/sample.txt | head -n 5")]
pub struct Args {
    #[command(flatten)]
    documents: DocumentArgs,
    #[command(flatten)]
    terms: TermArgs,
    #[command(flatten)]
    cut: CutArgs,
    #[command(flatten)]
    columns: ColumnArgs,
    /// Write term, occurrences and document frequency, sorted, for `wordmill merge`
    #[arg(long, help_heading = "Output", conflicts_with_all = ["vocab", "model", "hashing", "save", "to", "dense"])]
    counts: bool,
    #[command(flatten)]
    out: MatrixArgs,
}

/// Where the columns come from.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Columns")]
pub struct ColumnArgs {
    /// Columns are the terms of a file, one a line, in its order
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hashing", "model"])]
    pub vocab: Option<PathBuf>,
    /// Hash terms to 2^BITS columns, with signs
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u8).range(1..=30), conflicts_with = "model")]
    pub hashing: Option<u8>,
    /// Take the columns of a model that --save has kept
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Keep the columns and what is known of them in a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "hashing"])]
    pub save: Option<PathBuf>,
}

impl ColumnArgs {
    /// Columns that need no documents.
    pub fn known(&self) -> Result<Option<Known>> {
        if let Some(path) = &self.vocab {
            return read_vocabulary(path).map(Some);
        }
        Ok(self.hashing.map(|bits| Known {
            columns: Columns::Hashed(Hasher::new(bits)),
            names: None,
            labels: Labels::default(),
        }))
    }

    /// Refuses cuts of columns that are given.
    pub fn check(&self, cut: &CutArgs) -> Result<()> {
        if cut.is_given()
            && (self.vocab.is_some() || self.hashing.is_some() || self.model.is_some())
        {
            let problem =
                "--min-df, --max-df and --max-features choose columns, and these are given";
            return Err(Failure::usage(problem).into());
        }
        Ok(())
    }
}

pub fn run(args: &Args) -> Result<()> {
    args.columns.check(&args.cut)?;
    if args.counts {
        return counts(args);
    }
    let job = |analyzer| Job {
        documents: &args.documents,
        analyzer,
        out: &args.out,
        weights: None,
        top: None,
        save: args.columns.save.as_deref(),
        index: None,
    };
    if let Some(path) = &args.columns.model {
        let counts = read_counts(path, &Cut::default())?;
        let analyzer = analyzer(terms_of(&counts.header, &args.terms, path)?)?;
        return bag::transform(&job(&analyzer), counts.known, None);
    }
    let analyzer = analyzer(args.terms.options()?)?;
    let known = args.columns.known()?;
    match known {
        Some(known) if args.columns.save.is_none() => bag::transform(&job(&analyzer), known, None),
        known => bag::fit(&job(&analyzer), &args.cut.cut(), known),
    }
}

fn counts(args: &Args) -> Result<()> {
    if args.cut.is_given() {
        let problem = "--min-df, --max-df and --max-features need all counts";
        return Err(Failure::usage(problem)
            .hint("give them to `wordmill merge` or `wordmill tfidf --counts FILE`")
            .into());
    }
    let analyzer = analyzer(args.terms.options()?)?;
    let (fit, _) = bag::count(&args.documents, &analyzer, None, Keeps::Nothing)?;
    let header = Header {
        documents: fit.documents,
        tokens: fit.tokens,
        options: Options {
            terms: analyzer.options().clone(),
            ..Options::default()
        },
    };
    let output = Output::create(args.out.out.as_deref(), false)?;
    bag::write_counts(&fit, &header, &Cut::default(), output)
}
