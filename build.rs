//! Gathers the cards of the models, `models/**/*.md`, for `wordmill licenses`; with the feature `cuda` compiles the kernels.
//!
//! | variable | what it says |
//! |---|---|
//! | `CUDA_HOME` | the CUDA toolkit whose `bin/nvcc` is taken [default: nvcc of the path] |
//! | `CUDA_COMPUTE_CAP` | the oldest compute capability that the kernels run on [default: 80] |
//! | `WORDMILL_KERNELS` | kernels that are compiled already, as a file of PTX |

use std::env;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    write_cards(&out.join("cards.rs"));
    if env::var_os("CARGO_FEATURE_CUDA").is_some() {
        compile_kernels(&out.join("kernels.ptx"));
    }
}

/// All kernels in one file of PTX, for any device of that compute capability and later.
fn compile_kernels(ptx: &Path) {
    const FOLDER: &str = "src/nn/ops/cuda";
    println!("cargo::rerun-if-changed={FOLDER}");
    for variable in ["CUDA_HOME", "CUDA_COMPUTE_CAP", "WORDMILL_KERNELS"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let capability = env::var("CUDA_COMPUTE_CAP").unwrap_or_else(|_| "80".to_owned());
    let least: u32 = capability
        .parse()
        .expect("CUDA_COMPUTE_CAP is a number such as 80");
    println!("cargo::rustc-env=WORDMILL_COMPUTE_CAP={least}");
    if let Some(ready) = env::var_os("WORDMILL_KERNELS") {
        println!("cargo::rerun-if-changed={}", Path::new(&ready).display());
        std::fs::copy(ready, ptx).expect("WORDMILL_KERNELS is a file that can be read");
        return;
    }
    let nvcc =
        env::var_os("CUDA_HOME").map_or("nvcc".into(), |home| Path::new(&home).join("bin/nvcc"));
    let done = Command::new(&nvcc)
        .args(["-ptx", "-O3", "-std=c++17"])
        .arg(format!("-arch=compute_{capability}"))
        .arg(Path::new(FOLDER).join("kernels.cu"))
        .arg("-o")
        .arg(ptx)
        .status();
    match done {
        Ok(status) if status.success() && least <= 80 => lower_version(ptx),
        Ok(status) if status.success() => {}
        Ok(status) => panic!("{}: {status}", nvcc.display()),
        Err(error) => panic!(
            "the feature cuda needs nvcc, of CUDA_HOME or the path: {}: {error}",
            nvcc.display()
        ),
    }
}

/// Says of the kernels that they are of PTX 7.0. nvcc writes its own version, and a driver that is older refuses that,
/// whatever is used of it. 7.0 is the first that knows compute capability 8.0.
fn lower_version(ptx: &Path) {
    let text = std::fs::read_to_string(ptx).expect("nvcc wrote it");
    let lines = text
        .lines()
        .map(|line| match line.starts_with(".version ") {
            true => ".version 7.0",
            false => line,
        });
    let lines: Vec<&str> = lines.collect();
    std::fs::write(ptx, lines.join("\n") + "\n").expect("the build folder can be written");
}

fn write_cards(to: &Path) {
    println!("cargo::rerun-if-changed=models");
    let mut cards = Vec::new();
    gather(Path::new("models"), &mut cards);
    cards.sort();
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut list = "&[\n".to_owned();
    for card in &cards {
        let path = root.join(card);
        writeln!(list, "({card:?}, include_str!({path:?})),").expect("a string takes all");
    }
    list.push(']');
    std::fs::write(to, list).expect("the build folder can be written");
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
