//! Makes indexes: what `tfidf --save-index` asks for.

use super::Job;
use crate::stream::input::name_of;
use crate::stream::{Failure, Output};
use anyhow::Result;
use std::path::Path;
use wordmill::bag::counter::{Cell, Total};
use wordmill::bag::counts::Header;
use wordmill::bag::index::{IndexBuilder, cosine_weights};
use wordmill::bag::matrix::Names;
use wordmill::bag::rows::StoredDocument;
use wordmill::bag::weight::{Norm, WeightOptions, Weights, WeightsBuilder};

/// A file that an index will be written to.
pub struct IndexFile {
    output: Output,
    name: String,
    weights: WeightOptions,
}

impl IndexFile {
    /// Opens the file of an index of documents that `job` weights.
    ///
    /// # Errors
    /// When the weights allow no cosine, or the file cannot be made.
    pub fn create(path: &Path, job: &Job) -> Result<IndexFile> {
        let name = name_of(path);
        let weights = cosine_weights(job.weights).map_err(|error| {
            Failure::usage(error.to_string()).hint(
                "--save-index goes with tf of raw, sublinear, n, t, b, l or d, and with --bm25",
            )
        })?;
        if [".gz", ".zst"].iter().any(|ending| name.ends_with(ending)) {
            let problem = "an index is mapped into memory, which a compressed file cannot be";
            return Err(Failure::usage(problem).into());
        }
        Ok(IndexFile {
            output: Output::create(Some(path), false)?,
            name,
            weights: WeightOptions {
                norm: Norm::None,
                ..weights
            },
        })
    }

    /// Begins an index of what was counted.
    pub fn begin(self, header: Header) -> IndexColumns {
        IndexColumns {
            weights: WeightsBuilder::new(self.weights, header.documents, header.tokens),
            dfs: Vec::new(),
            header,
            output: self.output,
            name: self.name,
        }
    }
}

/// An index whose columns are being learned.
pub struct IndexColumns {
    weights: WeightsBuilder,
    dfs: Vec<u64>,
    header: Header,
    output: Output,
    name: String,
}

/// An index that documents are added to.
pub struct Indexing {
    builder: IndexBuilder,
    header: Header,
    output: Output,
    name: String,
}

/// A document on its way into an index.
pub struct Indexed {
    id: String,
    snippet: String,
    cells: Vec<Cell>,
    /// Its terms in all.
    length: u64,
    norm: f64,
}

impl IndexColumns {
    /// Adds a column.
    pub fn push(&mut self, term: &[u8], total: Total) {
        self.weights.column(term, total);
        self.dfs.push(total.df);
    }

    /// Makes room for the postings, in `folder` for now; gives also what weights documents before they are added.
    ///
    /// # Errors
    /// When there is none.
    pub fn finish(self, folder: &Path) -> Result<(Indexing, Weights)> {
        let builder = IndexBuilder::new(self.dfs.into_iter(), folder)
            .map_err(|error| Failure::of_file(&self.name, error.to_string()))?;
        let indexing = Indexing {
            builder,
            header: self.header,
            output: self.output,
            name: self.name,
        };
        Ok((indexing, self.weights.finish()))
    }
}

impl Indexed {
    /// From what was stored, and its weights before they are divided by their norm.
    pub fn new(
        id: String,
        document: &StoredDocument,
        cells: Vec<Cell>,
        weights: &[(u32, f64)],
    ) -> Indexed {
        let square: f64 = weights.iter().map(|(_, weight)| weight * weight).sum();
        Indexed {
            id,
            snippet: document.about.snippet.unwrap_or_default().to_owned(),
            cells,
            length: document.length,
            norm: square.sqrt(),
        }
    }
}

impl Indexing {
    /// Adds the next document.
    ///
    /// # Errors
    /// When there are too many.
    pub fn add(&mut self, document: &Indexed) -> Result<()> {
        let about = (&*document.id, &*document.snippet);
        let Indexed {
            cells,
            length,
            norm,
            ..
        } = document;
        let added = self.builder.add(about, cells, *length, *norm);
        Ok(added.map_err(|error| Failure::of_file(&self.name, error.to_string()))?)
    }

    /// Writes the index and gives the file its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, terms: &Names) -> Result<()> {
        let written = self.builder.finish(&self.header, terms, &mut self.output);
        written.map_err(|error| Failure::of_file(&self.name, error.to_string()))?;
        self.output.finish()
    }
}
