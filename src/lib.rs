//! The thinking half of wordmill: everything the commands do, without printing, exiting or reading stdin.
//!
//! Reading order:
//!
//! | module | what is in it |
//! |---|---|
//! | [`bag`] | documents as sparse vectors: counts, weights, and the files they are kept in |
//! | [`embed`] | what running text alone teaches about words: classes, vectors |
//! | [`gan`] | generative adversarial networks: data, networks, losses, measures |
//! | [`nn`] | neural networks: products, operations with gradients, the optimizer |
//! | [`text`] | documents, their formats, and the linguistic layers: segmentation, stems, tags, lemmas, entities |
//! | [`translate`] | translation: pairs of sentences, models that learn from them, scores |
//! | [`ordered`] | a stream worked on in parallel, its results in order |
//! | [`spill`] | bytes in memory, or on disk when they are many |
//! | [`ranks`] | processes that learn together |
//! | [`random`], [`simd`] | random numbers; values in registers, under every instruction set |

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    clippy::dbg_macro
)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod bag;
pub mod embed;
pub mod gan;
pub mod nn;
pub mod ordered;
pub mod random;
pub mod ranks;
pub mod simd;
pub mod spill;
pub mod text;
pub mod translate;
