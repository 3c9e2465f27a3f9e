//! `wordmill subword`: learning pieces, text to pieces and back.

use crate::harness::{Call, binary, shell, wordmill};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const MODEL: &str = "--model corpora/tokenizer.json";

fn encode(flags: &str) -> Call {
    wordmill(&format!("subword encode {MODEL} {flags}"))
}

fn decode(flags: &str) -> Call {
    wordmill(&format!("subword decode {MODEL} {flags}"))
}

/// All three, where they read what they are given, with their names for messages.
fn all() -> [(&'static str, String); 3] {
    let sized = "--vocab-size 300 --algorithm byte-level";
    [
        ("subword train", format!("subword train {sized}")),
        ("subword encode", format!("subword encode {MODEL}")),
        ("subword decode", format!("subword decode {MODEL}")),
    ]
}

#[test]
fn text_comes_back_whatever_is_in_it() {
    let text = " The  violin\t▁ ␛1 naïve 日本 😀 </s> \n\n\nLast\n";
    for to in ["pieces", "ids"] {
        let pieces = encode(&format!("--to {to}")).stdin(text).text();
        assert_eq!(decode("").stdin(&pieces).text(), text, "{to}");
        assert_eq!(
            decode(&format!("--from {to}")).stdin(&pieces).text(),
            text,
            "{to}"
        );
    }
}

#[test]
fn a_line_in_is_a_line_out() {
    assert_eq!(encode("").stdin("the\n\n\nand").text().lines().count(), 4);
    assert_eq!(decode("").stdin("▁the\n\n\n▁and").text(), "the\n\n\nand\n");
}

#[test]
fn empty_input_gives_empty_output_and_nothing_to_learn_from() {
    assert_eq!(encode("").text(), "");
    assert_eq!(decode("").text(), "");
    let message = wordmill("subword train").fails(1);
    assert_eq!(
        message,
        "wordmill subword train: -: no text to learn from\n"
    );
}

#[test]
fn line_ends_do_not_matter() {
    let pieces = encode("").stdin("a cat\nb\n").text();
    assert_eq!(encode("").stdin("a cat\r\nb\r\n").text(), pieces);
    assert_eq!(encode("").stdin("a cat\nb").text(), pieces);
    let train = |text: &str| {
        wordmill("subword train --vocab-size 300")
            .stdin(text)
            .bytes()
    };
    assert!(train("a cat\r\na cat") == train("a cat\na cat\n"));
}

#[test]
fn bad_bytes_are_named_or_replaced() {
    for (name, command) in all() {
        let message = wordmill(&command).stdin(b"3\n\xFF\n").fails(1);
        let expected = format!("wordmill {name}: -:2: invalid UTF-8 at byte 2\nhint: ");
        assert!(message.starts_with(&expected), "{message}");
    }
    let pieces = encode("--invalid replace").stdin(b"\xFF\n").text();
    assert_eq!(decode("").stdin(pieces).text(), "\u{FFFD}\n");
}

#[test]
fn an_unknown_flag_is_wrong_usage_and_a_missing_file_is_named() {
    for (name, command) in all() {
        wordmill(&format!("{command} --no-such-flag")).fails(2);
        let message = wordmill(&format!("{command} no/such.txt")).fails(1);
        assert_eq!(
            message,
            format!("wordmill {name}: no/such.txt: no such file\n")
        );
    }
    let message = wordmill("subword encode --model no/such.json").fails(1);
    assert_eq!(
        message,
        "wordmill subword encode: no/such.json: no such file\n"
    );
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    for command in ["encode", "decode"] {
        let line = format!(
            "yes 7 | wordmill subword {command} {MODEL} | head -n 1 > /dev/null; echo ${{PIPESTATUS[1]}}"
        );
        assert_eq!(shell(&line).text(), "0\n", "{command}");
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    for (name, command) in all() {
        let message = shell(&format!("echo 7 7 7 | wordmill {command} > /dev/full")).fails(1);
        assert!(
            message.starts_with(&format!("wordmill {name}: standard output: No space left")),
            "{message}"
        );
    }
}

#[test]
fn a_failing_run_leaves_no_file() {
    for (_, command) in all() {
        let folder = tempfile::tempdir().unwrap();
        let call = wordmill(&format!("{command} -o")).arg(folder.path().join("out"));
        call.stdin(b"3\n\xFF").fails(1);
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "{command}"
        );
    }
}

#[test]
fn threads_and_compression_do_not_change_a_byte() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..20_000)
        .map(|i| format!("The violin {i} was sold.\n"))
        .collect();
    let run = |flags: &str| {
        encode(&format!("--dropout 0.2 {flags}"))
            .stdin(&text)
            .bytes()
    };
    assert!(run("--threads 1") == run("--threads 2"));
    let path = folder.path().join("text.zst");
    std::fs::write(&path, zstd::encode_all(text.as_bytes(), 0).unwrap()).unwrap();
    assert!(encode("").arg(&path).bytes() == encode("").stdin(&text).bytes());
    let train = |threads: u8| {
        let flags = format!("subword train -a unigram --vocab-size 400 --threads {threads}");
        wordmill(&flags).stdin(&text).bytes()
    };
    assert!(train(1) == train(2));
}

#[test]
fn shards_are_every_nth_line() {
    let text = "a\nb\nc\nd\n";
    let shard = |flags: &str| encode(flags).stdin(text).text();
    assert_eq!(shard("--shard 1/2"), encode("").stdin("b\nd\n").text());
}

#[test]
fn a_line_comes_out_before_the_next_goes_in() {
    let mut child = Command::new(binary())
        .args([
            "subword",
            "encode",
            "--model",
            "corpora/tokenizer.json",
            "--line-buffered",
        ])
        .current_dir(crate::harness::root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        stdin.write_all(b"the\n").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "▁the\n");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn begin_and_end_of_sentences_are_added_and_leave_no_trace() {
    let pieces = encode("--bos --eos").stdin("the\n").text();
    assert_eq!(pieces, "<s> ▁the </s>\n");
    assert_eq!(encode("--to ids --bos --eos").stdin("\n").text(), "\n");
    assert_eq!(decode("").stdin(pieces).text(), "the\n");
}

#[test]
fn dropout_goes_by_seed_and_line() {
    let cut = |seed: u8| {
        let flags = format!("--dropout 0.5 --seed {seed}");
        encode(&flags)
            .stdin("Mira has a violin.\nMira has a violin.\n")
            .text()
    };
    assert_eq!(cut(1), cut(1));
    assert_ne!(cut(1), cut(2));
    let both = cut(1);
    let lines: Vec<&str> = both.lines().collect();
    assert_ne!(lines[0], lines[1]);
}

#[test]
fn user_symbols_stay_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (list, model) = (
        folder.path().join("symbols"),
        folder.path().join("model.json"),
    );
    std::fs::write(&list, "<2de>\n__PH 1__\n").unwrap();
    let train =
        wordmill("subword train corpora/sample.txt --vocab-size 400 --user-symbols").arg(&list);
    train.arg("-o").arg(&model).text();
    let text = "<2de> See__PH 1__!\n";
    let pieces = wordmill("subword encode --model")
        .arg(&model)
        .stdin(text)
        .text();
    assert!(
        pieces.starts_with("<2de> ") && pieces.contains(" __PH▁1__ "),
        "{pieces}"
    );
    let again = wordmill("subword decode --model")
        .arg(&model)
        .stdin(&pieces)
        .text();
    assert_eq!(again, text);
}

#[test]
fn symbols_that_cannot_be_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("symbols");
    std::fs::write(&list, "</s>\n").unwrap();
    let train =
        wordmill("subword train corpora/sample.txt --vocab-size 400 --user-symbols").arg(&list);
    let message = train.fails(1);
    assert!(
        message.contains("symbols: `</s>` cannot be a symbol: "),
        "{message}"
    );
}

#[test]
fn what_is_no_piece_is_named_with_its_line() {
    let message = decode("").stdin("\n▁the ▁xyzzy\n").fails(1);
    assert_eq!(
        message,
        "wordmill subword decode: -:2: the model has no piece `▁xyzzy`\n"
    );
    let message = decode("").stdin("5 99999\n").fails(1);
    assert!(
        message.starts_with("wordmill subword decode: -:1: no piece has the number 99999: "),
        "{message}"
    );
    let message = decode("").stdin("5\nx\n").fails(1);
    assert!(
        message.contains("-:2: expected the number of a piece, found `x`\nhint: "),
        "{message}"
    );
}

#[test]
fn a_file_that_is_no_model_is_refused_by_name() {
    for file in ["corpora/sample.txt", "corpora/notes.jsonl"] {
        let message = wordmill(&format!("subword encode --model {file}")).fails(1);
        let expected = format!("wordmill subword encode: {file}: not a ");
        assert!(
            message.starts_with(&expected) && message.contains("\nhint: "),
            "{message}"
        );
    }
}

#[test]
fn the_committed_model_is_the_one_that_is_learned() {
    let learned = wordmill("subword train corpora/sample.txt --vocab-size 400").text();
    assert!(learned == std::fs::read_to_string("corpora/tokenizer.json").unwrap());
}

#[test]
fn an_empty_environment_is_enough() {
    assert_eq!(encode("").no_environment().stdin("the\n").text(), "▁the\n");
}
