//! The flags of the commands that find entities: `ner` and `annotate`.

use crate::layers::Models;
use crate::stream::{self, Failure, StreamArgs};
use anyhow::{Result, bail};
use jiff::civil::Date;
use std::io::Read;
use std::path::{Path, PathBuf};
use wordmill::text::document::Document;
use wordmill::text::english;
use wordmill::text::format::{FormatError, OutputFormat};
use wordmill::text::gazetteer::Gazetteer;
use wordmill::text::grammar::{DateOrder, Grammar};
use wordmill::text::ner::EntityRecognizer;
use wordmill::text::pipeline::Pipeline;
use wordmill::text::redact::{self, Redaction};
use wordmill::text::tokenize::{Tokenizer, Workspace};

#[derive(clap::Args)]
#[command(next_help_heading = "Entities")]
pub struct EntityArgs {
    /// Day that "yesterday" is the day before of, as 2026-11-27; without it relative dates have no value
    #[arg(long, value_name = "DATE")]
    reference_date: Option<Date>,
    /// What 3/4/2024 means
    #[arg(long, value_enum, default_value_t)]
    date_order: DateOrder,
    /// Rules for dates, amounts and numbers instead of the English ones; "none" finds names only
    ///
    /// May be repeated; the files are read as one. Without it text in a language that a --model is for has none, and the
    /// English rules leave the labels to a --model that knows them: one that finds DATE gets no dates beside its own.
    #[arg(long, value_name = "FILE")]
    grammar: Vec<PathBuf>,
    /// Names to find besides: lines of a name, a tab and a label, and another tab and a value if it has one
    ///
    /// A name with capital letters is found as it is written and in capitals. May be repeated.
    #[arg(long, value_name = "FILE")]
    gazetteer: Vec<PathBuf>,
    /// Labels of the entities to mark, as in PER,DATE; others are left out
    #[arg(long, value_name = "LABELS", value_delimiter = ',')]
    labels: Option<Vec<String>>,
    /// Say of each name how likely it is one: Score= in MISC, "score" of a JSON object
    #[arg(long)]
    scores: bool,
    /// Write the text with its entities replaced; only to raw text, or to JSON Lines, which keep their other fields
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, default_missing_value = "label", require_equals = true)]
    redact: Option<Redaction>,
    /// Key of the pseudonyms: whoever has it can try which name is behind one
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        requires = "redact"
    )]
    redact_key: String,
}

/// What redacted text may be printed as.
const REDACTED: &[OutputFormat] = &[OutputFormat::Raw, OutputFormat::Jsonl];

impl EntityArgs {
    /// Adds to a pipeline what its recognizer does not find, and what is not to be shown.
    pub fn add_to(&self, pipeline: &mut Pipeline, models: &Models) -> Result<()> {
        pipeline.grammar = self.grammar(models, pipeline.recognizer.as_ref())?;
        pipeline.scores = self.scores;
        pipeline.labels.clone_from(&self.labels);
        if !self.gazetteer.is_empty() {
            let mut gazetteer = Gazetteer::default();
            for path in &self.gazetteer {
                let cut = |name: &str| words(name, pipeline.tokenizer.as_ref());
                gazetteer
                    .add(&read(path)?, cut)
                    .map_err(|error| fault(&path.display().to_string(), error))?;
            }
            pipeline.gazetteer = Some(gazetteer);
        }
        Ok(())
    }

    /// The flags of the stream: what is redacted is printed raw.
    pub fn stream(&self, stream: &StreamArgs) -> Result<StreamArgs> {
        let mut stream = stream.clone();
        if self.redact.is_some() {
            let to = *stream.to.get_or_insert(OutputFormat::Raw);
            if !REDACTED.contains(&to) {
                bail!(Failure::usage("--redact writes --to raw or --to jsonl"));
            }
        }
        Ok(stream)
    }

    /// What alone may be printed: of what is redacted no layer, which would show what was there.
    pub fn formats(&self) -> Option<&'static [OutputFormat]> {
        self.redact.map(|_| REDACTED)
    }

    /// Replaces the entities of a document, if that was asked for.
    pub fn redact(&self, document: &mut Document) {
        if let Some(redaction) = self.redact {
            redact::redact(document, redaction, &self.redact_key);
        }
    }

    /// The grammar that was asked for, if any.
    fn grammar(
        &self,
        models: &Models,
        recognizer: Option<&EntityRecognizer>,
    ) -> Result<Option<Grammar>> {
        let mut grammar = match self.grammar.as_slice() {
            [none] if none.as_os_str() == "none" => return Ok(None),
            [] if !models.are_english() => return Ok(None),
            [] => english_grammar(recognizer)?,
            files => named_grammar(files)?,
        };
        grammar.reference = self.reference_date;
        grammar.order = self.date_order;
        Ok(Some(grammar))
    }
}

/// The grammar inside the tool, for what a recognizer does not know.
pub fn english_grammar(recognizer: Option<&EntityRecognizer>) -> Result<Grammar> {
    let (names, texts): (Vec<&str>, Vec<&str>) = english::grammar().unzip();
    let mut grammar = Grammar::parse(texts)
        .map_err(|(i, error)| fault(&format!("{} grammar", names[i]), error))?;
    let known = recognizer.map_or(Vec::new(), EntityRecognizer::types);
    grammar.keep_only(|label| !known.contains(&label));
    Ok(grammar)
}

/// The words of a name, as the tokenizer sees them.
fn words(name: &str, tokenizer: Option<&Tokenizer>) -> Vec<String> {
    let mut document = Document {
        text: Some(name.to_owned()),
        ..Document::default()
    };
    if let Some(tokenizer) = tokenizer {
        tokenizer.segment_with(&mut document, &mut Workspace::default());
    }
    let words = document.sentences.iter().flat_map(|s| &s.words);
    words.map(|word| word.form.to_string()).collect()
}

fn named_grammar(files: &[PathBuf]) -> Result<Grammar> {
    let texts: Vec<String> = files.iter().map(|path| read(path)).collect::<Result<_>>()?;
    Grammar::parse(texts.iter().map(String::as_str))
        .map_err(|(i, error)| fault(&files[i].display().to_string(), error))
}

fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    stream::open(path)?
        .read_to_string(&mut text)
        .map_err(|error| Failure::of_file(&path.display().to_string(), error.to_string()))?;
    Ok(text)
}

fn fault(name: &str, error: FormatError) -> anyhow::Error {
    Failure::of_file(&format!("{name}:{}", error.line), error.problem).into()
}
