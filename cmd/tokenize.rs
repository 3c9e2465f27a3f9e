//! `wordmill tokenize`: text into sentences and tokens.

use crate::corpus;
use crate::engine::{Engine, NotServed};
use crate::eval::{self, EvalArgs, System};
use crate::layers::{ModelArgs, Models};
use crate::stream::{Failure, From, Job, Layered, Newline, StreamArgs};
use crate::train::TrainArgs;
use anyhow::Result;
use clap::Subcommand;
use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;
use wordmill::text::document::Document;
use wordmill::text::eval::Task;
use wordmill::text::format::{InputFormat, OutputFormat};
use wordmill::text::pipeline::Pipeline;
use wordmill::text::tokenize::{
    self, Exceptions, Filter, Keep, Normalization, Printing, Scheme, Tokenizer, TrainOptions, Unit,
    Workspace,
};

/// Cut text into sentences, tokens and words
///
/// Reads text, lines, JSON Lines; documents that have tokens already keep them. Writes one sentence a line with a space
/// between words, or what --to says. Contractions are printed as the words they stand for: don't is do n't.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
        wordmill tokenize corpora/sample.txt\n  \
        wordmill tokenize --to words --lower --keep alpha corpora/sample.txt | sort | uniq -c\n  \
        wordmill tokenize --scheme regex --pattern '[A-Z][a-z]+' corpora/sample.txt\n  \
        wordmill tokenize train corpora/tagged.conllu -o tokenize.safetensors\n  \
        wordmill tokenize eval corpora/tagged.conllu"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    cut: CutArgs,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    stream: StreamArgs,
}

#[derive(Subcommand)]
enum Command {
    Train(TokenizeTrainArgs),
    /// Score a tokenizer on annotated text
    ///
    /// Cuts the raw text of the gold standard, also hard-wrapped and with a sentence a line, and prints precision, recall and F1
    /// of tokens, sentences and words.
    #[command(after_help = "Example:\n  wordmill tokenize eval corpora/tagged.conllu")]
    Eval(EvalArgs),
}

/// How text is cut.
#[derive(clap::Args)]
struct CutArgs {
    /// What a token is
    #[arg(short, long, value_enum, default_value_t)]
    unit: Unit,
    /// Where words end
    #[arg(short, long, value_enum, default_value_t)]
    scheme: Scheme,
    /// Regular expression whose matches are the tokens of --scheme regex
    #[arg(long, value_name = "REGEX", required_if_eq("scheme", "regex"))]
    pattern: Option<String>,
    #[command(flatten)]
    model: ModelArgs,
    /// File of tokens that must stay whole, one a line
    #[arg(long, value_name = "FILE")]
    exceptions: Option<PathBuf>,
    /// Print don't as it stands, not as do n't
    #[arg(long)]
    no_split_contractions: bool,
}

/// What is done to the words.
#[derive(clap::Args)]
#[command(next_help_heading = "Words")]
struct FilterArgs {
    /// Print words in small letters
    #[arg(long)]
    lower: bool,
    /// Unicode normal form of the words
    #[arg(long, value_name = "FORM", value_enum)]
    normalize: Option<Normalization>,
    /// Leave out the words of a file, one a line; `en` is a list inside the tool
    #[arg(long, value_name = "FILE|en")]
    stopwords: Option<PathBuf>,
    /// Leave out words of fewer characters
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_len: usize,
    /// Keep words of letters only, words with a letter or digit, or all
    #[arg(long, value_enum, default_value_t)]
    keep: Keep,
    /// Print runs of so many words joined by _, as in 2 or 1-3
    #[arg(long, value_name = "N|N-M", value_parser = ngrams, default_value = "1")]
    ngrams: (usize, usize),
}

/// Learn a tokenizer from CoNLL-U
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  wordmill tokenize train corpora/tagged.conllu -o tokenize.safetensors"
)]
struct TokenizeTrainArgs {
    #[command(flatten)]
    shared: TrainArgs,
}

/// What words may be printed as of which some were left out.
const FILTERED: &[OutputFormat] = &[OutputFormat::Text, OutputFormat::Words];

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Some(Command::Train(args)) => return train(args),
        Some(Command::Eval(args)) => return eval::run(args, None, Task::Tokenize, system),
        None => {}
    }
    ready(args, |engine| engine.run())
}

/// Loads the models, and hands what works with them to `then`.
pub fn ready(args: &Args, then: impl FnOnce(&dyn Engine) -> Result<()>) -> Result<()> {
    if args.command.is_some() {
        return Err(NotServed.into());
    }
    let mut stream = args.stream.clone();
    let filter = args.filter.filter()?;
    if filter.drops() {
        let to = *stream.to.get_or_insert(OutputFormat::Text);
        if !FILTERED.contains(&to) {
            let problem = "filters that leave words out need --to text or --to words";
            return Err(Failure::usage(problem).into());
        }
    }
    let only = filter.drops().then_some(FILTERED);
    let tokenizer = args.cut.tokenizer(stream.newline == Newline::Break)?;
    let printing = Printing {
        lines: stream.from == From::Given(InputFormat::Lines),
        words: stream.to == Some(OutputFormat::Words),
        filter,
    };
    let from_text = |text: &str, out: &mut String| {
        WORK.with_borrow_mut(|work| tokenizer.print(text, &printing, work, out));
    };
    let job = Job {
        from_text: Some(&from_text),
        only,
        ..Job::default()
    };
    then(&Layered {
        args: &stream,
        job,
        layer: &|document| {
            WORK.with_borrow_mut(|work| tokenizer.segment_with(document, work));
            printing.filter.apply(document);
            Ok(())
        },
    })
}

thread_local! {
    /// One set of buffers for each worker.
    static WORK: RefCell<Workspace> = RefCell::default();
}

fn system(models: &Models, _: &[Document]) -> Result<System<'static>> {
    let tokenizer = Some(models.tokenizer(false)?);
    Ok(System::of(Pipeline {
        tokenizer,
        ..Pipeline::default()
    }))
}

fn train(args: &TokenizeTrainArgs) -> Result<()> {
    let documents = args.shared.read()?;
    let options = TrainOptions {
        seed: args.shared.seed,
        ..TrainOptions::default()
    };
    let section = tokenize::train(&documents, &options);
    let tokenizer = Some(Tokenizer::from_section(&section)?);
    let pipeline = Pipeline {
        tokenizer,
        ..Pipeline::default()
    };
    args.shared.finish(Task::Tokenize, section, |document| {
        pipeline.annotate(document)
    })
}

impl CutArgs {
    fn tokenizer(&self, newline_breaks: bool) -> Result<Tokenizer> {
        let mut tokenizer = match self.scheme {
            Scheme::Unicode => Tokenizer::unicode(),
            Scheme::Whitespace => Tokenizer::whitespace(),
            Scheme::Regex => Tokenizer::pattern(self.pattern.as_deref().unwrap_or_default())
                .map_err(|error| Failure::usage(format!("--pattern: {error}")))?,
            Scheme::Ud => {
                let models = Models::open(&self.model.model)?;
                models.must_hold(&[tokenize::LAYER])?;
                models.tokenizer(newline_breaks)?
            }
        };
        tokenizer.unit = self.unit;
        tokenizer.split_multiwords = !self.no_split_contractions;
        tokenizer.newline_breaks = newline_breaks;
        if let Some(path) = &self.exceptions {
            tokenizer.exceptions = Exceptions::parse(&corpus::read_text(path)?);
        }
        Ok(tokenizer)
    }
}

impl FilterArgs {
    fn filter(&self) -> Result<Filter> {
        let stopwords = match &self.stopwords {
            None => HashSet::new(),
            Some(path) if path.as_os_str() == "en" => tokenize::english_stopwords(),
            Some(path) => tokenize::parse_stopwords(&corpus::read_text(path)?),
        };
        Ok(Filter {
            lower: self.lower,
            normalization: self.normalize,
            stopwords,
            min_length: self.min_len,
            keep: self.keep,
            ngrams: self.ngrams,
        })
    }
}

/// `2` or `1-3`, each between 1 and 3.
fn ngrams(text: &str) -> Result<(usize, usize), String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) if 1 <= from && from <= to && to <= 3 => Ok((from, to)),
        _ => Err("expected a number from 1 to 3, or two as in 1-3".to_owned()),
    }
}
