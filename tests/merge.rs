//! `wordmill merge`: sums of partial counts.

use crate::harness::{Call, root, shell, wordmill};
use std::path::{Path, PathBuf};

fn sample() -> Vec<u8> {
    std::fs::read(root().join("corpora/sample.txt")).unwrap()
}

/// Counts of four shards of the sample, and of the whole.
fn shards(folder: &Path, flags: &str) -> (Vec<PathBuf>, Vec<u8>) {
    let count = |flags: &str| wordmill(&format!("bow --counts {flags}")).stdin(sample());
    let shard = |i: usize| {
        let path = folder.join(format!("{i}.counts"));
        count(&format!("{flags} --shard {i}/4 -o"))
            .arg(&path)
            .text();
        path
    };
    ((0..4).map(shard).collect(), count(flags).bytes())
}

fn merge(files: &[PathBuf]) -> Call {
    files
        .iter()
        .fold(wordmill("merge"), |call, file| call.arg(file))
}

#[test]
fn four_shards_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    for flags in [
        "",
        "--ngrams 1-2 --no-lower",
        "--analyzer char --ngrams 3",
        "--binary",
    ] {
        let (files, whole) = shards(folder.path(), flags);
        assert!(merge(&files).bytes() == whole, "{flags}");
        assert!(whole.len() > 1000, "{flags}");
    }
}

#[test]
fn sums_of_sums_in_any_order_are_the_sum() {
    let folder = tempfile::tempdir().unwrap();
    let (files, whole) = shards(folder.path(), "");
    let part = |name: &str, files: &[PathBuf]| {
        let path = folder.path().join(name);
        merge(files).arg("-o").arg(&path).text();
        path
    };
    let [a, b, c, d] = <[PathBuf; 4]>::try_from(files).unwrap();
    let left = part(
        "left",
        &[part("ab", &[a.clone(), b.clone()]), c.clone(), d.clone()],
    );
    let right = part("right", &[d, part("cba", &[c, part("ba", &[b, a])])]);
    assert!(std::fs::read(left).unwrap() == whole);
    assert!(std::fs::read(right).unwrap() == whole);
}

#[test]
fn one_file_is_its_own_sum() {
    let sample = std::fs::read(root().join("corpora/sample.counts.tsv")).unwrap();
    assert!(wordmill("merge corpora/sample.counts.tsv").bytes() == sample);
    assert!(wordmill("merge -").stdin(&sample).bytes() == sample);
}

#[test]
fn the_counts_of_the_sample_are_fresh() {
    let sample = std::fs::read(root().join("corpora/sample.counts.tsv")).unwrap();
    let fresh = wordmill("bow --counts corpora/sample.txt").bytes();
    assert!(
        fresh == sample,
        "run `wordmill bow --counts corpora/sample.txt -o corpora/sample.counts.tsv`"
    );
}

#[test]
fn empty_shards_count_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty");
    wordmill("bow --counts -o").arg(&path).text();
    let sum = merge(&[path, root().join("corpora/sample.counts.tsv")]);
    let sample = std::fs::read(root().join("corpora/sample.counts.tsv")).unwrap();
    assert!(sum.bytes() == sample);
}

#[test]
fn compressed_counts_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let whole = wordmill("merge corpora/sample.counts.tsv corpora/sample.counts.tsv").bytes();
    for name in ["a.gz", "a.zst"] {
        let call = wordmill("bow --counts corpora/sample.txt -o");
        call.arg(path(name)).text();
        let call = wordmill("merge corpora/sample.counts.tsv").arg(path(name));
        assert!(call.bytes() == whole, "{name}");
    }
}

#[test]
fn the_last_line_needs_no_newline() {
    let sample = std::fs::read_to_string(root().join("corpora/sample.counts.tsv")).unwrap();
    let merged = wordmill("merge").arg("-").stdin(sample.trim_end()).text();
    assert_eq!(merged, sample);
}

#[test]
fn lines_that_end_in_cr_lf_are_the_same_counts() {
    let sample = std::fs::read_to_string(root().join("corpora/sample.counts.tsv")).unwrap();
    let merged = wordmill("merge -").stdin(sample.replace('\n', "\r\n"));
    assert_eq!(merged.text(), sample);
}

/// The terms of a sum of two files, and its options.
fn cut(flags: &str) -> (Vec<String>, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut call = wordmill(&format!("merge {flags}"));
    for (name, text) in [("a", "aa bb bb\naa\n"), ("b", "aa cc cc cc\nbb\n")] {
        let path = folder.path().join(name);
        wordmill("bow --counts -o").arg(&path).stdin(text).text();
        call = call.arg(path);
    }
    let text = call.text();
    let mut lines = text.lines().skip(1);
    let options = lines.next().unwrap().to_owned();
    (lines.map(str::to_owned).collect(), options)
}

#[test]
fn cuts_look_at_the_sum() {
    assert_eq!(cut("").0, ["aa\t3\t3", "bb\t3\t2", "cc\t3\t1"]);
    assert_eq!(cut("--min-df 2").0, ["aa\t3\t3", "bb\t3\t2"]);
    assert_eq!(cut("--max-df 0.5").0, ["bb\t3\t2", "cc\t3\t1"]);
    assert_eq!(cut("--max-features 2").0, ["aa\t3\t3", "bb\t3\t2"]);
    assert_eq!(cut("--max-features 1 --max-df 2").0, ["bb\t3\t2"]);
}

#[test]
fn a_sum_that_was_cut_says_so() {
    assert!(!cut("").1.contains("\"cut\""));
    assert!(!cut("--min-df 1").1.contains("\"cut\""));
    let expected = "\"cut\":{\"min_df\":2,\"max_df\":1.0,\"max_features\":null}";
    assert!(cut("--min-df 2").1.contains(expected));
}

/// What is wrong with the second of two files; the first is that of the sample.
fn refused(bytes: impl AsRef<[u8]>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    std::fs::write(&path, bytes).unwrap();
    let out = folder.path().join("out");
    let call = wordmill("merge corpora/sample.counts.tsv").arg(&path);
    let message = call.arg("-o").arg(&out).fails(1);
    assert!(!out.exists());
    let named = format!("wordmill merge: {}:", path.display());
    message.strip_prefix(&named).unwrap_or(&message).to_owned()
}

fn counts(flags: &str) -> String {
    wordmill(&format!("bow --counts {flags} corpora/sample.txt")).text()
}

#[test]
fn counts_made_in_another_way_are_refused() {
    for flags in [
        "--no-lower",
        "--ngrams 2",
        "--stopwords en",
        "--stem en",
        "--binary",
        "--pattern [a-z]+",
    ] {
        let message = refused(counts(flags));
        let expected =
            " counted with other options than corpora/sample.counts.tsv\nhint: the second line";
        assert!(message.starts_with(expected), "{flags}: {message}");
    }
}

#[test]
fn counts_that_were_cut_are_refused() {
    let cut = wordmill("merge --min-df 2 corpora/sample.counts.tsv").bytes();
    let message = refused(cut);
    assert!(
        message.starts_with(" some of its terms were cut"),
        "{message}"
    );
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    wordmill("bow corpora/sample.txt --save").arg(&model).text();
    let message = refused(std::fs::read(model).unwrap());
    assert!(
        message.starts_with(" some of its terms were cut"),
        "{message}"
    );
}

#[test]
fn files_that_are_no_counts_are_refused_by_line() {
    let good = counts("");
    for (bytes, expected) in [
        (
            String::new(),
            "1: no file of counts\nhint: bow --counts, merge and --save write such files\n",
        ),
        ("the\t1\t1\n".to_owned(), "1: no file of counts\n"),
        (
            good.replace("counts 1", "counts 2"),
            "1: counts of version 2, and this tool reads 1\n",
        ),
        (
            good.replace("docs=12", "docs=-1"),
            "1: expected docs=N tokens=N options=HASH\n",
        ),
        (
            good.lines().next().unwrap().to_owned(),
            "2: expected #options\n",
        ),
        (
            good.replace("\"binary\":false", "\"binary\":true"),
            "2: the options are not those that the first line names\n",
        ),
        (
            good.clone() + "a\t1\t1\n",
            "127: terms must be in byte order, each once\n",
        ),
        (
            good.clone() + "zz\t1\n",
            "127: expected a term, its count and its document frequency\n",
        ),
        (good.clone() + "zz\t1\t1\t1\n", "127: expected a term"),
        (good.clone() + "zz\t1\tx\n", "127: expected a term"),
        (good.clone() + "zz\t-1\t1\n", "127: expected a term"),
        (
            good.clone() + "z\\z\t1\t1\n",
            "127: a backslash that escapes nothing\n",
        ),
        (
            good.clone() + "zz\t1\t13\n",
            "127: a count that docs and tokens of the first line do not allow\n",
        ),
        (good.clone() + "zz\t172\t1\n", "127: a count that docs"),
    ] {
        let message = refused(&bytes);
        assert!(
            message.starts_with(expected),
            "{expected:?} is not {message:?}"
        );
    }
    let bad = refused([good.as_bytes(), b"zz\xFF\t1\t1\n"].concat());
    assert_eq!(bad, "127: invalid UTF-8 at byte 2 of the line\n");
    let message = refused(b"\xFF\xFE\x00");
    assert!(message.starts_with("1: no file of counts\n"), "{message}");
}

/// Once a panic.
#[test]
fn sums_beyond_64_bits_are_refused() {
    let huge = counts("").replace("tokens=171", &format!("tokens={}", u64::MAX));
    let message = refused(huge);
    assert_eq!(message, " more than 2^64 documents or tokens\n");
}

#[test]
fn bounds_with_nothing_between_print_nothing() {
    let flags = "merge --min-df 9 --max-df 0.5 corpora/sample.counts.tsv";
    let outcome = wordmill(flags).run();
    outcome.expect(
        outcome.status == 2 && outcome.stdout.is_empty(),
        "status 2 and silence",
    );
    let expected = "wordmill merge: max-df allows 6 documents at most, min-df asks for 9\n";
    assert_eq!(outcome.stderr, expected);
}

#[test]
fn missing_files_and_flags_are_named() {
    let message = wordmill("merge corpora/sample.counts.tsv no/such").fails(1);
    assert_eq!(message, "wordmill merge: no/such: no such file\n");
    let message = wordmill("merge").fails(2);
    assert!(message.contains("<FILE>..."), "{message}");
    let message = wordmill("merge --no-such-flag").fails(2);
    assert!(message.contains("'--no-such-flag'"), "{message}");
}

#[test]
fn more_files_than_may_be_open_are_named() {
    let line = "ulimit -n 16; wordmill merge $(yes corpora/sample.counts.tsv | head -n 30 || true)";
    let message = shell(line).fails(1);
    let expected =
        "wordmill merge: corpora/sample.counts.tsv: too many open files\nhint: `ulimit -n`";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    // Terms of five characters are more than a pipe holds.
    let line = "wordmill bow --counts --analyzer char --ngrams 1-30 corpora/tagged.conllu | wordmill merge - \
                | head -n 1 > /dev/null; echo ${PIPESTATUS[1]}";
    assert_eq!(shell(line).text(), "0\n");
}

#[test]
fn a_full_disk_is_a_failure() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let message = shell("wordmill merge corpora/sample.counts.tsv > /dev/full").fails(1);
    let expected = "wordmill merge: standard output: No space left";
    assert!(message.starts_with(expected), "{message}");
}
