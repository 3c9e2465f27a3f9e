//! `wordmill bleu`: how close translations come to references.

mod report;

use crate::corpus::read_text;
use crate::stream::input::{inputs, is_stdin, name_of};
use crate::stream::{Failure, Output};
use crate::threads;
use anyhow::{Result, bail};
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use wordmill::translate::score::bleu::Smoothing;
use wordmill::translate::score::chrf::{MOST_CHARACTERS, MOST_WORDS};
use wordmill::translate::score::tokenize::Tokenizer;
use wordmill::translate::score::{Bleu, Chrf, Metric, Statistics, Ter};

/// Score translations against references
///
/// Reads a translation, one sentence a line, and one or more references with as many lines. Writes BLEU, chrF and TER,
/// equal to those of sacreBLEU, a line each: what it was computed with, the score, and for BLEU the precisions of 1 to 4
/// words, the brevity penalty, and the lengths. BLEU and chrF are better the higher, TER the lower.
///
/// With --against, systems are compared: a table for each metric, with the interval in which 95 % of resampled scores
/// lie, and the probability p of a larger difference from the first system if both were equally good. Samples and
/// shuffles are those of sacreBLEU, so intervals and p are too; as it leaves out differences that are as large, systems
/// that are the same, or differ in one sentence, have the smallest p there is. With --sentence, a line has the scores of
/// a sentence, parted by tabs in the order of --metrics.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill bleu --ref corpora/reference.de corpora/hypothesis.de\n  \
    wordmill bleu --ref corpora/reference.de --metrics bleu --to score < corpora/hypothesis.de\n  \
    wordmill bleu --ref corpora/reference.de corpora/hypothesis.de --against corpora/reference.de")]
pub struct Args {
    /// Translation to score; - or none is standard input; .gz and .zst are decompressed
    #[arg(value_name = "HYPOTHESIS")]
    hypothesis: Option<PathBuf>,
    /// Reference, a line for each line of the translation; may be repeated
    #[arg(short, long = "ref", value_name = "FILE", required = true)]
    references: Vec<PathBuf>,
    /// Translation of another system to compare with the first; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with = "sentence")]
    against: Vec<PathBuf>,
    /// What to compute
    #[arg(
        short,
        long,
        value_name = "LIST",
        value_enum,
        value_delimiter = ',',
        default_value = "bleu,chrf,ter"
    )]
    metrics: Vec<MetricName>,
    /// Scores of every sentence; BLEU then leaves out lengths that a sentence is too short for
    #[arg(long)]
    sentence: bool,
    #[command(flatten)]
    settings: SettingArgs,
    /// Add the interval in which 95 % of resampled scores lie
    #[arg(long, conflicts_with = "sentence")]
    confidence: bool,
    /// How to find out whether systems differ
    #[arg(long, value_enum, default_value_t, requires = "against")]
    test: Test,
    /// How often to resample
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    bootstrap: u32,
    /// How often to shuffle
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    shuffles: u32,
    /// Seed of everything random, as SACREBLEU_SEED is of sacreBLEU
    #[arg(long, value_name = "N", default_value_t = 12345)]
    seed: u64,
    /// How to print scores
    #[arg(long, value_enum, default_value_t)]
    to: To,
    /// File to write; it appears when it is whole; .gz and .zst are compressed
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// How the metrics are computed.
#[derive(clap::Args)]
struct SettingArgs {
    /// Words that BLEU counts
    #[arg(short, long, value_enum, default_value_t)]
    tokenize: Tokenizer,
    /// Ignore case in BLEU and chrF; TER does unless --ter-case is given
    #[arg(short, long)]
    lower: bool,
    /// What BLEU does about a length of which no n-gram matches
    #[arg(long, value_enum, default_value_t)]
    smooth: SmoothName,
    /// Value of --smooth [default: 0.1 for floor, 1 for add-k]
    #[arg(long, value_name = "X", value_parser = value)]
    smooth_value: Option<f64>,
    /// Characters of the longest n-grams of chrF
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_CHARACTERS)))]
    chrf_char_order: u32,
    /// Words of the longest n-grams of chrF; 2 makes it chrF++
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(MOST_WORDS)))]
    chrf_word_order: u32,
    /// How many times recall weighs what precision does in chrF
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    chrf_beta: u32,
    /// Count white space as characters in chrF
    #[arg(long)]
    chrf_whitespace: bool,
    /// Do not ignore case in TER
    #[arg(long)]
    ter_case: bool,
    /// Cut punctuation off words for TER
    #[arg(long)]
    ter_normalize: bool,
    /// Leave out punctuation for TER
    #[arg(long)]
    ter_no_punct: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum MetricName {
    /// Words and their n-grams in common, less for what is too short
    Bleu,
    /// Character n-grams in common
    Chrf,
    /// Edits to the reference
    Ter,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
enum SmoothName {
    /// The first counts as half a match, the second as a quarter, …
    #[default]
    Exp,
    /// It counts as a tenth of a match, or --smooth-value
    Floor,
    /// 1, or --smooth-value, is added to all lengths above 1
    AddK,
    /// The score is 0
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
enum Test {
    /// Scores of both on the same resampled sentences
    #[default]
    Bootstrap,
    /// Shuffles of which system made which translation
    Randomization,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
enum To {
    /// Scores with all that they depend on, two decimals
    #[default]
    Text,
    /// An object for each system and metric, or for each sentence
    Json,
    /// Scores alone, a line for each metric
    Score,
}

fn value(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value >= 0.0 && f64::is_finite(value) => Ok(value),
        _ => Err("expected a number from 0 on".to_owned()),
    }
}

pub fn run(args: &Args) -> Result<()> {
    threads::limit(args.threads)?;
    let hypothesis = inputs(args.hypothesis.as_slice())?.remove(0);
    let systems: Vec<&Path> = std::iter::once(hypothesis.as_path())
        .chain(args.against.iter().map(PathBuf::as_path))
        .collect();
    let all = systems
        .iter()
        .copied()
        .chain(args.references.iter().map(PathBuf::as_path));
    if all.clone().filter(|path| is_stdin(path)).count() > 1 {
        bail!(Failure::usage(
            "standard input can be one of the files only"
        ));
    }
    inputs(&all.map(Path::to_path_buf).collect::<Vec<_>>())?;
    let mut output = Output::create(args.out.as_deref(), false)?;
    let texts = |paths: &[&Path]| -> Result<Vec<String>> {
        paths.iter().map(|path| read_text(path)).collect()
    };
    let references: Vec<&Path> = args.references.iter().map(PathBuf::as_path).collect();
    let (reference_texts, system_texts) = (texts(&references)?, texts(&systems)?);
    let references: Vec<_> = references
        .into_iter()
        .zip(reference_texts.iter().map(|t| lines(t)))
        .collect();
    let systems: Vec<_> = systems
        .into_iter()
        .zip(system_texts.iter().map(|t| lines(t)))
        .collect();
    let sentences = systems[0].1.len();
    for (path, lines) in systems.iter().chain(&references) {
        if lines.len() != sentences {
            let problem = format!(
                "{} lines, but {} has {sentences}",
                lines.len(),
                name_of(systems[0].0)
            );
            bail!(
                Failure::of_file(&name_of(path), problem).hint(
                    "a line of a reference is the translation of the same line of every system"
                )
            );
        }
    }
    if sentences == 0 && !args.sentence {
        bail!(Failure::of_file(
            &name_of(systems[0].0),
            "no lines to score"
        ));
    }
    let references: Vec<&[&str]> = references
        .iter()
        .map(|(_, lines)| lines.as_slice())
        .collect();
    let metrics = args.metrics();
    let mut measured = Vec::with_capacity(metrics.len());
    for metric in &metrics {
        let of =
            |(_, lines): &(&Path, Vec<&str>)| Statistics::of(metric.as_ref(), lines, &references);
        measured.push(systems.iter().map(of).collect::<Result<Vec<_>, _>>()?);
    }
    let names: Vec<String> = systems.iter().map(|(path, _)| name_of(path)).collect();
    match args.sentence {
        true => report::sentences(args, &metrics, &measured, &mut output)?,
        false => report::corpus(
            args,
            &names,
            references.len(),
            &metrics,
            &measured,
            &mut output,
        )?,
    }
    output.finish()
}

/// The lines of a text: what stands behind the last line end is one, and a carriage return at the end is none of it.
fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

impl Args {
    fn metrics(&self) -> Vec<Box<dyn Metric>> {
        let settings = &self.settings;
        let bleu = || Bleu {
            tokenizer: settings.tokenize,
            lower: settings.lower,
            smoothing: match settings.smooth {
                SmoothName::Exp => Smoothing::Exp,
                SmoothName::Floor => Smoothing::Floor(settings.smooth_value.unwrap_or(0.1)),
                SmoothName::AddK => Smoothing::AddK(settings.smooth_value.unwrap_or(1.0)),
                SmoothName::None => Smoothing::None,
            },
            effective_order: self.sentence,
        };
        let chrf = || Chrf {
            characters: settings.chrf_char_order,
            words: settings.chrf_word_order,
            beta: settings.chrf_beta,
            lower: settings.lower,
            whitespace: settings.chrf_whitespace,
        };
        let ter = || Ter {
            cased: settings.ter_case,
            normalize: settings.ter_normalize,
            no_punctuation: settings.ter_no_punct,
        };
        let metric = |name: &MetricName| -> Box<dyn Metric> {
            match name {
                MetricName::Bleu => Box::new(bleu()),
                MetricName::Chrf => Box::new(chrf()),
                MetricName::Ter => Box::new(ter()),
            }
        };
        self.metrics.iter().map(metric).collect()
    }

    /// Scores are resampled for an interval, and for the test that needs them.
    fn resamples(&self) -> bool {
        self.confidence || !self.against.is_empty() && self.test == Test::Bootstrap
    }
}
