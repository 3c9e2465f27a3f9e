//! The tasks that can be evaluated: what each is scored by.

use super::scores::Metric;
use crate::text::{lemma, ner, pos, tokenize};
use serde::Serialize;

/// What is evaluated, which decides what is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    Tokenize,
    Pos,
    Lemmatize,
    Ner,
}

impl Task {
    /// The name of the layer, and of the command.
    pub fn name(self) -> &'static str {
        match self {
            Task::Tokenize => tokenize::LAYER,
            Task::Pos => pos::LAYER,
            Task::Lemmatize => lemma::LAYER,
            Task::Ner => ner::LAYER,
        }
    }

    /// What is scored from raw text.
    pub fn raw_metrics(self) -> &'static [Metric] {
        match self {
            Task::Tokenize | Task::Ner => &[Metric::Tokens, Metric::Sentences, Metric::Words],
            Task::Pos => &[
                Metric::Tokens,
                Metric::Sentences,
                Metric::Words,
                Metric::Upos,
                Metric::Xpos,
                Metric::Ufeats,
                Metric::AllTags,
            ],
            Task::Lemmatize => &[
                Metric::Tokens,
                Metric::Sentences,
                Metric::Words,
                Metric::Lemmas,
            ],
        }
    }

    /// What is scored when the system was given the gold words.
    pub fn word_metrics(self) -> &'static [Metric] {
        &self.raw_metrics()[3..]
    }

    /// What is scored when the annotation comes from elsewhere.
    pub fn system_metrics(self) -> &'static [Metric] {
        match self {
            Task::Tokenize | Task::Ner => self.raw_metrics(),
            Task::Pos | Task::Lemmatize => &Metric::ALL,
        }
    }

    /// The columns that are reported value by value.
    pub fn columns(self) -> &'static [Metric] {
        match self {
            Task::Pos => &[Metric::Upos, Metric::Xpos, Metric::Ufeats],
            Task::Lemmatize => &[Metric::Lemmas],
            Task::Tokenize | Task::Ner => &[],
        }
    }
}
