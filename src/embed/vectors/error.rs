//! What can be wrong with a file of vectors.

/// Something wrong with vectors, with its line in text and with the number of its word elsewhere.
#[derive(Debug, thiserror::Error)]
pub enum VectorsError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("no vectors: the file is empty")]
    Empty,
    #[error("expected the number of words and the number of dimensions, found `{found}`")]
    Header { found: String },
    #[error("the header says {expected} words, the file has {found}")]
    Count { expected: usize, found: usize },
    #[error("expected {expected} values, found {found}")]
    Values {
        line: u64,
        expected: usize,
        found: usize,
    },
    #[error("expected a number, found `{value}`")]
    Number { line: u64, value: String },
    #[error("a word is missing")]
    NoWord { line: u64 },
    #[error("the vector has the value `{value}`, which is not finite")]
    NotFiniteLine { line: u64, value: String },
    #[error("the vector of word {number}, `{word}`, has a value that is not finite")]
    NotFinite { number: usize, word: String },
    #[error("the word is not UTF-8")]
    InvalidUtf8Line { line: u64 },
    #[error("word {number} is not UTF-8")]
    InvalidUtf8 { number: usize },
    #[error("the file ends in word {number} of {words}")]
    Truncated { number: usize, words: usize },
    #[error("word {number} does not end: is this word2vec's binary format?")]
    Endless { number: usize },
    #[error("not vectors of wordmill: {0}")]
    Container(String),
}

impl VectorsError {
    /// The line it happened in, in text.
    pub fn line(&self) -> Option<u64> {
        match self {
            VectorsError::Header { .. } => Some(1),
            VectorsError::Values { line, .. }
            | VectorsError::Number { line, .. }
            | VectorsError::NoWord { line }
            | VectorsError::NotFiniteLine { line, .. }
            | VectorsError::InvalidUtf8Line { line } => Some(*line),
            _ => None,
        }
    }

    /// Whether `--invalid replace` would help.
    pub fn is_encoding(&self) -> bool {
        matches!(
            self,
            VectorsError::InvalidUtf8Line { .. } | VectorsError::InvalidUtf8 { .. }
        )
    }
}
