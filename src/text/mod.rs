//! Text and its annotation, from bytes to named entities.
//!
//! Reading order:
//!
//! | module | what is in it |
//! |---|---|
//! | [`document`] | the document model every layer reads and writes |
//! | [`mod@format`] | the formats by name, and what can be wrong with their input |
//! | [`conllu`], [`jsonl`], [`columns`], [`plain`], [`tsv`] | the formats themselves: parsers and printers |
//! | [`highlight`], [`html`], [`ansi`] | the text in colours: what is coloured, pages, terminals |
//! | [`spacing`], [`offsets`] | the white space between tokens, and positions in three units |
//! | [`entity`] | named entities as spans of words |
//! | [`units`], [`boundary`], [`shard`] | cutting a stream into units of work |
//! | [`detect`], [`transcode`] | the format and the encoding of a file |
//! | [`tokenize`] | sentences, tokens and words of a text |
//! | [`stem`] | stems: Snowball, Porter, Lancaster, Lovins, of tokens and of running text |
//! | [`subword`] | pieces of words, learned from text: byte pair encoding, unigram, wordpiece; text to numbers and back |
//! | [`pos`] | parts of speech and morphological features |
//! | [`lemma`] | lemmas by edit rules |
//! | [`inflection`] | how rich a language is in forms, which tagger and lemmatizer go by |
//! | [`ner`], [`grammar`], [`gazetteer`] | named entities: names by a model, dates and amounts by rules, the user's own names by a list |
//! | [`redact`] | text without its entities |
//! | [`tagger`], [`lexicon`], [`word_shape`], [`word_classes`] | the sequence learner behind tags, lemmas and entities, and what it sees of a word |
//! | [`network`] | a small neural network over a window of words, a second opinion for the tagger |
//! | [`truecase`] | the usual case of words, for sentences in capitals or in lower case throughout |
//! | [`pipeline`], [`english`] | all layers in one pass, and the models inside the binary |
//! | [`eval`] | how well an annotation agrees with a gold standard |
//! | [`hash`], [`weights`], [`model`] | feature hashing, quantised weights, and the model file they are kept in |

pub mod ansi;
#[cfg(test)]
mod arbitrary;
pub mod boundary;
pub mod columns;
pub mod conllu;
pub mod detect;
pub mod document;
pub mod english;
pub mod entity;
pub mod eval;
pub mod format;
#[cfg(test)]
mod fuzz;
pub mod gazetteer;
pub mod grammar;
pub mod hash;
pub mod highlight;
pub mod html;
pub mod inflection;
pub mod jsonl;
pub mod lemma;
pub mod lexicon;
pub mod model;
pub mod ner;
pub mod network;
pub mod offsets;
pub mod pipeline;
pub mod plain;
pub mod pos;
pub mod redact;
pub mod shard;
pub mod spacing;
pub mod stem;
pub mod subword;
pub mod tagger;
pub mod tokenize;
pub mod transcode;
pub mod truecase;
pub mod tsv;
pub mod units;
pub mod weights;
pub mod word_classes;
pub mod word_shape;
