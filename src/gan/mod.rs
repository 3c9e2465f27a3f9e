//! Generative adversarial networks: what they learn from, how they are trained, and how good what they make is.

pub mod layers;
pub mod losses;
pub mod model;
pub mod penalty;
pub mod shape;
