//! Asks indexes: `tfidf search` and `tfidf similar`.

use super::args::analyzer;
use crate::stream::input::{self, name_of, unit_failure};
use crate::stream::{Failure, Invalid, NothingToRead, Output, s3};
use crate::threads;
use anyhow::Result;
use clap::{Args, ValueEnum};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wordmill::bag::analyzer::{Analyzer, Workspace};
use wordmill::bag::counter::Cell;
use wordmill::bag::counts::escape;
use wordmill::bag::index::{Hit, Index, IndexError, Neighbours, Ranking, Searcher};
use wordmill::bag::weight::{Tf, WeightOptions};
use wordmill::ordered::ordered;
use wordmill::text::format::InputFormat;
use wordmill::text::units::{self, Unit, Units};

/// Find the documents that answer a query best
///
/// Reads an index that `tfidf --save-index` has made. Without words it reads queries from standard input, one a line, and writes the
/// number of the query before each answer.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wordmill tfidf --save-index notes corpora/notes.jsonl; wordmill tfidf search notes london\n  \
    wordmill tfidf --bm25 --save-index i corpora/sample.txt; echo Paris | wordmill tfidf search i -k 3")]
pub struct SearchArgs {
    /// Index to search
    #[arg(value_name = "INDEX")]
    index: PathBuf,
    /// What is searched for
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Number of documents to write for a query
    #[arg(short, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    k: u32,
    /// How documents are ranked [default: bm25 for an index made with --bm25, else cosine]
    #[arg(long, value_enum)]
    rank: Option<RankName>,
    /// How soon more occurrences of a term stop to count, of BM25 [default: that of the index, or 1.2]
    #[arg(long, value_name = "K1", value_parser = super::args::at_least_zero)]
    k1: Option<f64>,
    /// How much the length of a document counts, of BM25, from 0 to 1 [default: that of the index, or 0.75]
    #[arg(long, value_name = "B", value_parser = super::args::zero_to_one)]
    b: Option<f64>,
    #[command(flatten)]
    answers: AnswerArgs,
}

/// Rankings by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RankName {
    /// The angle between the weights of query and document
    Cosine,
    /// Okapi BM25
    Bm25,
}

/// Find the nearest neighbours of every document
///
/// Reads an index that `tfidf --save-index` has made. Writes a document, another and the cosine of the angle between
/// their weights a line, the nearest first; documents that share no term are no neighbours.
#[derive(Args)]
#[command(after_help = "Example:\n  \
    wordmill tfidf --save-index i corpora/sample.txt; wordmill tfidf similar i -k 3")]
pub struct SimilarArgs {
    /// Index whose documents are compared
    #[arg(value_name = "INDEX")]
    index: PathBuf,
    /// Number of neighbours of each document
    #[arg(short, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    k: u32,
    #[command(flatten)]
    answers: AnswerArgs,
}

/// Where answers go.
#[derive(Args)]
struct AnswerArgs {
    /// File to write; it appears when it is whole; .gz and .zst are compressed
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

fn open(path: &Path) -> Result<Index> {
    let name = name_of(path);
    s3::refuse(path)?;
    match Index::open(path) {
        Ok(index) => Ok(index),
        Err(IndexError::Io(error)) => Err(input::open_failure(&name, &error).into()),
        Err(error) => Err(Failure::of_file(&name, error.to_string())
            .hint("`wordmill tfidf --save-index FILE` makes an index")
            .into()),
    }
}

/// The weights that cosine goes by.
fn cosine(path: &Path, index: &Index) -> Result<WeightOptions> {
    let weights = index.cosine_weights();
    Ok(weights.map_err(|error| Failure::of_file(&name_of(path), error.to_string()))?)
}

/// `tfidf search`.
pub fn search(args: &SearchArgs) -> Result<()> {
    let index = open(&args.index)?;
    let ranking = args.ranking(&index)?;
    let asked = Asked {
        analyzer: &analyzer(index.header.options.terms.clone())?,
        index: &index,
        most: args.k as usize,
    };
    let start = || (Searcher::new(&index, ranking), Query::default());
    let mut output = Output::create(args.answers.out.as_deref(), true)?;
    if !args.words.is_empty() {
        let mut out = Vec::new();
        asked.answer((&args.words.join(" "), ""), &mut start(), &mut out);
        output.write_bytes(&out)?;
        return output.finish();
    }
    if std::io::stdin().is_terminal() {
        return Err(NothingToRead.into());
    }
    threads::limit(args.answers.threads)?;
    let mut queries = queries()?;
    let mut first = 1;
    ordered(
        rayon::current_num_threads(),
        move || {
            let unit = queries
                .next_unit()
                .map_err(|error| unit_failure("-", error))?;
            Ok(unit.map(|unit| {
                let lines = unit.text.lines().count() as u64;
                first += lines;
                (first - lines, unit)
            }))
        },
        |_| start(),
        |state, (first, unit): (u64, Unit)| {
            let mut out = Vec::new();
            for (number, line) in (first..).zip(unit.text.lines()) {
                let head = format!("{number}\t");
                asked.answer((line, &head), state, &mut out);
            }
            Ok(out)
        },
        |answers| {
            output.write_bytes(&answers)?;
            output.end_of_unit()
        },
    )?;
    output.finish()
}

/// Standard input by lines, few at a time: each is work enough.
fn queries() -> Result<Units<input::Stream>> {
    let stdin = Path::new("-");
    let stream = input::open_text(stdin, (None, Invalid::Error), &Arc::default())?;
    let cut = units::Cut {
        format: InputFormat::Lines,
        newline_breaks: false,
        whole_lines: true,
        whole_documents: true,
        replace_invalid: false,
        eager: true,
    };
    Ok(Units::of_whole_documents(stream, cut, QUERIES))
}

/// Bytes of queries that one worker answers at a time.
const QUERIES: usize = 4 << 10;

/// What every query is asked with.
struct Asked<'a> {
    analyzer: &'a Analyzer,
    index: &'a Index,
    most: usize,
}

/// Room for the terms of a query.
#[derive(Default)]
struct Query {
    work: Workspace,
    columns: Vec<u32>,
    cells: Vec<Cell>,
}

impl Asked<'_> {
    /// Appends the answers to a query, `head` before each: score, name, first words.
    fn answer(
        &self,
        (text, head): (&str, &str),
        (searcher, query): &mut (Searcher, Query),
        out: &mut Vec<u8>,
    ) {
        let (columns, cells) = (&mut query.columns, &mut query.cells);
        columns.clear();
        (self.analyzer).text(text, &mut query.work, |term| {
            columns.extend(self.index.column(term));
        });
        columns.sort_unstable();
        let is_binary = self.analyzer.options().binary;
        let count = |same: &[u32]| if is_binary { 1 } else { same.len() as i32 };
        cells.clear();
        cells.extend(
            columns
                .chunk_by(|a, b| a == b)
                .map(|same| (same[0], count(same))),
        );
        for Hit { score, document } in searcher.search(cells, self.most) {
            // Writing to a vector never fails.
            let _ = write!(out, "{head}{score:.6}\t");
            escape(self.index.id(document).as_bytes(), out);
            out.push(b'\t');
            escape(self.index.snippet(document).as_bytes(), out);
            out.push(b'\n');
        }
    }
}

impl SearchArgs {
    fn ranking(&self, index: &Index) -> Result<Ranking> {
        let stored = match index.header.options.weights.map(|options| options.tf) {
            Some(Tf::Bm25 { k1, b }) => Some((k1, b)),
            _ => None,
        };
        let is_bm25 = match self.rank {
            Some(rank) => rank == RankName::Bm25,
            None => stored.is_some(),
        };
        if !is_bm25 {
            if self.k1.is_some() || self.b.is_some() {
                return Err(Failure::usage("--k1 and --b are for --rank bm25").into());
            }
            return Ok(Ranking::Cosine(cosine(&self.index, index)?));
        }
        let (k1, b) = stored.unwrap_or((1.2, 0.75));
        Ok(Ranking::Bm25 {
            k1: self.k1.unwrap_or(k1),
            b: self.b.unwrap_or(b),
        })
    }
}

/// `tfidf similar`.
pub fn similar(args: &SimilarArgs) -> Result<()> {
    let index = open(&args.index)?;
    let weights = cosine(&args.index, &index)?;
    threads::limit(args.answers.threads)?;
    let mut output = Output::create(args.answers.out.as_deref(), false)?;
    let mut blocks = Neighbours::blocks(&index);
    ordered(
        rayon::current_num_threads(),
        move || Ok(blocks.next()),
        |_| Neighbours::new(&index, weights),
        |neighbours, block| {
            let mut out = Vec::new();
            let found = neighbours.of_block(block.clone(), args.k as usize);
            for (document, hits) in block.zip(found) {
                for hit in hits {
                    escape(index.id(document).as_bytes(), &mut out);
                    out.push(b'\t');
                    escape(index.id(hit.document).as_bytes(), &mut out);
                    let _ = writeln!(out, "\t{:.6}", hit.score);
                }
            }
            Ok(out)
        },
        |lines| output.write_bytes(&lines),
    )?;
    output.finish()
}
