//! The Transformer of Vaswani et al. 2017: an encoder and a decoder of attention and feed-forward layers.

mod architecture;
pub mod config;
pub mod decode;
pub mod model;
#[cfg(test)]
mod tests;
pub mod there;
