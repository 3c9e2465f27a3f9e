//! What running text alone teaches about words.
//!
//! | module | what is in it |
//! |---|---|
//! | [`classes`] | word classes by the exchange algorithm |
//! | [`vocabulary`], [`corpus`], [`tokens`] | words by frequency, text as their numbers, and where those lie |
//! | [`phrases`] | words that stand together, joined |
//! | [`cooccur`] | how often words stand near each other |
//! | [`glove`] | vectors fitted to that |
//! | [`vectors`] | word vectors: files, neighbours, analogies |
//! | [`word2vec`] | skip-gram and CBOW, by negative sampling or hierarchical softmax |

pub mod classes;
pub mod cooccur;
pub mod corpus;
pub mod glove;
pub mod phrases;
pub mod tokens;
pub mod vectors;
pub mod vocabulary;
pub mod word2vec;
