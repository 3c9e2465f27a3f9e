//! A run that is translated with, or begun with: its model, the weights of a checkpoint, its subword models.

use super::data::Tokenizers;
use crate::run_folder::RunFolder;
use crate::stream::Failure;
use anyhow::{Result, bail};
use std::path::Path;
use wordmill::nn::folder::{Folder, StoredError, Which};
use wordmill::nn::parameters::Weights;
use wordmill::translate::architecture::{self, Architecture, ModelError};

pub struct Loaded<A> {
    pub model: A,
    pub weights: Weights,
    pub tokenizers: Tokenizers,
}

impl<A: Architecture> Loaded<A> {
    /// Reads a checkpoint of a run.
    ///
    /// # Errors
    /// When the folder holds no run, another command's, or parts of different ones.
    pub fn new(path: &Path, which: Which) -> Result<Loaded<A>> {
        let name = path.display().to_string();
        let run = RunFolder::to_read(path, which)?;
        let folder = Folder::new(run.path());
        let model: A = model(run.path(), ("translate", "translates with it"))?;
        let Some(tokenizers) = Tokenizers::of_folder(&folder)? else {
            bail!(Failure::of_file(&name, "has no tokenizer.json"));
        };
        let pieces = (
            tokenizers.source.vocab_size(),
            tokenizers.target().vocab_size(),
        );
        let words = model.vocabularies();
        if pieces.0 > words.0 || pieces.1 > words.1 {
            bail!(Failure::of_file(
                &name,
                format!(
                    "the subword models have {} and {} pieces, the model {} and {}",
                    pieces.0, pieces.1, words.0, words.1
                )
            ));
        }
        Ok(Loaded {
            weights: weights(&folder, which, &model)?,
            model,
            tokenizers,
        })
    }
}

/// The model of a run. A run of another architecture is for another command, `call` of which does with it what this one
/// was asked to: "train --init", "begins with its weights".
///
/// # Errors
/// When the folder holds no such run.
pub fn model<A: Architecture>(path: &Path, (call, does): (&str, &str)) -> Result<A> {
    let (folder, path) = (Folder::new(path), path.display().to_string());
    let own = A::NAME;
    if !folder.path("config.json").exists() {
        bail!(
            Failure::of_file(&path, "holds no run: it has no config.json")
                .hint(format!("`wordmill {own} train --out FOLDER` makes one"))
        );
    }
    architecture::read(&folder).map_err(|error| {
        let failure = Failure::of_file(&path, error.to_string());
        match error {
            ModelError::Stored(StoredError::Folder(error)) => error.into(),
            ModelError::Config(_) => failure.into(),
            ModelError::Stored(StoredError::Other { found, .. }) => failure
                .hint(format!("`wordmill {found} {call} {path}` {does}"))
                .into(),
            ModelError::Stored(StoredError::Unnamed) => failure
                .hint(format!(
                    "if `wordmill {own} train` made it, add \"architecture\": \"{own}\""
                ))
                .into(),
        }
    })
}

/// The weights of a checkpoint.
///
/// # Errors
/// When there is none, or it is another model's.
pub fn weights(folder: &Folder, which: Which, model: &impl Architecture) -> Result<Weights> {
    let values = folder.weights_of(which, model.layout())?;
    let mut weights = Weights::zeros(model.layout());
    weights.values_mut().copy_from_slice(&values);
    Ok(weights)
}
