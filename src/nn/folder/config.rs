//! config.json: the name of an architecture, and the fields of its config.
//!
//! ```text
//! {"architecture": "transformer", "source_vocabulary": 8000, …}
//! ```

use super::{Folder, FolderError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Why a folder gives no config.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("config.json names no architecture")]
    Unnamed,
    #[error("holds a run of {found}; this is wordmill {expected}")]
    Other {
        found: String,
        expected: &'static str,
    },
}

const FILE: &str = "config.json";
const KEY: &str = "architecture";

/// What is in the file.
#[derive(Serialize)]
struct Stored<'a, C> {
    architecture: &'static str,
    #[serde(flatten)]
    config: &'a C,
}

impl Folder {
    /// The config of a run of the architecture `name`.
    ///
    /// # Errors
    /// When the folder holds none, or one of another architecture.
    pub fn config<C: DeserializeOwned>(&self, name: &'static str) -> Result<C, StoredError> {
        let mut fields: Map<String, Value> = self.read_json(FILE)?;
        match fields.remove(KEY) {
            Some(Value::String(found)) if found == name => {}
            Some(Value::String(found)) => {
                let expected = name;
                return Err(StoredError::Other { found, expected });
            }
            _ => return Err(StoredError::Unnamed),
        }
        serde_json::from_value(Value::Object(fields)).map_err(|error| {
            StoredError::Folder(FolderError::Damaged {
                file: self.path(FILE).display().to_string(),
                problem: error.to_string(),
            })
        })
    }

    /// Writes what [`Folder::config`] reads; `config` is an object without a field `architecture`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_config(
        &self,
        architecture: &'static str,
        config: &impl Serialize,
    ) -> Result<(), FolderError> {
        let stored = Stored {
            architecture,
            config,
        };
        self.write_json(FILE, &stored)
    }
}
