//! What `tokenize eval`, `pos eval`, `lemmatize eval` and `ner eval` share: their flags, and the road from gold
//! standard to report.

mod other;

use self::other::Other;
use crate::corpus;
use crate::layers::Models;
use crate::stream::{Failure, Output};
use anyhow::{Result, bail};
use clap::ValueEnum;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use wordmill::text::columns::ColumnSpec;
use wordmill::text::document::Document;
use wordmill::text::eval::tags::{Vocabulary, vocabulary};
use wordmill::text::eval::{
    Alignment, Given, Layout, Metric, Randomization, Report, Run, SHOWN_CONFUSIONS, Task,
    TextsDiffer, gold_tokens, raw_documents,
};
use wordmill::text::pipeline::Pipeline;
use wordmill::text::{pos, tokenize};

#[derive(clap::Args)]
pub struct EvalArgs {
    /// Gold standard: CoNLL-U files, or what --columns says
    #[arg(required = true, value_name = "GOLD")]
    gold: Vec<PathBuf>,
    /// Model to score instead of the one inside the tool
    ///
    /// May be repeated for the layers that it stands on.
    #[arg(long, value_name = "FILE", conflicts_with = "system")]
    model: Vec<PathBuf>,
    /// Annotation of the same text to score, whatever tool made it
    #[arg(long, value_name = "FILE")]
    system: Option<PathBuf>,
    /// Second model to compare with, or another system's annotation of the same text
    ///
    /// Adds the F1 of both, their difference, and its p-value by approximate randomization over sentences. An annotation
    /// with the words of the gold standard is compared with the run on gold tokens, any other with that on raw text.
    #[arg(long, value_name = "OTHER")]
    against: Option<PathBuf>,
    /// How often to shuffle the sentences of the two systems for a p-value
    #[arg(long, value_name = "N", requires = "against", default_value_t = Randomization::default().shuffles,
        value_parser = clap::value_parser!(u32).range(1..))]
    shuffles: u32,
    /// Seed of the shuffles
    #[arg(long, value_name = "N", requires = "against", default_value_t = Randomization::default().seed)]
    seed: u64,
    /// Training data, to score the words that are not in it
    #[arg(long, value_name = "FILE")]
    train: Vec<PathBuf>,
    /// Columns of all these files if they are not CoNLL-U: form,_,_,ner
    #[arg(long, value_name = "NAMES")]
    columns: Option<ColumnSpec>,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    to: ReportFormat,
    /// File to write to
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Page of HTML to write too: scores, comparison, confusion matrix and errors in one file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// The flags where words or entities can be taken for others.
#[derive(clap::Args)]
pub struct TaggedEvalArgs {
    #[command(flatten)]
    pub eval: EvalArgs,
    /// How many of the most frequent errors to show, each with examples in their context
    #[arg(long, value_name = "N")]
    pub errors: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// Tables, percentages
    #[default]
    Text,
    /// One JSON object, fractions
    Json,
}

type Annotate<'a> = dyn Fn(&mut Document) -> Result<()> + Sync + 'a;

/// A system under test: the layer of the command, and the layers it stands on.
pub struct System<'a> {
    /// Annotates a document, segmented or not, as the command does.
    pub annotate: Box<Annotate<'a>>,
}

impl System<'_> {
    /// The system that is a pipeline.
    pub fn of(pipeline: Pipeline) -> System<'static> {
        let annotate = move |document: &mut Document| {
            pipeline.annotate(document);
            Ok(())
        };
        System {
            annotate: Box::new(annotate),
        }
    }
}

/// Scores a model, or the annotation in a file, and prints the report. `load` makes a system of the models named, of
/// the models inside the tool when none is. `errors` is how many confusions are shown with examples.
pub fn run<'a>(
    args: &EvalArgs,
    errors: Option<usize>,
    task: Task,
    load: impl Fn(&Models, &[Document]) -> Result<System<'a>>,
) -> Result<()> {
    let page = args.create_page()?;
    let gold = corpus::read_all(&args.gold, args.columns.as_ref())?;
    if gold.iter().all(|document| document.sentences.is_empty()) {
        bail!(Failure::of_file(&name_of(&args.gold[0]), "no sentences"));
    }
    let known = match args.train.as_slice() {
        [] => None,
        train => Some(vocabulary(&corpus::read_all(train, args.columns.as_ref())?)),
    };
    let other = match &args.against {
        Some(path) => Some(Other::open(path, args, (task, &gold), &load)?),
        None => None,
    };
    let to_score = ToScore {
        task,
        gold: &gold,
        known: known.as_ref(),
        other: other.as_ref(),
    };
    let runs = match &args.system {
        Some(path) => vec![score_file(args, path, &to_score)?],
        None => score_models(args, &to_score, load)?,
    };
    let report = Report {
        task,
        gold: args.gold.iter().map(|path| name_of(path)).collect(),
        system: args.system_names(task),
        runs,
    };
    write(report, args, errors, page)
}

/// Writes the page, if one is wanted, and the report.
fn write(
    mut report: Report,
    args: &EvalArgs,
    errors: Option<usize>,
    page: Option<Output>,
) -> Result<()> {
    let groups = errors.unwrap_or(SHOWN_CONFUSIONS);
    if let Some(mut page) = page {
        page.write(&report.to_html(groups))?;
        page.finish()?;
    }
    report.keep_examples(errors.unwrap_or(0));
    let mut output = Output::create(args.out.as_deref(), false)?;
    output.write(&match args.to {
        ReportFormat::Text => report.to_text(groups),
        ReportFormat::Json => report.to_json()?,
    })?;
    output.finish()
}

impl EvalArgs {
    /// Opens the page first: it must not fail after a long evaluation.
    fn create_page(&self) -> Result<Option<Output>> {
        let Some(path) = &self.report else {
            return Ok(None);
        };
        let out = self.out.as_deref().unwrap_or(Path::new("-"));
        if path == out {
            let problem = "the page of --report and the report itself cannot be one file";
            bail!(Failure::usage(problem));
        }
        Ok(Some(Output::create(Some(path), false)?))
    }

    fn system_names(&self, task: Task) -> Vec<String> {
        let named: Vec<String> = (self.system.iter().chain(&self.model))
            .map(|path| name_of(path))
            .collect();
        match named.is_empty() {
            true => vec![format!("the {} model inside wordmill", task.name())],
            false => named,
        }
    }
}

/// What every run of an evaluation is scored against.
struct ToScore<'a> {
    task: Task,
    gold: &'a [Document],
    known: Option<&'a Vocabulary>,
    other: Option<&'a Other<'a>>,
}

fn score_file(args: &EvalArgs, path: &Path, to_score: &ToScore) -> Result<Run> {
    let ToScore {
        task, gold, known, ..
    } = *to_score;
    let system = [corpus::read(path, args.columns.as_ref())?];
    let differs = |error| differing(path, &error);
    let metrics = (task, task.system_metrics());
    let mut run = Run::of(&name_of(path), metrics, gold, &system, known).map_err(differs)?;
    if let Some(other) = to_score.other {
        let alignment = Alignment::new(gold, &system).map_err(differs)?;
        let given = match alignment.has_same_words() && task != Task::Tokenize {
            true => gold_tokens(gold, Given::Words),
            false => raw_documents(gold, Layout::Running),
        };
        // Two files are compared whatever words they have.
        if let Some(found) = other.annotation(&given, None)? {
            run.compare(gold, &system, (&other.against, &found))?;
        }
    }
    Ok(run)
}

fn differing(path: &Path, error: &TextsDiffer) -> Failure {
    Failure::of_file(&name_of(path), error.to_string())
        .hint("it must annotate the text of the gold standard; only spaces may differ")
}

fn score_models<'a>(
    args: &EvalArgs,
    to_score: &ToScore,
    load: impl Fn(&Models, &[Document]) -> Result<System<'a>>,
) -> Result<Vec<Run>> {
    let ToScore {
        task, gold, known, ..
    } = *to_score;
    let models = Models::open(&args.model)?;
    models.must_hold(&[tokenize::LAYER, task.name(), pos::LAYER])?;
    let system = load(&models, gold)?;
    let mut runs = Vec::new();
    for setting in settings(task, gold) {
        let found = annotated(&setting.given, &system)?;
        let metrics = (task, setting.metrics);
        let mut run = Run::of(setting.name, metrics, gold, &found, known)?;
        if let Some(other) = to_score.other
            && let Some(theirs) = other.annotation(&setting.given, setting.gives_words)?
        {
            run.compare(gold, &found, (&other.against, &theirs))?;
        }
        runs.push(run);
    }
    Ok(runs)
}

/// What a system of this task is given, and what is scored then.
struct Setting {
    name: &'static str,
    given: Vec<Document>,
    /// Unless no setting of the task does.
    gives_words: Option<bool>,
    metrics: &'static [Metric],
}

fn settings(task: Task, gold: &[Document]) -> Vec<Setting> {
    let words = |name, given| Setting {
        name,
        given: gold_tokens(gold, given),
        gives_words: Some(true),
        metrics: task.word_metrics(),
    };
    let raw = |layout: Layout| Setting {
        name: layout.name(),
        given: raw_documents(gold, layout),
        gives_words: (task != Task::Tokenize).then_some(false),
        metrics: task.raw_metrics(),
    };
    match task {
        Task::Tokenize => Layout::ALL.map(raw).into(),
        Task::Pos | Task::Ner => vec![words("gold tokens", Given::Words), raw(Layout::Running)],
        Task::Lemmatize => vec![
            words("gold tokens", Given::Words),
            words("gold tokens and tags", Given::WordsAndTags),
            raw(Layout::Running),
        ],
    }
}

fn annotated(given: &[Document], system: &System) -> Result<Vec<Document>> {
    let mut documents = given.to_vec();
    documents
        .par_iter_mut()
        .try_for_each(|document| (system.annotate)(document))?;
    Ok(documents)
}

fn name_of(path: &Path) -> String {
    path.display().to_string()
}
