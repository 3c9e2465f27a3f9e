//! Named entities.
use super::document::Sentence;
use std::ops::Range;
/// An entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Its words.
    pub words: Range<usize>,
    /// What it is.
    pub label: String,
}
/// The entities of a sentence.
pub fn entities(_sentence: &Sentence) -> Vec<Entity> {
    Vec::new()
}
