//! Vectors of words, as a network begins with them.

use crate::text::lexicon::{Lexicon, LexiconBuilder};
use crate::text::word_shape::WordShape;

/// Vectors of words, learned from running text.
pub struct Vectors {
    pub(super) words: Lexicon,
    pub(super) dim: usize,
    /// A row of zeros for unknown words, then a row for each word.
    pub(super) rows: Vec<f32>,
}

/// Words that can have vectors.
pub const MOST_WORDS: usize = 65_000;

impl Vectors {
    /// Of words and their rows, the most frequent first; rows past [`MOST_WORDS`] are left out, and all are scaled to a
    /// root mean square of ½.
    pub fn new<'a>(words: impl Iterator<Item = (&'a str, &'a [f32])>, dim: usize) -> Vectors {
        let mut builder = LexiconBuilder::default();
        let mut rows = vec![0.0; dim];
        let mut scratch = String::new();
        let mut count = 0;
        for (word, row) in words {
            let key = WordShape::new(word, &mut scratch).lower;
            // A word in another case, or with the same hash, has a vector already.
            if count < MOST_WORDS && builder.get(key).is_none() {
                builder.insert(key, vec![count as u16]);
                rows.extend_from_slice(row);
                count += 1;
            }
        }
        let squares: f64 = rows.iter().map(|v| f64::from(*v).powi(2)).sum();
        let count = (rows.len() - dim).max(1) as f64;
        let scale = (0.5 / (squares / count).sqrt().max(1e-9)) as f32;
        rows.iter_mut().for_each(|v| *v *= scale);
        Vectors {
            words: builder.build(),
            dim,
            rows,
        }
    }
}
