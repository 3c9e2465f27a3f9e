//! Data, flags and disks that `gan` cannot do with, and what it says of them.

use super::*;

/// A folder of PNG files of these sides, made of a run's samples.
fn folder_of(place: &Path, n: usize) -> std::path::PathBuf {
    let folder = place.join("images");
    sample("digits", &format!("-n {n} --dir"))
        .arg(&folder)
        .text();
    folder
}

#[test]
fn a_broken_image_is_named_and_left_out_when_that_is_asked_for() {
    let place = tempfile::tempdir().unwrap();
    let folder = folder_of(place.path(), 30);
    std::fs::write(folder.join("000007.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
    let small = "--generator 4 --critic 4 --batch-size 8 --eval-samples 20 --max-steps 1";
    let flags = format!("{} {small}", folder.display());
    let message = train(&place.path().join("run"), &flags).fails(1);
    assert!(message.contains("000007.png"), "{message}");
    assert!(!place.path().join("run").exists());
    let line = format!("gan train {flags} --keep-going --out");
    let out = wordmill(&line).arg(place.path().join("run")).run();
    let told = out.stderr;
    assert!(
        told.contains("left out") && told.contains("000007.png"),
        "{told}"
    );
    assert!(
        told.contains("29 images are few: they will be learned by heart"),
        "{told}"
    );
}

#[test]
fn images_smaller_than_asked_for_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = folder_of(place.path(), 20);
    let flags = format!("{} --size 64 --max-steps 1", folder.display());
    let message = train(&place.path().join("run"), &flags).fails(1);
    assert!(
        message.contains("000000.png") && message.contains("28"),
        "{message}"
    );
}

#[test]
fn one_class_alone_cannot_be_conditional() {
    let place = tempfile::tempdir().unwrap();
    let folder = folder_of(place.path(), 20);
    let flags = format!("{} --conditional --max-steps 1", folder.display());
    let message = train(&place.path().join("run"), &flags).fails(2);
    assert!(
        message.contains("--conditional needs images of two classes"),
        "{message}"
    );
}

#[test]
fn a_header_that_counts_wrong_is_refused_with_both_numbers() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("train-images-idx3-ubyte");
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28];
    bytes.extend(vec![7; 2 * 784]);
    std::fs::write(&file, bytes).unwrap();
    let flags = format!("{} --max-steps 1", file.display());
    let message = train(&place.path().join("run"), &flags).fails(1);
    assert!(
        message.contains('3') && message.contains("1568"),
        "{message}"
    );
}

#[test]
fn a_constant_column_is_written_back() {
    let place = tempfile::tempdir().unwrap();
    let (file, run) = (place.path().join("a.csv"), place.path().join("run"));
    let rows: String = (0..60)
        .map(|i| format!("{},same,{}\n", i * i, i % 3))
        .collect();
    std::fs::write(&file, format!("n,c,k\n{rows}")).unwrap();
    let flags = format!(
        "{} --batch-size 20 --generator 8 --critic 8 --max-steps 2",
        file.display()
    );
    train(&run, &flags).text();
    let out = wordmill(&format!("gan sample {} -n 9", run.display())).text();
    assert!(
        out.lines().skip(1).all(|line| line.contains(",same,")),
        "{out}"
    );
}

#[test]
fn a_table_is_read_whatever_its_line_ends() {
    let place = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root().join("corpora/deliveries.csv")).unwrap();
    let run = |name: &str, text: &str| {
        let file = place.path().join(format!("{name}.csv"));
        std::fs::write(&file, text).unwrap();
        let out = place.path().join(name);
        let small = "--batch-size 20 --generator 8 --critic 8 --max-steps 2";
        train(&out, &format!("{} {small}", file.display())).text();
        weights(&out, 2)
    };
    let plain = run("a", &text);
    assert!(run("b", &text.replace('\n', "\r\n")) == plain);
    assert!(run("c", text.trim_end()) == plain);
}

#[test]
fn what_is_no_table_is_refused_by_line() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("a.csv");
    for (text, expected) in [
        (&b""[..], "no"),
        (b"a,b\n", "no"),
        (b"a,b\n1,2\n3\n", "a.csv:3"),
        (b"a,b\n1,2\n\xff,3\n", "UTF-8"),
    ] {
        std::fs::write(&file, text).unwrap();
        let message = train(&place.path().join("run"), &format!("{}", file.display())).fails(1);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn flags_that_do_not_go_together_are_wrong_usage() {
    let place = tempfile::tempdir().unwrap();
    for (flags, expected) in [
        ("--no-such-flag", "unexpected argument"),
        ("", "nothing to learn from"),
        ("corpora/digits --toy moons", "cannot be used with"),
        ("corpora/digits --generator 4,8", "one number of channels"),
        ("corpora/digits --generator 65000", "weights"),
        ("--toy moons --metric fid", "there are sliced"),
        ("--toy moons --augment cutout", "images alone"),
        ("corpora/digits --latent 0", "the length of z is 0"),
        (
            "corpora/digits --conditional --pack 2",
            "cannot look at classes",
        ),
        (
            "corpora/digits --batch-size 9 --pack 2",
            "no multiple of --pack",
        ),
        (
            "--toy moons --schedule cosine --max-time 1s",
            "needs --max-steps",
        ),
    ] {
        let message = train(&place.path().join("run"), flags).fails(2);
        assert!(message.contains(expected), "{flags}: {message}");
        assert!(!place.path().join("run").exists(), "{flags}");
    }
}

#[test]
fn a_checkpoint_that_is_not_there_is_named_beside_those_that_are() {
    let message = sample("toy", "--checkpoint 99").fails(1);
    assert!(
        message.contains("no checkpoint of step 99; there are 4"),
        "{message}"
    );
}

#[test]
fn missing_files_and_runs_are_named() {
    let place = tempfile::tempdir().unwrap();
    let message = train(&place.path().join("run"), "no/such").fails(1);
    assert!(message.contains("no/such"), "{message}");
    let message = wordmill("gan sample no/such").fails(1);
    assert!(message.contains("holds no run"), "{message}");
    let message = wordmill("gan eval no/a no/b").fails(1);
    assert!(message.contains("no/a"), "{message}");
}

#[test]
fn a_full_disk_is_a_failure_of_sampling_and_not_of_training() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let run = runs().join("rows");
    let message = shell(&format!(
        "wordmill gan sample {} > /dev/full",
        run.display()
    ))
    .fails(1);
    assert!(message.contains("No space left"), "{message}");
    // Files of more than 64 kilobytes cannot be written: the weights cannot, the log can.
    let large = DIGITS.replace("--generator 4", "--generator 64");
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let line = format!(
        "trap '' XFSZ; ulimit -f 64; wordmill gan train {large} --max-steps 2 --eval-every 1 --out {}",
        run.display()
    );
    let out = shell(&line).run();
    let told = out.stderr;
    assert_eq!(out.status, 0, "{told}");
    assert!(told.contains("training goes on"), "{told}");
}
