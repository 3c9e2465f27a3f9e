//! `wordmill glove`: counts of neighbours, their sums, and vectors fitted to them.

use crate::harness::{Call, shell, wordmill};
use std::path::{Path, PathBuf};

const SAMPLE: &str = "corpora/sample.txt";

/// Counts of a text.
fn counts(text: &str) -> String {
    wordmill("glove cooccur -q --min-count 1 --to tsv")
        .stdin(text)
        .text()
}

/// Counts of the sample in a file.
fn file(folder: &Path, name: &str, flags: &str) -> PathBuf {
    let path = folder.join(name);
    let call = wordmill(&format!(
        "glove cooccur -q --min-count 2 {flags} {SAMPLE} -o"
    ));
    call.arg(&path).text();
    path
}

fn train(flags: &str) -> Call {
    wordmill(&format!("glove train -q --dim 8 --epochs 3 {flags}"))
}

#[test]
fn words_of_other_sentences_are_no_neighbours() {
    assert_eq!(counts("a b\nc\n"), "b\ta\t1\n");
}

#[test]
fn the_last_line_needs_no_newline_and_cr_lf_ends_lines() {
    assert_eq!(counts("a b c\nb a"), counts("a b c\nb a\n"));
    assert_eq!(counts("a b c\r\nb a\r\n"), counts("a b c\nb a\n"));
}

#[test]
fn training_on_some_parts_of_a_text_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let part = file(folder.path(), "part", "--shard 1/3");
    let outcome = wordmill("glove train --dim 2 --epochs 1").arg(&part).run();
    assert!(
        outcome
            .stderr
            .contains("counts of 1 of 3 parts of the text")
    );
    let whole = file(folder.path(), "whole", "");
    let outcome = wordmill("glove train --dim 2 --epochs 1").arg(&whole).run();
    assert!(!outcome.stderr.contains("parts of the text"));
}

#[test]
fn four_shards_merge_into_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(file(folder.path(), "whole", "")).unwrap();
    let shard = |i: usize| file(folder.path(), &i.to_string(), &format!("--shard {i}/4"));
    let merged = (0..4).fold(wordmill("merge"), |call, i| call.arg(shard(3 - i)));
    assert!(merged.bytes() == whole);
    // In two steps, with the sum of some between.
    let some = folder.path().join("some");
    let first = wordmill("merge").arg(shard(1)).arg(shard(3));
    first.arg("-o").arg(&some).text();
    let last = wordmill("merge").arg(shard(2)).arg(&some).arg(shard(0));
    assert!(last.bytes() == whole);
}

#[test]
fn what_cannot_be_added_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str, flags: &str| file(folder.path(), name, flags);
    let (first, other) = (of("first", "--shard 0/2"), of("other", "--shard 1/3"));
    let window = of("window", "--shard 1/2 --window 3");
    let message = |file: &PathBuf| wordmill("merge").arg(&first).arg(file).fails(1);
    for (file, problem) in [
        (
            &first,
            "first: has a part of the text that is counted already",
        ),
        (
            &other,
            "other: is a part of a text that was cut into another number of parts",
        ),
        (
            &window,
            "window: counted with other options than the first file",
        ),
    ] {
        let found = message(file);
        assert!(found.contains(problem), "{found}");
        assert!(found.contains("hint: counts of one text add up"), "{found}");
    }
}

#[test]
fn flags_for_terms_are_refused_for_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let counts = file(folder.path(), "counts", "");
    wordmill("merge --min-df 2").arg(counts).fails(2);
}

#[test]
fn little_memory_gives_the_same_counts_and_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(file(folder.path(), "whole", "")).unwrap();
    let spilled = std::fs::read(file(folder.path(), "spilled", "--memory 400")).unwrap();
    assert!(spilled == whole);
    let sample = format!("--min-count 2 {SAMPLE}");
    assert_eq!(
        train(&format!("{sample} --memory 400")).text(),
        train(&sample).text()
    );
}

#[test]
fn threads_change_no_byte_and_seeds_do() {
    let vectors = |flags: &str| train(&format!("--min-count 1 {flags} {SAMPLE}")).text();
    assert_eq!(vectors("--threads 1"), vectors("--threads 2"));
    assert_ne!(vectors("--seed 1"), vectors("--seed 2"));
}

#[test]
fn a_file_of_counts_trains_as_its_text_does() {
    let folder = tempfile::tempdir().unwrap();
    let plain = file(folder.path(), "counts", "");
    let packed = file(folder.path(), "counts.zst", "");
    let expected = train(&format!("--min-count 2 {SAMPLE}")).text();
    assert_eq!(train("").arg(&plain).text(), expected);
    assert_eq!(train("").arg(&packed).text(), expected);
    let piped = train("-").stdin(std::fs::read(&plain).unwrap());
    assert_eq!(piped.text(), expected);
    let message = train(SAMPLE).arg(&plain).fails(1);
    assert!(
        message.contains("is a file of counts among others"),
        "{message}"
    );
}

#[test]
fn vectors_have_a_line_for_each_word() {
    for (output, dim) in [("sum", 8), ("word", 8), ("both", 16)] {
        let flags = format!("--min-count 2 --output {output} {SAMPLE}");
        let text = train(&flags).text();
        let mut lines = text.lines();
        let head = lines.next().unwrap();
        let words = lines.clone().count();
        assert_eq!(head, format!("{words} {dim}"));
        assert!(lines.all(|line| line.split(' ').count() == dim + 1));
    }
}

#[test]
fn damaged_counts_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "counts", "");
    let bytes = std::fs::read(&path).unwrap();
    let message = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        train("").arg(&path).fails(1)
    };
    let short = message(&bytes[..bytes.len() - 1]);
    assert!(
        short.contains("counts: ends too early: it was cut short"),
        "{short}"
    );
    let mut changed = bytes.clone();
    changed[bytes.len() - 10] ^= 1;
    let changed = message(&changed);
    assert!(changed.contains("counts: is damaged"), "{changed}");
}

#[test]
fn a_failed_run_leaves_the_earlier_result() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors.txt");
    std::fs::write(&path, "earlier").unwrap();
    let failing = train(&format!("--min-count 2 --lr 1e30 {SAMPLE} -o")).arg(&path);
    let message = failing.fails(1);
    assert!(
        message.contains("in epoch 1, at a learning rate of"),
        "{message}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "earlier");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn no_place_for_temporary_files_is_named() {
    for command in ["cooccur", "train"] {
        let line = format!(
            "TMPDIR=/no/such wordmill glove {command} --memory 9 -q --min-count 2 {SAMPLE}"
        );
        let message = shell(&line).fails(1);
        assert!(
            message.contains("temporary files in /no/such: "),
            "{message}"
        );
    }
}

/// A limit on the size of files stands for a disk that fills up.
#[test]
fn a_disk_that_fills_up_is_named_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (place, out) = (folder.path().display(), folder.path().join("out"));
    std::fs::write(&out, "earlier").unwrap();
    let named = out.display().to_string();
    let text: String = (0..500).map(|i| format!("w{i} w{}\n", i + 1)).collect();
    for (flags, name) in [
        (
            "cooccur --memory 9",
            format!("temporary files in {place}: "),
        ),
        ("train --memory 9", format!("temporary files in {place}: ")),
        ("cooccur", format!("{named}: ")),
        ("train --epochs 1", format!("{named}: ")),
    ] {
        let limited = format!("trap '' XFSZ; ulimit -f 1; TMPDIR={place}");
        let line = format!("{limited} wordmill glove {flags} -q --min-count 1 -o {named}");
        let message = shell(&line).stdin(&text).fails(1);
        assert!(
            message.contains(&format!("{name}File too large")),
            "{flags}: {message}"
        );
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "earlier");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    for (text, problem) in [
        ("", "no word is seen 5 times"),
        ("a b\n", "no word is seen 5 times"),
        ("a\na\na\na\na\n", "no word stands near another"),
    ] {
        let message = train("").stdin(text).fails(1);
        assert!(message.contains(problem), "{text:?}: {message}");
    }
}

#[test]
fn bad_bytes_are_named_or_replaced() {
    let message = train("").stdin(b"a b\n\xFF c\n").fails(1);
    assert!(
        message.contains("-:2: invalid UTF-8 at byte 4"),
        "{message}"
    );
    let replaced = wordmill("glove cooccur -q --min-count 1 --to tsv --invalid replace");
    assert_eq!(replaced.stdin(b"a \xFF\n").text(), "\u{FFFD}\ta\t1\n");
}

#[test]
fn wrong_usage_ends_with_2() {
    for flags in [
        "--dim 0",
        "--windows 3",
        "--window 0",
        "--lr 0",
        "--alpha -1",
        "--epochs 0",
    ] {
        train(&format!("{flags} {SAMPLE}")).fails(2);
    }
}

#[test]
fn a_reader_that_leaves_ends_the_run_quietly_and_a_full_disk_does_not() {
    let line = format!("wordmill glove cooccur -q --min-count 1 --to tsv {SAMPLE} | head -1");
    assert_eq!(shell(&line).text().lines().count(), 1);
    for command in ["cooccur", "train"] {
        let line = format!("wordmill glove {command} -q --min-count 2 {SAMPLE} > /dev/full");
        let message = shell(&line).fails(1);
        assert!(message.contains("No space left"), "{message}");
        let line = format!("wordmill glove {command} -q --min-count 2 {SAMPLE} -o /dev/full");
        let message = shell(&line).fails(1);
        assert!(message.contains("/dev/full: No space left"), "{message}");
    }
}
