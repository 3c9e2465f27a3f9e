//! `wordmill stem`: algorithms, languages, running text and layers.

use crate::harness::{root, wordmill};

fn stemmed(flags: &str, text: &str) -> String {
    wordmill(&format!("stem {flags}")).stdin(text).text()
}

#[test]
fn lancaster_stems_the_fishing_family_alike() {
    let stems = stemmed("--algorithm lancaster", "Fishing, fished, fisher\n");
    assert_eq!(stems, "fish, fish, fish\n");
}

#[test]
fn algorithms_give_the_stems_of_their_lists() {
    let pairs = std::fs::read_to_string(root().join("tests/stems/english.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = pairs
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let flags = [
        "",
        "--snowball 3",
        "--algorithm porter",
        "--algorithm lovins",
        "--algorithm lancaster",
    ];
    let words: String = rows[1..]
        .iter()
        .map(|row| format!("{}\n", row[0]))
        .collect();
    for (i, flags) in flags.iter().enumerate() {
        let expected: Vec<&str> = rows[1..].iter().map(|row| row[i + 1]).collect();
        assert_eq!(
            stemmed(flags, &words).lines().collect::<Vec<_>>(),
            expected,
            "{flags}"
        );
    }
}

#[test]
fn everything_that_is_no_word_is_copied() {
    let text = "  \"Dogs\" bark:\t3 times…\r\n\n\u{a0}Cats 😀\n";
    assert_eq!(
        stemmed("", text),
        "  \"dog\" bark:\t3 time…\r\n\n\u{a0}cat 😀\n"
    );
}

#[test]
fn stems_are_a_layer_of_tokens() {
    assert_eq!(
        stemmed("--from tokens", "running dogs\n\nran\n"),
        "run dog\n\nran\n"
    );
    let conllu = stemmed("", "1\tDogs\tdog\t_\t_\t_\t_\t_\t_\tKey=1\n\n");
    assert_eq!(conllu, "1\tDogs\tdog\t_\t_\t_\t_\t_\t_\tKey=1|Stem=dog\n\n");
    assert!(stemmed("", "{\"text\":\"Dogs\"}\n").contains(r#""stem":"dog""#));
    assert_eq!(stemmed("--to tsv", "running\n").trim_end(), "running\trun");
}

#[test]
fn stems_that_are_there_may_stay() {
    let text = "1\tDogs\t_\t_\t_\t_\t_\t_\t_\tStem=x\n\n";
    assert!(stemmed("--keep", text).contains("Stem=x"));
    assert!(stemmed("", text).contains("Stem=dog"));
}

#[test]
fn languages_have_rules_of_their_own() {
    assert_eq!(stemmed("--language german", "Häuser\n"), "haus\n");
    assert_eq!(stemmed("--language de", "Häuser\n"), "haus\n");
    assert_eq!(
        stemmed("--language french", "continuellement\n"),
        "continuel\n"
    );
}

#[test]
fn choices_that_do_not_go_together_are_wrong_usage() {
    let message = wordmill("stem --algorithm lancaster --language german")
        .stdin("a")
        .fails(2);
    assert!(message.starts_with("wordmill stem: "), "{message}");
    wordmill("stem --language klingon").fails(2);
}
