//! Word vectors: a matrix with a row for each word.

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
}
