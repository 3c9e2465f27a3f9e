//! The examples a lecture on language processing begins with, and sixty sentences of the same kinds.
//!
//! The sixty were written with their answers before any model had seen them, and serve for nothing but this test. A
//! sentence is right when everything said about it is right.

use crate::harness::wordmill;
use serde_json::Value;

const SENTENCES: &str = include_str!("lecture.tsv");

/// A sentence and what is expected of it.
struct Case {
    /// The field of a word that is asked for, or `entities`.
    kind: &'static str,
    sentence: &'static str,
    /// Words or entities, and the answer for each.
    expected: Vec<(&'static str, &'static str)>,
}

fn cases() -> Vec<Case> {
    let rows = SENTENCES.lines().filter(|line| !line.starts_with('#'));
    let case = |row: &'static str| {
        let columns: Vec<&str> = row.split('\t').collect();
        let answer = |item: &'static str| item.split_once('=').expect("form=answer");
        Case {
            kind: columns[0],
            sentence: columns[1],
            expected: columns[2].split("; ").map(answer).collect(),
        }
    };
    rows.map(case).collect()
}

/// Annotates sentences, a line each, and gives an object for each.
fn annotated(sentences: &[&str]) -> Vec<Value> {
    let input = sentences.join("\n") + "\n";
    let output = wordmill("annotate --from lines --to jsonl")
        .stdin(input)
        .text();
    let objects: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object a line"))
        .collect();
    assert_eq!(objects.len(), sentences.len());
    objects
}

/// What stands in `field` of the first word with this form.
fn of_word<'a>(object: &'a Value, form: &str, field: &str) -> &'a str {
    let lists = |value: &'a Value, key: &str| value[key].as_array().into_iter().flatten();
    let mut words = lists(object, "sentences")
        .flat_map(|sentence| lists(sentence, "tokens"))
        .flat_map(|token| lists(token, "words"));
    let word = words.find(|word| word["form"] == form);
    word.and_then(|word| word[field].as_str())
        .unwrap_or("nothing")
}

/// The entities of a sentence: text and label.
fn entities(object: &Value) -> Vec<(&str, &str)> {
    let list = object["entities"].as_array().into_iter().flatten();
    // The sentences are about names; dates and numbers have tests of their own.
    let names = list.filter(|e| ["PER", "ORG", "LOC"].iter().any(|name| e["label"] == *name));
    names
        .map(|e| {
            (
                e["text"].as_str().unwrap_or(""),
                e["label"].as_str().unwrap_or(""),
            )
        })
        .collect()
}

/// What was found of what was expected.
fn found<'a>(case: &Case, object: &'a Value) -> Vec<(&'a str, &'a str)> {
    if case.kind == "entities" {
        return entities(object);
    }
    let of_word = |(form, _): &(&'static str, &str)| (*form, of_word(object, form, case.kind));
    case.expected.iter().map(of_word).collect()
}

#[test]
fn the_examples_of_the_lecture_hold() {
    let objects = annotated(&[
        "This book is better than that one.",
        "The quick brown fox jumps over the lazy dog.",
        "Apple Inc. was founded by Steve Jobs.",
    ]);
    let better = |field| of_word(&objects[0], "better", field);
    assert_eq!((better("lemma"), better("upos")), ("good", "ADJ"));
    let tag = |form| of_word(&objects[1], form, "upos");
    assert_eq!(
        (tag("quick"), tag("brown"), tag("jumps")),
        ("ADJ", "ADJ", "VERB")
    );
    assert_eq!(
        entities(&objects[2]),
        [("Apple Inc.", "ORG"), ("Steve Jobs", "PER")]
    );
}

/// How many of the sixty the embedded models get right. The aim is 54, nine of ten: raise this with every better model,
/// never lower it.
const FLOOR: usize = 57;

#[test]
fn sentences_of_the_same_kinds_are_right_as_often_as_ever() {
    let cases = cases();
    assert_eq!(cases.len(), 60);
    let sentences: Vec<&str> = cases.iter().map(|case| case.sentence).collect();
    let mut failures = String::new();
    let mut right = 0;
    for (case, object) in cases.iter().zip(annotated(&sentences)) {
        let found = found(case, &object);
        if found == case.expected {
            right += 1;
        } else {
            failures += &format!("{} {}: {found:?}\n", case.sentence, case.kind);
        }
    }
    // --nocapture shows which are wrong also when they are few.
    println!("{right} of 60 sentences are right; these are wrong:\n{failures}");
    assert!(right >= FLOOR, "{right} of 60 sentences are right");
}
