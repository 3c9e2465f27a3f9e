//! The network in whose eyes images are compared: learned once from labelled images, and kept.

use crate::report::ReportArgs;
use anyhow::Result;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use wordmill::gan::features::Classifier;
use wordmill::gan::images::Images;

/// Of the weights that the network begins with.
const SEED: u64 = 1;

/// Between two lines of progress.
const PATIENCE: Duration = Duration::from_secs(10);

/// The network for `images`: from the file that `folder` holds of it, or learned now and kept there. Without classes it is
/// the same random one everywhere.
///
/// # Errors
/// When a file of it is damaged.
pub fn of_images(images: &Images, folder: Option<&Path>, report: ReportArgs) -> Result<Classifier> {
    let shape = images.shape();
    let classes = match images.labels() {
        Some(_) => images.classes().len(),
        None => 0,
    };
    let mut network = begin((shape.height, shape.width, shape.channels), classes);
    if classes < 2 {
        return Ok(network);
    }
    let file = folder
        .map(|folder| folder.join(format!("features-{:08x}.safetensors", images.fingerprint())));
    if let Some(file) = file.as_ref().filter(|file| file.exists()) {
        network.load(file)?;
        return Ok(network);
    }
    let (start, mut last) = (Instant::now(), Instant::now());
    let mut tell = |done: u64, of: u64| {
        if last.elapsed() >= PATIENCE {
            last = Instant::now();
            report.say(
                || json!({"event": "features", "done": done, "of": of}),
                || format!("learning to tell {classes} classes apart: {done} of {of} batches"),
            );
        }
    };
    let right = network.learn(images, SEED, &mut tell).unwrap_or_default();
    let seconds = start.elapsed().as_secs_f64();
    report.say(
        || json!({"event": "features", "classes": classes, "right": right, "seconds": seconds}),
        || {
            let share = 100.0 * right;
            format!(
                "learned to tell {classes} classes apart, {share:.1} % right, in {seconds:.0} s"
            )
        },
    );
    if let Some(file) = file {
        // A measure that is not kept is learned again.
        let _ = network.save(&file);
    }
    Ok(network)
}

/// The network as it begins.
pub fn begin(size: (usize, usize, usize), classes: usize) -> Classifier {
    Classifier::new(size, classes, SEED)
}
