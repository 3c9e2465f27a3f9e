//! Nothing is inside the binary without its notice.

use crate::harness::{root, wordmill};

#[test]
fn every_dependency_has_its_notice() {
    let printed = wordmill("licenses").text();
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml is there");
    let behind = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]");
    let lines = behind.skip(1).take_while(|line| !line.starts_with('['));
    for name in lines
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name)
    {
        assert!(
            printed.contains(&format!("| {name} |")),
            "{name} is not in LICENSES-THIRD-PARTY.md: run .ci/notices"
        );
    }
}

#[test]
fn the_snowball_notice_is_printed() {
    let printed = wordmill("licenses").text();
    assert!(printed.contains("Dr Martin Porter"), "{printed}");
}

#[test]
fn every_model_card_is_printed() {
    let printed = wordmill("licenses").text();
    let mut folders = vec![root().join("models")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("models is readable") {
            let path = entry.expect("models is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let card = std::fs::read_to_string(&path).expect("cards are UTF-8");
                let shown = path.display();
                assert!(printed.contains(card.trim_end()), "{shown} is not printed");
            }
        }
    }
}
