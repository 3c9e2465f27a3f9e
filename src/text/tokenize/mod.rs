//! Segmentation: text into sentences, surface tokens and words.

pub mod atoms;
pub mod boundary;
pub mod classes;
pub mod exceptions;
pub mod gold;
pub mod layout;
pub mod logistic;
pub mod multiword;
pub mod pieces;
pub mod segmenter;
pub mod split;
pub mod train;
