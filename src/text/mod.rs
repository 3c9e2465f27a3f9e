//! Text and its annotation, from bytes to named entities.
//!
//! Reading order:
//!
//! | module | what is in it |
//! |---|---|
//! | [`document`] | the document model every layer reads and writes |
//! | [`mod@format`] | the formats by name, and what can be wrong with their input |
//! | [`conllu`], [`jsonl`], [`columns`], [`plain`], [`tsv`] | the formats themselves: parsers and printers |
//! | [`spacing`], [`offsets`] | the white space between tokens, and positions in three units |
//! | [`entity`] | named entities as spans of words |
//! | [`units`], [`boundary`], [`shard`] | cutting a stream into units of work |
//! | [`detect`], [`transcode`] | the format and the encoding of a file |
//! | [`hash`], [`weights`], [`model`] | feature hashing, quantised weights, and the model file they are kept in |

#[cfg(test)]
mod arbitrary;
pub mod boundary;
pub mod columns;
pub mod conllu;
pub mod detect;
pub mod document;
pub mod entity;
pub mod format;
pub mod hash;
pub mod jsonl;
pub mod model;
pub mod offsets;
pub mod plain;
pub mod shard;
pub mod spacing;
pub mod transcode;
pub mod tsv;
pub mod units;
pub mod weights;
