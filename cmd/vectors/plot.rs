//! `wordmill vectors plot`: a picture of words.

use super::load::{self, Shared};
use crate::stream::Failure;
use anyhow::Result;
use clap::ValueEnum;
use std::path::PathBuf;
use wordmill::embed::vectors::draw::Picture;
use wordmill::embed::vectors::project::{Method, project};
use wordmill::embed::vectors::search::Search;

/// Draw words in two dimensions
///
/// Words that are alike stand side by side. Writes SVG, or PNG where the output's name ends in .png. Labels overlap
/// neither each other nor points: where it is crowded, a line leads from the point to its label, and where there is no
/// room at all the label is left out, which is said on stderr.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill vectors plot corpora/vectors.vec paris france rome italy tokyo japan -o capitals.svg\n  \
    wordmill vectors plot corpora/vectors.vec --top 60 --method tsne -o words.png")]
pub struct Args {
    /// Vectors; - is standard input
    #[arg(value_name = "VECTORS")]
    vectors: PathBuf,
    /// Words to draw
    #[arg(value_name = "WORD", required_unless_present = "top")]
    words: Vec<String>,
    /// Draw the first N words, besides those named
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST as i64))]
    top: Option<u32>,
    /// How many dimensions become two
    #[arg(long, value_enum, default_value_t)]
    method: Method,
    /// Format of the output [default: png for FILE.png, else svg]
    #[arg(long, value_name = "FORMAT", value_enum)]
    to: Option<To>,
    #[command(flatten)]
    shared: Shared,
}

/// Nobody can read more labels, and t-SNE would take minutes.
const MOST: usize = 3000;

/// What a picture is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    Svg,
    Png,
}

pub fn run(args: &Args) -> Result<()> {
    let vectors = args.shared.open(&args.vectors)?;
    let mut rows = Vec::new();
    for word in &args.words {
        rows.push(load::row(&vectors, word)?);
    }
    rows.extend(0..args.top.unwrap_or(0).min(vectors.len() as u32));
    let mut seen = std::collections::HashSet::new();
    rows.retain(|row| seen.insert(*row));
    if rows.len() > MOST {
        let problem = format!("{} words are more than a picture has room for", rows.len());
        return Err(Failure::usage(problem).into());
    }
    let search = Search::new(vectors.view());
    let units: Vec<Vec<f32>> = rows.iter().map(|row| search.unit(*row)).collect();
    let points = project(&units, args.method);
    let labels: Vec<&str> = rows.iter().map(|row| vectors.word(*row)).collect();
    let picture = Picture::new(&points, &labels).ok_or_else(|| anyhow::anyhow!("no font"))?;
    if picture.left_out() > 0 {
        eprintln!(
            "wordmill vectors plot: no room for the labels of {} of {} words",
            picture.left_out(),
            rows.len()
        );
    }
    let mut output = args.shared.output()?;
    let is_png = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "png");
    let named = args.shared.out.as_ref().is_some_and(is_png);
    match args.to.unwrap_or(if named { To::Png } else { To::Svg }) {
        To::Svg => output.write(&picture.svg())?,
        To::Png => output.write_bytes(&picture.png()?)?,
    }
    output.finish()
}
