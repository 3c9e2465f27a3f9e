//! Plain text.
use super::document::Document;
/// What of a token is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The surface token.
    Surface,
    /// The syntactic words.
    #[default]
    Form,
    /// The lemma.
    Lemma,
    /// The stem.
    Stem,
    /// `form_UPOS`
    Tagged,
    /// `form/B-PER`
    Entities,
}
/// Reads a line of tokens.
pub fn parse_tokens(_line: &str) -> Document {
    Document::default()
}
/// A sentence a line.
pub fn print_text(_document: &Document, _view: View, _one_line: bool, _out: &mut String) {}
/// A token a line.
pub fn print_words(_document: &Document, _view: View, _out: &mut String) {}
/// The text itself.
pub fn print_raw(_document: &Document, _out: &mut String) {}
