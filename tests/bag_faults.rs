//! What is wrong with documents, vocabularies and models, as `bow` says it; `tfidf` reads them by the same code.

use crate::harness::{shell, wordmill};

/// Runs that must fail: flags, input, status, and what the message says behind the name of the command.
const REFUSED: &[(&str, &str, i32, &str)] = &[
    (
        "--min-df 3 --max-df 2",
        "aa\n",
        2,
        "max-df allows 2 documents at most, min-df asks for 3\n",
    ),
    (
        "--min-df 2",
        "aa\nbb\n",
        1,
        "no term is left of 2 documents\nhint: --min-df",
    ),
    ("", "a\n", 1, "no term is left of 1 document\nhint: "),
    (
        "--from jsonl",
        "{\"text\":\"aa\"}\n{\"body\":\"aa\"}\n",
        1,
        "-:2: no field \"text\" in the object\nhint: --field names",
    ),
    ("--from jsonl", "{\"text\":\"aa\"\n", 1, "-:1: "),
    (
        "--from csv",
        "body\naa\n",
        1,
        "-:1: no column \"text\"\nhint: the columns are body\n",
    ),
    (
        "--from csv --label x",
        "text\naa\n",
        1,
        "-:1: no column \"x\"\nhint: the columns are text\n",
    ),
    (
        "--from csv",
        "text\n\"aa\nbb\"\ncc,dd\n",
        1,
        "-:4: expected 1 columns, found 2\n",
    ),
    (
        "--from conllu",
        "1\tA\n\n",
        1,
        "-:1: expected 10 columns, found 2\n",
    ),
    (
        "--counts --min-df 2",
        "aa\n",
        2,
        "--min-df, --max-df and --max-features need all counts\nhint: give them to `wordmill merge`",
    ),
    (
        "--hashing 4 --max-features 2",
        "aa\n",
        2,
        "--min-df, --max-df and --max-features choose columns, and these are given\n",
    ),
    ("--dense", "aa\n", 2, "--dense is for --to csv\n"),
    (
        "--scheme unicode --pattern a",
        "aa\n",
        2,
        "--pattern is for --scheme regex\n",
    ),
    (
        "--pattern (a)(b)",
        "aa\n",
        2,
        "more than one group in the pattern\n",
    ),
    (
        "--hashing 4 --label g --from jsonl",
        "{\"text\":\"aa\",\"g\":\"x\"}\n",
        1,
        "the label \"x\" is no number\nhint: --to tsv or jsonl",
    ),
    ("--stopwords no/such", "aa\n", 1, "no/such: no such file\n"),
    ("--model no/such", "aa\n", 1, "no/such: no such file\n"),
    ("--vocab corpora/crlf.txt", "aa\n", 1, "corpora/crlf.txt:"),
    ("--temp-dir no/such --to npz", "aa\n", 1, "temporary file: "),
    (
        "--doc line corpora",
        "",
        1,
        "corpora: is a folder\nhint: --doc file takes",
    ),
    (
        "--layer lemma",
        "Dogs bark.\n",
        1,
        "-: --layer and --pos are for CoNLL-U\nhint: `wordmill annotate` adds",
    ),
    (
        "--pos NOUN corpora/notes.jsonl",
        "",
        1,
        "corpora/notes.jsonl: --layer and --pos are for CoNLL-U\n",
    ),
];

#[test]
fn what_cannot_be_is_named_and_nothing_is_printed() {
    for (flags, text, status, expected) in REFUSED {
        let outcome = wordmill(&format!("bow {flags}")).stdin(text).run();
        let expected = format!("wordmill bow: {expected}");
        let holds = outcome.status == *status && outcome.stderr.starts_with(&expected);
        outcome.expect(holds, &format!("status {status} and {expected}"));
        outcome.expect(outcome.stdout.is_empty(), "nothing on stdout");
    }
}

#[test]
fn flags_that_do_not_go_together_are_wrong_usage() {
    for flags in [
        "--vocab v --hashing 4",
        "--hashing 4 --save m",
        "--model m --save n",
        "--counts --save m",
        "--counts --to tsv",
        "--hashing 0",
        "--hashing 31",
        "--ngrams 2-1",
        "--ngrams 0",
        "--min-df 1.5",
        "--max-df -0.1",
        "--max-features 0",
        "--memory 1T2",
        "--shard 4/4",
        "--threads 0",
        "--delimiter ab",
        "--encoding klingon",
        "--stem klingon",
    ] {
        let message = wordmill(&format!("bow {flags}")).stdin("aa\n").fails(2);
        assert!(message.starts_with("error: "), "{flags}: {message}");
    }
}

#[test]
fn a_vocabulary_has_each_term_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vocab");
    let message = |vocabulary: &str| {
        std::fs::write(&path, vocabulary).unwrap();
        let message = wordmill("bow --vocab").arg(&path).stdin("aa\n").fails(1);
        let named = format!("wordmill bow: {}", path.display());
        message.strip_prefix(&named).unwrap().to_owned()
    };
    let twice = message("aa\nbb\naa\n");
    assert_eq!(twice, ":3: the term \"aa\" stands in line 1 already\n");
    assert_eq!(message("aa\n\nbb\n"), ":2: an empty line is no term\n");
    assert_eq!(message(""), ": no terms\n");
}

#[test]
fn a_model_of_another_version_or_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    wordmill("bow --save").arg(&path).stdin("aa\n").text();
    let model = std::fs::read_to_string(&path).unwrap();
    let message = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let message = wordmill("bow --model").arg(&path).stdin("aa\n").fails(1);
        let named = format!("wordmill bow: {}:", path.display());
        message.strip_prefix(&named).unwrap().to_owned()
    };
    let newer = message(&model.replace("counts 1", "counts 2"));
    assert_eq!(newer, "1: counts of version 2, and this tool reads 1\n");
    assert!(message("aa\t1\t1\n").starts_with("1: no file of counts\nhint: "));
    let changed = message(&model.replace("\"lower\":true", "\"lower\":false"));
    assert!(
        changed.starts_with("2: the options are not those"),
        "{changed}"
    );
    let unsorted = message(&format!("{model}AA\t1\t1\n"));
    assert_eq!(unsorted, "4: terms must be in byte order, each once\n");
    let too_many = message(&model.replace("aa\t1\t1", "aa\t2\t1"));
    assert!(too_many.starts_with("3: a count that docs"), "{too_many}");
    let short = message(&model.replace("aa\t1\t1", "aa\t1"));
    assert!(
        short.starts_with("3: expected a term, its count"),
        "{short}"
    );
}

#[test]
fn a_vocabulary_in_a_model_has_each_term_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("vocab"), "bb\naa\n").unwrap();
    let call = wordmill("bow --vocab").arg(path("vocab"));
    call.arg("--save").arg(path("model")).stdin("aa\n").text();
    let model = std::fs::read_to_string(path("model")).unwrap();
    std::fs::write(path("model"), model + "bb\t0\t0\n").unwrap();
    let message = wordmill("bow --model")
        .arg(path("model"))
        .stdin("")
        .fails(1);
    assert!(message.ends_with(": the term \"bb\" twice\n"), "{message}");
}

#[test]
fn an_unreadable_file_is_named_or_skipped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    for i in 0..60 {
        write(&format!("{i:02}.txt"), format!("word{i}\n").as_bytes());
    }
    write("30.txt", b"good\nbad \xFF\n");
    write("31.txt", b"\x1F\x8Bno gzip");
    let bad = folder.path().join("30.txt").display().to_string();
    let message = wordmill("bow --doc file").arg(folder.path()).fails(1);
    let problem = format!("{bad}:2: invalid UTF-8 at byte 9 of a document\n");
    assert!(
        message.starts_with(&format!("wordmill bow: {problem}hint: ")),
        "{message}"
    );
    let call = wordmill("bow --doc file --keep-going").arg(folder.path());
    let outcome = call.arg("no/such.txt").run();
    outcome.expect(outcome.status == 0, "success");
    outcome.expect(
        outcome.stdout.split(|&b| b == b'\n').count() == 59,
        "58 rows",
    );
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    outcome.expect(lines.len() == 4, "four lines of messages");
    assert_eq!(format!("{}\n", lines[0]), format!("skipped: {problem}"));
    assert!(lines[1].starts_with("skipped: ") && lines[1].contains("31.txt: "));
    assert_eq!(lines[2], "skipped: no/such.txt: no such file");
    assert_eq!(lines[3], "3 files were skipped");
}

#[test]
fn bad_bytes_are_found_in_every_kind_of_document() {
    for (flags, text, place) in [
        (
            "--doc paragraph",
            &b"aa\n\n\nbb\ncc \xFF\n"[..],
            "-:5: invalid UTF-8 at byte 6 of a document",
        ),
        (
            "--doc file",
            b"aa\nbb \xFF\n",
            "-:2: invalid UTF-8 at byte 6 of a document",
        ),
        (
            "--from csv",
            b"text\naa\nbb \xFF\n",
            "-:3: invalid UTF-8 at byte 3 of a document",
        ),
        (
            "--from jsonl",
            b"{\"text\":\"aa\"}\n{\"text\":\"\xFF\"}\n",
            "-:2: invalid UTF-8 at byte 23",
        ),
    ] {
        let message = wordmill(&format!("bow {flags}")).stdin(text).fails(1);
        let expected = format!("wordmill bow: {place}\nhint: ");
        assert!(message.starts_with(&expected), "{flags}: {message}");
    }
}

/// Every batch of half a megabyte is a temporary file of its own.
#[test]
fn too_little_memory_for_the_files_that_may_be_open_is_named() {
    let line = "ulimit -n 16; yes \"$(cat corpora/sample.txt)\" | head -c 12000000 | wordmill bow -q --memory 1K";
    let message = shell(line).fails(1);
    let expected = "wordmill bow: temporary files: too many open files\nhint: a larger --memory";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn outputs_that_cannot_be_are_found_before_anything_is_read() {
    for line in [
        "bow -o no/such/m.npz",
        "bow --save no/such/model",
        "tfidf --save-index no/such/index",
        "tfidf --save-index index.gz",
    ] {
        let call = shell(&format!("yes never ending | wordmill {line}"));
        let outcome = call.run();
        outcome.expect(
            outcome.status == 1 || outcome.status == 2,
            "an error at once",
        );
    }
}
