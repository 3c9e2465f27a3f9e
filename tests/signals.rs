//! Signals end the tool and take its temporary files with them.

use crate::harness::{binary, root};
use crate::running::{Running, wait_until};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

#[test]
fn a_signal_removes_the_temporary_files() {
    // A matrix has two files beside it.
    let matrix = "bow --model corpora/sample.counts.tsv -o";
    for (command, files, signal) in [
        ("annotate -o", 1, libc::SIGTERM),
        ("annotate -o", 1, libc::SIGINT),
        (matrix, 3, libc::SIGTERM),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Running::start(
            Command::new(binary())
                .args(command.split(' '))
                .arg(folder.path().join("out.svm"))
                .current_dir(root())
                .stdin(Stdio::piped()),
        );
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"some text\n\n").unwrap();
        let count = || std::fs::read_dir(folder.path()).unwrap().count();
        wait_until("the temporary files are there", || count() == files);
        child.send(signal);
        let status = child.wait().unwrap();
        assert_eq!(
            status.signal().or(status.code().map(|code| code - 128)),
            Some(signal)
        );
        assert_eq!(count(), 0, "nothing is left");
    }
}
