//! `wordmill transformer translate`: lines through a model that was trained on sixty sentences.

use crate::harness::{Call, binary, root, shell, wordmill};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The folder of a run with few steps: what it says makes no sense, and is the same every time.
fn folder() -> &'static Path {
    static RUN: OnceLock<tempfile::TempDir> = OnceLock::new();
    let run = RUN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let train = "transformer train --source corpora/parallel.en --target corpora/parallel.de --vocab-size 400 \
                     --dim 32 --heads 2 --ffn 64 --encoder-layers 1 --decoder-layers 2 --batch-tokens 300 \
                     --max-steps 25 -q --out";
        let outcome = wordmill(train).arg(folder.path().join("run")).run();
        outcome.expect(outcome.status == 0, "a run");
        folder
    });
    run.path()
}

/// `wordmill transformer translate RUN`, and flags.
fn translate(flags: &str) -> Call {
    let run = folder().join("run");
    wordmill(&format!("transformer translate {} {flags}", run.display()))
}

const TEXT: &str = "The dog sees the cat.\n\nThe cat\n";

#[test]
fn a_line_in_is_a_line_out_whatever_is_in_it() {
    let long = "The dog sees the cat. ".repeat(200);
    let text = format!(
        "{TEXT}\n \t \n{long}\n日本 😀 \u{7} </s> <unk>\n{}\n",
        "x".repeat(3000)
    );
    for flags in [
        "",
        "--beam 1",
        "--quantize int8",
        "--sample",
        "--max-tokens 3 --beam 2",
    ] {
        let out = translate(flags).stdin(&text).text();
        assert_eq!(out.lines().count(), text.lines().count(), "{flags}");
        let blank = |text: &str| {
            text.lines()
                .map(|line| line.trim().is_empty())
                .collect::<Vec<_>>()
        };
        assert_eq!(blank(&out), blank(&text), "{flags}");
        assert!(!out.contains("<unk>") && !out.contains("</s>"), "{out}");
    }
}

#[test]
fn empty_input_gives_empty_output() {
    assert_eq!(translate("").text(), "");
}

#[test]
fn line_ends_do_not_matter() {
    let out = translate("").stdin(TEXT).text();
    assert_eq!(translate("").stdin(TEXT.replace('\n', "\r\n")).text(), out);
    assert_eq!(translate("").stdin(TEXT.trim_end()).text(), out);
}

#[test]
fn a_translation_depends_neither_on_its_company_nor_on_threads() {
    let all = std::fs::read_to_string(root().join("corpora/parallel.en")).unwrap();
    let one = |flags: &str| -> String {
        let lines = all
            .lines()
            .take(7)
            .map(|line| translate(flags).stdin(line).text());
        lines.collect()
    };
    for flags in ["", "--beam 1 --score", "--quantize int8 --nbest 2 --beam 3"] {
        let out = translate(&format!("{flags} --threads 1"))
            .stdin(&all)
            .text();
        assert_eq!(
            translate(&format!("{flags} --threads 2 --batch-tokens 20"))
                .stdin(&all)
                .text(),
            out
        );
        if !flags.contains("nbest") {
            assert!(out.starts_with(&one(flags)), "{flags}");
        }
    }
}

#[test]
fn bad_bytes_are_named_or_replaced() {
    let message = translate("").stdin(b"a\n\xFF\n").fails(1);
    let expected = "wordmill transformer translate: -:2: invalid UTF-8 at byte 2\nhint: ";
    assert!(message.starts_with(expected), "{message}");
    assert_eq!(
        translate("--invalid replace")
            .stdin(b"a\n\xFF\n")
            .text()
            .lines()
            .count(),
        2
    );
}

#[test]
fn an_unknown_flag_is_wrong_usage_and_a_missing_file_is_named() {
    translate("--no-such-flag").fails(2);
    assert_eq!(
        translate("no/such.txt").fails(1),
        "wordmill transformer translate: no/such.txt: no such file\n"
    );
    let message = wordmill("transformer translate corpora").fails(1);
    let expected =
        "wordmill transformer translate: corpora: holds no run: it has no config.json\nhint: ";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let run = folder().join("run");
    let line = format!(
        "yes 'The dog' | wordmill transformer translate {} --beam 1 --line-buffered | head -n 1 > /dev/null; \
         echo ${{PIPESTATUS[1]}}",
        run.display()
    );
    assert_eq!(shell(&line).text(), "0\n");
}

#[test]
fn a_full_disk_is_a_failure() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let run = folder().join("run");
    let line = format!(
        "echo The dog | wordmill transformer translate {} > /dev/full",
        run.display()
    );
    let message = shell(&line).fails(1);
    let expected = "wordmill transformer translate: standard output: No space left";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn a_failing_run_leaves_no_file() {
    let place = tempfile::tempdir().unwrap();
    translate("-o")
        .arg(place.path().join("out"))
        .stdin(b"a\n\xFF")
        .fails(1);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_line_comes_out_before_the_next_goes_in() {
    let run = folder().join("run");
    let mut child = Command::new(binary())
        .args(["transformer", "translate", "--line-buffered"])
        .arg(run)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        stdin.write_all(b"The dog\n").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'));
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_best_translations_are_listed_with_their_scores() {
    let out = translate("--beam 3 --nbest 3").stdin("The dog\n").text();
    let rows: Vec<Vec<&str>> = out
        .lines()
        .map(|line| line.split(" ||| ").collect())
        .collect();
    assert_eq!(rows.len(), 3, "{out}");
    let normalised: Vec<f32> = rows.iter().map(|row| row[3].parse().unwrap()).collect();
    assert!(normalised.is_sorted_by(|a, b| a >= b) && rows.iter().all(|row| row[0] == "0"));
    assert_eq!(
        rows[0][1],
        translate("--beam 3").stdin("The dog\n").text().trim_end()
    );
    let message = translate("--nbest 9").fails(2);
    assert!(
        message.contains("--nbest 9 is more than --beam 5 finds\nhint: "),
        "{message}"
    );
}

#[test]
fn a_translation_is_given_the_score_it_was_found_with() {
    let found = translate("--beam 2 --score").stdin(TEXT).text();
    let place = tempfile::tempdir().unwrap();
    let reference = place.path().join("reference");
    let column = |i: usize| -> Vec<&str> {
        found
            .lines()
            .map(|line| line.split('\t').nth(i).unwrap_or(""))
            .collect()
    };
    std::fs::write(&reference, column(1).join("\n")).unwrap();
    let again = translate("--score-reference")
        .arg(&reference)
        .stdin(TEXT)
        .text();
    for (again, found) in again.lines().zip(column(0)) {
        match found.parse::<f32>() {
            // Another cut of the same text into pieces has another score.
            Ok(found) => assert!(
                again.parse::<f32>().unwrap() <= found + 1e-3,
                "{again} {found}"
            ),
            Err(_) => assert_eq!(again, ""),
        }
    }
    let call = translate("--score-reference")
        .arg(&reference)
        .stdin("The dog\n");
    assert!(
        call.fails(1)
            .contains("reference: has more lines than the sources")
    );
}

#[test]
fn alignments_are_pairs_of_pieces() {
    let out = translate("--beam 1 --alignment --to jsonl")
        .stdin("The dog\n")
        .text();
    let object: serde_json::Value = serde_json::from_str(&out).unwrap();
    let found = &object["translations"][0];
    let pairs = found["alignment"].as_array().unwrap();
    assert_eq!(pairs.len(), found["pieces"].as_array().unwrap().len());
    let scores = found["scores"].as_array().unwrap().len();
    // The end has a score, too, where the limit of the length was not the end.
    assert!(scores == pairs.len() || scores == pairs.len() + 1);
    let sources = object["pieces"].as_array().unwrap().len() as u64;
    assert!(pairs.iter().all(|pair| pair[0].as_u64().unwrap() < sources));
    let line = translate("--beam 1 --alignment").stdin("The dog\n").text();
    assert!(
        line.contains(" ||| ") && line.trim_end().ends_with(char::is_numeric),
        "{line}"
    );
}

#[test]
fn what_is_drawn_goes_by_seed_and_line() {
    let draw = |flags: &str| {
        translate(&format!("--sample {flags}"))
            .stdin("The dog\nThe dog\n")
            .text()
    };
    assert_eq!(draw("--threads 1"), draw("--threads 2"));
    assert_ne!(draw("--seed 1"), draw("--seed 2"));
    let out = draw("");
    let (first, second) = out.trim_end().split_once('\n').unwrap();
    assert_ne!(first, second);
    let greedy = translate("--beam 1").stdin("The dog\nThe dog\n").text();
    assert_eq!(draw("--top-k 1"), greedy);
}

#[test]
fn translations_begin_with_what_they_must() {
    let out = translate("--no-repeat-ngram 2")
        .arg("--prefix=Das Haus")
        .stdin("The dog\n")
        .text();
    assert!(out.starts_with("Das Haus"), "{out}");
}

#[test]
fn a_run_in_company_with_itself_says_the_same() {
    let alone = translate("").stdin(TEXT).text();
    let ensemble = translate("--ensemble")
        .arg(folder().join("run"))
        .stdin(TEXT)
        .text();
    assert_eq!(ensemble, alone);
}

#[test]
fn a_checkpoint_that_is_not_there_is_no_checkpoint() {
    let message = translate("--checkpoint 7").fails(1);
    assert!(
        message.contains("has no checkpoint of step 7; there are "),
        "{message}"
    );
    translate("--checkpoint newest").fails(2);
    assert_eq!(translate("--checkpoint last").stdin("\n").text(), "\n");
}

/// A copy of the run.
fn copy() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("run");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(folder().join("run"))
        .arg(&copy)
        .status()
        .unwrap();
    assert!(copied.success());
    (place, copy)
}

#[test]
fn a_run_of_another_architecture_is_refused_by_name() {
    let (_place, copy) = copy();
    let path = copy.join("config.json");
    let config = std::fs::read_to_string(&path).unwrap();
    let other = config.replace(
        r#""architecture": "transformer""#,
        r#""architecture": "seq2seq""#,
    );
    std::fs::write(&path, other).unwrap();
    let run = copy.display();
    let expected = format!(
        "wordmill transformer translate: {run}: holds a run of seq2seq; this is wordmill transformer\n\
         hint: `wordmill seq2seq translate {run}` translates with it\n"
    );
    let alone = wordmill("transformer translate").arg(&copy);
    assert_eq!(alone.fails(1), expected);
    let among_others = translate("--ensemble").arg(&copy);
    assert_eq!(among_others.fails(1), expected);
}

#[test]
fn a_truncated_checkpoint_is_refused_by_name() {
    let (_place, copy) = copy();
    let steps = std::fs::read_dir(copy.join("checkpoints")).unwrap();
    for step in steps {
        let file = step.unwrap().path().join("model.safetensors");
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    }
    let message = wordmill("transformer translate").arg(&copy).fails(1);
    assert!(message.contains("model.safetensors: "), "{message}");
}

#[test]
fn every_head_is_pictured() {
    let place = tempfile::tempdir().unwrap();
    let picture = |name: &str| {
        let path = place.path().join(name);
        translate("--beam 1 --attention")
            .arg(&path)
            .stdin(TEXT)
            .text();
        std::fs::read_to_string(path).unwrap()
    };
    let svg = picture("a.svg");
    assert!(
        svg.contains("layer 2, head 2") && svg.contains("&lt;/s&gt;"),
        "{svg}"
    );
    assert_eq!(svg.matches("<svg").count(), 1);
    assert_eq!(picture("a.html").matches("<svg").count(), 2);
    let message = translate("--attention a.png").fails(2);
    assert!(
        message.contains("--attention a.png: neither .svg nor .html\nhint: "),
        "{message}"
    );
}
