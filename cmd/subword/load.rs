//! Models of pieces, from files.

use crate::corpus;
use crate::stream::Failure;
use anyhow::Result;
use std::path::Path;
use wordmill::text::subword::{Subword, SubwordError};

/// Reads a model, whichever of the formats it has.
///
/// # Errors
/// When the file cannot be read or holds no model.
pub fn load(path: &Path) -> Result<Subword> {
    let bytes = corpus::read_bytes(path)?;
    Subword::from_bytes(&bytes).map_err(|error| {
        let failure = Failure::of_file(&path.display().to_string(), error.to_string());
        match error {
            SubwordError::Json(_) | SubwordError::SentencePiece(_) => failure
                .hint("a model is a tokenizer.json, as `wordmill subword train` writes it, or a .model of SentencePiece")
                .into(),
            _ => failure.into(),
        }
    })
}
