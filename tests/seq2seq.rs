//! `wordmill seq2seq`: what its networks are of their own; what it shares with `transformer` is tested there.

use crate::harness::{Call, root, shell, wordmill};
use std::path::Path;
use std::sync::OnceLock;

const DATES: &str = "--pairs corpora/dates.tsv --char";
const SMALL: &str = "--dim 24 --embedding 16 --batch-tokens 600";

fn train(out: &Path, flags: &str) -> Call {
    wordmill(&format!("seq2seq train -q {flags} --out")).arg(out)
}

/// The folder of a run with few steps: what it says makes no sense, and is the same every time.
fn folder() -> &'static Path {
    static RUN: OnceLock<tempfile::TempDir> = OnceLock::new();
    let run = RUN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let flags = format!("{DATES} {SMALL} --max-steps 30");
        train(&folder.path().join("run"), &flags).text();
        folder
    });
    run.path()
}

/// `wordmill seq2seq translate RUN`, and flags.
fn translate(flags: &str) -> Call {
    let run = folder().join("run");
    wordmill(&format!("seq2seq translate {} {flags}", run.display()))
}

fn bytes(run: &Path, name: &str) -> Vec<u8> {
    std::fs::read(run.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn weights(run: &Path, step: u64) -> Vec<u8> {
    [
        bytes(run, &format!("checkpoints/{step}/model.safetensors")),
        bytes(run, &format!("checkpoints/{step}/optimizer.safetensors")),
    ]
    .concat()
}

const KINDS: [&str; 6] = [
    "--cell lstm --attention none",
    "--cell gru --attention dot --layers 2",
    "--cell lstm --attention general --input-feeding on --tied target",
    "--cell gru --attention concat --layer-norm --recurrent-dropout 0.2",
    "--cell lstm --attention bahdanau --layers 2 --tied none",
    "--cell lstm --attention concat --scheduled-sampling 0.3 --bpe-dropout 0.1",
];

#[test]
fn a_run_of_every_kind_goes_on_as_if_it_had_not_been_stopped() {
    let place = tempfile::tempdir().unwrap();
    let (whole, parts) = (place.path().join("whole"), place.path().join("parts"));
    for kind in KINDS {
        let units = if kind.contains("bpe") {
            "--vocab-size 350"
        } else {
            "--char"
        };
        let flags = format!("--pairs corpora/dates.tsv {units} {SMALL} {kind}");
        train(&whole, &format!("{flags} --max-steps 8 --threads 1")).text();
        train(&parts, &format!("{flags} --max-steps 5 --threads 2")).text();
        train(&parts, "--resume --max-steps 8 --threads 2").text();
        assert!(weights(&whole, 8) == weights(&parts, 8), "{kind}");
        std::fs::remove_dir_all(&whole).unwrap();
        std::fs::remove_dir_all(&parts).unwrap();
    }
}

#[test]
fn losses_fall_while_a_model_learns() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(
        &run,
        &format!("{DATES} {SMALL} --max-steps 200 --log-every 50"),
    )
    .text();
    let log = String::from_utf8(bytes(&run, "log.jsonl")).unwrap();
    let losses: Vec<f64> = (log.lines())
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter_map(|event| event["loss"].as_f64())
        .collect();
    assert_eq!(losses.len(), 4);
    assert!(
        losses[0] > 3.5 && losses[3] < 0.65 * losses[0],
        "{losses:?}"
    );
}

#[test]
fn every_kind_translates_line_by_line() {
    let place = tempfile::tempdir().unwrap();
    let text = "May 4th, 1977\n\n\u{7} </s> 日本 <unk>\n";
    for (i, kind) in KINDS.iter().enumerate() {
        let run = place.path().join(i.to_string());
        let kind = kind.replace("--bpe-dropout 0.1", "");
        train(&run, &format!("{DATES} {SMALL} {kind} --max-steps 5")).text();
        for flags in ["", "--beam 1", "--quantize int8", "--sample --seed 3"] {
            let command = format!("seq2seq translate {} {flags}", run.display());
            let out = wordmill(&command).stdin(text).text();
            let lines: Vec<&str> = out.lines().collect();
            assert_eq!(lines.len(), 3, "{kind} {flags}");
            assert!(
                lines[1].is_empty() && !lines[0].is_empty(),
                "{kind} {flags}"
            );
        }
    }
}

#[test]
fn empty_input_gives_empty_output() {
    assert_eq!(translate("").text(), "");
}

#[test]
fn line_ends_do_not_matter() {
    let text = "May 4th, 1977\n4 May 1977\n";
    let out = translate("").stdin(text).text();
    assert_eq!(translate("").stdin(text.replace('\n', "\r\n")).text(), out);
    assert_eq!(translate("").stdin(text.trim_end()).text(), out);
}

#[test]
fn a_line_does_not_depend_on_its_company_nor_on_threads() {
    let all = std::fs::read_to_string(root().join("corpora/dates.test.tsv")).unwrap();
    let all: Vec<&str> = all.lines().take(40).collect();
    let all = all.join("\n") + "\n";
    for flags in ["", "--beam 1 --score", "--quantize int8 --nbest 2 --beam 3"] {
        let out = translate(&format!("{flags} --threads 1"))
            .stdin(&all)
            .text();
        let other = format!("{flags} --threads 2 --batch-tokens 20");
        assert_eq!(translate(&other).stdin(&all).text(), out, "{flags}");
    }
}

#[test]
fn bad_bytes_are_named() {
    let message = translate("").stdin(b"a\n\xFF\n").fails(1);
    let expected = "wordmill seq2seq translate: -:2: invalid UTF-8 at byte 2\nhint: ";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn an_unknown_flag_is_wrong_usage_and_a_missing_file_is_named() {
    translate("--no-such-flag").fails(2);
    assert_eq!(
        translate("no/such.txt").fails(1),
        "wordmill seq2seq translate: no/such.txt: no such file\n"
    );
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let line = format!(
        "yes '4 May' | wordmill seq2seq translate {} --beam 1 --line-buffered | head -n 1 > /dev/null; \
         echo ${{PIPESTATUS[1]}}",
        folder().join("run").display()
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
        "echo 4 May | wordmill seq2seq translate {} > /dev/full",
        run.display()
    );
    let message = shell(&line).fails(1);
    let expected = "wordmill seq2seq translate: standard output: No space left";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn what_was_looked_at_is_pictured() {
    let place = tempfile::tempdir().unwrap();
    let picture = place.path().join("a.svg");
    translate("--attention")
        .arg(&picture)
        .stdin("4 May 1977\n")
        .text();
    let text = std::fs::read_to_string(picture).unwrap();
    assert!(text.starts_with("<svg") && text.contains("▁"), "{text}");
}

#[test]
fn a_run_of_a_transformer_is_refused_by_name() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let flags = "--source corpora/parallel.en --target corpora/parallel.de --vocab-size 400 --dim 32 --heads 2 --max-steps 1";
    wordmill(&format!("transformer train -q {flags} --out"))
        .arg(&run)
        .text();
    let name = run.display();
    let message = wordmill(&format!("seq2seq translate {name}")).fails(1);
    let expected = format!(
        "wordmill seq2seq translate: {name}: holds a run of transformer; this is wordmill seq2seq\nhint: "
    );
    assert!(message.starts_with(&expected), "{message}");
    let message = train(&run, "--resume").fails(1);
    assert!(message.contains("holds a run of transformer"), "{message}");
    let other = format!("transformer translate {}", folder().join("run").display());
    let message = wordmill(&other).fails(1);
    assert!(message.contains("holds a run of seq2seq"), "{message}");
}

#[test]
fn shapes_that_no_model_has_are_refused() {
    let place = tempfile::tempdir().unwrap();
    for (flags, problem) in [
        ("--dim 25", "dim 25 is no even number"),
        (
            "--attention none --input-feeding on",
            "input feeding needs attention",
        ),
        ("--cell rnn", "invalid value 'rnn' for '--cell <CELL>'"),
        ("--recurrent-dropout 1", "a number from 0 to 1"),
    ] {
        let message = train(&place.path().join("run"), &format!("{DATES} {flags}")).fails(2);
        assert!(message.contains(problem), "{flags}: {message}");
    }
}

#[test]
fn a_run_is_not_given_another_shape() {
    let run = folder().join("run");
    for flags in [
        "--cell gru",
        "--dim 48",
        "--attention dot",
        "--input-feeding on",
        "--layer-norm",
        "--attention bahdanau",
    ] {
        let message = train(&run, &format!("--resume {flags}")).fails(2);
        assert!(
            message.contains("is not that of the run"),
            "{flags}: {message}"
        );
    }
}

#[test]
fn dropout_between_steps_and_guesses_may_change_in_a_run() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &format!("{DATES} {SMALL} --max-steps 3")).text();
    train(
        &run,
        "--resume --max-steps 5 --recurrent-dropout 0.5 --scheduled-sampling 0.2",
    )
    .text();
    let config: serde_json::Value = serde_json::from_slice(&bytes(&run, "config.json")).unwrap();
    assert_eq!(config["recurrent_dropout"], 0.5);
    let other = place.path().join("other");
    train(&other, &format!("{DATES} {SMALL} --max-steps 5")).text();
    assert!(weights(&run, 5) != weights(&other, 5));
}

#[test]
fn a_run_that_has_no_checkpoint_yet_begins_again_with_the_weights_of_the_other() {
    let place = tempfile::tempdir().unwrap();
    let (run, again) = (place.path().join("run"), place.path().join("again"));
    let init = format!(
        "--pairs corpora/dates.tsv --init {}",
        folder().join("run").display()
    );
    train(&run, &format!("{init} --max-steps 2")).text();
    train(&again, &format!("{init} --max-steps 2")).text();
    std::fs::remove_dir_all(again.join("checkpoints")).unwrap();
    train(&again, "--resume --max-steps 2").text();
    assert!(weights(&run, 2) == weights(&again, 2));
}

#[test]
fn a_model_without_attention_shows_none() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(
        &run,
        &format!("{DATES} {SMALL} --attention none --max-steps 1"),
    )
    .text();
    let command = format!("seq2seq translate {} --alignment", run.display());
    let message = wordmill(&command).stdin("4 May\n").fails(2);
    assert!(message.contains("it has no attention"), "{message}");
}

#[test]
fn any_two_columns_or_keys_are_pairs() {
    let place = tempfile::tempdir().unwrap();
    let (tsv, json) = (place.path().join("a.tsv"), place.path().join("a.jsonl"));
    std::fs::write(&tsv, "1\tx\tone\n2\tx\ttwo\n".repeat(20)).unwrap();
    let objects = "{\"w\": \"one\", \"d\": \"1\"}\n{\"w\": \"two\", \"d\": \"2\"}\n";
    std::fs::write(&json, objects.repeat(20)).unwrap();
    let flags = "--char --dim 16 --embedding 8 --max-steps 2 --valid-every 2";
    let run = |name: &str, file: &Path, columns: &str| {
        let out = place.path().join(name);
        let file = file.display();
        train(
            &out,
            &format!("{flags} --pairs {file} --valid {file} --columns {columns}"),
        )
        .text();
        weights(&out, 2)
    };
    assert!(run("a", &tsv, "3,1") == run("b", &json, "w,d"));
    let bad = format!("{DATES} --columns 0,1");
    assert!(
        train(&place.path().join("c"), &bad)
            .fails(2)
            .contains("counted from 1")
    );
    let bad = format!("{DATES} --columns w,d");
    train(&place.path().join("c"), &bad).fails(1);
}

#[test]
fn lines_that_come_out_right_are_counted() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    // Two lines, learned by heart.
    let pairs = place.path().join("pairs.tsv");
    std::fs::write(&pairs, "one\t1\ntwo\t2\n".repeat(20)).unwrap();
    let flags = format!(
        "--char --dim 32 --embedding 32 --max-steps 150 --valid-every 150 --metric exact --valid {0} --pairs {0}",
        pairs.display()
    );
    train(&run, &flags).text();
    let log = String::from_utf8(bytes(&run, "log.jsonl")).unwrap();
    let evaluation = log
        .lines()
        .find(|line| line.contains("evaluation"))
        .unwrap();
    let evaluation: serde_json::Value = serde_json::from_str(evaluation).unwrap();
    assert_eq!(evaluation["scores"]["exact"], 100.0);
}
