//! Gathers the cards of the models, `models/**/*.md`, for `wordmill licenses`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=models");
    let mut cards = Vec::new();
    gather(Path::new("models"), &mut cards);
    cards.sort();
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut list = "&[\n".to_owned();
    for card in &cards {
        let path = root.join(card);
        writeln!(list, "({card:?}, include_str!({path:?})),").expect("a string takes all");
    }
    list.push(']');
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::write(out.join("cards.rs"), list).expect("the build folder can be written");
}

fn gather(folder: &Path, cards: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            gather(&path, cards);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            cards.push(path);
        }
    }
}
