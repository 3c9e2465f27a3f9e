//! Terms whose columns are known beforehand: a vocabulary, or hashing.

use super::counter::{Cell, Row};
use super::hashing::Hasher;
use super::interner::Interner;

/// Says which column a term is.
pub enum Columns {
    /// The number of a term is its column.
    Known(Interner),
    Hashed(Hasher),
}

/// Gathers the row of one document after the other.
#[derive(Default)]
pub struct KnownRow {
    row: Row,
    tokens: u64,
}

impl Columns {
    /// The number of columns.
    pub fn count(&self) -> u64 {
        match self {
            Columns::Known(terms) => terms.len() as u64,
            Columns::Hashed(hasher) => hasher.columns(),
        }
    }

    /// Adds an occurrence of a term to the document at hand, if it has a column.
    #[inline]
    pub fn add(&self, term: &[u8], row: &mut KnownRow) {
        row.tokens += 1;
        match self {
            Columns::Known(terms) => {
                if let Some(column) = terms.get(term) {
                    row.row.add(column, 1);
                }
            }
            Columns::Hashed(hasher) => {
                let (column, sign) = hasher.column(term);
                row.row.add(column, sign);
            }
        }
    }
}

impl KnownRow {
    /// Ends the document and gives its cells in order of columns, and how many terms it had, known or not.
    pub fn end(&mut self, binary: bool) -> (&[Cell], u64) {
        let cells = self.row.end(binary);
        cells.sort_unstable_by_key(|&(column, _)| column);
        (cells, std::mem::take(&mut self.tokens))
    }
}
