//! Generative adversarial networks: what they learn from, how they are trained, and how good what they make is.
//!
//! | module | what is in it |
//! |---|---|
//! | [`shape`], [`layers`], [`model`] | the two networks, as lists of layers |
//! | [`losses`], [`penalty`], [`spectral`] | what they learn from, and what keeps the critic from getting too steep |
//! | [`images`], [`table`] | pictures and points; rows of numbers and categories |
//! | [`measure`], [`features`] | how good samples are, and the network in whose eyes images are alike |
//! | [`feed`], [`step`], [`learn`] | real samples in batches; the gradients of a step; the task of a run |
//! | [`sampler`], [`watch`] | samples of seeds; signs that training goes wrong |

pub mod features;
pub mod feed;
pub mod images;
pub mod layers;
pub mod learn;
pub mod losses;
pub mod measure;
pub mod model;
mod networks;
pub mod penalty;
pub mod sampler;
pub mod shape;
pub mod spectral;
pub mod step;
mod sums;
pub mod table;
pub mod there;
pub mod turns;
pub mod watch;
