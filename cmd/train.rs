//! What `tokenize train`, `pos train`, `lemmatize train` and `ner train` share: their flags, and the model file they
//! write.

use crate::corpus;
use crate::progress::Rounds;
use crate::stream::{Failure, Output};
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wordmill::text::columns::ColumnSpec;
use wordmill::text::document::{Document, Sentence};
use wordmill::text::eval::{Given, Layout, Run, Task, gold_tokens, raw_documents};
use wordmill::text::model::{Bundle, Section};
use wordmill::text::word_classes::{LISTS, WordClasses};

#[derive(clap::Args)]
pub struct TrainArgs {
    /// Annotated files to learn from: CoNLL-U, or what --columns says
    #[arg(required = true, value_name = "TRAIN")]
    pub train: Vec<PathBuf>,
    /// Annotated file to score the finished model on; the scores are kept in the model
    #[arg(long, value_name = "DEV")]
    pub valid: Option<PathBuf>,
    /// Model file to write; .zst and .gz are compressed
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// Language of the data, as in en
    #[arg(long, value_name = "CODE")]
    pub language: Option<String>,
    /// Licence of the model, kept in it
    #[arg(long, value_name = "TEXT")]
    pub license: Option<String>,
    /// Columns of the files if they are not CoNLL-U: form,_,_,ner
    #[arg(long, value_name = "NAMES")]
    columns: Option<ColumnSpec>,
    /// Rename a label of the columns, as in OTH=MISC; to O or nothing drops it
    #[arg(long, value_name = "FROM=TO")]
    map: Vec<String>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

/// The flag of the trainers that go over the data several times.
#[derive(clap::Args)]
pub struct EpochsArgs {
    /// How often to go over the training data
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
}

/// The flag of the trainers that learn from word classes.
#[derive(clap::Args)]
pub struct ClassesArgs {
    /// Word classes to learn from, as `wordmill classes` prints them; may be repeated, from coarse to fine
    #[arg(long = "classes", value_name = "FILE")]
    classes: Vec<PathBuf>,
}

impl ClassesArgs {
    /// Reads the classes.
    pub fn read(&self) -> Result<WordClasses> {
        if self.classes.len() > LISTS {
            bail!(Failure::usage(format!(
                "--classes can be given {LISTS} times"
            )));
        }
        let lists: Result<Vec<_>> = self
            .classes
            .iter()
            .map(|path| corpus::read_classes(path))
            .collect();
        Ok(WordClasses::new(&lists?))
    }
}

/// The flag of the trainers that can tell sources apart.
#[derive(clap::Args)]
pub struct AlsoArgs {
    /// CoNLL-U of another source to learn from too, annotated a little differently; may be repeated
    ///
    /// What TRAIN says about a word outweighs what these files say.
    #[arg(long, value_name = "FILE")]
    pub also: Vec<PathBuf>,
}

impl AlsoArgs {
    /// Reads the files, each a source of its own.
    pub fn read(&self) -> Result<Vec<Vec<Document>>> {
        self.also
            .iter()
            .map(|path| Ok(vec![corpus::read(path, None)?]))
            .collect()
    }
}

impl TrainArgs {
    /// Reads the training data.
    pub fn read(&self) -> Result<Vec<Document>> {
        corpus::read_to_learn_from(&self.train, self.spec()?.as_ref())
    }

    fn spec(&self) -> Result<Option<ColumnSpec>> {
        let Some(mut spec) = self.columns.clone() else {
            return Ok(None);
        };
        for rule in &self.map {
            spec = spec
                .map(rule)
                .map_err(|problem| Failure::usage(format!("--map {rule}: {problem}")))?;
        }
        Ok(Some(spec))
    }

    /// Shows the rounds of training.
    pub fn rounds(&self, epochs: u32) -> Rounds {
        Rounds::new(u64::from(epochs), self.quiet)
    }

    /// Scores the model on the validation data (given its words, or its text for a tokenizer) and writes the model file.
    pub fn finish(
        &self,
        task: Task,
        mut section: Section,
        annotate: impl Fn(&mut Document),
    ) -> Result<()> {
        let name = |path: &Path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        let mut put = |key: &str, value: Value| section.meta.insert(key.to_owned(), value);
        if let Some(language) = &self.language {
            put("language", json!(language));
        }
        if let Some(license) = &self.license {
            put("license", json!(license));
        }
        put(
            "data",
            json!(self.train.iter().map(|p| name(p)).collect::<Vec<_>>()),
        );
        if let Some(path) = &self.valid {
            let gold = [corpus::read(path, self.spec()?.as_ref())?];
            let (run, metrics, mut found) = match task {
                Task::Tokenize => (
                    "raw text",
                    task.raw_metrics(),
                    raw_documents(&gold, Layout::Running),
                ),
                _ => (
                    "gold tokens",
                    task.word_metrics(),
                    gold_tokens(&gold, Given::Words),
                ),
            };
            found.iter_mut().for_each(annotate);
            let run = Run::of(run, (task, metrics), &gold, &found, None)?;
            put(
                "valid",
                json!({ "data": name(path), "given": run.name, "scores": run.summary() }),
            );
            if !self.quiet {
                eprintln!("{}: {}", name(path), run.summary());
            }
        }
        write_model(&self.out, task.name(), section)
    }
}

/// Writes a model file of one layer.
fn write_model(path: &Path, layer: &str, section: Section) -> Result<()> {
    let bundle = Bundle {
        layers: [(layer.to_owned(), section)].into(),
    };
    let mut output = Output::create(Some(path), false)?;
    output.write_bytes(&bundle.to_bytes()?)?;
    output.finish()
}

/// The sentences of each source.
pub fn sources(sources: &[Vec<Document>]) -> Vec<Vec<&Sentence>> {
    sources
        .iter()
        .map(|documents| sentences(documents))
        .collect()
}

/// The sentences of documents.
pub fn sentences(documents: &[Document]) -> Vec<&Sentence> {
    documents
        .iter()
        .flat_map(|document| &document.sentences)
        .collect()
}
