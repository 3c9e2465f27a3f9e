//! What `--against` names: a second model, or another system's annotation of the same text.

use super::{EvalArgs, System, annotated, differing, name_of};
use crate::corpus;
use crate::layers::Models;
use crate::stream::Failure;
use anyhow::{Result, bail};
use std::borrow::Cow;
use std::path::Path;
use wordmill::text::columns::ColumnSpec;
use wordmill::text::document::{Document, Word};
use wordmill::text::eval::{Against, Alignment, Randomization, Task};
use wordmill::text::model::is_tensors;

/// The other system.
pub struct Other<'a> {
    pub against: Against,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Model(System<'a>),
    Annotation {
        documents: [Document; 1],
        has_gold_words: bool,
    },
}

impl<'a> Other<'a> {
    /// Opens a file that is told by its bytes, a model from an annotation.
    ///
    /// # Errors
    /// A model of another layer; an annotation of another text, or of no such layer.
    pub fn open(
        path: &Path,
        args: &EvalArgs,
        (task, gold): (Task, &[Document]),
        load: &dyn Fn(&Models, &[Document]) -> Result<System<'a>>,
    ) -> Result<Other<'a>> {
        let bytes = corpus::read_bytes(path)?;
        let kind = if is_tensors(&bytes) {
            let models = Models::of_bytes(path, &bytes)?;
            models.must_hold(&[task.name()])?;
            Kind::Model(load(&models, gold)?)
        } else {
            let columns = args
                .columns
                .as_ref()
                .filter(|spec| !is_conllu(&bytes, spec));
            let documents = [corpus::parse(path, bytes, columns)?];
            must_be_annotated(path, task, &documents)?;
            let alignment = Alignment::new(gold, &documents);
            let alignment = alignment.map_err(|error| differing(path, &error))?;
            let has_gold_words = alignment.has_same_words();
            Kind::Annotation {
                documents,
                has_gold_words,
            }
        };
        let randomization = Randomization {
            shuffles: args.shuffles,
            seed: args.seed,
        };
        let against = Against {
            name: name_of(path),
            randomization,
        };
        Ok(Other { against, kind })
    }

    /// Its annotation of what the first system was given; none if that is not what it has annotated. A file with the
    /// words of the gold standard stands beside a run that was given them, any other beside one that found them.
    pub fn annotation(
        &self,
        given: &[Document],
        gives_words: Option<bool>,
    ) -> Result<Option<Cow<'_, [Document]>>> {
        Ok(match &self.kind {
            Kind::Model(system) => Some(Cow::Owned(annotated(given, system)?)),
            Kind::Annotation {
                documents,
                has_gold_words,
            } => (gives_words.is_none_or(|gives| gives == *has_gold_words))
                .then_some(Cow::Borrowed(documents)),
        })
    }
}

/// Whether a file is CoNLL-U though the others are columns: its first line of a word says so.
fn is_conllu(bytes: &[u8], columns: &ColumnSpec) -> bool {
    let lines = bytes.split(|&byte| byte == b'\n');
    let mut words = lines.filter(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"));
    let has_ten = |line: &[u8]| line.split(|&byte| byte == b'\t').count() == 10;
    !columns.fits(10) && words.next().is_some_and(has_ten)
}

/// Refuses a file that says nothing about the layer. Entities may be none for good reason.
fn must_be_annotated(path: &Path, task: Task, documents: &[Document]) -> Result<()> {
    let is_set = |word: &Word| match task {
        Task::Pos => ![&word.upos, &word.xpos, &word.feats]
            .iter()
            .all(|c| c.is_empty()),
        Task::Lemmatize => !word.lemma.is_empty(),
        Task::Tokenize | Task::Ner => true,
    };
    let sentences = || documents.iter().flat_map(|document| &document.sentences);
    let problem = match task {
        _ if sentences().next().is_none() => "no sentences",
        Task::Lemmatize => "no word has a lemma",
        _ => "no word has a part of speech",
    };
    if !sentences().flat_map(|s| &s.words).any(is_set) {
        let hint = format!(
            "it must be a {} model, or what such a system wrote",
            task.name()
        );
        bail!(Failure::of_file(&name_of(path), problem).hint(hint));
    }
    Ok(())
}
