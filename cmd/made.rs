//! Folders that a command has made, gone again when nothing came of it.

use crate::stream::Failure;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// The folders that were not there before, the innermost first. Those in which there is nothing in the end are removed.
pub struct Made(Vec<PathBuf>);

impl Made {
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(path: &Path) -> Result<Made> {
        let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let made = Made(
            path.ancestors()
                .take_while(missing)
                .map(Into::into)
                .collect(),
        );
        std::fs::create_dir_all(path)
            .map_err(|error| Failure::of_file(&path.display().to_string(), error.to_string()))?;
        Ok(made)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // No folder with anything in it can be removed.
        let _ = self.0.iter().try_for_each(std::fs::remove_dir);
    }
}
