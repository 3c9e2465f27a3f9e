//! The white space between tokens.
use super::document::Document;
impl Document {
    /// Rebuilds the text of an unlocated document.
    pub fn locate(&mut self) {}
}
