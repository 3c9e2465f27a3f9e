//! JSON Lines: an object a line, which is a document.
//!
//! ```text
//! {"id":"a","text":"I don't.","source":"mail",
//!  "sentences":[{"tokens":[{"text":"I","start":0,"end":1,"words":[{"form":"I","lemma":"I","upos":"PRON"}]},
//!                          {"text":"don't","start":2,"end":7,"words":[{"form":"do"},{"form":"n't","lemma":"not"}]}]}],
//!  "entities":[{"start":0,"end":1,"label":"PER","text":"I"}]}
//! ```
//!
//! | key | what it holds |
//! |---|---|
//! | `text`, or what `--field` names | the text; spans slice it |
//! | `id` and all others | kept, in their order |
//! | `offset` | where the text begins in its document, when that is not 0 |
//! | `offsets` | `bytes` or `utf16` when spans count those, not code points |
//! | `sentences` | `id`, `opens` (`paragraph`, `document`), `comments`, `tokens`, `empty_nodes` |
//! | `tokens` | `text`, `start`, `end`, `words`; `form`, `feats`, `misc` of a multi-word token |
//! | `words` | `form`, `lemma`, `upos`, `xpos`, `feats`, `stem`, `head`, `deprel`, `deps`, `misc` |
//! | `entities` | `start`, `end`, `label`, `text`, `value`, `score` |
//!
//! What is not set is left out. A first sentence opens a document unless it says `nothing`. `misc` has the items of
//! the MISC column except the stem and the entity label where `stem` and `entities` say the same.

mod annotation;
mod labels;
mod read;
mod write;

pub use read::parse;
pub(crate) use read::{json_error, kind};
pub use write::print;

/// What stands in [`super::document::Document::fields`] where the text stood in the object, if that was not its usual
/// place: first, or behind `id`.
const PLACE_OF_TEXT: serde_json::Value = serde_json::Value::Null;

#[cfg(test)]
mod tests;
