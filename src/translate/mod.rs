//! Translation: pairs of sentences, as they are read, kept and given to a model, and the models that learn from them.
//!
//! | module | what is in it |
//! |---|---|
//! | [`pairs`], [`lines`] | pairs out of two aligned files, tab-separated columns or JSON Lines |
//! | [`filter`], [`store`] | which pairs are learned from, and where they lie, encoded |
//! | [`order`], [`feed`], [`batch`] | their order in an epoch, cut into batches, and what a batch is |
//! | [`cut`] | texts that are too long, in parts |
//! | [`decode`] | the words of a translation, by any model that can take a step |
//! | [`heat`] | what words attended to, as a picture |
//! | [`architecture`], [`learn`] | what a translator is to the commands and to the training loop |
//! | [`transformer`] | the model of attention and feed-forward layers |
//! | [`recurrent`] | the model of LSTM or GRU layers, with attention |
//! | [`score`] | how close translations come to those of people: BLEU, chrF, TER |

pub mod architecture;
pub mod batch;
pub mod cut;
pub mod decode;
pub mod feed;
pub mod filter;
pub mod heat;
pub mod learn;
pub mod lines;
pub mod order;
pub mod pairs;
pub mod recurrent;
pub mod score;
pub mod store;
pub mod transformer;
