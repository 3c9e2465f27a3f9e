//! What every command that reads a stream owes its user, whatever layer it adds: one list of faults and corner cases for
//! all of them.

use crate::harness::{Call, root, shell, wordmill};

const COMMANDS: &[&str] = &["tokenize", "stem", "lemmatize", "pos", "ner", "annotate"];

/// The commands that print a matrix: they have no layer, and faults in common with those that have.
const BAGS: &[&str] = &["bow", "tfidf"];

/// All commands that read a stream.
fn streams() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().chain(BAGS).copied()
}

/// The commands that take `--model`, and a layer that none of them can use.
const WITH_MODEL: &[(&str, &str)] = &[
    ("tokenize", "pos"),
    ("pos", "ner"),
    ("lemmatize", "ner"),
    ("ner", "lemmatize"),
];

/// Words of a text as each command prints them with `--to words`.
fn words(command: &str, text: &str) -> String {
    wordmill(&format!("{command} --to words"))
        .stdin(text)
        .text()
}

#[test]
fn empty_input_gives_empty_output() {
    for command in COMMANDS {
        for to in ["text", "words", "raw", "tsv", "conllu", "jsonl"] {
            let call = wordmill(&format!("{command} --to {to}"));
            assert_eq!(call.text(), "", "{command} --to {to}");
        }
    }
}

#[test]
fn the_last_line_needs_no_newline() {
    for command in COMMANDS {
        let with = words(command, "Dogs bark. Ann sings.\n");
        assert_eq!(words(command, "Dogs bark. Ann sings."), with, "{command}");
        assert_eq!(
            with.lines().filter(|l| !l.is_empty()).count(),
            6,
            "{command}: {with}"
        );
    }
}

#[test]
fn lines_that_end_in_cr_lf_hold_the_same_words() {
    let text = "Dogs bark.\n\nAnn sings\nin Rome.\n";
    for command in COMMANDS {
        let crlf = words(command, &text.replace('\n', "\r\n"));
        assert_eq!(crlf, words(command, text), "{command}");
    }
}

#[test]
fn a_file_is_read_like_stdin() {
    let sample = std::fs::read(root().join("corpora/sample.txt")).unwrap();
    for command in streams() {
        let from_file = wordmill(&format!("{command} corpora/sample.txt")).bytes();
        let from_stdin = wordmill(command).stdin(&sample).bytes();
        assert!(from_file == from_stdin, "{command}");
    }
}

#[test]
fn raw_output_is_the_document_again() {
    let text = "  Dogs\u{a0}bark.\t😀\r\n\r\n\"Ann's\"  e-mail…\n";
    for command in COMMANDS {
        let raw = wordmill(&format!("{command} --to raw")).stdin(text).text();
        assert_eq!(raw, text, "{command}");
    }
}

#[test]
fn columns_a_command_does_not_know_stay() {
    let text = "# sent_id = x\n# odd = 1\n1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\tKey=1\n\
                1\tdo\t_\t_\t_\t_\t3\taux\t_\tOther=a\n2\tn't\t_\t_\t_\t_\t3\tadvmod\t_\t_\n\
                3\tgo\t_\t_\t_\t_\t0\troot\t0:root\t_\n3.1\tgone\t_\t_\t_\t_\t_\t_\t3:dep\t_\n\n";
    for command in COMMANDS {
        let output = wordmill(command).stdin(text).text();
        for part in [
            "# sent_id = x\n# odd = 1\n1-2\tdon't\t",
            "\tKey=1\n",
            "Other=a",
            "\t3\taux\t",
            "\n3.1\tgone\t",
        ] {
            assert!(output.contains(part), "{command} loses {part:?}:\n{output}");
        }
    }
}

#[test]
fn json_lines_give_json_lines_with_their_fields() {
    let text = "{\"id\":\"a\",\"text\":\"Dogs bark.\",\"year\":1843}\n{\"text\":\"\"}\n";
    for command in COMMANDS {
        let output = wordmill(command).stdin(text).text();
        let objects: Vec<serde_json::Value> = output
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(objects.len(), 2, "{command}: {output}");
        assert_eq!(objects[0]["year"], 1843, "{command}");
        assert_eq!(objects[0]["text"], "Dogs bark.", "{command}");
    }
}

#[test]
fn bad_bytes_are_named() {
    for command in streams() {
        let message = wordmill(command).stdin(b"Good.\nBad \xFF.\n").fails(1);
        let expected = format!("wordmill {command}: -:2: invalid UTF-8 at byte 10\nhint: ");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn bad_bytes_may_be_replaced() {
    for command in COMMANDS {
        let replace = wordmill(&format!("{command} --invalid replace --to words"));
        assert!(
            replace.stdin(b"Bad \xFF.\n").text().contains('\u{FFFD}'),
            "{command}"
        );
    }
}

#[test]
fn an_unknown_flag_is_wrong_usage() {
    for command in streams() {
        let message = wordmill(&format!("{command} --no-such-flag")).fails(2);
        assert!(message.contains("'--no-such-flag'"), "{command}: {message}");
    }
}

#[test]
fn a_missing_file_is_named() {
    for command in streams() {
        let outcome = wordmill(&format!("{command} corpora/sample.txt no/such.txt")).run();
        let expected = format!("wordmill {command}: no/such.txt: no such file\n");
        outcome.expect(outcome.status == 1 && outcome.stderr == expected, &expected);
        outcome.expect(outcome.stdout.is_empty(), "nothing printed before");
    }
}

#[test]
fn conllu_with_nine_columns_is_refused_with_its_line() {
    for command in streams() {
        let text = "1\tA\t_\t_\t_\t_\t_\t_\t_\t_\n2\tB\t_\t_\t_\t_\t_\t_\t_\n\n";
        let message = wordmill(command).stdin(text).fails(1);
        let expected = format!("wordmill {command}: -:2: expected 10 columns, found 9\nhint: ");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    for command in COMMANDS {
        let line = format!(
            "yes 'Dogs bark.' | wordmill {command} --from lines --to text | head -n 1 > /dev/null; \
             echo ${{PIPESTATUS[1]}}"
        );
        assert_eq!(shell(&line).text(), "0\n", "{command}");
    }
    for command in BAGS {
        // The first of two passes needs an end, and the second more than a pipe holds.
        let line = format!(
            "yes 'Dogs bark.' | head -n 200000 | wordmill {command} -q | head -n 1 > /dev/null; \
             echo ${{PIPESTATUS[2]}}"
        );
        assert_eq!(shell(&line).text(), "0\n", "{command}");
    }
}

#[test]
fn a_matrix_is_the_same_with_any_line_ends() {
    for command in BAGS {
        let matrix = |text: &str| wordmill(command).stdin(text).text();
        let expected = matrix("Dogs bark.\n\nAnn sings.\n");
        assert_eq!(expected.lines().count(), 3, "{command}");
        assert_eq!(matrix("Dogs bark.\n\nAnn sings."), expected, "{command}");
        assert_eq!(
            matrix("Dogs bark.\r\n\r\nAnn sings.\r\n"),
            expected,
            "{command}"
        );
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    for command in streams() {
        let line = format!("wordmill {command} corpora/sample.txt > /dev/full");
        let message = shell(&line).fails(1);
        let expected = format!("wordmill {command}: standard output: No space left");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn a_failing_run_leaves_no_file() {
    for command in streams() {
        let folder = tempfile::tempdir().unwrap();
        let call = wordmill(&format!("{command} -o")).arg(folder.path().join("out"));
        call.stdin(b"Good.\n\n\xFF").fails(1);
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "{command}"
        );
    }
}

#[test]
fn threads_do_not_change_a_byte() {
    let sample = std::fs::read_to_string(root().join("corpora/sample.txt")).unwrap();
    // Several units of work, so that threads have something to mix up.
    let text = format!("{sample}\n").repeat(40);
    for command in COMMANDS {
        let run = |threads: u8| {
            let flags = format!("{command} --to jsonl --from lines --threads {threads}");
            wordmill(&flags).stdin(&text).bytes()
        };
        assert!(run(1) == run(2), "{command}");
    }
}

#[test]
fn an_empty_environment_is_enough() {
    for command in streams() {
        let call = wordmill(&format!("{command} corpora/sample.txt"));
        assert!(
            call.no_environment().bytes()
                == wordmill(&format!("{command} corpora/sample.txt")).bytes()
        );
    }
}

/// `COMMAND --model FILE` with a word on stdin.
fn with_model(command: &str, model: &std::path::Path) -> Call {
    wordmill(&format!("{command} --model"))
        .arg(model)
        .stdin("Dogs bark.\n")
}

#[test]
fn a_file_that_is_no_whole_model_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (command, _) in WITH_MODEL {
        let whole = folder.path().join("whole.safetensors");
        wordmill(&format!("model pack {command} -o"))
            .arg(&whole)
            .text();
        let bytes = std::fs::read(&whole).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() - 9] ^= 1;
        let faults: [(&str, &[u8], &str); 4] = [
            ("empty.model", b"", "not a model file"),
            ("text.model", b"These are no weights.\n", "not a model file"),
            ("cut.model", &bytes[..bytes.len() / 2], "not a model file"),
            ("flipped.model", &flipped, "the file is damaged"),
        ];
        for (name, bytes, problem) in faults {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let message = with_model(command, &path).fails(1);
            let holds = message.starts_with(&format!("wordmill {command}: {}: ", path.display()));
            assert!(holds && message.contains(problem), "{name}: {message}");
        }
        with_model(command, &folder.path().join("missing")).fails(1);
        assert!(!with_model(command, &whole).text().is_empty());
    }
}

#[test]
fn a_model_of_another_task_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (command, other) in WITH_MODEL {
        let path = folder.path().join(other);
        wordmill(&format!("model pack {other} -o"))
            .arg(&path)
            .text();
        let message = with_model(command, &path).fails(1);
        let expected = format!("{}: the model holds {other}, not ", path.display());
        assert!(message.contains(&expected), "{message}");
    }
}
