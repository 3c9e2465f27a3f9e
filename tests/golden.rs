//! Golden cases: `tests/golden/*.txt` hold shell lines behind `$ `, each followed by what it prints.
//!
//! stderr is part of what is printed; a status other than 0 is printed as `[status]`. Lines that start with `## ` are
//! remarks. `WORDMILL_REWRITE=1 cargo test golden` writes what is printed now; the commit says why it changed.

use crate::harness::{root, shell};

/// The text of every golden file, with its path.
pub fn cases() -> Vec<(std::path::PathBuf, String)> {
    let folder = root().join("tests/golden");
    let files = std::fs::read_dir(folder).expect("tests/golden exists");
    let mut paths: Vec<_> = files
        .map(|file| file.expect("is readable").path())
        .collect();
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).expect("golden files are UTF-8");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn golden_cases_print_what_they_printed() {
    let rewrites = std::env::var_os("WORDMILL_REWRITE").is_some();
    for (path, expected) in cases() {
        let mut printed = String::new();
        for line in expected.lines() {
            if line.starts_with("## ") {
                printed += &format!("{line}\n");
            } else if let Some(command) = line.strip_prefix("$ ") {
                let outcome = shell(&format!("({command}) 2>&1")).run();
                printed += &format!("{line}\n{}", String::from_utf8_lossy(&outcome.stdout));
                if !printed.ends_with('\n') {
                    printed.push('\n');
                }
                if outcome.status != 0 {
                    printed += &format!("[{}]\n", outcome.status);
                }
            }
        }
        if rewrites {
            std::fs::write(&path, printed).expect("golden files can be written");
        } else {
            assert!(
                printed == expected,
                "{} is not what is printed now:\n{printed}",
                path.display()
            );
        }
    }
}
