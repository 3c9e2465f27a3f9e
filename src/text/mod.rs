//! Text and its annotation, from bytes to named entities.
//!
//! Reading order:
//!
//! | module | what is in it |
//! |---|---|
//! | [`document`] | the document model every layer reads and writes |
//! | [`format`] | the formats by name, and what can be wrong with their input |
//! | [`pos`] | parts of speech and morphological features |
//! | [`lemma`] | lemmas by edit rules |
//! | [`ner`] | named entities |
//! | [`tagger`], [`word_shape`] | the sequence learner behind tags and entities, and what it sees of a word |
//! | [`lexicon`] | what classes a form or an ending may have |
//! | [`hash`], [`weights`], [`model`] | feature hashing, quantised weights, and the model file they are kept in |

pub mod document;
pub mod format;
pub mod hash;
pub mod lemma;
pub mod lexicon;
pub mod model;
pub mod ner;
pub mod pos;
pub mod tagger;
pub mod weights;
pub mod word_shape;
