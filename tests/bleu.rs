//! `wordmill bleu`: what is read, what is refused, what is printed.

use crate::harness::{Call, shell, wordmill};
use std::path::Path;

const REFERENCE: &str = "Der kleine Hund schläft unter dem Tisch.\n\nWann fährt der letzte Zug?\n";
const HYPOTHESIS: &str = "Der Hund schläft unter dem Tisch.\n\nWann geht der letzte Zug?\n";

/// `bleu --ref FILE ARGS`, the file holding `reference`.
fn bleu(folder: &Path, reference: impl AsRef<[u8]>, args: &str) -> Call {
    let path = folder.join("reference");
    std::fs::write(&path, reference).unwrap();
    wordmill(&format!("bleu {args} --ref")).arg(path)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn the_translation_is_a_file_or_stdin() {
    let folder = folder();
    let path = folder.path().join("hypothesis");
    std::fs::write(&path, HYPOTHESIS).unwrap();
    let scores = bleu(folder.path(), REFERENCE, "").stdin(HYPOTHESIS).text();
    assert_eq!(scores.lines().count(), 3);
    assert_eq!(bleu(folder.path(), REFERENCE, "").arg(path).text(), scores);
    let dash = bleu(folder.path(), REFERENCE, "-").stdin(HYPOTHESIS);
    assert_eq!(dash.text(), scores);
}

#[test]
fn line_ends_are_no_part_of_a_sentence() {
    let folder = folder();
    let sentences = |text: &str| {
        let flags = "--sentence --chrf-whitespace -t none";
        bleu(folder.path(), REFERENCE, flags).stdin(text).text()
    };
    let expected = sentences(HYPOTHESIS);
    assert_eq!(expected.lines().count(), 3);
    assert_eq!(sentences(HYPOTHESIS.trim_end()), expected);
    assert_eq!(sentences(&HYPOTHESIS.replace('\n', "\r\n")), expected);
    assert_eq!(sentences(&format!("\u{FEFF}{HYPOTHESIS}")), expected);
}

#[test]
fn compressed_files_are_read() {
    let folder = folder();
    let zst = zstd::encode_all(REFERENCE.as_bytes(), 0).unwrap();
    let plain = bleu(folder.path(), REFERENCE, "").stdin(HYPOTHESIS).text();
    assert_eq!(bleu(folder.path(), zst, "").stdin(HYPOTHESIS).text(), plain);
}

#[test]
fn nothing_to_score_is_a_failure_but_no_sentences_have_no_scores() {
    let folder = folder();
    let message = bleu(folder.path(), "", "").fails(1);
    assert_eq!(message, "wordmill bleu: -: no lines to score\n");
    assert_eq!(bleu(folder.path(), "", "--sentence").text(), "");
}

#[test]
fn another_number_of_lines_is_named_with_both_counts() {
    let folder = folder();
    let message = bleu(folder.path(), "a\nb\n", "")
        .stdin("a\nb\nc\n")
        .fails(1);
    let expected = "reference: 2 lines, but - has 3\nhint: a line of a reference is ";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn bad_bytes_are_named_with_their_line() {
    let folder = folder();
    let message = bleu(folder.path(), "a\nb\n", "")
        .stdin(b"a\nb\xFF\n")
        .fails(1);
    let expected = "wordmill bleu: -:2: invalid UTF-8 at byte 3\n";
    assert_eq!(message, expected);
}

#[test]
fn nul_is_a_character_like_others() {
    let folder = folder();
    let scores = bleu(folder.path(), "a\0b c d e\n", "--to score");
    assert_eq!(
        scores.stdin("a\0b c d e\n").text(),
        "100.00\n100.00\n0.00\n"
    );
}

#[test]
fn wrong_usage_is_refused() {
    for (flags, part) in [
        ("--no-such-flag", "'--no-such-flag'"),
        ("--metrics bleu,rouge", "'rouge'"),
        ("--chrf-char-order 7", "'7'"),
        ("--sentence --confidence", "cannot be used with"),
        ("--test randomization", "--against"),
        ("--ref -", "standard input can be one of the files only"),
    ] {
        let call = wordmill(&format!("bleu --ref corpora/reference.de {flags}"));
        let message = call.fails(2);
        assert!(message.contains(part), "{flags}: {message}");
    }
    let message = wordmill("bleu corpora/hypothesis.de").fails(2);
    assert!(message.contains("--ref <FILE>"), "{message}");
}

#[test]
fn a_missing_file_is_named() {
    for flags in [
        "--ref no/such",
        "--ref corpora/reference.de --against no/such",
    ] {
        let message = wordmill(&format!("bleu corpora/hypothesis.de {flags}")).fails(1);
        assert_eq!(message, "wordmill bleu: no/such: no such file\n");
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let line = "\
                wordmill bleu --ref <(yes a | head -n 50000) --sentence <(yes a | head -n 50000) \
                | head -n 1; echo ${PIPESTATUS[0]}";
    let printed = shell(line).text();
    assert!(printed.ends_with("\n0\n"), "{printed}");
}

#[test]
fn a_full_disk_is_a_failure() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let line = "wordmill bleu --ref corpora/reference.de corpora/hypothesis.de > /dev/full";
    let message = shell(line).fails(1);
    assert!(
        message.starts_with("wordmill bleu: standard output: No space left"),
        "{message}"
    );
}

#[test]
fn threads_do_not_change_a_byte() {
    let flags = "bleu --ref corpora/reference.de corpora/hypothesis.de --against \
                 corpora/reference.de --to json --threads";
    let run = |threads: u8| wordmill(&format!("{flags} {threads}")).text();
    assert_eq!(run(1), run(2));
}

#[test]
fn the_first_system_is_what_others_are_compared_with() {
    let flags = "bleu --ref corpora/reference.de corpora/hypothesis.de --against \
                 corpora/reference.de --against corpora/hypothesis.de -m ter --to json";
    let objects: Vec<serde_json::Value> = (wordmill(flags).text().lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects.len(), 3);
    assert_eq!(objects[0]["p"], serde_json::Value::Null);
    assert!(objects[1]["p"].as_f64().unwrap() < 0.05);
    // The same system: sacreBLEU counts no difference that is as large as 0.
    assert_eq!(objects[2]["p"], 1.0 / 1001.0);
}
