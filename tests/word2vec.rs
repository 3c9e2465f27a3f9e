//! `wordmill word2vec`: models, formats, signals, and bad input.

use crate::harness::{binary, root, shell, wordmill};
use crate::running::Running;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Sentences of two subjects that share no word, their words drawn by a linear congruential generator.
fn sentences() -> String {
    let (mut text, mut state) = (String::new(), 1u32);
    for i in 0..1600 {
        let words = [
            ["cat", "dog", "cow", "pig"],
            ["red", "blue", "pink", "grey"],
        ][i % 2];
        for _ in 0..8 {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            text += words[(state >> 16) as usize % 4];
            text += " ";
        }
        text += "\n";
    }
    text
}

const TRAIN: &str = "word2vec train -q --dim 12 --negative 3 --sample 0 --threads 1";

#[test]
fn neighbours_are_words_of_the_same_subject_whatever_the_model() {
    let folder = tempfile::tempdir().unwrap();
    for flags in [
        "--epochs 20",
        "--epochs 20 --model cbow",
        "--epochs 100 --model cbow --share-gradient --lr 0.2",
        "--epochs 20 --objective hierarchical",
        "--epochs 20 --min-n 2 --max-n 3 --buckets 100",
    ] {
        let path = folder.path().join("v.bin");
        let call = wordmill(&format!("{TRAIN} {flags} -o")).arg(&path);
        assert_eq!(call.stdin(sentences()).text(), "");
        let nearest = wordmill("vectors nearest")
            .arg(&path)
            .arg("cat")
            .arg("-k3")
            .text();
        let mut found: Vec<&str> = nearest
            .lines()
            .filter_map(|l| l.split('\t').nth(1))
            .collect();
        found.sort_unstable();
        assert_eq!(found, ["cow", "dog", "pig"], "{flags}");
    }
}

#[test]
fn unknown_words_get_vectors_from_their_n_grams() {
    let folder = tempfile::tempdir().unwrap();
    let (list, path) = (folder.path().join("words"), folder.path().join("v.bin"));
    std::fs::write(&list, "cats\ncat\npinkish\n").unwrap();
    let flags = "--epochs 20 --min-n 2 --max-n 3 --buckets 1000 --also-words";
    let call = wordmill(&format!("{TRAIN} {flags}"))
        .arg(&list)
        .arg("-o")
        .arg(&path);
    assert_eq!(call.stdin(sentences()).text(), "");
    let likes = |a: &str, b: &str| {
        let call = wordmill("vectors similarity").arg(&path).arg(a).arg(b);
        let text = call.text();
        text.trim()
            .rsplit('\t')
            .next()
            .unwrap()
            .parse::<f64>()
            .unwrap()
    };
    assert!(likes("cats", "dog") > likes("cats", "pink") + 0.2);
    assert!(likes("pinkish", "red") > likes("pinkish", "cow") + 0.2);
    let without = wordmill(&format!("{TRAIN} --also-words")).arg(&list);
    without.stdin(sentences()).fails(2);
}

#[test]
fn phrases_are_words_of_their_own() {
    let text = "we saw new york today\nthey left new york again\nnew york is big\n".repeat(5)
        + &sentences();
    let flags = "--phrases 1 --phrase-threshold 5";
    let vectors = wordmill(&format!("{TRAIN} {flags}")).stdin(&text).text();
    assert!(vectors.contains("\nnew_york "), "{vectors}");
    assert!(!wordmill(TRAIN).stdin(&text).text().contains("new_york"));
}

#[test]
fn a_seed_gives_the_same_bytes() {
    let run = |flags: &str| {
        wordmill(&format!("{TRAIN} {flags}"))
            .stdin(sentences())
            .bytes()
    };
    assert!(run("") == run(""));
    assert!(run("") != run("--seed 2"));
    let deterministic = TRAIN.replace("--threads 1", "--threads 2 --deterministic");
    assert!(run("") == wordmill(&deterministic).stdin(sentences()).bytes());
}

#[test]
fn line_ends_and_compression_change_nothing() {
    let text = sentences();
    let run = |text: &str| wordmill(TRAIN).stdin(text).bytes();
    let expected = run(&text);
    assert!(run(text.trim_end()) == expected);
    assert!(run(&text.replace('\n', "\r\n")) == expected);
    let packed = zstd::encode_all(text.as_bytes(), 0).unwrap();
    assert!(wordmill(TRAIN).stdin(packed).bytes() == expected);
}

#[test]
fn one_endless_line_is_text_too() {
    let text = sentences().replace('\n', "");
    let vectors = wordmill(TRAIN).stdin(text).text();
    assert_eq!(vectors.lines().count(), 9);
}

#[test]
fn no_words_are_an_error() {
    let message = wordmill(TRAIN).stdin("").fails(1);
    assert!(message.contains("no word is seen 5 times"), "{message}");
    let message = wordmill(&format!("{TRAIN} --min-count 1"))
        .stdin("\n \n")
        .fails(1);
    assert!(message.contains("no words to learn from"), "{message}");
}

#[test]
fn lines_of_one_word_teach_nothing_but_are_no_error() {
    let text = "a\nb\nc\nd\ne\n".repeat(5);
    assert_eq!(wordmill(TRAIN).stdin(text).text().lines().count(), 6);
}

#[test]
fn bad_bytes_are_named_or_replaced() {
    let mut text = sentences().into_bytes();
    text.extend(b"caf\xE9 ".repeat(5));
    let message = wordmill(TRAIN).stdin(&text).fails(1);
    assert!(
        message.contains("-:1601: invalid UTF-8 at byte "),
        "{message}"
    );
    let replaced = wordmill(&format!("{TRAIN} --invalid replace"))
        .stdin(&text)
        .text();
    assert!(replaced.contains("\ncaf\u{FFFD} "), "{replaced}");
}

#[test]
fn wrong_flags_are_wrong_usage() {
    for flags in [
        "--no-such-flag",
        "--dim 0",
        "--window 0",
        "--epochs 0",
        "--lr 0",
        "--sample 2",
        "--min-n 5 --max-n 3",
        "--resume",
    ] {
        wordmill(&format!("word2vec train {flags}"))
            .stdin(sentences())
            .fails(2);
    }
}

#[test]
fn a_missing_file_and_folder_are_named() {
    let message = wordmill("word2vec train no/such.txt").fails(1);
    assert!(message.contains("no/such.txt: no such file"), "{message}");
    let message = wordmill("word2vec train corpora/sample.txt -o no/such/v.bin").fails(1);
    assert!(
        message.contains("no/such/v.bin: no such folder"),
        "{message}"
    );
}

#[test]
fn a_failed_run_leaves_the_earlier_result() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.vec");
    std::fs::write(&path, "earlier").unwrap();
    let diverged = wordmill(&format!("{TRAIN} --lr 1e30 -o"))
        .arg(&path)
        .stdin(sentences());
    let message = diverged.fails(1);
    assert!(
        message.contains("the loss is no number any more"),
        "{message}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "earlier");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_full_disk_and_a_reader_that_leaves_end_as_they_should() {
    let train = "wordmill word2vec train -q --min-count 2 corpora/sample.txt";
    let message = shell(&format!("{train} > /dev/full")).fails(1);
    assert!(
        message.contains("standard output: No space left"),
        "{message}"
    );
    let line = format!("{train} --dim 2000 | head -n 1 > /dev/null; echo ${{PIPESTATUS[0]}}");
    assert_eq!(shell(&line).text(), "0\n");
}

#[test]
fn progress_is_lines_or_objects_on_stderr() {
    let loud = TRAIN.replace(" -q", "");
    let outcome = wordmill(&loud).stdin(sentences()).run();
    outcome.expect(outcome.stderr.contains(", loss "), "a line");
    let outcome = wordmill(&format!("{loud} --log json"))
        .stdin(sentences())
        .run();
    let object = outcome.stderr.lines().last().unwrap_or_default();
    let object: serde_json::Value = serde_json::from_str(object).unwrap();
    assert_eq!(object["words"], object["total"]);
    assert!(object["loss"].as_f64().unwrap() > 0.0);
}

#[test]
fn resuming_without_a_checkpoint_says_that_it_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("v.bin");
    let outcome = wordmill(&format!("{} --resume -o", TRAIN.replace(" -q", "")))
        .arg(&out)
        .stdin(sentences())
        .run();
    assert!(outcome.stderr.contains("v.bin.checkpoint: begins anew"));
    assert!(out.exists());
}

#[test]
fn a_signal_keeps_what_was_learned_and_resume_ends_as_if_nothing_had_happened() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, sentences().repeat(50)).unwrap();
    let train = |out: &str, more: &[&str]| {
        let mut command = Command::new(binary());
        command
            .args(TRAIN.split(' '))
            .args(["--epochs", "15"])
            .arg(&text)
            .arg("-o");
        command
            .arg(folder.path().join(out))
            .args(more)
            .current_dir(root());
        Running::start(command.stderr(Stdio::null()))
    };
    assert!(train("whole.bin", &[]).wait().unwrap().success());
    let checkpoint = folder.path().join("v.bin.checkpoint");
    // While text is being read a signal just ends the process: wait longer until it comes later than that.
    let mut wait = Duration::from_millis(100);
    while !checkpoint.exists() {
        assert!(
            wait < Duration::from_secs(60),
            "no signal left a checkpoint"
        );
        let mut child = train("v.bin", &[]);
        std::thread::sleep(wait);
        // Twice, as `timeout` does it: once to the process, once to its group.
        (0..2).for_each(|_| child.terminate());
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(15), "{status:?} after {wait:?}");
        assert!(!folder.path().join("v.bin").exists());
        wait = wait * 3 / 2;
    }
    assert!(train("v.bin", &["--resume"]).wait().unwrap().success());
    let bytes = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert!(bytes("v.bin") == bytes("whole.bin"));
    assert!(!checkpoint.exists());
}
