//! `wordmill vectors average`: lines of words as vectors.

use super::load::{self, Shared};
use crate::stream::input::{self, unit_failure};
use crate::stream::{Failure, Output};
use anyhow::Result;
use clap::ValueEnum;
use rayon::prelude::*;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wordmill::embed::vectors::average::{Averager, Weighting, counts, npy_header};
use wordmill::text::format::InputFormat;
use wordmill::text::units::{Cut, Units};

/// Turn lines of words into vectors
///
/// Reads lines of words parted by spaces, as `wordmill tokenize` prints them, and writes the mean of the vectors of
/// each line's words: a row of numbers parted by tabs, or of a matrix of f32 for NumPy. Words without a vector are
/// passed over; a line without any other gives zeros, so each line has its row.
///
/// With --weights sif a word counts a / (a + p), a being 0.001 and p its share of all tokens: by --counts, or, where
/// that is not given, by its rank in the file of vectors, the most frequent word first (Zipf's law).
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    echo the king and the queen | wordmill vectors average corpora/vectors.vec\n  \
    wordmill vectors average corpora/vectors.vec corpora/sample.txt --weights sif -o lines.npy")]
pub struct Args {
    /// Vectors
    #[arg(value_name = "VECTORS")]
    vectors: PathBuf,
    /// Files of lines; - or none is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What a word counts
    #[arg(long, value_enum, default_value_t)]
    weights: Weighting,
    /// A word, a tab and its count a line, for --weights sif
    #[arg(long, value_name = "FILE")]
    counts: Option<PathBuf>,
    /// Format of the output [default: npy for FILE.npy, else tsv]
    #[arg(long, value_name = "FORMAT", value_enum)]
    to: Option<To>,
    #[command(flatten)]
    shared: Shared,
}

/// What rows are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// Numbers parted by tabs, a row a line
    Tsv,
    /// A matrix of f32 for NumPy
    Npy,
}

pub fn run(args: &Args) -> Result<()> {
    if args.counts.is_some() && args.weights != Weighting::Sif {
        return Err(Failure::usage("--counts is for --weights sif").into());
    }
    let files = input::inputs(&args.files)?;
    let vectors = args.shared.open(&args.vectors)?;
    let listed = args
        .counts
        .as_ref()
        .map(|path| load::text(path))
        .transpose()?;
    let listed = match (&listed, &args.counts) {
        (Some(text), Some(path)) => {
            Some(counts(text).map_err(|error| load::line_failure(path, error))?)
        }
        _ => None,
    };
    let averager = Averager::new(&vectors, args.weights, listed.as_ref());
    let output = args.shared.output()?;
    let is_npy = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "npy");
    let named = args.shared.out.as_ref().is_some_and(is_npy);
    let to = args.to.unwrap_or(if named { To::Npy } else { To::Tsv });
    let mut sink = Sink::new(to, output)?;
    for path in &files {
        lines(args, path, |block| {
            let rows: Vec<Vec<f32>> = block.par_iter().map(|line| averager.line(line)).collect();
            sink.rows(&rows)
        })?;
    }
    sink.finish(vectors.dim())
}

/// Gives the lines of a file, many at a time.
fn lines(args: &Args, path: &Path, mut give: impl FnMut(&[&str]) -> Result<()>) -> Result<()> {
    let name = input::name_of(path);
    let replace_invalid = args.shared.invalid == crate::stream::Invalid::Replace;
    let stream = input::open_text(path, (None, args.shared.invalid), &Arc::default())
        .map_err(|error| input::locate_failure(&name, error))?;
    let cut = Cut {
        format: InputFormat::Lines,
        newline_breaks: false,
        whole_lines: true,
        whole_documents: false,
        replace_invalid,
        eager: false,
    };
    let mut units = Units::new(stream, cut);
    while let Some(unit) = units
        .next_unit()
        .map_err(|error| unit_failure(&name, error))?
    {
        give(&unit.text.lines().collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Where rows go.
enum Sink {
    Tsv(Output),
    /// The head of a matrix has the number of its rows: they wait in a temporary file.
    Npy {
        rows: u64,
        spool: BufWriter<File>,
        output: Output,
    },
}

impl Sink {
    fn new(to: To, output: Output) -> Result<Sink> {
        Ok(match to {
            To::Tsv => Sink::Tsv(output),
            To::Npy => Sink::Npy {
                rows: 0,
                spool: BufWriter::new(tempfile::tempfile()?),
                output,
            },
        })
    }

    fn rows(&mut self, all: &[Vec<f32>]) -> Result<()> {
        match self {
            Sink::Tsv(output) => {
                output.write(&table(all))?;
                output.end_of_unit()
            }
            Sink::Npy { rows, spool, .. } => {
                *rows += all.len() as u64;
                let bytes: Vec<u8> = all.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
                Ok(spool.write_all(&bytes)?)
            }
        }
    }

    fn finish(self, dim: usize) -> Result<()> {
        match self {
            Sink::Tsv(output) => output.finish(),
            Sink::Npy {
                rows,
                spool,
                mut output,
            } => {
                let mut spool = spool.into_inner().map_err(|error| error.into_error())?;
                spool.rewind()?;
                output.write_bytes(&npy_header(rows, dim))?;
                let mut block = vec![0; 1 << 16];
                loop {
                    match spool.read(&mut block)? {
                        0 => return output.finish(),
                        read => output.write_bytes(&block[..read])?,
                    }
                }
            }
        }
    }
}

fn table(rows: &[Vec<f32>]) -> String {
    let mut table = String::new();
    let mut buffer = zmij::Buffer::new();
    for row in rows {
        for (at, value) in row.iter().enumerate() {
            if at > 0 {
                table.push('\t');
            }
            table.push_str(buffer.format(*value));
        }
        table.push('\n');
    }
    table
}
