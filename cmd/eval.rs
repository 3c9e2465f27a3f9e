//! What `tokenize eval`, `pos eval`, `lemmatize eval` and `ner eval` share: their flags, and the road from gold
//! standard to report.

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
    Given, Layout, Metric, Report, Run, Task, TextsDiffer, gold_tokens, raw_documents,
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
    /// Second model to compare with; with --system, second annotation
    ///
    /// Adds the difference of the F1 and its p-value (paired bootstrap over sentences).
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
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
/// the models inside the tool when none is.
pub fn run<'a>(
    args: &EvalArgs,
    task: Task,
    load: impl Fn(&Models) -> Result<System<'a>>,
) -> Result<()> {
    let gold = corpus::read_all(&args.gold, args.columns.as_ref())?;
    if gold.iter().all(|document| document.sentences.is_empty()) {
        bail!(Failure::of_file(&name_of(&args.gold[0]), "no sentences"));
    }
    let known = match args.train.as_slice() {
        [] => None,
        train => Some(vocabulary(&corpus::read_all(train, args.columns.as_ref())?)),
    };
    let runs = match &args.system {
        Some(system) => vec![score_file(args, task, &gold, system, known.as_ref())?],
        None => score_models(args, task, &gold, known.as_ref(), load)?,
    };
    let report = Report {
        task,
        gold: args.gold.iter().map(|path| name_of(path)).collect(),
        runs,
    };
    let mut output = Output::create(args.out.as_deref(), false)?;
    output.write(&match args.to {
        ReportFormat::Text => report.to_text(),
        ReportFormat::Json => report.to_json()?,
    })?;
    output.finish()
}

fn score_file(
    args: &EvalArgs,
    task: Task,
    gold: &[Document],
    path: &Path,
    known: Option<&Vocabulary>,
) -> Result<Run> {
    let system = [corpus::read(path, args.columns.as_ref())?];
    let name = name_of(path);
    let metrics = (task, task.system_metrics());
    let mut run =
        Run::of(&name, metrics, gold, &system, known).map_err(|error| differing(path, &error))?;
    if let Some(path) = &args.against {
        let against = [corpus::read(path, args.columns.as_ref())?];
        run.compare(gold, &system, &against)
            .map_err(|error| differing(path, &error))?;
    }
    Ok(run)
}

fn differing(path: &Path, error: &TextsDiffer) -> Failure {
    Failure::of_file(&name_of(path), error.to_string())
        .hint("it must annotate the text of the gold standard; only spaces may differ")
}

fn score_models<'a>(
    args: &EvalArgs,
    task: Task,
    gold: &[Document],
    known: Option<&Vocabulary>,
    load: impl Fn(&Models) -> Result<System<'a>>,
) -> Result<Vec<Run>> {
    let models = Models::open(&args.model)?;
    models.must_hold(&[tokenize::LAYER, task.name(), pos::LAYER])?;
    let system = load(&models)?;
    let against = match &args.against {
        Some(path) => Some(load(&Models::open(std::slice::from_ref(path))?)?),
        None => None,
    };
    let mut runs = Vec::new();
    for (name, given, metrics) in settings(task, gold) {
        let found = annotated(&given, &system)?;
        let mut run = Run::of(name, (task, metrics), gold, &found, known)?;
        if let Some(against) = &against {
            let other = annotated(&given, against)?;
            run.compare(gold, &found, &other)?;
        }
        runs.push(run);
    }
    Ok(runs)
}

type Setting = (&'static str, Vec<Document>, &'static [Metric]);

/// What a system of this task is given, and what is scored then.
fn settings(task: Task, gold: &[Document]) -> Vec<Setting> {
    let words = |name, given| (name, gold_tokens(gold, given), task.word_metrics());
    let raw = |layout: Layout| {
        let documents = raw_documents(gold, layout);
        (layout.name(), documents, task.raw_metrics())
    };
    match task {
        Task::Tokenize => Layout::ALL.map(raw).to_vec(),
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
