//! What is read: files, stdin, compression, encodings, line ends, shards.

use crate::harness::{Call, shell, wordmill};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

/// The bytes of the documents again, whatever the layers are.
fn raw(flags: &str) -> Call {
    wordmill(&format!("annotate --layers tokens --to raw {flags}"))
}

/// Text with many paragraphs and characters of all widths.
fn long_text() -> String {
    (0..40_000)
        .map(|i| format!("Paragraph {i}: the cat saw 5 mice & naïve 😀 dogs.\nIt ran.\n\n"))
        .collect()
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn empty_input_gives_empty_output() {
    for to in ["text", "words", "raw", "tsv", "conllu", "jsonl"] {
        for from in [
            "auto", "text", "lines", "tokens", "conllu", "jsonl", "columns",
        ] {
            let call = wordmill(&format!("annotate --layers tokens --from {from} --to {to}"));
            assert_eq!(call.text(), "", "{from} to {to}");
        }
    }
}

#[test]
fn raw_output_is_the_text_byte_for_byte() {
    for text in [
        "a b",
        "a b\n",
        "a\r\n\r\nb\r\n",
        "  a\0b \n\n\n c\t",
        "é😀\n",
    ] {
        assert_eq!(raw("").stdin(text).text(), text);
    }
    let text = long_text();
    assert!(raw("").stdin(&text).text() == text);
}

#[test]
fn a_line_in_is_a_line_out() {
    let lines = wordmill("annotate --layers tokens --from lines --to text");
    assert_eq!(lines.stdin("a b\r\n\nc\n\n\nd").text(), "a b\n\nc\n\n\nd\n");
    let tokens = wordmill("annotate --layers tokens --from tokens --to text");
    assert_eq!(tokens.stdin("a b\n\nc").text(), "a b\n\nc\n");
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert_eq!(raw("").stdin("\u{FEFF}a\n").text(), "a\n");
    let conllu = "\u{FEFF}1\tA\t_\t_\t_\t_\t_\t_\t_\t_\n\n";
    assert_eq!(
        wordmill("annotate --to words")
            .stdin(conllu)
            .text()
            .trim_end(),
        "A"
    );
}

#[test]
fn other_encodings_are_read() {
    let utf16: Vec<u8> = "\u{FEFF}né\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(raw("").stdin(utf16).text(), "né\n");
    assert_eq!(raw("--encoding latin1").stdin(b"n\xE9\n").text(), "né\n");
    wordmill("annotate --encoding klingon").fails(2);
}

#[test]
fn invalid_bytes_stop_the_run_or_are_replaced() {
    let text = long_text();
    let mut bytes = text.clone().into_bytes();
    bytes.extend(b"bad \xFF byte\n");
    let outcome = raw("").stdin(&bytes).run();
    let line = text.matches('\n').count() + 1;
    let expected = format!(
        "wordmill annotate: -:{line}: invalid UTF-8 at byte {}\nhint: ",
        text.len() + 4
    );
    outcome.expect(
        outcome.status == 1 && outcome.stderr.starts_with(&expected),
        &expected,
    );
    assert!(
        outcome.stdout.len() > text.len() / 2,
        "what stands before is printed"
    );
    assert_eq!(
        raw("--invalid replace").stdin(b"a\xFFb").text(),
        "a\u{FFFD}b"
    );
}

#[test]
fn compressed_input_is_known_by_its_first_bytes() {
    let (a, b) = ("One.\n\n", "Two.\n");
    assert_eq!(raw("").stdin(gzipped(a)).text(), a);
    let members = [gzipped(a), gzipped(b)].concat();
    assert_eq!(raw("").stdin(members).text(), "One.\n\nTwo.\n");
    let frame = |text: &str| zstd::encode_all(text.as_bytes(), 0).unwrap();
    assert_eq!(
        raw("").stdin([frame(a), frame(b)].concat()).text(),
        "One.\n\nTwo.\n"
    );
    assert_eq!(raw("").stdin("(").text(), "(");
}

#[test]
fn compressed_input_that_was_cut_short_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let zstd = zstd::encode_all(long_text().as_bytes(), 0).unwrap();
    for (name, bytes) in [("cut.gz", gzipped(&long_text())), ("cut.zst", zstd)] {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let message = raw("").arg(&path).fails(1);
        assert!(
            message.contains(&format!("{name}: compressed data ends too early")),
            "{message}"
        );
    }
}

#[test]
fn files_and_stdin_are_read_in_their_order() {
    let text = raw("corpora/crlf.txt - corpora/crlf.txt")
        .stdin("middle\n")
        .text();
    let file = std::fs::read_to_string("corpora/crlf.txt").unwrap();
    assert_eq!(text, format!("{file}middle\n{file}"));
}

#[test]
fn shards_are_disjoint_and_complete() {
    let lines: String = (0..1000).map(|i| format!("line {i}\n")).collect();
    let mut sharded = vec![String::new(); 1000];
    for shard in 0..3 {
        let out = raw(&format!("--from lines --shard {shard}/3"))
            .stdin(&lines)
            .text();
        for (i, line) in out.lines().enumerate() {
            sharded[shard + 3 * i] = format!("{line}\n");
        }
    }
    assert_eq!(sharded.concat(), lines);
    let paragraphs = "a\n\nb\n\nc\n";
    assert_eq!(raw("--shard 1/2").stdin(paragraphs).text(), "b\n\n");
}

#[test]
fn threads_change_neither_order_nor_bytes() {
    let text = long_text();
    assert!(text.len() > 2 << 20);
    for to in ["conllu", "jsonl", "words"] {
        let run = |threads| {
            let flags = format!("annotate --layers tokens --to {to} --threads {threads}");
            wordmill(&flags).stdin(&text).bytes()
        };
        assert!(run(1) == run(2), "{to}");
    }
}

#[test]
fn sentences_are_numbered_through_the_whole_output() {
    let conllu = wordmill("annotate --layers tokens")
        .stdin(long_text())
        .text();
    let numbers = conllu
        .lines()
        .filter_map(|line| line.strip_prefix("# sent_id = "));
    let mut count = 0;
    for (i, number) in numbers.enumerate() {
        assert_eq!(number, (i + 1).to_string());
        count += 1;
    }
    assert!(count > 10, "{count}");
}

#[test]
fn lines_of_any_length_and_nul_bytes_are_valid() {
    let line = "word\0s ".repeat(500_000) + "\n";
    assert!(raw("--from lines").stdin(&line).text() == line);
    let marked = "some words\r\n".repeat(3) + &line;
    assert!(raw("--from lines").stdin(&marked).text() == marked);
    let unbroken = "x".repeat(3_000_000);
    assert!(raw("").stdin(&unbroken).text() == unbroken);
}

#[test]
fn a_long_line_in_is_a_line_out() {
    let line = "a word and ".repeat(300_000);
    let input = format!("first\n{line}\nlast one\n");
    let expected = format!("first\n{}\nlast one\n", line.trim_end());
    for command in ["tokenize", "tokenize --lower", "annotate --layers tokens"] {
        let flags = format!("{command} --scheme whitespace --from lines --to text");
        let flags = match command.starts_with("annotate") {
            true => flags.replace("--scheme whitespace ", ""),
            false => flags,
        };
        let out = wordmill(&flags).stdin(&input).text();
        assert!(out == expected, "{command}: {} lines", out.lines().count());
    }
    let json = wordmill("tokenize --from lines --to jsonl")
        .stdin(&input)
        .text();
    assert_eq!(json.lines().count(), 3);
    let shard = raw("--from lines --shard 1/3").stdin(&input).text();
    assert!(shard == format!("{line}\n"));
}

#[test]
fn a_sentence_of_which_nothing_is_left_is_a_line_of_lines_only() {
    let flags = "tokenize --keep alpha --scheme whitespace --to text";
    assert_eq!(
        wordmill(flags).stdin("a b\n\n1 2\n\nc\n").text(),
        "a b\nc\n"
    );
    let flags = format!("{flags} --from lines");
    assert_eq!(wordmill(&flags).stdin("a b\n1 2\nc\n").text(), "a b\n\nc\n");
}

#[test]
fn a_line_comes_out_before_the_next_goes_in() {
    let lines = [
        "annotate", "--layers", "tokens", "--from", "lines", "--to", "raw",
    ];
    let text = ["annotate", "--layers", "tokens", "--to", "raw"];
    for (args, element) in [(&lines[..], "one\n"), (&text[..], "one\ntwo\n\n")] {
        let mut child = Command::new(crate::harness::binary())
            .args(args)
            .arg("--line-buffered")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..3 {
            stdin.write_all(element.as_bytes()).unwrap();
            let mut out = String::new();
            for _ in element.lines() {
                stdout.read_line(&mut out).unwrap();
            }
            assert_eq!(out, element);
        }
        drop(stdin);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn stdin_at_a_terminal_shows_the_help() {
    // `script` gives the command a terminal; not every machine has it.
    if shell("command -v script").run().status != 0 {
        return;
    }
    let outcome = shell("script -qec 'wordmill annotate' /dev/null < /dev/null").run();
    let shown = String::from_utf8_lossy(&outcome.stdout).into_owned();
    outcome.expect(shown.contains("Usage: wordmill annotate"), "the help");
}
