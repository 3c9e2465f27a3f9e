//! Where SageMaker puts things, and looks for them.
//!
//! ```text
//! input/config/hyperparameters.json   the command and its flags
//! input/data/NAME                     the files of a channel
//! checkpoints/run                     the run, which SageMaker copies to S3 and back
//! model                               what is kept of it, and what answers
//! output/failure                      why there is nothing
//! ```

use std::path::{Path, PathBuf};

/// The flag for the folder.
#[derive(clap::Args)]
pub struct RootArgs {
    /// Folder in which everything lies
    #[arg(long, value_name = "FOLDER", default_value = "/opt/ml")]
    root: PathBuf,
}

impl RootArgs {
    pub fn hyperparameters(&self) -> PathBuf {
        self.root.join("input/config/hyperparameters.json")
    }

    pub fn channels(&self) -> PathBuf {
        self.root.join("input/data")
    }

    pub fn run(&self) -> PathBuf {
        self.root.join("checkpoints/run")
    }

    pub fn model(&self) -> PathBuf {
        self.root.join("model")
    }

    pub fn failure(&self) -> PathBuf {
        self.root.join("output/failure")
    }
}

/// The names in a folder, in their order; none where there is no folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}
