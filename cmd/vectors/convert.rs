//! `wordmill vectors convert`: from one format to another.

use super::load::Shared;
use crate::stream::Failure;
use anyhow::Result;
use rayon::prelude::*;
use std::path::PathBuf;
use wordmill::embed::vectors::container::{self, Precision};
use wordmill::embed::vectors::search::normalize;
use wordmill::embed::vectors::{self, Format, View};

/// Convert vectors from one format to another
///
/// The output's format is that of --to, or of its name: .vec and .txt are word2vec's text, .bin its binary, .glove
/// GloVe's text, .safetensors what opens fastest; text is written where neither says. .gz and .zst are compressed.
/// Numbers of text are the shortest that read back as the same f32. In safetensors, f16 keeps 11 significant bits and
/// i8 rounds to 1/127 of the largest value of the row.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill vectors convert corpora/vectors.vec -o v.safetensors --dtype i8\n  \
    wordmill vectors convert corpora/vectors.vec --to glove --top 10 --normalize")]
pub struct Args {
    /// Vectors; - is standard input
    #[arg(value_name = "VECTORS")]
    vectors: PathBuf,
    /// Format to write [default: by the name of the output]
    #[arg(long, value_name = "FORMAT", value_enum)]
    to: Option<Format>,
    /// How safetensors keep values [default: f32]
    #[arg(long, value_name = "TYPE", value_enum)]
    dtype: Option<Precision>,
    /// Write the first N words only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
    /// Make the length of each vector one
    #[arg(long)]
    normalize: bool,
    #[command(flatten)]
    shared: Shared,
}

pub fn run(args: &Args) -> Result<()> {
    let named = args.shared.out.as_deref().and_then(Format::from_path);
    let format = args.to.or(named).unwrap_or(Format::Word2vec);
    if args.dtype.is_some() && format != Format::Safetensors {
        return Err(Failure::usage("--dtype is for safetensors")
            .hint("--to safetensors, or -o FILE.safetensors")
            .into());
    }
    let vectors = args.shared.open(&args.vectors)?;
    let mut view = vectors.view();
    if let Some(top) = args.top {
        view = view.top(top as usize);
    }
    let normalized;
    if args.normalize {
        normalized = of_length_one(&view);
        view = View {
            stride: view.dim,
            data: &normalized,
            ..view
        };
    }
    let mut output = args.shared.output()?;
    match args.dtype {
        Some(precision) => container::write(&view, precision, &mut output)?,
        None => vectors::write(&view, format, &mut output)?,
    }
    output.finish()
}

fn of_length_one(view: &View) -> Vec<f32> {
    let mut data: Vec<f32> = (0..view.words.len())
        .flat_map(|row| view.row(row))
        .copied()
        .collect();
    data.par_chunks_mut(view.dim).for_each(normalize);
    data
}
