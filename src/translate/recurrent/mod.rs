//! The recurrent translator: an encoder that reads both ways, a decoder that says word after word and looks back.
//!
//! | module | what is in it |
//! |---|---|
//! | [`config`] | the shape of a model |
//! | [`model`] | its layers and their forward pass |
//! | [`decode`] | the model at work, a token at a time |
//! | [`there`] | the same on a GPU |

mod architecture;
pub mod config;
pub mod decode;
pub mod model;
pub mod there;

#[cfg(test)]
mod tests;
