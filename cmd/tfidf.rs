//! `wordmill tfidf`: documents as vectors of weighted terms.

use crate::bag::args::{
    CutArgs, DocumentArgs, MatrixArgs, TermArgs, analyzer, at_least_zero, zero_to_one,
};
use crate::bag::model::{Counts, read_counts, terms_of};
use crate::bag::search::{self, SearchArgs, SimilarArgs};
use crate::bag::{self, Job};
use crate::bow::ColumnArgs;
use crate::stream::Failure;
use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;
use wordmill::bag::columns::Columns;
use wordmill::bag::cut::Cut;
use wordmill::bag::weight::{Idf, Norm, Tf, WeightOptions, Weights, WeightsBuilder};

const EXAMPLES: &str = "Examples:\n  \
    wordmill tfidf corpora/sample.txt\n  \
    wordmill tfidf --top 3 --stopwords en corpora/notes.jsonl\n  \
    wordmill tfidf --save notes.model corpora/notes.jsonl -o notes.npz\n  \
    wordmill tfidf --smartirs ntc --to tsv corpora/notes.jsonl\n  \
    wordmill tfidf --counts corpora/sample.counts.tsv --min-df 2 corpora/sample.txt";

const FORMULAS: &str = "Weights:\n  \
    w = tf · idf / norm, with f occurrences in the document, df documents with the term, N documents,\n  \
    d terms in the document, d' the mean of d.\n\n  \
    tf     f; --sublinear 1 + ln f\n  \
    idf    --idf standard       ln((N + 1) / (df + 1)) + 1; --no-smooth ln(N / df) + 1\n         \
           --idf probabilistic  ln((N - df + 0.5) / (df + 0.5)); --no-smooth ln((N - df) / df); at least 0\n         \
           --idf none           1\n  \
    norm   --norm l2 sqrt(sum of w²), l1 sum of |w|, none 1\n\n  \
    --bm25: idf ln(1 + (N - df + 0.5) / (df + 0.5)), tf f (k1 + 1) / (f + k1 (1 - b + b d / d')), no norm\n\n  \
    --smartirs, a letter each:\n  \
    tf     n t f; b 1; l 1 + log2 f; d 1 + log2(1 + log2 f); a 0.5 + 0.5 f / max f;\n         \
           L (1 + log2 f) / (1 + log2 mean f)\n  \
    idf    n x 1; f log2(N / df); t log2((N + 1) / df); p log2((N - df) / df), at least 0\n  \
    norm   n x 1; c sqrt(sum of w²); u, b 0.75 p + 0.25 v, v the different terms (u) or the characters (b)\n         \
           of the document and p the mean of v";

/// Weight the terms of documents by tf-idf or BM25
///
/// Reads what `wordmill bow` reads and writes what it writes, with weights in the place of counts. What is known of the
/// terms is learned from the same documents; --save keeps it and --model uses it on a stream of others.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = EXAMPLES,
    after_long_help = format!("{FORMULAS}\n\n{EXAMPLES}")
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    documents: DocumentArgs,
    #[command(flatten)]
    terms: TermArgs,
    #[command(flatten)]
    cut: CutArgs,
    #[command(flatten)]
    columns: ColumnArgs,
    /// Take columns and document frequencies of `bow --counts` or `merge`; the cuts apply to them
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Columns",
        conflicts_with_all = ["vocab", "hashing", "model", "save"]
    )]
    counts: Option<PathBuf>,
    #[command(flatten)]
    weights: WeightArgs,
    /// Write only the K heaviest terms of each document: its keywords
    #[arg(long, value_name = "K", help_heading = "Output", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
    /// Make an index of the documents for `tfidf search` and `tfidf similar`; the matrix is written if --out or --to
    /// asks for it
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Output",
        conflicts_with_all = ["vocab", "hashing", "model", "counts"]
    )]
    save_index: Option<PathBuf>,
    #[command(flatten)]
    out: MatrixArgs,
}

#[derive(Subcommand)]
enum Command {
    Search(SearchArgs),
    Similar(SimilarArgs),
}

/// How terms are weighted.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Weights")]
struct WeightArgs {
    /// What a row is divided by [default: l2]
    #[arg(long, value_enum)]
    norm: Option<NormName>,
    /// What being rare counts [default: standard]
    #[arg(long, value_enum)]
    idf: Option<IdfName>,
    /// Count one more document that has every term (the default)
    #[arg(long, overrides_with = "no_smooth")]
    smooth: bool,
    /// Take document frequencies as they are
    #[arg(long)]
    no_smooth: bool,
    /// tf is 1 + ln f
    #[arg(long)]
    sublinear: bool,
    /// Three letters for tf, idf and norm, as in ntc
    #[arg(
        long,
        value_name = "LETTERS",
        value_parser = smart,
        conflicts_with_all = ["norm", "idf", "smooth", "no_smooth", "sublinear", "bm25"]
    )]
    smartirs: Option<WeightOptions>,
    /// Weight by BM25
    #[arg(long, conflicts_with_all = ["idf", "smooth", "no_smooth", "sublinear"])]
    bm25: bool,
    /// How soon more occurrences of a term stop to count, of BM25
    #[arg(long, value_name = "K1", default_value_t = 1.2, requires = "bm25", value_parser = at_least_zero)]
    k1: f64,
    /// How much the length of a document counts, of BM25, from 0 to 1
    #[arg(long, value_name = "B", default_value_t = 0.75, requires = "bm25", value_parser = zero_to_one)]
    b: f64,
}

/// Norms by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum NormName {
    /// The sum of the weights
    L1,
    /// The root of the sum of their squares
    L2,
    None,
}

/// Idfs by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum IdfName {
    Standard,
    /// The odds of not having the term
    Probabilistic,
    None,
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Some(Command::Search(args)) => return search::search(args),
        Some(Command::Similar(args)) => return search::similar(args),
        None => {}
    }
    args.columns.check(&args.cut)?;
    let job = |analyzer, weights| Job {
        documents: &args.documents,
        analyzer,
        out: &args.out,
        weights: Some(weights),
        top: args.top.map(|top| top as usize),
        save: args.columns.save.as_deref(),
        index: args.save_index.as_deref(),
    };
    let stored = args
        .columns
        .model
        .as_ref()
        .map(|path| (path, Cut::default()));
    let counted = args.counts.as_ref().map(|path| (path, args.cut.cut()));
    if let Some((path, cut)) = stored.or(counted) {
        let counts = read_counts(path, &cut)?;
        let analyzer = analyzer(terms_of(&counts.header, &args.terms, path)?)?;
        let options = match counts.header.options.weights {
            Some(_) if args.weights.is_given() => {
                let problem = "the model knows its weights";
                return Err(Failure::of_file(&path.display().to_string(), problem)
                    .hint("leave the flags for weights out")
                    .into());
            }
            Some(stored) => stored,
            None => args.weights.options(),
        };
        let weights = weights_of(&counts, options);
        return bag::transform(&job(&analyzer, options), counts.known, Some(&weights));
    }
    let analyzer = analyzer(args.terms.options()?)?;
    let known = args.columns.known()?;
    let job = job(&analyzer, args.weights.options());
    bag::fit(&job, &args.cut.cut(), known)
}

fn weights_of(counts: &Counts, options: WeightOptions) -> Weights {
    let header = &counts.header;
    let mut builder = WeightsBuilder::new(options, header.documents, header.tokens);
    let Columns::Known(terms) = &counts.known.columns else {
        return builder.finish();
    };
    for (column, &total) in (0..).zip(&counts.totals) {
        builder.column(terms.string(column), total);
    }
    builder.finish()
}

impl WeightArgs {
    fn is_given(&self) -> bool {
        self.norm.is_some()
            || self.idf.is_some()
            || self.no_smooth
            || self.sublinear
            || self.smartirs.is_some()
            || self.bm25
    }

    fn options(&self) -> WeightOptions {
        if let Some(options) = self.smartirs {
            return options;
        }
        let norm = |default| match self.norm.unwrap_or(default) {
            NormName::L1 => Norm::L1,
            NormName::L2 => Norm::L2,
            NormName::None => Norm::None,
        };
        if self.bm25 {
            return WeightOptions {
                tf: Tf::Bm25 {
                    k1: self.k1,
                    b: self.b,
                },
                idf: Idf::Bm25,
                norm: norm(NormName::None),
            };
        }
        WeightOptions {
            tf: match self.sublinear {
                true => Tf::Sublinear,
                false => Tf::Raw,
            },
            idf: match (self.idf.unwrap_or(IdfName::Standard), self.no_smooth) {
                (IdfName::None, _) => Idf::None,
                (IdfName::Standard, false) => Idf::Smooth,
                (IdfName::Standard, true) => Idf::Standard,
                (IdfName::Probabilistic, false) => Idf::SmoothProbabilistic,
                (IdfName::Probabilistic, true) => Idf::Probabilistic,
            },
            norm: norm(NormName::L2),
        }
    }
}

fn smart(letters: &str) -> Result<WeightOptions, String> {
    WeightOptions::smart(letters).ok_or_else(|| {
        "expected a letter each of ntblaLd for tf, nxftp for idf and nxcub for the norm".to_owned()
    })
}
