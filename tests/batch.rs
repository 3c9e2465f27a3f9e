//! `batch/`: its scripts are run, with stand-ins for what is not at hand: clusters, systemd, EC2's metadata.
//!
//! `tests/batch/run.sh` installs GNU parallel, Spark, the AWS command line and a stand-in for S3, and runs all this with them.
//! Without them the tests that need them say so and are skipped.

mod aws_batch;
mod images;
mod machine;
mod metadata;
mod parallel;
mod slurm;
mod spark;
mod spot;
mod storage;
mod texts;

use crate::harness::{Call, root, shell};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A translator that learns so slowly that it can be interrupted, and so small that it learns fast.
const TRAINING: &str = "transformer train --source corpora/parallel.en --target corpora/parallel.de -q --vocab-size 400 \
                        --dim 32 --heads 2 --ffn 48 --encoder-layers 1 --decoder-layers 1 --batch-tokens 300 --save-every 20 --log-every 10";

/// A folder of its own for a test, with `corpora` in it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(root().join("corpora"), folder.path().join("corpora")).unwrap();
        std::fs::create_dir(folder.path().join("stubs")).unwrap();
        Place { folder }
    }

    /// A shell line in the folder, with the scripts and the stand-ins on the path. Whatever it starts finds no address that
    /// is not this machine's: nothing listens at port 9.
    fn run(&self, line: &str) -> Call {
        let (folder, scripts) = (self.folder.path().display(), root().join("batch"));
        let path = format!("{folder}/stubs:{}:$PATH", scripts.display());
        let nowhere = "http://127.0.0.1:9";
        shell(&format!("PATH={path}; cd {folder}; {line}"))
            .env("AWS_ENDPOINT_URL", nowhere)
            .env("AWS_METADATA_ENDPOINT", nowhere)
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", nowhere)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_ACCESS_KEY_ID", "nobody")
            .env("AWS_SECRET_ACCESS_KEY", "nothing")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            .env("SPARK_LOCAL_IP", "127.0.0.1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    #[track_caller]
    fn read(&self, name: &str) -> String {
        let read = std::fs::read_to_string(self.path(name));
        read.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What is in a folder, sorted.
    fn listing(&self, name: &str) -> Vec<String> {
        let files = std::fs::read_dir(self.path(name)).unwrap();
        let mut names: Vec<_> = files
            .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Puts a program on the path before all others.
    fn stub(&self, name: &str, body: &str) {
        let path = self.path("stubs").join(name);
        std::fs::write(&path, format!("#!/usr/bin/env bash\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
}

/// Whether a command succeeds; if not, says that `what` is skipped.
fn at_hand(what: &str, command: &str) -> bool {
    let mut bash = Command::new("bash");
    bash.args(["-c", command]).stdin(Stdio::null());
    let is_there = bash.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_there = is_there.is_ok_and(|status| status.success());
    if !is_there {
        eprintln!(
            "{what}: skipped, for `{command}` fails; tests/batch/run.sh installs what it needs"
        );
    }
    is_there
}

/// Lines of text, some of them blank, the last one without its end.
fn lines(count: usize) -> String {
    let texts = [
        "Mary lives in London. She sings!",
        "The dogs were running, weren't they?",
        "",
        "Zwei schöne Violinen kosten 3 €.",
        "  It rains.",
    ];
    let all: Vec<_> = texts.into_iter().cycle().take(count).collect();
    all.join("\n")
}
