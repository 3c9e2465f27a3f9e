//! The thinking half of wordmill: everything the commands do, without printing, exiting or reading stdin.
//!
//! Reading order:
//!
//! | module | what is in it |
//! |---|---|
//! | [`embed`] | what running text alone teaches about words: classes |
//! | [`text`] | documents, their formats, and the linguistic layers: segmentation, stems, tags, lemmas, entities |

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    clippy::dbg_macro
)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod embed;
pub mod text;
