//! A command that has loaded its models: it works through its files once, or answers one body after another.

use anyhow::Result;

/// What such a command does.
pub trait Engine: Sync {
    /// Reads the files or standard input of its command line, and writes what becomes of them.
    ///
    /// # Errors
    /// The first thing wrong, in the order of the input.
    fn run(&self) -> Result<()>;

    /// What the command would print if the body were its standard input.
    ///
    /// # Errors
    /// The first thing wrong in the body.
    fn answer(&self, body: Body) -> Result<Answer>;

    /// The kinds it can answer in.
    fn kinds(&self) -> Vec<Kind>;

    /// The field of an object that holds its text.
    fn field(&self) -> &str;

    /// Threads that may answer at once, where that was asked for or follows from the device.
    fn threads(&self) -> Option<u16>;

    /// A part of its command line that is about files, which who only answers does not have.
    fn file_flag(&self) -> Option<&'static str>;
}

/// What is to be answered.
#[derive(Debug, Default)]
pub struct Body {
    pub bytes: Vec<u8>,
    /// Whether it is JSON Lines; else it is what the command line says.
    pub is_jsonl: bool,
    /// What is wanted; nothing is what the command would print.
    pub wanted: Option<Kind>,
}

/// What becomes of a body.
#[derive(Debug)]
pub struct Answer {
    pub text: String,
    pub kind: Kind,
}

/// The kind of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    Jsonl,
    Tsv,
    Html,
}

/// The command does one thing and ends.
#[derive(Debug, thiserror::Error)]
#[error(
    "does not answer requests: tokenize, stem, lemmatize, pos, ner, annotate, transformer translate and seq2seq \
     translate do"
)]
pub struct NotServed;
