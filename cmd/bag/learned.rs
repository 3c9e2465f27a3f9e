//! Columns as they are learned, one after the other, and all that wants to know of them.

use super::index::IndexColumns;
use super::{Job, Known, sink};
use crate::stream::{Failure, Output};
use anyhow::Result;
use wordmill::bag::counter::Total;
use wordmill::bag::counts::put_line;
use wordmill::bag::fit::Fit;
use wordmill::bag::matrix::{MatrixFormat, Names};
use wordmill::bag::weight::{Weights, WeightsBuilder};

/// What is made of the columns.
pub struct Learned {
    /// The lines beside the matrix.
    terms: Option<Output>,
    /// The model.
    pub saved: Option<Output>,
    pub index: Option<IndexColumns>,
    pub weights: Option<WeightsBuilder>,
    /// Of all columns: known beforehand, or as far as somebody wants them.
    pub names: Option<Names>,
    /// Columns that were known beforehand come without their terms.
    are_known: bool,
    is_hashed: bool,
    pub width: u64,
    cells: u64,
    line: Vec<u8>,
}

/// A column more than 2^32 - 2 would be.
const MOST_COLUMNS: u64 = u32::MAX as u64;

impl Learned {
    /// Opens the file that goes beside a matrix.
    pub fn new(
        job: &Job,
        fit: &Fit,
        known: Option<Known>,
        format: MatrixFormat,
    ) -> Result<Learned> {
        let are_known = known.is_some();
        let wants_names = format.has_names() || job.index.is_some();
        let names = match known {
            Some(known) => known.names,
            None => wants_names.then(Names::default),
        };
        let is_hashed = are_known && names.is_none();
        let terms = match sink::beside(job.out.out.as_deref(), format) {
            Some((terms, _)) if !is_hashed => Some(Output::create(Some(&terms), false)?),
            _ => None,
        };
        let weights = |options| WeightsBuilder::new(options, fit.documents, fit.tokens);
        Ok(Learned {
            terms,
            saved: None,
            index: None,
            weights: job.weights.map(weights),
            names,
            are_known,
            is_hashed,
            width: 0,
            cells: 0,
            line: Vec::new(),
        })
    }

    /// The next column; its term counts where it was not known beforehand.
    pub fn push(&mut self, term: &[u8], total: Total) -> Result<()> {
        let term = match &mut self.names {
            Some(names) if self.are_known => names.get(self.width as u32),
            Some(names) => {
                names.push(term);
                term
            }
            None => term,
        };
        self.width += 1;
        self.cells += total.df;
        if self.width > MOST_COLUMNS {
            return Err(Failure::plain("more than 2^32 terms").into());
        }
        if let Some(weights) = &mut self.weights {
            weights.column(term, total);
        }
        if let Some(index) = &mut self.index {
            index.push(term, total);
        }
        let mut outputs = self.terms.iter_mut().chain(&mut self.saved).peekable();
        if outputs.peek().is_some() {
            self.line.clear();
            put_line(term, total, &mut self.line);
        }
        outputs.try_for_each(|output| output.write_bytes(&self.line))
    }

    /// The number of cells of the matrix, where it is known: a cell for each document of each term if none may come to
    /// be 0 and none is left out.
    pub fn cells(&self, weights: Option<&Weights>, top: Option<usize>) -> Option<u64> {
        let keep_all = weights.is_none_or(Weights::keep_all);
        (keep_all && !self.is_hashed && top.is_none()).then_some(self.cells)
    }

    /// Gives the files their names.
    pub fn finish(self) -> Result<()> {
        let mut outputs = self.terms.into_iter().chain(self.saved);
        outputs.try_for_each(Output::finish)
    }
}
