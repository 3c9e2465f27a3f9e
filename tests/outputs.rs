//! Where output goes: files that appear when they are whole, readers that leave, disks that are full.

use crate::harness::{shell, wordmill};
use std::io::Read;

fn folder_listing(folder: &std::path::Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_file_is_written_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.txt");
    let annotate = "annotate --layers tokens --to raw corpora/sample.txt -o";
    let call = wordmill(annotate).arg(&path);
    assert_eq!(call.text(), "");
    let sample = std::fs::read("corpora/sample.txt").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), sample);
    assert_eq!(folder_listing(folder.path()), ["out.txt"]);

    let gz = folder.path().join("out.gz");
    wordmill(annotate).arg(&gz).text();
    let mut text = Vec::new();
    let file = std::fs::File::open(&gz).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut text)
        .unwrap();
    assert_eq!(text, sample);

    let zst = folder.path().join("out.zst");
    wordmill(annotate).arg(&zst).text();
    let file = std::fs::File::open(&zst).unwrap();
    assert_eq!(zstd::decode_all(file).unwrap(), sample);
}

#[test]
fn a_failing_run_leaves_the_old_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.txt");
    std::fs::write(&path, "old").unwrap();
    wordmill("annotate -o")
        .arg(&path)
        .stdin(b"good\n\n\xFF")
        .fails(1);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(folder_listing(folder.path()), ["out.txt"]);
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    wordmill("annotate corpora/sample.txt -o /dev/null").text();
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    // yes never ends, and dies of the signal that the tool spares its users.
    let line = "yes 'a b c' | wordmill annotate --layers tokens --from lines --to text | head -n 2; \
                echo ${PIPESTATUS[1]}";
    assert_eq!(shell(line).text(), "a b c\na b c\n0\n");
}

#[test]
fn the_version_and_the_help_are_data() {
    let version = wordmill("--version").text();
    assert_eq!(version, format!("wordmill {}\n", env!("CARGO_PKG_VERSION")));
    assert!(wordmill("--help").text().contains("annotate"));
}

#[test]
fn a_header_names_the_columns() {
    let tsv = wordmill("annotate --layers tokens --to tsv --header")
        .stdin("a\n")
        .text();
    assert!(tsv.starts_with("form\t"), "{tsv}");
    let tsv = wordmill("annotate --layers tokens --to tsv")
        .stdin("a\n")
        .text();
    assert!(tsv.starts_with("a\t"), "{tsv}");
}
