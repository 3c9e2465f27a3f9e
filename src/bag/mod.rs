//! Bags of words: documents as vectors of term counts and weights, for collections larger than memory.
//!
//! ```text
//! documents ── analyzer ──▶ terms ── counter ──▶ rows of cells ── spool ──────────────┐
//!                                       └─▶ runs of sorted terms ── merge, cut ──▶ columns ──▶ weights ──▶ matrix
//! ```
//!
//! Every worker counts with a table of its own; when the tables take too much memory they go to disk as sorted runs.
//! Merging the runs of all workers gives the columns in byte order, whatever the number of workers and runs.
//!
//! | module | what is in it |
//! |---|---|
//! | [`documents`] | batches of documents as they are read: lines, JSON objects, CoNLL-U, texts |
//! | [`analyzer`] | texts into terms; `scan` finds words, [`word_class`] and [`accents`] know Python's letters, [`ngrams`] makes runs |
//! | [`counter`], [`interner`] | terms by number, and their counts |
//! | [`run`], [`merge`] | sorted lists of terms, in memory or on disk, and their sum |
//! | [`counts`] | the file that keeps counts: partial ones of a shard, or a fitted model |
//! | [`cut`] | which terms stay: document frequencies, the most frequent |
//! | [`rows`], [`fit`] | the documents between the two passes, and the passes |
//! | [`columns`], [`hashing`] | terms by column: known ones, or hashed |
//! | [`weight`] | tf-idf, SMART, BM25 |
//! | [`matrix`] | the formats of sparse matrices |
//! | [`index`] | the documents on disk by term: search, and neighbours |

pub mod accents;
pub mod analyzer;
pub mod columns;
pub mod counter;
pub mod counts;
pub mod cut;
pub mod documents;
pub mod fit;
pub mod hashing;
pub mod index;
pub mod interner;
pub mod matrix;
pub mod merge;
pub mod ngrams;
pub mod rows;
pub mod run;
mod scan;
pub mod varint;
pub mod weight;
pub mod word_class;

use crate::text::format::FormatError;

/// What can go wrong with bags of words.
#[derive(Debug, thiserror::Error)]
pub enum BagError {
    /// A temporary file could not be written or read.
    #[error("temporary file: {0}")]
    Temporary(std::io::Error),
    /// A file could not be read.
    #[error("{file}: {error}")]
    Io { file: String, error: std::io::Error },
    /// A line does not follow its format.
    #[error("{file}:{}: {error}", error.line)]
    Format { file: String, error: FormatError },
    /// Bounds of document frequency between which there is nothing.
    #[error("max-df allows {max} document{} at most, min-df asks for {min}", plural(*max))]
    Bounds { min: f64, max: f64 },
    /// Documents there were, but no term of theirs stays.
    #[error("no term is left of {documents} document{}", plural(*documents as f64))]
    NoTerms { documents: u64 },
}

fn plural(number: f64) -> &'static str {
    if number == 1.0 { "" } else { "s" }
}

impl BagError {
    fn temporary(error: std::io::Error) -> BagError {
        BagError::Temporary(error)
    }
}
