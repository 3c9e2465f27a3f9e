//! What of a run is kept as a model: what translating and sampling need.
//!
//! ```text
//! config.json, tokenizer*.json, …      all that is not about training
//! best.json                            the step
//! checkpoints/STEP/model.safetensors   its weights
//! ```

use super::root::names;
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::path::Path;
use wordmill::nn::folder::{Folder, Which};

/// Files about training, and those that are written anew.
const LEFT_OUT: &[&str] = &["training.json", "last.json", "best.json"];

/// Copies the best checkpoint of a run, or its last; nothing of a run that has none yet.
///
/// # Errors
/// When something cannot be copied.
pub fn keep(run: &Path, model: &Path) -> Result<()> {
    let Ok(step) = Folder::new(run).step(Which::Best) else {
        return Ok(());
    };
    let old = model.join("checkpoints");
    if old.exists() {
        std::fs::remove_dir_all(&old).with_context(|| old.display().to_string())?;
    }
    let weights = format!("checkpoints/{step}");
    let folder = model.join(&weights);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let weights = format!("{weights}/model.safetensors");
    copy(&run.join(&weights), &model.join(&weights))?;
    for name in names(run) {
        if name.ends_with(".json") && !LEFT_OUT.contains(&name.as_str()) {
            copy(&run.join(&name), &model.join(&name))?;
        }
    }
    Folder::new(model).write_json("best.json", &HashMap::from([("step", step)]))?;
    Ok(())
}

/// Copies a file, which appears when it is whole.
///
/// # Errors
/// When it cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let unfinished = to.with_extension("unfinished");
    let copied = std::fs::copy(from, &unfinished).and_then(|_| std::fs::rename(&unfinished, to));
    copied.with_context(|| to.display().to_string())
}
