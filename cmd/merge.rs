//! `wordmill merge`: partial counts into one.

use crate::bag::args::CutArgs;
use crate::bag::failure;
use crate::bag::model::open_counts;
use crate::glove;
use crate::stream::{Failure, Output};
use anyhow::{Error, Result};
use std::path::PathBuf;
use wordmill::bag::BagError;
use wordmill::bag::counts::{Header, put_line};

/// Add up counts that were made in parts
///
/// Reads files that `wordmill bow --counts` or `wordmill merge` wrote, each sorted, and writes their sum in the same
/// form: in any order, in one step or in several, it is what the whole would have given. Memory does not grow with the
/// files, but with --max-features. Files of words near each other, which `wordmill glove cooccur --shard` wrote, are added
/// up alike. All files are open at once: more than `ulimit -n` allows are merged in parts.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  \
    wordmill merge corpora/sample.counts.tsv corpora/sample.counts.tsv --min-df 4")]
pub struct Args {
    /// Files of counts; - is standard input; .gz and .zst are decompressed
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    cut: CutArgs,
    /// File to write; it appears when it is whole; .gz and .zst are compressed
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    if glove::is_counts(&args.files[0])? {
        if !args.cut.cut().is_idle() {
            let problem = "words near each other are not cut by documents";
            return Err(Failure::usage(problem)
                .hint("--min-count and --max-vocab of `wordmill glove cooccur` leave words out")
                .into());
        }
        return glove::merge(&args.files, args.out.as_deref());
    }
    let mut readers = Vec::new();
    for path in &args.files {
        readers.push(open_counts(path)?);
    }
    let mut sum = Header {
        options: readers[0].header.options.clone(),
        ..Header::default()
    };
    for reader in &readers {
        let options = &reader.header.options;
        if options.cut.is_some() {
            let problem = "some of its terms were cut, and what they counted is lost";
            return Err(Failure::of_file(&reader.file, problem)
                .hint("merge what `wordmill bow --counts` wrote, and cut the sum")
                .into());
        }
        if *options != sum.options {
            let problem = format!("counted with other options than {}", readers[0].file);
            return Err(Failure::of_file(&reader.file, problem)
                .hint("the second line of each file says how it was counted")
                .into());
        }
        let add = |sum: u64, part| {
            let sum = sum.checked_add(part);
            sum.ok_or_else(|| Failure::of_file(&reader.file, "more than 2^64 documents or tokens"))
        };
        sum.documents = add(sum.documents, reader.header.documents)?;
        sum.tokens = add(sum.tokens, reader.header.tokens)?;
    }
    let cut = args.cut.cut();
    // Nothing is printed of a sum that cannot be.
    cut.bounds(sum.documents).map_err(failure)?;
    if !cut.is_idle() {
        sum.options.cut = Some(cut);
    }
    let mut output = Output::create(args.out.as_deref(), false)?;
    output.write(&sum.to_lines())?;
    let mut line = Vec::new();
    let merged = cut.merge(sum.documents, &mut readers, |term, total, _| {
        line.clear();
        put_line(term, total, &mut line);
        output.write_bytes(&line)
    });
    merged.map_err(|error: Error| match error.downcast::<BagError>() {
        Ok(error) => failure(error),
        Err(error) => error,
    })?;
    output.finish()
}
