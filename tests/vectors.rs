//! `wordmill vectors`: answers, formats, scores, pictures, and bad input.

use crate::harness::{shell, wordmill};
use std::path::Path;

const ALL: [&str; 8] = [
    "nearest",
    "analogy",
    "odd-one-out",
    "similarity",
    "average",
    "eval",
    "convert",
    "plot",
];

fn converted(folder: &Path, name: &str, flags: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    let call = wordmill(&format!("vectors convert corpora/vectors.vec {flags} -o")).arg(&path);
    assert_eq!(call.text(), "");
    path
}

#[test]
fn every_format_and_compression_is_known_by_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let expected = wordmill("vectors nearest corpora/vectors.vec king -k 5").text();
    for name in [
        "a.bin",
        "a.vec",
        "a.glove",
        "a.safetensors",
        "a.bin.gz",
        "a.vec.zst",
        "a.safetensors.zst",
    ] {
        let path = converted(folder.path(), name, "");
        let renamed = folder.path().join("vectors");
        std::fs::rename(&path, &renamed).unwrap();
        let found = wordmill("vectors nearest")
            .arg(&renamed)
            .arg("king")
            .arg("-k5")
            .text();
        assert_eq!(found, expected, "{name}");
        let bytes = std::fs::read(&renamed).unwrap();
        let piped = wordmill("vectors nearest - king -k 5").stdin(bytes).text();
        assert_eq!(piped, expected, "{name} from a pipe");
    }
}

#[test]
fn what_is_converted_and_back_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let expected = wordmill("vectors convert corpora/vectors.vec --to glove").text();
    for name in ["a.bin", "a.safetensors", "a.vec"] {
        let path = converted(folder.path(), name, "");
        let back = wordmill("vectors convert --to glove").arg(&path).text();
        assert_eq!(back, expected, "{name}");
    }
}

#[test]
fn small_types_answer_nearly_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let expected = wordmill("vectors nearest corpora/vectors.vec king queen paris -k 1").text();
    let words = |text: &str| -> Vec<String> {
        let word = |line: &str| line.split('\t').nth(1).unwrap().to_owned();
        text.lines().map(word).collect()
    };
    for dtype in ["f16", "i8"] {
        let path = converted(folder.path(), "a.safetensors", &format!("--dtype {dtype}"));
        let found = wordmill("vectors nearest").arg(&path);
        let found = found
            .arg("king")
            .arg("queen")
            .arg("paris")
            .arg("-k1")
            .text();
        assert_eq!(words(&found), words(&expected), "{dtype}");
    }
}

#[test]
fn threads_change_no_byte() {
    let ask = |threads: u8| {
        shell(&format!(
            "cut -d ' ' -f 1 corpora/vectors.vec | tail -n +2 | wordmill vectors nearest corpora/vectors.vec --threads {threads}"
        ))
        .text()
    };
    assert_eq!(ask(1), ask(3));
    let plot = |threads: u8| {
        let command = "vectors plot corpora/vectors.vec --top 30 --method tsne --threads";
        wordmill(&format!("{command} {threads}")).text()
    };
    assert_eq!(plot(1), plot(2));
}

#[test]
fn queries_may_lack_their_last_newline_and_have_carriage_returns() {
    for (command, query) in [
        ("nearest", "king"),
        ("analogy", "man king woman"),
        ("similarity", "king queen"),
        ("odd-one-out", "cat dog king"),
    ] {
        let ask = |stdin: String| {
            let call = wordmill(&format!("vectors {command} corpora/vectors.vec --stdin"));
            call.stdin(stdin).text()
        };
        let expected = ask(format!("{query}\n"));
        assert_eq!(ask(query.to_owned()), expected, "{command}");
        assert_eq!(ask(format!("{query}\r\n")), expected, "{command}");
        assert_eq!(ask(String::new()), "", "{command}");
        assert_eq!(ask("\n\n".to_owned()), "\n\n", "{command}");
    }
}

#[test]
fn queries_that_are_not_utf8_are_named() {
    let call = wordmill("vectors nearest corpora/vectors.vec --stdin");
    let message = call.stdin(b"king\n\xff\n").fails(1);
    assert!(message.contains("-:2: invalid UTF-8"), "{message}");
}

#[test]
fn a_table_without_a_last_newline_or_with_carriage_returns_is_the_same() {
    let text = std::fs::read_to_string("corpora/vectors.vec").unwrap();
    let expected = wordmill("vectors convert corpora/vectors.vec").text();
    let read = |text: &str| wordmill("vectors convert -").stdin(text).text();
    assert_eq!(read(text.trim_end()), expected);
    assert_eq!(read(&text.replace('\n', "\r\n")), expected);
}

#[test]
fn words_of_glove_may_have_spaces_and_rows_may_not_be_longer() {
    let read = |text: &str| wordmill("vectors convert - --to glove").stdin(text);
    assert_eq!(read("a 1 2\n. . . 3 4\n").text(), "a 1 2\n. . . 3 4\n");
    let message = read("a 1 2\nb 3 4 5\n").fails(1);
    assert!(
        message.contains("-:2: expected 2 values, found 3"),
        "{message}"
    );
}

#[test]
fn damaged_containers_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = converted(folder.path(), "a.safetensors", "");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let message = wordmill("vectors nearest").arg(&path).arg("king").fails(1);
    assert!(
        message.contains("a.safetensors: not vectors of wordmill: its checksum is wrong"),
        "{message}"
    );
    std::fs::write(&path, &bytes[..last]).unwrap();
    wordmill("vectors nearest").arg(&path).arg("king").fails(1);
}

#[test]
fn averages_have_a_row_for_each_line_in_both_formats() {
    let folder = tempfile::tempdir().unwrap();
    let npy = folder.path().join("lines.npy");
    let call = "vectors average corpora/vectors.vec corpora/sample.txt";
    let rows = wordmill(call).text().lines().count();
    assert_eq!(rows, 12);
    wordmill(&format!("{call} -o")).arg(&npy).text();
    let bytes = std::fs::read(&npy).unwrap();
    let head = String::from_utf8_lossy(&bytes[10..128]).into_owned();
    assert!(head.contains("'shape': (12, 24)"), "{head}");
    assert_eq!(bytes.len(), 128 + 12 * 24 * 4);
    let empty = wordmill("vectors average corpora/vectors.vec")
        .stdin("")
        .text();
    assert_eq!(empty, "");
}

#[test]
fn counts_replace_ranks() {
    let folder = tempfile::tempdir().unwrap();
    let counts = folder.path().join("counts.tsv");
    std::fs::write(&counts, "the\t999\nking\t1\n").unwrap();
    let call =
        || wordmill("vectors average corpora/vectors.vec --weights sif --counts").arg(&counts);
    let with_counts = call().stdin("the king\n").text();
    let by_rank = wordmill("vectors average corpora/vectors.vec --weights sif")
        .stdin("the king\n")
        .text();
    assert_ne!(with_counts, by_rank);
    std::fs::write(&counts, "the\t999\nking 1\n").unwrap();
    let message = call().stdin("the king\n").fails(1);
    assert!(
        message.contains("counts.tsv:2: expected a word, a tab and a number"),
        "{message}"
    );
}

#[test]
fn pictures_are_svg_or_png_by_their_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, start) in [("a.svg", &b"<svg "[..]), ("a.png", b"\x89PNG")] {
        let path = folder.path().join(name);
        let call = wordmill("vectors plot corpora/vectors.vec --top 40 -o").arg(&path);
        assert_eq!(call.text(), "");
        assert!(std::fs::read(&path).unwrap().starts_with(start), "{name}");
    }
}

#[test]
fn broken_questions_and_pairs_are_named_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.txt");
    std::fs::write(&path, ": a\nx y z\n").unwrap();
    let call = wordmill("vectors eval corpora/vectors.vec --analogies").arg(&path);
    let message = call.fails(1);
    assert!(
        message.contains("set.txt:2: expected four words, found 3"),
        "{message}"
    );
    let call = wordmill("vectors eval corpora/vectors.vec --pairs").arg(&path);
    let message = call.fails(1);
    assert!(
        message.contains("set.txt:1: expected two words and a number"),
        "{message}"
    );
}

#[test]
fn missing_files_and_unknown_flags_are_refused() {
    for command in ALL {
        let arguments = match command {
            "eval" => "--pairs corpora/pairs.tsv",
            "plot" => "king",
            _ => "",
        };
        let message = wordmill(&format!("vectors {command} missing.vec {arguments}")).fails(1);
        assert!(
            message.contains("missing.vec: no such file"),
            "{command}: {message}"
        );
        wordmill(&format!(
            "vectors {command} corpora/vectors.vec --unheard-of"
        ))
        .fails(2);
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure_and_a_full_disk_is_one() {
    let many =
        "for i in $(seq 3000); do echo king; done | wordmill vectors nearest corpora/vectors.vec";
    shell(&format!("set +o pipefail; {many} | head -n 1")).text();
    for command in [
        "nearest corpora/vectors.vec king",
        "convert corpora/vectors.vec",
        "plot corpora/vectors.vec king",
    ] {
        let message = shell(&format!("wordmill vectors {command} > /dev/full")).fails(1);
        assert!(message.contains("No space left"), "{command}: {message}");
    }
}

#[test]
fn a_failed_conversion_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = converted(folder.path(), "a.bin", "--top 3");
    let old = std::fs::read(&path).unwrap();
    let call = wordmill("vectors convert - -o")
        .arg(&path)
        .stdin("2 1\na 1\n");
    call.fails(1);
    assert_eq!(std::fs::read(&path).unwrap(), old);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
