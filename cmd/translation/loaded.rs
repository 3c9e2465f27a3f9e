//! A run that is translated with: its model, the weights of a checkpoint, its subword models.

use super::data::Tokenizers;
use crate::stream::Failure;
use anyhow::{Result, bail};
use std::path::Path;
use wordmill::nn::folder::{Folder, Which};
use wordmill::nn::parameters::Weights;
use wordmill::translate::transformer::config::Config;
use wordmill::translate::transformer::model::Transformer;

pub struct Loaded {
    pub model: Transformer,
    pub weights: Weights,
    pub tokenizers: Tokenizers,
}

impl Loaded {
    /// Reads a checkpoint of a run.
    ///
    /// # Errors
    /// When the folder holds no run, or parts of different ones.
    pub fn new(path: &Path, which: Which) -> Result<Loaded> {
        let (folder, name) = (Folder::new(path), path.display().to_string());
        if !folder.path("config.json").exists() {
            bail!(
                Failure::of_file(&name, "holds no run: it has no config.json")
                    .hint("`wordmill transformer train --out FOLDER` makes one")
            );
        }
        let config: Config = folder.read_json("config.json")?;
        config
            .check()
            .map_err(|error| Failure::of_file(&name, format!("config.json: {error}")))?;
        let Some(tokenizers) = Tokenizers::of_folder(&folder)? else {
            bail!(Failure::of_file(&name, "has no tokenizer.json"));
        };
        let (source, target) = (&tokenizers.source, tokenizers.target());
        if source.vocab_size() > config.source_vocabulary
            || target.vocab_size() > config.target_vocabulary
        {
            bail!(Failure::of_file(
                &name,
                format!(
                    "the subword models have {} and {} pieces, the model {} and {}",
                    source.vocab_size(),
                    target.vocab_size(),
                    config.source_vocabulary,
                    config.target_vocabulary
                )
            ));
        }
        let model = Transformer::new(config);
        let values = folder.weights(folder.step(which)?, &model.layout)?;
        let mut weights = Weights::zeros(&model.layout);
        weights.values_mut().copy_from_slice(&values);
        Ok(Loaded {
            model,
            weights,
            tokenizers,
        })
    }
}
