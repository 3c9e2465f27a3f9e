//! Errors that know where they happened and what to do about them.

use std::fmt;
use wordmill::text::format::FormatError;

/// Something wrong with an input, or with how the tool was called.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The file, and the line in it.
    place: Option<(String, Option<u64>)>,
    problem: String,
    pub hint: Option<String>,
    /// Wrong usage ends with status 2, everything else with 1.
    pub is_usage: bool,
}

impl Failure {
    /// Something wrong with a file as a whole.
    pub fn of_file(file: &str, problem: impl Into<String>) -> Failure {
        Failure {
            place: Some((file.to_string(), None)),
            ..Failure::plain(problem)
        }
    }

    /// Something wrong in a line of a file.
    pub fn at_line(file: &str, line: u64, problem: impl Into<String>) -> Failure {
        Failure {
            place: Some((file.to_string(), Some(line))),
            ..Failure::plain(problem)
        }
    }

    /// A line that does not follow its format.
    pub fn of_format(file: &str, error: FormatError) -> Failure {
        Failure {
            hint: error.hint,
            ..Failure::at_line(file, error.line, error.problem)
        }
    }

    /// Flags that do not go together, or a value that is none.
    pub fn usage(problem: impl Into<String>) -> Failure {
        Failure {
            is_usage: true,
            ..Failure::plain(problem)
        }
    }

    /// The same failure with a hint.
    pub fn hint(self, hint: impl Into<String>) -> Failure {
        Failure {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The same failure, in a file where it has none yet.
    pub fn in_file(self, file: &str) -> Failure {
        Failure {
            place: self.place.or_else(|| Some((file.to_string(), None))),
            ..self
        }
    }

    /// What is wrong with an input, and in which of its lines, where there is only one and its name says nothing.
    pub fn of_input(&self) -> Option<String> {
        let (_, line) = self.place.as_ref()?;
        Some(match line {
            Some(line) => format!("line {line}: {}", self.problem),
            None => self.problem.clone(),
        })
    }

    /// What a stream has failed with, where it knows more than a kind: an object of S3.
    pub fn inside(error: &std::io::Error) -> Option<Failure> {
        error.get_ref()?.downcast_ref::<Failure>().cloned()
    }

    /// Something wrong with no file in particular.
    pub fn plain(problem: impl Into<String>) -> Failure {
        Failure {
            place: None,
            problem: problem.into(),
            hint: None,
            is_usage: false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.place {
            Some((file, Some(line))) => write!(f, "{file}:{line}: ")?,
            Some((file, None)) => write!(f, "{file}: ")?,
            None => {}
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Failure {}

/// No file was named and standard input is a terminal: the command shows its help.
#[derive(Debug, thiserror::Error)]
#[error("nothing to read")]
pub struct NothingToRead;
