//! The documentation is true: README lines and help examples run, manual pages are fresh, no command lacks either.

use crate::golden;
use crate::harness::{root, shell, wordmill};

/// Every visible command by its full name, such as `tokenize` and `tokenize train`.
fn commands() -> Vec<String> {
    let mut found = listed(&wordmill("--help").text(), "Usage:");
    let mut i = 0;
    while i < found.len() {
        let help = wordmill(&format!("{} --help", found[i])).text();
        for sub in listed(&help, "Commands:") {
            found.insert(i + 1, format!("{} {sub}", found[i]));
        }
        i += 1;
    }
    found
}

/// The names listed in `help` behind the line that starts with `heading`: one group under it, or all groups of the tool's
/// own help.
fn listed(help: &str, heading: &str) -> Vec<String> {
    let behind = help.lines().skip_while(|line| !line.starts_with(heading));
    let listing = behind.skip(1).take_while(|line| {
        !line.starts_with("Options:") && (heading == "Usage:" || !line.is_empty())
    });
    let names = listing.filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty() && name != "help").then(|| name.to_string())
    });
    names.collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs lines of documentation, one after the other, in a folder of their own that has `corpora` in it.
fn run_lines(lines: &[String]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(root().join("corpora"), folder.path().join("corpora"))
        .expect("a link to corpora");
    for line in lines {
        // A model or a file that an example writes must not land in the repository.
        let outcome = shell(&format!("cd {}; {line}", folder.path().display())).run();
        outcome.expect(outcome.status == 0, "the example to succeed");
    }
}

/// Lines, of which those that end in a backslash are one with the next.
fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all = Vec::new();
    let mut is_open = false;
    for line in lines {
        let part = line.strip_suffix('\\').unwrap_or(line);
        match all.last_mut() {
            Some(last) if is_open => *last += part,
            _ => all.push(part.to_string()),
        }
        is_open = part.len() < line.len();
    }
    all
}

#[test]
fn every_command_has_a_page_a_golden_case_a_readme_line_and_an_example() {
    let readme = read("README.md");
    let golden: String = golden::cases().into_iter().map(|(_, text)| text).collect();
    let names = commands();
    assert!(names.contains(&"annotate".to_string()), "{names:?}");
    for name in names {
        let called = format!("wordmill {name}");
        let tests = format!("tests/{name}.rs");
        assert!(
            name.contains(' ') || root().join(&tests).exists(),
            "{tests} is missing"
        );
        assert!(readme.contains(&called), "README.md shows no `{called}`");
        assert!(golden.contains(&called), "no golden case runs `{called}`");
        let page = format!("man/{}.1", called.replace(' ', "-"));
        assert!(root().join(&page).exists(), "{page} is missing");
        let help = wordmill(&format!("{name} --help")).text();
        let mut lines = help.lines();
        assert!(
            lines.any(|line| line.starts_with("  wordmill") && line.contains(&called)),
            "`{called} --help` has no example"
        );
    }
}

#[test]
fn the_manual_pages_are_those_of_this_binary() {
    let fresh = tempfile::tempdir().expect("a temporary folder");
    wordmill("man").arg(fresh.path()).text();
    let names = |folder: &std::path::Path| {
        let files = std::fs::read_dir(folder).expect("the folder exists");
        let mut names: Vec<_> = files
            .map(|file| file.expect("is readable").file_name())
            .collect();
        names.sort();
        names
    };
    let committed = root().join("man");
    assert_eq!(
        names(fresh.path()),
        names(&committed),
        "run `wordmill man man/`"
    );
    for name in names(fresh.path()) {
        let page = std::fs::read(fresh.path().join(&name)).expect("the page was written");
        let old = std::fs::read(committed.join(&name)).expect("the page is readable");
        assert!(
            page == old,
            "man/{} is stale: run `wordmill man man/`",
            name.display()
        );
    }
}

#[test]
fn every_line_of_the_readme_runs() {
    let readme = read("README.md");
    let mut is_shell = false;
    for line in joined(readme.lines()) {
        if let Some(language) = line.strip_prefix("```") {
            is_shell = matches!(language, "sh" | "console");
            continue;
        }
        let line = line.strip_prefix("$ ").unwrap_or(&line);
        // The two commands that build and test are this very run.
        if is_shell && line.contains("wordmill") && !line.starts_with("cargo ") {
            run_lines(&[line.to_string()]);
        }
    }
}

#[test]
fn every_example_of_the_help_runs() {
    for name in commands() {
        let help = wordmill(&format!("{name} --help")).text();
        let examples = help.lines().skip_while(|line| !line.starts_with("Example"));
        // Later ones may use what earlier ones have made.
        run_lines(&joined(examples.filter_map(|line| line.strip_prefix("  "))));
    }
}

#[test]
fn completions_name_the_commands_and_load_in_bash() {
    for name in ["bash", "zsh", "fish"] {
        let script = wordmill(&format!("completions {name}")).text();
        assert!(script.contains("annotate"), "{name}");
    }
    shell("eval \"$(wordmill completions bash)\"").text();
}
