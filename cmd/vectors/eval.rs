//! `wordmill vectors eval`: scores on analogies and on judged pairs.

use super::load::{self, Shared};
use crate::stream::Failure;
use crate::stream::input::name_of;
use crate::threads;
use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use wordmill::embed::vectors::evaluate::{
    Accuracy, Correlation, Evaluator, Judgements, Section, judgements, sections,
};

/// Score vectors on analogies and on the similarity of words
///
/// An analogy is right when the word nearest to B - A + C is the fourth word; sections whose name starts with `gram`
/// are syntactic. Pairs are scored by Spearman's rank correlation, times 100, with what people judged. Case is folded,
/// and what has a word without a vector is left out: `known` of `all` were scored. The numbers are those of gensim.
///
/// Reads analogies as four words a line under headings `: name`, as questions-words.txt has them, and pairs as two
/// words and a number a line, parted by tabs or spaces. Writes a table, or an object a line with --to json.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill vectors eval corpora/vectors.vec --analogies corpora/analogies.txt\n  \
    wordmill vectors eval corpora/vectors.vec --pairs corpora/pairs.tsv --to json")]
pub struct Args {
    /// Vectors, one file or several
    #[arg(value_name = "VECTORS", required = true)]
    vectors: Vec<PathBuf>,
    /// Questions to answer
    #[arg(long, value_name = "FILE")]
    analogies: Option<PathBuf>,
    /// Pairs of words with judgements; may be repeated, and take several files
    #[arg(long, value_name = "SET", num_args = 1..)]
    pairs: Vec<PathBuf>,
    /// Use the first N words of the vectors only
    #[arg(long, value_name = "N", default_value_t = 300_000, value_parser = clap::value_parser!(u32).range(1..))]
    restrict: u32,
    /// Format of the output
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    to: To,
    #[command(flatten)]
    shared: Shared,
}

/// How scores are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum To {
    /// Columns parted by spaces
    #[default]
    Table,
    /// An object for each file of vectors
    Json,
}

/// What is asked.
struct Tests {
    analogies: Option<Vec<Section>>,
    pairs: Vec<(String, Judgements)>,
}

/// What came out for a file.
struct Scores {
    vectors: String,
    analogies: Vec<Accuracy>,
    pairs: Vec<(String, Correlation)>,
}

pub fn run(args: &Args) -> Result<()> {
    if args.analogies.is_none() && args.pairs.is_empty() {
        let problem = "nothing to score on";
        return Err(Failure::usage(problem)
            .hint("--analogies FILE or --pairs SET says what is asked")
            .into());
    }
    threads::limit(args.shared.threads)?;
    let tests = Tests::read(args)?;
    let mut output = args.shared.output()?;
    for path in &args.vectors {
        let scores = tests.score(path, args)?;
        output.write(&match args.to {
            To::Table => scores.table(),
            To::Json => format!("{}\n", scores.json()),
        })?;
    }
    output.finish()
}

impl Tests {
    fn read(args: &Args) -> Result<Tests> {
        let analogies = args.analogies.as_ref().map(|path| {
            let read = sections(&load::text(path)?);
            anyhow::Ok(read.map_err(|error| load::line_failure(path, error))?)
        });
        let pairs = args.pairs.iter().map(|path| {
            let read = judgements(&load::text(path)?);
            let read = read.map_err(|error| load::line_failure(path, error))?;
            let name = path.file_stem().unwrap_or(path.as_os_str());
            anyhow::Ok((name.to_string_lossy().into_owned(), read))
        });
        Ok(Tests {
            pairs: pairs.collect::<Result<_>>()?,
            analogies: analogies.transpose()?,
        })
    }

    fn score(&self, path: &Path, args: &Args) -> Result<Scores> {
        let vectors = load::load(path, args.shared.invalid)?;
        let evaluator = Evaluator::new(vectors.view().top(args.restrict as usize));
        let analogies = self.analogies.as_ref();
        let pairs = self.pairs.iter();
        Ok(Scores {
            vectors: name_of(path),
            analogies: analogies.map_or(Vec::new(), |sections| evaluator.analogies(sections)),
            pairs: pairs
                .map(|(name, set)| (name.clone(), evaluator.similarity(set)))
                .collect(),
        })
    }
}

impl Scores {
    /// The rows of the table: test, score, known, all.
    fn rows(&self) -> Vec<(&str, Option<f64>, usize, usize)> {
        let analogies = self.analogies.iter();
        let analogies = analogies.map(|s| (s.section.as_str(), percent(s), s.known, s.questions));
        let pairs = self.pairs.iter();
        let pairs = pairs.map(|(name, c)| {
            (
                name.as_str(),
                c.spearman.map(|r| 100.0 * r),
                c.known,
                c.pairs,
            )
        });
        analogies.chain(pairs).collect()
    }

    fn table(&self) -> String {
        let mut table = format!("{}\n", self.vectors);
        let rows = self.rows();
        let width = rows
            .iter()
            .map(|row| row.0.chars().count())
            .max()
            .unwrap_or(0)
            .max(4);
        // Writing to a string never fails.
        let _ = writeln!(
            table,
            "  {:width$}  {:>6}  {:>6}  {:>6}",
            "test", "score", "known", "all"
        );
        for (name, score, known, all) in rows {
            let score = score.map_or("-".to_owned(), |score| format!("{score:.2}"));
            let _ = writeln!(table, "  {name:width$}  {score:>6}  {known:>6}  {all:>6}");
        }
        table
    }

    fn json(&self) -> Value {
        let analogy = |score: &Accuracy| {
            json!({
                "section": score.section,
                "accuracy": percent(score),
                "correct": score.correct,
                "known": score.known,
                "questions": score.questions,
            })
        };
        let pair = |(name, score): &(String, Correlation)| {
            json!({
                "set": name,
                "spearman": score.spearman,
                "known": score.known,
                "pairs": score.pairs,
            })
        };
        json!({
            "vectors": self.vectors,
            "analogies": self.analogies.iter().map(analogy).collect::<Vec<_>>(),
            "pairs": self.pairs.iter().map(pair).collect::<Vec<_>>(),
        })
    }
}

/// Correct answers in a hundred known questions.
fn percent(score: &Accuracy) -> Option<f64> {
    (score.known > 0).then(|| 100.0 * score.correct as f64 / score.known as f64)
}
