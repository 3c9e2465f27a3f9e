//! `wordmill pos truecase`: text in capitals or in lower case throughout.

use crate::harness::wordmill;
use std::path::{Path, PathBuf};

const TEXT: &str = "Clara Winter opened a small bakery in Lisbon. She never saw Vienna again.\n";

fn taught(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let call = "pos truecase -q corpora/tagged.conllu --forms corpora/forms.tsv -o";
    wordmill(call).arg(&path).text();
    path
}

fn columns(conllu: &str, columns: &[usize]) -> Vec<String> {
    let words = conllu
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    words
        .flat_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            columns.iter().map(move |&i| cells[i].to_owned())
        })
        .collect()
}

#[test]
fn a_sentence_without_case_is_annotated_as_if_it_had_it() {
    let folder = tempfile::tempdir().unwrap();
    let model = taught(folder.path(), "pos.safetensors");
    let annotated = |text: &str| {
        let call = wordmill("annotate --model").arg(&model);
        call.stdin(text).text()
    };
    let tags_and_lemmas = |text: &str| columns(&annotated(text), &[2, 3, 4, 5]);
    let entities = |text: &str| {
        let marked = columns(&annotated(text), &[9]);
        marked.iter().filter(|misc| misc.contains("NER=")).count()
    };
    let (upper, lower) = (TEXT.to_uppercase(), TEXT.to_lowercase());
    for text in [&upper, &lower] {
        assert_eq!(tags_and_lemmas(text), tags_and_lemmas(TEXT), "{text}");
        assert_eq!(entities(text), entities(TEXT), "{text}");
        let forms = columns(&annotated(text), &[1]).join(" ");
        assert_eq!(forms, text.trim_end().replace('.', " ."), "forms stay");
    }
}

#[test]
fn the_commands_give_what_annotate_gives() {
    let folder = tempfile::tempdir().unwrap();
    let model = taught(folder.path(), "pos.safetensors");
    let run = |command: &str, input: &str| {
        let call = wordmill(&format!("{command} --model")).arg(&model);
        call.stdin(input).text()
    };
    let text = TEXT.to_uppercase();
    let tokens = wordmill("tokenize --to conllu").stdin(&text).text();
    let piped = run("ner", &run("lemmatize", &run("pos", &tokens)));
    assert_eq!(piped, run("annotate", &text));
}

#[test]
fn text_with_case_is_annotated_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let model = taught(folder.path(), "pos.safetensors");
    let text =
        "I saw it there, and Tom saw it too. It was late. The bill of iPhone owners came in May.";
    let call = wordmill("annotate --model").arg(&model);
    assert_eq!(
        call.stdin(text).text(),
        wordmill("annotate").stdin(text).text()
    );
}

#[test]
fn a_tagger_is_taught_twice_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |name: &str| std::fs::read(taught(folder.path(), name)).unwrap();
    assert!(bytes("one") == bytes("two"));
}

#[test]
fn what_is_no_tagger_or_no_list_is_named() {
    let call = "pos truecase -q corpora/tagged.conllu -o /dev/null --forms";
    let message = wordmill(&format!("{call} corpora/forms.tsv --model ner")).fails(1);
    assert!(message.contains("no layer \"pos\""), "{message}");
    let message = wordmill(&format!("{call} corpora/names.tsv")).fails(1);
    assert!(
        message.contains("names.tsv:1: expected a form"),
        "{message}"
    );
    wordmill("pos truecase corpora/tagged.conllu -o /dev/null").fails(2);
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    let message =
        wordmill("pos truecase -q -o /dev/null --forms corpora/forms.tsv /dev/null").fails(1);
    assert!(message.contains("no sentences to learn from"), "{message}");
    let message =
        wordmill("pos truecase -q -o /dev/null --forms /dev/null corpora/tagged.conllu").fails(1);
    assert!(message.contains("/dev/null: no forms"), "{message}");
}
