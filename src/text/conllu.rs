//! CoNLL-U: a word a line in ten tab-separated columns, a blank line after each sentence.
//!
//! ```text
//! # sent_id = 1                                            comments stand before the first word
//! # text = I don't.
//! 1     I      I    PRON  PRP  Case=Nom|…  3  nsubj  _  _  ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC
//! 2-3   don't  _    _     _    _           _  _      _  SpaceAfter=No      range line of a multi-word token
//! 2     do     do   AUX   VBP  Mood=Ind|…  3  aux    _  _
//! 3     n't    not  PART  RB   _           0  root   _  _
//! 3.1   go     go   VERB  VB   _           _  _      _  _                  empty node
//! ```
//!
//! `_` is a column without a value. The format page of Universal Dependencies v2:
//! <https://universaldependencies.org/format.html>. Line ends may be CRLF, and the blank line after the last sentence
//! may be missing; both are printed as the page says. For every file that follows it, printing what was parsed gives
//! the same bytes.

mod comment;
mod read;
mod write;

pub(crate) use comment::value as comment_value;
pub use read::parse;
pub use write::print;
pub(crate) use write::{push_clean, push_number};

#[cfg(test)]
mod tests;
