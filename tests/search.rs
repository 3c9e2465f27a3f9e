//! `wordmill tfidf search` and `wordmill tfidf similar`: indexes made, asked, and damaged.

use crate::harness::{root, wordmill};
use std::path::{Path, PathBuf};

const DOCUMENTS: &str = "the cat sat\nthe dog sat on the cat\n\na bird\nBirds sing: a bird!\n";

fn index(folder: &Path, flags: &str, text: &str) -> PathBuf {
    let path = folder.join("index");
    let call = wordmill(&format!("tfidf {flags} --save-index")).arg(&path);
    assert_eq!(call.stdin(text).text(), "");
    path
}

/// The columns of the answers to one query.
fn search(index: &Path, flags: &str, query: &str) -> Vec<Vec<String>> {
    let call = wordmill("tfidf search").arg(index).arg(query);
    let call = flags
        .split_whitespace()
        .fold(call, |call, flag| call.arg(flag));
    let lines = call.text();
    let columns = |line: &str| line.split('\t').map(str::to_owned).collect();
    lines.lines().map(columns).collect()
}

fn ids(answers: &[Vec<String>]) -> Vec<&str> {
    answers.iter().map(|answer| &*answer[1]).collect()
}

/// N = 5; idf(dog) = ln(6 / 2) + 1 = 2.0986, idf(the) = idf(cat) = idf(sat) = ln(6 / 3) + 1 = 1.6931, idf(on) = idf(dog).
/// "dog" against the second document: 2.0986 / √(3.3863² + 2 · 2.0986² + 2 · 1.6931²) = 0.411502.
#[test]
fn cosines_are_those_of_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "", DOCUMENTS);
    assert_eq!(
        search(&index, "", "Dog?"),
        [["0.411502", "2", "the dog sat on the cat"]]
    );
    let birds = search(&index, "", "bird");
    assert_eq!(ids(&birds), ["4", "5"]);
    assert_eq!(birds[0][0], "1.000000");
    assert!(search(&index, "", "unheard of").is_empty());
    assert!(search(&index, "", "").is_empty());
}

/// idf(cat) = ln(1 + 3.5 / 2.5) = 0.875469, d' = 13 / 5; the first document has three terms:
/// 0.875469 · 2.2 / (1 + 1.2 (0.25 + 0.75 · 3 / 2.6)) = 0.823…, the second six.
#[test]
fn bm25_prefers_short_documents() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "", DOCUMENTS);
    let cats = search(&index, "--rank bm25", "cat");
    assert_eq!(ids(&cats), ["1", "2"]);
    let expected = 0.875_468_737 * 2.2 / (1.0 + 1.2 * (0.25 + 0.75 * 3.0 / 2.6));
    let score: f64 = cats[0][0].parse().unwrap();
    assert!((score - expected).abs() < 1e-5, "{score} {expected}");
    // Without b the length does not count.
    let cats = search(&index, "--rank bm25 --b 0", "cat");
    assert_eq!(cats[0][0], cats[1][0]);
}

#[test]
fn an_index_made_with_bm25_is_ranked_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "--bm25 --k1 2 --b 0.5", DOCUMENTS);
    let given = search(&index, "--rank bm25 --k1 2 --b 0.5", "the cat");
    assert_eq!(search(&index, "", "the cat"), given);
    assert_ne!(search(&index, "--k1 1", "the cat"), given);
    assert_ne!(search(&index, "--rank cosine", "the cat"), given);
}

#[test]
fn queries_of_a_stream_are_numbered() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "", DOCUMENTS);
    let ask = |queries: &str| {
        wordmill("tfidf search -k 1")
            .arg(&index)
            .stdin(queries)
            .text()
    };
    assert_eq!(
        ask("dog\r\n\nnothing\nbird"),
        "1\t0.411502\t2\tthe dog sat on the cat\n4\t1.000000\t4\ta bird\n"
    );
    assert_eq!(ask(""), "");
    // More than one batch.
    let many = ask(&"dog\n".repeat(5000));
    assert_eq!(many.lines().count(), 5000);
    assert!(many.ends_with("\n5000\t0.411502\t2\tthe dog sat on the cat\n"));
}

#[test]
fn neighbours_share_terms() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "", DOCUMENTS);
    let similar = |flags: &str| {
        wordmill(&format!("tfidf similar {flags}"))
            .arg(&index)
            .text()
    };
    let lines = similar("");
    let pairs: Vec<_> = lines
        .lines()
        .map(|line| line.rsplit_once('\t').unwrap())
        .collect();
    let names: Vec<_> = pairs.iter().map(|pair| pair.0).collect();
    assert_eq!(names, ["1\t2", "2\t1", "4\t5", "5\t4"]);
    assert_eq!(pairs[0].1, pairs[1].1);
    assert_eq!(similar("--threads 1"), similar("--threads 2"));
}

#[test]
fn what_is_searched_is_analysed_as_the_documents_were() {
    let folder = tempfile::tempdir().unwrap();
    let stems = index(folder.path(), "--stem english --ngrams 1-2", DOCUMENTS);
    let birds = search(&stems, "", "sings the bird");
    assert_eq!(ids(&birds)[0], "5");
    let names = index(folder.path(), "--no-lower", DOCUMENTS);
    assert_eq!(ids(&search(&names, "", "Birds")), ["5"]);
    assert!(search(&names, "", "Bird").is_empty());
}

#[test]
fn names_and_snippets_come_from_the_documents() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!(
        "{{\"id\":\"x\\ty\",\"text\":\"a\\nneedle {}\"}}\n",
        "straw ".repeat(40)
    );
    let index = index(folder.path(), "", &long);
    let found = search(&index, "", "needle");
    assert_eq!(found[0][1], "x\\ty");
    assert!(found[0][2].starts_with("a needle straw straw") && found[0][2].ends_with("straw"));
    assert!(found[0][2].chars().count() <= 80);
}

#[test]
fn an_index_of_no_documents_answers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "", "");
    assert!(search(&index, "", "cat").is_empty());
    assert_eq!(wordmill("tfidf similar").arg(&index).text(), "");
}

#[test]
fn a_matrix_is_written_beside_an_index_if_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let make = |flags: &str| {
        wordmill(&format!("tfidf {flags} --save-index"))
            .arg(&path)
            .stdin(DOCUMENTS)
            .text()
    };
    assert_eq!(
        make("--to tsv"),
        wordmill("tfidf --to tsv").stdin(DOCUMENTS).text()
    );
    assert_eq!(
        make("--top 1"),
        wordmill("tfidf --top 1").stdin(DOCUMENTS).text()
    );
}

#[test]
fn threads_and_memory_do_not_change_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |flags: &str| {
        let path = folder.path().join("index");
        let sample = root().join("corpora/sample.txt");
        wordmill(&format!("tfidf {flags} --save-index"))
            .arg(&path)
            .arg(sample)
            .text();
        std::fs::read(path).unwrap()
    };
    let expected = bytes("--threads 1");
    assert!(expected.len() > 1000);
    assert!(bytes("--threads 2") == expected);
    assert!(bytes("--memory 1K") == expected);
}

#[test]
fn what_is_no_index_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "", DOCUMENTS);
    let bytes = std::fs::read(&index).unwrap();
    let other = String::from_utf8_lossy(&bytes).contains("\"version\":\"1\"");
    assert!(other);
    let refuse = |bytes: &[u8], problem: &str| {
        let path = folder.path().join("other");
        std::fs::write(&path, bytes).unwrap();
        for command in ["search", "similar"] {
            let message = wordmill(&format!("tfidf {command}"))
                .arg(&path)
                .stdin("cat\n")
                .fails(1);
            assert!(message.contains(problem), "{message}");
            assert!(message.contains("--save-index"), "{message}");
        }
    };
    refuse(b"", "not an index");
    refuse(DOCUMENTS.as_bytes(), "not an index");
    refuse(&bytes[..bytes.len() / 2], "not an index");
    refuse(&bytes[..bytes.len() - 1], "not an index");
    let at = bytes
        .windows(13)
        .position(|part| part == b"\"version\":\"1\"")
        .unwrap();
    let mut newer = bytes.clone();
    newer[at + 11] = b'2';
    refuse(&newer, "version 2");
    let tokenizer = folder.path().join("model");
    wordmill("tokenize train -q")
        .arg(root().join("corpora/tagged.conllu"))
        .arg("-o")
        .arg(&tokenizer)
        .text();
    refuse(&std::fs::read(tokenizer).unwrap(), "not an index");
}

#[test]
fn flags_that_make_no_sense_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "", DOCUMENTS);
    for flags in ["--smartirs anc", "--hashing 8", "--model x", "--vocab x"] {
        let path = folder.path().join("none");
        wordmill(&format!("tfidf {flags} --save-index"))
            .arg(&path)
            .stdin(DOCUMENTS)
            .fails(2);
        assert!(!path.exists(), "{flags}");
    }
    wordmill("tfidf --save-index x.index.gz")
        .stdin(DOCUMENTS)
        .fails(2);
    wordmill("tfidf search --rank cosine --k1 2")
        .arg(&index)
        .arg("cat")
        .fails(2);
    wordmill("tfidf search -k 0")
        .arg(&index)
        .arg("cat")
        .fails(2);
    wordmill("tfidf search").fails(2);
}

#[test]
fn missing_files_and_bad_queries_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = wordmill("tfidf search nothing.index cat").fails(1);
    assert!(missing.contains("nothing.index: no such file"), "{missing}");
    let index = index(folder.path(), "", DOCUMENTS);
    let bad = wordmill("tfidf search")
        .arg(&index)
        .stdin(b"cat\n\xff\n")
        .fails(1);
    assert!(bad.contains("invalid UTF-8"), "{bad}");
}

#[test]
fn a_full_disk_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), "", DOCUMENTS);
    let full = wordmill("tfidf --save-index /dev/full")
        .stdin(DOCUMENTS)
        .fails(1);
    assert!(full.contains("No space left"), "{full}");
    for command in ["search -o /dev/full --", "similar -o /dev/full"] {
        let call = wordmill(&format!("tfidf {command}")).arg(&index);
        let call = if command.starts_with("search") {
            call.arg("cat")
        } else {
            call
        };
        let full = call.fails(1);
        assert!(full.contains("No space left"), "{full}");
    }
}
