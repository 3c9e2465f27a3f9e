//! The formats documents are read from and printed to, by the names `--from` and `--to` know, and what can be wrong
//! with their input.

/// How input is cut into documents, and what is already known of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum InputFormat {
    /// Running text: a file is a document, a blank line ends a paragraph
    Text,
    /// A line is a document
    Lines,
    /// A line is a sentence, its tokens parted by spaces
    Tokens,
    /// CoNLL-U
    Conllu,
    /// JSON Lines: an object is a document
    Jsonl,
    /// CoNLL-2003 and its relatives: the columns --columns names
    Columns,
}

/// How documents are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    /// A sentence a line, tokens parted by a space
    Text,
    /// A token a line
    Words,
    /// The bytes of the document again
    Raw,
    /// Tab-separated columns
    Tsv,
    /// CoNLL-U
    Conllu,
    /// JSON Lines
    Jsonl,
    /// The columns --columns names
    Columns,
    /// A page in colours, for the browser: ner, pos, annotate
    Html,
    /// Text in colours, for the terminal: ner, pos, annotate
    Ansi,
}

/// The unit in which offsets are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OffsetUnit {
    /// Unicode code points
    #[default]
    Chars,
    /// UTF-8 bytes
    Bytes,
    /// UTF-16 code units
    Utf16,
}

/// A line that does not follow its format. The command adds the name of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct FormatError {
    /// The line in the file, from 1.
    pub line: u64,
    /// What is wrong, as a message: lower case, no full stop.
    pub problem: String,
    /// What to do about it, if there is something.
    pub hint: Option<String>,
}

impl FormatError {
    /// An error without a hint.
    pub fn new(line: u64, problem: impl Into<String>) -> FormatError {
        FormatError {
            line,
            problem: problem.into(),
            hint: None,
        }
    }

    /// The same error with a hint.
    pub fn hint(self, hint: impl Into<String>) -> FormatError {
        FormatError {
            hint: Some(hint.into()),
            ..self
        }
    }
}
