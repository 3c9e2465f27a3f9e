//! An index of weighted documents on disk: which documents a term stands in, how often, and what ranking needs.
//!
//! One `.safetensors` file that is mapped into memory, not read:
//!
//! | array | of | |
//! |---|---|---|
//! | `terms.bytes`, `terms.ends` | u8, u64 | the terms in byte order, one behind the other, and where each ends |
//! | `postings.ends` | u64 | where the postings of each term end |
//! | `postings.documents`, `postings.counts` | u32 | of every posting the document, ascending, and the occurrences in it |
//! | `lengths`, `norms` | u32, f32 | of every document its terms in all, and √Σ (tf · idf)² |
//! | `ids.*`, `snippets.*` | u8, u64 | names and first words of the documents |
//!
//! The metadata holds the options as files of counts do.
//!
//! J. Zobel, A. Moffat, *Inverted files for text search engines*, ACM Computing Surveys 38, 2006.

mod arrays;
mod build;
mod search;
mod similar;
#[cfg(test)]
mod tests;

pub use build::IndexBuilder;
pub use search::{Hit, Ranking, Searcher};
pub use similar::Neighbours;

use super::counts::{Header, Options};
use super::weight::{Tf, WeightOptions};
use arrays::{Arrays, Floats, Longs, Numbers};
use std::path::Path;

/// Why an index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("not an index: {0}")]
    Container(String),
    #[error("an index of version {found}, and this tool reads {VERSION}")]
    Version { found: String },
    #[error("the index is damaged: {0}")]
    Damaged(&'static str),
    #[error("cosine needs a tf that looks at the count alone")]
    Tf,
}

const FORMAT: &str = "wordmill-index";
const VERSION: &str = "1";

/// An index that can be asked.
pub struct Index {
    arrays: Arrays,
    pub header: Header,
}

/// The postings of a term: documents, ascending, and counts.
#[derive(Clone, Copy)]
pub struct Postings<'a> {
    pub documents: Numbers<'a>,
    pub counts: Numbers<'a>,
}

/// Strings of an index by number.
#[derive(Clone, Copy)]
struct Strings<'a> {
    bytes: &'a [u8],
    ends: Longs<'a>,
}

impl Index {
    /// Maps an index.
    ///
    /// # Errors
    /// When the file cannot be read, is no index of this version, or is damaged.
    pub fn open(path: &Path) -> Result<Index, IndexError> {
        let arrays = Arrays::open(path)?;
        let field = |name: &str| {
            arrays
                .metadata(name)
                .ok_or_else(|| IndexError::Container(format!("no {name} in its metadata")))
        };
        if field("format")? != FORMAT {
            return Err(IndexError::Container("another format".to_owned()));
        }
        let found = field("version")?;
        if found != VERSION {
            return Err(IndexError::Version {
                found: found.to_owned(),
            });
        }
        let number = |name: &str| {
            let value = field(name)?.parse();
            value.map_err(|_| IndexError::Damaged("a number in its metadata"))
        };
        let options: Options = serde_json::from_str(field("options")?)
            .map_err(|error| IndexError::Container(error.to_string()))?;
        let header = Header {
            documents: number("documents")?,
            tokens: number("tokens")?,
            options,
        };
        let index = Index { arrays, header };
        index.check()?;
        Ok(index)
    }

    /// What must hold so that no number points beyond an array.
    fn check(&self) -> Result<(), IndexError> {
        let documents = self.header.documents as usize;
        let postings = self.arrays.numbers("postings.documents");
        let fits = |strings: Strings, count: usize| {
            strings.ends.len() == count && strings.ends.last() == strings.bytes.len() as u64
        };
        let terms = self.strings("terms");
        let holds = fits(terms, terms.ends.len())
            && fits(self.strings("ids"), documents)
            && fits(self.strings("snippets"), documents)
            && self.arrays.numbers("lengths").len() == documents
            && self.norms().len() == documents
            && self.arrays.numbers("postings.counts").len() == postings.len()
            && self.arrays.longs("postings.ends").len() == terms.ends.len()
            && self.arrays.longs("postings.ends").last() == postings.len() as u64;
        match holds {
            true => Ok(()),
            false => Err(IndexError::Damaged("its arrays do not fit together")),
        }
    }

    /// The number of terms.
    pub fn terms(&self) -> usize {
        self.arrays.longs("terms.ends").len()
    }

    pub fn documents(&self) -> usize {
        self.header.documents as usize
    }

    /// The column of a term.
    pub fn column(&self, term: &[u8]) -> Option<u32> {
        let terms = self.strings("terms");
        let (mut from, mut to) = (0, terms.ends.len());
        while from < to {
            let middle = from + (to - from) / 2;
            match terms.get(middle).cmp(term) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle as u32),
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        None
    }

    /// The postings of a column; none of a column that is not there.
    pub fn postings(&self, column: u32) -> Postings<'_> {
        let range = self.arrays.longs("postings.ends").range(column as usize);
        Postings {
            documents: self
                .arrays
                .numbers("postings.documents")
                .slice(range.clone()),
            counts: self.arrays.numbers("postings.counts").slice(range),
        }
    }

    /// The name of a document.
    pub fn id(&self, document: u32) -> String {
        String::from_utf8_lossy(self.strings("ids").get(document as usize)).into_owned()
    }

    /// The first words of a document.
    pub fn snippet(&self, document: u32) -> String {
        String::from_utf8_lossy(self.strings("snippets").get(document as usize)).into_owned()
    }

    /// The weights that cosine goes by: those of the index, or plain tf-idf for one that was made for BM25.
    ///
    /// # Errors
    /// When tf looks at more than the count of the term.
    pub fn cosine_weights(&self) -> Result<WeightOptions, IndexError> {
        cosine_weights(self.header.options.weights)
    }

    fn norms(&self) -> Floats<'_> {
        Floats(self.arrays.numbers("norms"))
    }

    fn strings(&self, name: &str) -> Strings<'_> {
        Strings {
            bytes: self.arrays.bytes(&format!("{name}.bytes")),
            ends: self.arrays.longs(&format!("{name}.ends")),
        }
    }
}

impl<'a> Strings<'a> {
    fn get(self, number: usize) -> &'a [u8] {
        self.bytes.get(self.ends.range(number)).unwrap_or_default()
    }
}

/// What cosine goes by where documents are weighted by `stored`.
///
/// # Errors
/// When tf looks at more than the count of the term.
pub fn cosine_weights(stored: Option<WeightOptions>) -> Result<WeightOptions, IndexError> {
    let plain = WeightOptions {
        tf: Tf::Raw,
        idf: super::weight::Idf::Smooth,
        norm: super::weight::Norm::L2,
    };
    match stored {
        None => Ok(plain),
        Some(options) => match options.tf {
            Tf::Bm25 { .. } => Ok(plain),
            Tf::Augmented | Tf::LogAverage => Err(IndexError::Tf),
            Tf::Raw | Tf::Sublinear | Tf::Binary | Tf::Log2 | Tf::DoubleLog2 => Ok(options),
        },
    }
}
