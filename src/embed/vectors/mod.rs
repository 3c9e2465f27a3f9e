//! Word vectors: a matrix with a row for each word, its files, and what is asked of it.
//!
//! | module | what is in it |
//! |---|---|
//! | [`table`] | vectors that own or map their matrix, and find a word's row |
//! | [`mod@format`] | the formats by name, by extension and by content |
//! | [`mod@read`], [`text`], [`binary`], [`container`] | reading each of them |
//! | [`write`](mod@write) | writing each of them, row by row |
//! | [`search`] | the rows nearest to many queries at once |
//! | [`evaluate`] | analogies and word similarity |
//! | [`average`] | a line of words as one vector |
//! | [`project`], [`label`], [`draw`] | two dimensions, labels that do not overlap, SVG and PNG |

pub mod average;
pub mod binary;
pub mod container;
pub mod draw;
mod error;
pub mod evaluate;
pub mod format;
pub mod label;
mod number;
pub mod project;
pub mod read;
pub mod search;
pub mod table;
pub mod text;
pub mod write;

pub use error::VectorsError;
pub use format::Format;
pub use read::{map, read};
pub use table::Vectors;
pub use write::write;

use compact_str::CompactString;

/// Vectors in memory, as trainers and converters hand them on.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// A word for each row.
    pub words: &'a [CompactString],
    pub dim: usize,
    /// Values from one row to the next; at least `dim`.
    pub stride: usize,
    /// (words, stride), row by row.
    pub data: &'a [f32],
}

impl<'a> View<'a> {
    /// The vector of a row.
    pub fn row(&self, row: usize) -> &'a [f32] {
        &self.data[row * self.stride..][..self.dim]
    }

    /// The first `rows` rows, or all.
    pub fn top(&self, rows: usize) -> View<'a> {
        View {
            words: &self.words[..rows.min(self.words.len())],
            ..*self
        }
    }
}
