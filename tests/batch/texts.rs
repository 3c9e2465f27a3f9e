//! The scripts as texts: what checks them without running them, and what `batch/README.md` says of them.

use super::metadata::{self, Metadata};
use super::{Place, at_hand};
use crate::harness::{root, shell};

/// The names in `batch/`, sorted.
pub fn names() -> Vec<String> {
    let files = std::fs::read_dir(root().join("batch")).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The shell examples under a heading of `batch/README.md`, about the bucket that tests have.
pub fn examples(heading: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("batch/README.md")).unwrap();
    let behind = readme.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let section = behind.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks
        .map(|block| {
            block
                .split("```")
                .next()
                .unwrap()
                .replace("BUCKET", "bucket")
        })
        .collect()
}

#[test]
fn shellcheck_has_nothing_to_say() {
    if at_hand("batch/*.sh: shellcheck", "shellcheck --version") {
        let said = shell("shellcheck batch/*.sh tests/batch/*.sh").run();
        said.expect(said.status == 0, "silence");
    }
}

#[test]
fn python_understands_its_scripts() {
    if at_hand("batch/*.py: compiling", "python3 --version") {
        let place = Place::new();
        let cache = place.path("cache");
        let compile = shell("python3 -W error -m py_compile batch/*.py tests/batch/*.py");
        compile
            .env("PYTHONPYCACHEPREFIX", &cache.display().to_string())
            .text();
    }
}

#[test]
fn every_file_is_described() {
    let readme = std::fs::read_to_string(root().join("batch/README.md")).unwrap();
    for name in names() {
        if name != "README.md" && !name.ends_with(".dockerignore") {
            assert!(
                readme.contains(&format!("]({name})")),
                "{name} is not in batch/README.md"
            );
        }
    }
}

#[test]
fn a_script_without_arguments_says_how_it_is_called() {
    let place = Place::new();
    for name in names() {
        // User data has variables, not arguments.
        if name.ends_with(".sh") && name != "ec2-user-data.sh" {
            let said = place.run(&name).fails(2);
            assert!(said.starts_with(&format!("usage: {name} ")), "{said}");
        }
    }
}

#[test]
fn the_example_of_shards_gives_the_whole() {
    let place = Place::new();
    place.run(&examples("Which way to cut")[0]).text();
    let whole = place
        .run("wordmill stem --from lines corpora/sample.txt")
        .text();
    assert_eq!(place.read("stems.txt"), whole);
}

#[test]
fn the_example_of_a_training_runs() {
    if !metadata::can_be_asked() {
        return;
    }
    let place = Place::new();
    let metadata = Metadata::new(&[404]);
    let example = &examples("Training on machines that may go away")[0];
    place
        .run(example)
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.endpoint)
        .env("SPOT_WATCH_SECONDS", "0.1")
        .text();
    assert!(place.path("run/checkpoints/20").exists());
}
