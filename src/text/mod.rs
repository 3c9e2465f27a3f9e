//! Text and its annotation, from bytes to named entities.
//!
//! Reading order:
//!
//! | module | what is in it |
//! |---|---|
//! | [`document`] | the document model every layer reads and writes |
//! | [`format`] | the formats by name, and what can be wrong with their input |
//! | [`tokenize`] | text into sentences, tokens and words: trained, by UAX #29, by patterns |
//! | [`hash`], [`weights`], [`model`] | feature hashing, quantised weights, and the model file they are kept in |

pub mod document;
pub mod format;
pub mod hash;
pub mod model;
pub mod tokenize;
pub mod weights;
