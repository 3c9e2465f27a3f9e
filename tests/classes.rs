//! `wordmill classes`: words of the same contexts, and taggers that learn from them.

use crate::harness::wordmill;
use std::collections::HashMap;

fn sentences() -> String {
    let mut text = String::new();
    for i in 0..64 {
        let (who, does, whom) = (
            ["cat", "dog"][i % 2],
            ["sees", "hears"][i / 2 % 2],
            ["it", "them"][i / 4 % 2],
        );
        text += &format!("{who} {does} {whom}\n");
    }
    text
}

fn classes(flags: &str) -> String {
    wordmill(&format!("classes -q {flags}"))
        .stdin(sentences())
        .text()
}

#[test]
fn words_of_the_same_contexts_share_a_class() {
    let printed = classes("--classes 3 --min-count 1");
    let class: HashMap<&str, &str> = printed
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    assert_eq!(class.len(), 6);
    assert_eq!(class["cat"], class["dog"]);
    assert_eq!(class["sees"], class["hears"]);
    assert_ne!(class["cat"], class["them"]);
}

#[test]
fn the_same_text_gives_the_same_classes() {
    assert_eq!(
        classes("--classes 4 --min-count 2"),
        classes("--classes 4 --min-count 2")
    );
}

#[test]
fn rare_words_are_left_out() {
    assert_eq!(classes("--min-count 33"), "");
}

#[test]
fn no_words_are_an_error() {
    let outcome = wordmill("classes").stdin("\n \n").run();
    assert_eq!(outcome.status, 1);
}

#[test]
fn a_tagger_learns_from_classes() {
    let folder = tempfile::tempdir().unwrap();
    let (list, model) = (folder.path().join("classes.tsv"), folder.path().join("pos"));
    std::fs::write(&list, classes("--classes 3 --min-count 1")).unwrap();
    let train = wordmill("pos train -q corpora/tagged.conllu --epochs 2 --classes").arg(&list);
    train.arg("-o").arg(&model).text();
    let tagged = wordmill("pos --to text --model")
        .arg(&model)
        .stdin("The dog sleeps.\n")
        .text();
    assert_eq!(tagged.split_whitespace().count(), 4);
}

#[test]
fn a_broken_list_of_classes_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("classes.tsv");
    std::fs::write(&list, "cat\t1\ndog\n").unwrap();
    let train = wordmill("ner train -q corpora/tagged.conllu -o /dev/null --classes").arg(&list);
    let message = train.fails(1);
    assert!(
        message.contains("classes.tsv:2: expected a word, a tab"),
        "{message}"
    );
}
