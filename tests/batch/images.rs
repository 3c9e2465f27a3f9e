//! The files that images are built from. There is no Docker at hand to build them: what they say is compared with what is in
//! the repository.

use crate::harness::root;
use std::collections::HashSet;

/// The instructions of a file, each with what follows it.
fn instructions(name: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("batch").join(name)).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n").replace("\\\n", "");
    text.lines()
        .map(|line| {
            let (word, rest) = line
                .split_once(' ')
                .unwrap_or_else(|| panic!("{name}: {line}"));
            (word.to_owned(), rest.trim().to_owned())
        })
        .collect()
}

/// The instructions of each stage, from its FROM on.
fn stages(name: &str) -> Vec<Vec<(String, String)>> {
    let mut stages: Vec<Vec<(String, String)>> = Vec::new();
    for (word, rest) in instructions(name) {
        match stages.last_mut() {
            Some(stage) if word != "FROM" => stage.push((word, rest)),
            _ if word == "FROM" => stages.push(vec![(word, rest)]),
            _ => assert_eq!(word, "ARG", "{name}: before the first stage"),
        }
    }
    stages
}

/// What follows an instruction where it is last said.
fn last<'a>(stage: &'a [(String, String)], word: &str) -> Option<&'a str> {
    let found = stage.iter().rev().find(|(name, _)| name == word);
    found.map(|(_, rest)| rest.as_str())
}

const FILES: [&str; 2] = ["Dockerfile", "cuda.Dockerfile"];

#[test]
fn they_consist_of_instructions_that_there_are() {
    let known = [
        "ARG",
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "ENTRYPOINT",
        "ENV",
    ];
    for name in FILES {
        for (word, rest) in instructions(name) {
            assert!(
                known.contains(&word.as_str()) && !rest.is_empty(),
                "{name}: {word} {rest}"
            );
        }
    }
}

#[test]
fn what_is_copied_is_there() {
    for name in FILES {
        let mut stages_before = HashSet::new();
        let ignored =
            std::fs::read_to_string(root().join(format!("batch/{name}.dockerignore"))).unwrap();
        for stage in stages(name) {
            for (_, rest) in stage.iter().filter(|(word, _)| word == "COPY") {
                let mut parts: Vec<_> = rest.split(' ').collect();
                parts.pop().expect("where to");
                if let Some(from) = parts[0].strip_prefix("--from=") {
                    // Another image has a tag.
                    assert!(
                        stages_before.contains(from) || from.contains(':'),
                        "{name}: {rest}"
                    );
                    continue;
                }
                for part in parts {
                    assert!(root().join(part).exists(), "{name}: COPY {rest}");
                    assert!(
                        !ignored.lines().any(|line| line == part),
                        "{name}: {part} is ignored"
                    );
                }
            }
            if let Some((_, stage)) = stage[0].1.split_once(" AS ") {
                stages_before.insert(stage.to_owned());
            }
        }
    }
}

#[test]
fn what_is_built_is_what_cargo_builds() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("[[bin]]\nname = \"wordmill\"\n"));
    for (name, features) in [("Dockerfile", None), ("cuda.Dockerfile", Some("cuda"))] {
        let stages = stages(name);
        let build = last(&stages[0], "RUN").unwrap();
        assert!(
            build.starts_with("cargo build --release --locked"),
            "{build}"
        );
        assert_eq!(
            build.split_once(" --features ").map(|(_, names)| names),
            features
        );
        if let Some(feature) = features {
            assert!(
                manifest.contains(&format!("\n{feature} = [")),
                "no feature {feature}"
            );
        }
        let folder = last(&stages[0], "WORKDIR").unwrap();
        let binary =
            format!("--from=build {folder}/target/release/wordmill /usr/local/bin/wordmill");
        assert!(stages[1].contains(&("COPY".to_owned(), binary)), "{name}");
    }
}

#[test]
fn the_variables_of_the_gpu_build_are_those_that_it_reads() {
    let build = std::fs::read_to_string(root().join("build.rs")).unwrap();
    let stages = stages("cuda.Dockerfile");
    let set = last(&stages[0], "ENV").unwrap();
    for variable in ["CUDA_HOME", "CUDA_COMPUTE_CAP"] {
        assert!(
            set.contains(&format!("{variable}=")) && build.contains(variable),
            "{variable}"
        );
    }
}

#[test]
fn signals_reach_what_is_started_and_nothing_runs_as_root() {
    for name in FILES {
        for stage in stages(name)
            .into_iter()
            .filter(|stage| !stage[0].1.ends_with(" AS build"))
        {
            // The last stage of all may be another one by its name.
            if stage.len() == 1 {
                continue;
            }
            let entry = last(&stage, "ENTRYPOINT").unwrap();
            let started: Vec<String> = serde_json::from_str(entry).unwrap();
            let copied = stage
                .iter()
                .any(|(word, rest)| word == "COPY" && rest.contains(&started[0]));
            assert!(copied, "{name}: {} is not in the image", started[0]);
            let user = last(&stage, "USER").unwrap();
            assert!(user != "root" && user != "0", "{name}: USER {user}");
        }
    }
}

#[test]
fn the_files_are_called_as_their_first_lines_say() {
    for name in FILES {
        let text = std::fs::read_to_string(root().join("batch").join(name)).unwrap();
        let first = text.lines().next().unwrap();
        assert!(
            first.contains(&format!("docker build -f batch/{name} -t wordmill")),
            "{first}"
        );
    }
}
