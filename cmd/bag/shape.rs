//! What becomes of a document's counts: weighted, its heaviest terms, a row of the matrix.

use super::Job;
use crate::stream::Failure;
use anyhow::Result;
use wordmill::bag::counter::Cell;
use wordmill::bag::matrix::{Encoded, Encoder, MatrixError, MatrixRow};
use wordmill::bag::weight::Weights;
use wordmill::text::shard::Shard;

/// A document a line with a column for each term is for small vocabularies.
const MOST_DENSE: u64 = 100_000;

/// What becomes of a row of counts.
pub struct Shape<'a> {
    encoder: &'a Encoder,
    weights: Option<&'a Weights>,
    top: Option<usize>,
    shard: Shard,
}

impl<'a> Shape<'a> {
    /// For the columns of `encoder`.
    pub fn new(job: &Job, encoder: &'a Encoder, weights: Option<&'a Weights>) -> Result<Shape<'a>> {
        if encoder.dense && encoder.columns > MOST_DENSE {
            let problem = format!("a column for each of {} terms", encoder.columns);
            return Err(Failure::usage(problem)
                .hint("--max-features keeps fewer; without --dense, CSV has a line for each value")
                .into());
        }
        Ok(Shape {
            encoder,
            weights,
            top: job.top,
            shard: job.documents.shard.unwrap_or(Shard { index: 0, count: 1 }),
        })
    }

    /// The name of a document that has none.
    pub fn counted(&self, number: u64) -> String {
        (number * self.shard.count + self.shard.index + 1).to_string()
    }

    /// Weights and appends the cells of a document, which has so many terms in all.
    pub fn row(
        &self,
        number: u64,
        (id, label): (Option<&str>, Option<&str>),
        (cells, length): (&[Cell], u64),
        values: &mut Vec<(u32, f64)>,
        out: &mut Encoded,
    ) -> Result<()> {
        match self.weights {
            Some(weights) => weights.row(cells, length, values),
            None => {
                values.clear();
                let counts = cells.iter().filter(|(_, count)| *count != 0);
                values.extend(counts.map(|&(column, count)| (column, f64::from(count))));
            }
        }
        if let Some(top) = self.top {
            // Stable: of equals the first in byte order comes first.
            values.sort_by(|a, b| b.1.total_cmp(&a.1));
            values.truncate(top);
            if !self.encoder.format.has_names() {
                values.sort_unstable_by_key(|&(column, _)| column);
            }
        }
        let counted;
        let id = match id {
            Some(id) => id,
            None => {
                counted = self.counted(number);
                &counted
            }
        };
        let row = MatrixRow {
            number,
            id,
            label,
            cells: values,
        };
        self.encoder.row(&row, out).map_err(|error| {
            let failure = Failure::plain(error.to_string());
            match error {
                MatrixError::Label(_) => failure.hint(
                    "--to tsv or jsonl shows labels as they are; a fit over all documents numbers them",
                ),
                MatrixError::Utf8 => failure,
            }
            .into()
        })
    }
}
