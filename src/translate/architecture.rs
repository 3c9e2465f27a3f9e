//! What a translator is to the training loop and to the commands: any network that learns from pairs of sentences and
//! takes steps in decoding.

use super::batch::Batch;
use super::decode::Model;
use crate::nn::dense::Precision;
use crate::nn::folder::{Folder, FolderError, StoredError};
use crate::nn::ops::projection::Loss;
use crate::nn::parameters::{Layout, Weights};
use crate::nn::tape::Tape;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A translator: where its parameters lie, and what is computed with them.
pub trait Architecture: Sized + Send + Sync {
    /// Its shape, as it is stored with the weights; an object in JSON, without a field `architecture`.
    type Config: Serialize + DeserializeOwned + Clone;

    /// The model in use.
    type Decoder<'w>: Model
    where
        Self: 'w;

    /// The model in use on a device.
    type There<'w>: Model
    where
        Self: 'w;

    /// As its command is called.
    const NAME: &'static str;

    /// # Errors
    /// When no model can have this shape.
    fn new(config: Self::Config) -> Result<Self, ConfigError>;

    fn config(&self) -> &Self::Config;

    /// Words of the source and of the target vocabulary.
    fn vocabularies(&self) -> (usize, usize);

    /// What to train with so many pairs when nothing else is said, whether they are cut into characters or pieces of words.
    fn recipe(pairs: u64, units: Units) -> Recipe;

    fn layout(&self) -> &Layout;

    /// Why a GPU cannot compute it, if it cannot.
    fn not_on_gpu(&self) -> Option<String>;

    /// Weights to begin with.
    fn initial_weights(&self, seed: u64) -> Weights;

    /// The loss of a batch; on a recording tape its gradients times `weight` are ready to go back.
    fn loss(&self, tape: &Tape, batch: &Batch, smoothing: f32, weight: f32) -> Loss;

    /// The model with its weights, ready to translate.
    fn decoder<'w>(&'w self, weights: &'w Weights, precision: Precision) -> Self::Decoder<'w>;

    /// The same on the device where its weights are, if they are on one; `aligns` where it matters what words attend to.
    fn there<'w>(&'w self, weights: &'w Weights, aligns: bool) -> Option<Self::There<'w>>;
}

/// What texts are cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    Pieces,
    Characters,
}

/// How a model is trained when nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    pub dropout: f32,
    /// Steps until so much is dropped.
    pub dropout_ramp: u64,
    /// Pieces of the subword models.
    pub vocabulary: usize,
    /// Rows × the longer side, of a batch.
    pub batch_tokens: u32,
    pub lr: f32,
    pub warmup: u64,
    /// Steps from one evaluation to the next.
    pub evaluate_every: u64,
}

/// Which tables of words are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tied {
    /// Source, target and output: one table, one vocabulary
    All,
    /// Target and output
    Target,
    /// Three tables
    None,
}

/// Why sizes do not go together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} is 0")]
    Zero(&'static str),
    #[error("dim {dim} is no multiple of {heads} heads")]
    Heads { dim: usize, heads: usize },
    #[error("{0} is no number from 0 to 1")]
    Share(&'static str),
    #[error("{0} positions hold no sentence")]
    Positions(usize),
    #[error("dim {0} is no even number: half of it is for each direction")]
    Odd(usize),
    #[error("input feeding needs attention, whose context it feeds")]
    NothingToFeed,
    #[error("one table for source and target needs one vocabulary")]
    Vocabularies,
}

/// Why a folder gives no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error(transparent)]
    Stored(#[from] StoredError),
    #[error("config.json: {0}")]
    Config(#[from] ConfigError),
}

/// The model of a run's folder, without its weights.
///
/// # Errors
/// When the folder holds none, or one of another architecture.
pub fn read<A: Architecture>(folder: &Folder) -> Result<A, ModelError> {
    Ok(A::new(folder.config(A::NAME)?)?)
}

/// Writes what [`read`] reads.
///
/// # Errors
/// When it cannot be written.
pub fn write<A: Architecture>(folder: &Folder, model: &A) -> Result<(), FolderError> {
    folder.write_config(A::NAME, model.config())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::transformer::config::{Config, PositionKind};
    use crate::translate::transformer::model::Transformer;
    use serde_json::{Map, Value};

    fn saved() -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        let model = Transformer::new(Config {
            source_vocabulary: 11,
            target_vocabulary: 9,
            dim: 8,
            encoder_layers: 1,
            decoder_layers: 2,
            heads: 2,
            ffn: 12,
            pre_norm: true,
            positions: PositionKind::Learned,
            tied: Tied::None,
            max_positions: 6,
        });
        write(&folder, &model.unwrap()).unwrap();
        (place, folder)
    }

    /// The file with something else in it.
    fn changed(change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let (_place, folder) = saved();
        let mut fields: Map<String, Value> = folder.read_json("config.json").unwrap();
        change(&mut fields);
        folder.write_json("config.json", &fields).unwrap();
        read::<Transformer>(&folder).unwrap_err().to_string()
    }

    #[test]
    fn a_model_is_read_as_it_was_written() {
        let (_place, folder) = saved();
        let model: Transformer = read(&folder).unwrap();
        assert_eq!((model.config.dim, model.config.tied), (8, Tied::None));
        let text = std::fs::read_to_string(folder.path("config.json")).unwrap();
        assert!(
            text.starts_with("{\n  \"architecture\": \"transformer\",\n"),
            "{text}"
        );
    }

    #[test]
    fn another_architecture_is_refused_by_name() {
        assert_eq!(
            changed(|fields| drop(fields.insert("architecture".into(), "seq2seq".into()))),
            "holds a run of seq2seq; this is wordmill transformer"
        );
    }

    #[test]
    fn a_file_that_names_no_architecture_is_refused() {
        let expected = "config.json names no architecture";
        assert_eq!(
            changed(|fields| drop(fields.remove("architecture"))),
            expected
        );
        assert_eq!(
            changed(|fields| drop(fields.insert("architecture".into(), 7.into()))),
            expected
        );
    }

    #[test]
    fn a_field_that_a_model_does_not_know_is_named() {
        let error = changed(|fields| drop(fields.insert("gates".into(), 4.into())));
        assert!(
            error.contains("config.json: unknown field `gates`"),
            "{error}"
        );
    }

    #[test]
    fn sizes_that_do_not_go_together_are_refused() {
        assert_eq!(
            changed(|fields| drop(fields.insert("heads".into(), 3.into()))),
            "config.json: dim 8 is no multiple of 3 heads"
        );
    }
}
