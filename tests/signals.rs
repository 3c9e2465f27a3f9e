//! Signals end the tool and take its temporary files with them.

use crate::harness::{binary, root};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_signal_removes_the_temporary_files() {
    // A matrix has two files beside it.
    let matrix = "bow --model corpora/sample.counts.tsv -o";
    for (command, files, name, signal) in [
        ("annotate -o", 1, "-TERM", 15),
        ("annotate -o", 1, "-INT", 2),
        (matrix, 3, "-TERM", 15),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(binary())
            .args(command.split(' '))
            .arg(folder.path().join("out.svm"))
            .current_dir(root())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"some text\n\n").unwrap();
        let count = || std::fs::read_dir(folder.path()).unwrap().count();
        let start = Instant::now();
        while count() < files && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(count(), files, "the temporary files are there");
        // The handler is set up right behind the first file.
        std::thread::sleep(Duration::from_millis(200));
        let kill = Command::new("kill")
            .arg(name)
            .arg(child.id().to_string())
            .status();
        assert!(kill.unwrap().success());
        let status = child.wait().unwrap();
        assert_eq!(
            status.signal().or(status.code().map(|code| code - 128)),
            Some(signal)
        );
        assert_eq!(count(), 0, "nothing is left");
    }
}
