//! Text and its annotation, from bytes to named entities.
//!
//! Reading order:
//!
//! | module | what is in it |
//! |---|---|
//! | [`document`] | the document model every layer reads and writes |
<<<<<<< HEAD
//! | [`mod@format`] | the formats by name, and what can be wrong with their input |
//! | [`conllu`], [`jsonl`], [`columns`], [`plain`], [`tsv`] | the formats themselves: parsers and printers |
<<<<<<< HEAD
//! | [`entity`] | named entities as spans of words |
//! | [`pos`] | parts of speech and morphological features |
//! | [`lemma`] | lemmas by edit rules |
//! | [`ner`] | named entities |
//! | [`tagger`], [`lexicon`], [`word_shape`] | the sequence learner behind tags, lemmas and entities, and what it sees of a word |
=======
//! | [`spacing`], [`offsets`] | the white space between tokens, and positions in three units |
//! | [`entity`] | named entities as spans of words |
//! | [`units`], [`boundary`], [`shard`] | cutting a stream into units of work |
//! | [`detect`], [`transcode`] | the format and the encoding of a file |
>>>>>>> house
=======
//! | [`format`] | the formats by name, and what can be wrong with their input |
<<<<<<< HEAD
//! | [`stem`] | stems: Snowball, Porter, Lancaster, Lovins, of tokens and of running text |
>>>>>>> stem
=======
//! | [`eval`] | how well an annotation agrees with a gold standard |
>>>>>>> eval
//! | [`hash`], [`weights`], [`model`] | feature hashing, quantised weights, and the model file they are kept in |

#[cfg(test)]
mod arbitrary;
<<<<<<< HEAD
pub mod columns;
pub mod conllu;
=======
pub mod boundary;
pub mod columns;
pub mod conllu;
pub mod detect;
>>>>>>> house
pub mod document;
<<<<<<< HEAD
pub mod entity;
=======
pub mod eval;
>>>>>>> eval
pub mod format;
#[cfg(test)]
mod fuzz;
pub mod hash;
pub mod jsonl;
<<<<<<< HEAD
pub mod lemma;
pub mod lexicon;
pub mod model;
<<<<<<< HEAD
pub mod ner;
pub mod offsets;
pub mod plain;
pub mod pos;
pub mod spacing;
pub mod tagger;
pub mod tsv;
=======
pub mod model;
pub mod offsets;
pub mod plain;
pub mod shard;
pub mod spacing;
pub mod transcode;
pub mod tsv;
pub mod units;
>>>>>>> house
=======
pub mod stem;
>>>>>>> stem
pub mod weights;
pub mod word_shape;
