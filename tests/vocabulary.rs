//! `--vocab`: words and counts of a text, made in parts, for trainers that see a part of it or all.

use crate::harness::{root, wordmill};
use std::path::{Path, PathBuf};

const COUNT: &str = "bow --counts --scheme whitespace --no-lower";

fn sample() -> String {
    std::fs::read_to_string(root().join("corpora/sample.txt")).unwrap()
}

/// Halves of the sample, cut behind a line.
fn halves() -> [String; 2] {
    let text = sample();
    let middle = text.len() / 2;
    let at = text[..middle].rfind('\n').unwrap() + 1;
    [text[..at].to_owned(), text[at..].to_owned()]
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// The words of both halves, counted apart and merged.
fn merged(folder: &Path) -> PathBuf {
    let parts = halves().map(|half| {
        let path = folder.join(format!("{}.counts", half.len()));
        let call = wordmill(COUNT).stdin(half).arg("-o").arg(&path);
        call.text();
        path
    });
    let all = folder.join("all.counts");
    let merge = wordmill("merge").arg(&parts[1]).arg(&parts[0]);
    merge.arg("-o").arg(&all).text();
    all
}

#[test]
fn word2vec_learns_from_merged_counts_what_it_learns_without() {
    let folder = tempfile::tempdir().unwrap();
    let train = "word2vec train -q --dim 8 --min-count 2 --threads 1 corpora/sample.txt";
    let known = wordmill(train).arg("--vocab").arg(merged(folder.path()));
    assert!(known.bytes() == wordmill(train).bytes());
}

#[test]
fn files_that_are_parts_of_a_text_add_up_to_the_counts_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (vocab, count) = (merged(folder.path()), "glove cooccur -q --min-count 2");
    let mut merge = wordmill("merge");
    for (i, half) in halves().iter().enumerate() {
        let out = folder.path().join(i.to_string());
        let call = wordmill(&format!("{count} --part {i}/2 --vocab"));
        let call = call.arg(&vocab).arg("-o").arg(&out);
        call.stdin(half).text();
        merge = merge.arg(&out);
    }
    let whole = wordmill(&format!("{count} corpora/sample.txt")).bytes();
    assert!(merge.bytes() == whole);
}

#[test]
fn lines_of_a_word_and_its_count_are_a_vocabulary_too() {
    let folder = tempfile::tempdir().unwrap();
    let vocab = write(folder.path(), "vocab.txt", "b 9\nd\t7\r\ne 6\nrare 2");
    let call = wordmill("word2vec train -q --dim 2 --vocab").arg(vocab);
    let vectors = call.stdin("a b c d\nd b\n").text();
    let words = vectors.lines().skip(1).map(|line| line.split(' ').next());
    let words: Vec<&str> = words.flatten().filter(|word| *word != "</s>").collect();
    assert_eq!(words, ["b", "d", "e"]);
}

#[test]
fn a_line_that_is_no_word_with_its_count_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (text, expected) in [
        ("b 9\nword\n", "vocab.txt:2: expected a word and its count"),
        ("b -9\n", "vocab.txt:1: expected a word and its count"),
        ("#wordmill counts 9 x\n", "vocab.txt:1: counts of version 9"),
        ("new york 7\n", "vocab.txt:1: expected a word and its count"),
        (" 7\n", "vocab.txt:1: expected a word and its count"),
        (
            "a 18446744073709551615\nb 1\n",
            "vocab.txt: counts more than 2^64 words",
        ),
    ] {
        let vocab = write(folder.path(), "vocab.txt", text);
        let call = wordmill("glove train -q --vocab").arg(vocab);
        let error = call.stdin("a b\n").fails(1);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_vocabulary_of_nothing_teaches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let vocab = write(folder.path(), "vocab.txt", "");
    let call = wordmill("word2vec train -q --vocab").arg(vocab);
    let error = call.stdin("a b\n").fails(1);
    assert!(error.contains("no word is seen 5 times"), "{error}");
}

#[test]
fn counts_of_other_terms_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let counts = folder.path().join("other.counts");
    let call = wordmill("bow --counts corpora/sample.txt -o").arg(&counts);
    call.text();
    let call = wordmill("word2vec train -q corpora/sample.txt --vocab").arg(&counts);
    let error = call.fails(1);
    assert!(
        error.contains("hint: `wordmill bow --counts --scheme whitespace --no-lower`"),
        "{error}"
    );
}

#[test]
fn a_text_without_a_word_of_the_vocabulary_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let vocab = write(folder.path(), "vocab.txt", "b 9\nd 7\n");
    let call = wordmill("word2vec train -q --dim 2 --vocab").arg(vocab);
    let error = call.stdin("a c\n").fails(1);
    assert!(error.contains("no words are left to learn from"), "{error}");
}

#[test]
fn a_missing_vocabulary_is_named() {
    let error = wordmill("word2vec train -q --vocab none.txt corpora/sample.txt").fails(1);
    assert!(error.contains("none.txt: no such file"), "{error}");
}

#[test]
fn flags_that_do_not_go_together_are_wrong_usage() {
    for args in [
        "word2vec train --vocab corpora/values.txt --phrases 1",
        "glove cooccur --part 0/2",
        "glove cooccur --part 0/2 --shard 0/2 --vocab corpora/values.txt",
    ] {
        wordmill(args).stdin("a b\n").fails(2);
    }
}
