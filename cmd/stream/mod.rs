//! What every text command shares: inputs, formats, outputs, and the parallel road between them.
//!
//! | file | what is in it |
//! |---|---|
//! | `args` | the flags |
//! | `input` | opening, decompressing, telling the format, cutting into units |
//! | `layered` | a command with its layer: over its files, or over one body after another |
//! | `driver` | units through the layers, in parallel and in order |
//! | `record` | one unit from text to documents and from documents to text |
//! | `output` | stdout, or a file that appears when it is whole |
//! | `s3` | objects of S3 in the place of files |
//! | `failure` | errors that know their file and line |

mod args;
mod driver;
mod failure;
pub mod input;
mod layered;
mod output;
mod record;
pub mod s3;

pub use args::{From, Invalid, KeepArgs, Newline, StreamArgs, encoding};
pub use failure::{Failure, NothingToRead};
pub use input::open;
pub use layered::Layered;
pub use output::Output;

use wordmill::text::format::{InputFormat, OutputFormat};
use wordmill::text::highlight::Highlight;
use wordmill::text::plain::View;
use wordmill::text::tsv::TsvColumn;

/// What a command does with a stream, besides its layer.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// What a file is that is neither CoNLL-U nor JSON Lines: text or lines.
    pub default_from: InputFormat,
    /// What text, lines and tokens are printed as; other formats are printed as they came.
    pub default_to: OutputFormat,
    /// What of a token `--to text` and `--to words` show.
    pub view: View,
    /// What `--to tsv` shows.
    pub tsv: Tsv<'a>,
    /// What `--to html` and `--to ansi` colour, for commands that have them.
    pub highlight: Option<Highlight>,
    /// What alone may be printed, where that is not everything.
    pub only: Option<&'a [OutputFormat]>,
    /// Takes the place of parsing, layer and printing where text or lines would be printed as text or words: it
    /// appends the output for a piece of whole paragraphs or lines, with their line ends.
    pub from_text: Option<&'a TextFilter<'a>>,
}

/// Appends what becomes of a piece of text.
pub type TextFilter<'a> = dyn Fn(&str, &mut String) + Sync + 'a;

/// The rows of `--to tsv`.
#[derive(Clone, Copy)]
pub enum Tsv<'a> {
    /// A word a row.
    Words(&'a [TsvColumn]),
    /// An entity a row.
    Entities,
}

impl Default for Job<'_> {
    fn default() -> Self {
        Job {
            default_from: InputFormat::Text,
            default_to: OutputFormat::Text,
            view: View::default(),
            tsv: Tsv::Words(&[TsvColumn::Form]),
            highlight: None,
            only: None,
            from_text: None,
        }
    }
}
