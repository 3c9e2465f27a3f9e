//! `wordmill gan`: small runs that are trained once, and what is done with them.

mod faults;
mod measures;
mod samples;
mod training;

use crate::harness::{Call, root, shell, wordmill};
use serde_json::Value;
use std::path::Path;
use std::sync::OnceLock;

const DIGITS: &str =
    "corpora/digits --batch-size 8 --generator 4 --critic 4 --latent 8 --eval-samples 40";
const ROWS: &str = "corpora/deliveries.csv --batch-size 40 --generator 16 --critic 16";
const TOY: &str = "--toy moons --batch-size 32 --generator 16 --critic 16 --schedule constant";

fn train(out: &Path, flags: &str) -> Call {
    wordmill(&format!("gan train -q {flags} --out")).arg(out)
}

/// Folders of runs with few steps: `digits`, `rows` and `toy`.
fn runs() -> &'static Path {
    static RUNS: OnceLock<tempfile::TempDir> = OnceLock::new();
    let runs = RUNS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        for (name, flags) in [("digits", DIGITS), ("rows", ROWS), ("toy", TOY)] {
            let flags = format!("{flags} --max-steps 4");
            train(&folder.path().join(name), &flags).text();
        }
        folder
    });
    runs.path()
}

fn sample(run: &str, flags: &str) -> Call {
    let run = runs().join(run);
    wordmill(&format!("gan sample {} {flags}", run.display()))
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn weights(run: &Path, step: u64) -> Vec<u8> {
    let checkpoint = run.join(format!("checkpoints/{step}"));
    [
        bytes(&checkpoint.join("model.safetensors")),
        bytes(&checkpoint.join("optimizer.safetensors")),
    ]
    .concat()
}

fn measured(flags: &str) -> Value {
    serde_json::from_str(&wordmill(&format!("gan eval -q --to json {flags}")).text()).unwrap()
}
