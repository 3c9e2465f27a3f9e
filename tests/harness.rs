//! Runs the built binary and shows everything when a test is not content.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A run to be made.
pub struct Call {
    command: Command,
    shown: String,
    stdin: Vec<u8>,
}

/// A run that was made.
#[derive(Debug)]
pub struct Outcome {
    shown: String,
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

/// The binary under test.
pub fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_wordmill")
}

/// The root of the repository, where every test runs.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `wordmill ARGS…`, the arguments parted by spaces.
pub fn wordmill(args: &str) -> Call {
    let mut command = Command::new(binary());
    command.args(args.split_whitespace());
    Call::new(command, format!("wordmill {args}"))
}

/// A shell line in which `wordmill` is the binary under test; a pipe fails if any of its commands does.
pub fn shell(line: &str) -> Call {
    let folder = PathBuf::from(binary());
    let folder = folder.parent().expect("the binary lies in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("bash");
    command.args(["-c", &format!("set -o pipefail; {line}")]);
    command.env("PATH", format!("{}:{path}", folder.display()));
    Call::new(command, line.to_string())
}

impl Call {
    fn new(mut command: Command, shown: String) -> Call {
        command.current_dir(root()).env("NO_COLOR", "1");
        // The width of help, and what a launcher of several processes tells each.
        for name in [
            "COLUMNS",
            "OMPI_COMM_WORLD_SIZE",
            "PMI_SIZE",
            "MV2_COMM_WORLD_SIZE",
            "SLURM_STEP_NUM_TASKS",
        ] {
            command.env_remove(name);
        }
        Call {
            command,
            shown,
            stdin: Vec::new(),
        }
    }

    /// Adds one argument as it is.
    pub fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Call {
        self.shown += &format!(" {}", arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    /// What the run reads from stdin.
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Call {
        self.stdin = bytes.as_ref().to_vec();
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Call {
        self.shown = format!("{name}={value} {}", self.shown);
        self.command.env(name, value);
        self
    }

    /// Starts from an empty environment.
    pub fn no_environment(mut self) -> Call {
        self.command.env_clear();
        self
    }

    /// Runs to the end.
    pub fn run(mut self) -> Outcome {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let bytes = self.stdin;
        // A run that fails early does not read its input.
        let feeding = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        let output = child.wait_with_output().expect("the binary ends");
        feeding.join().expect("feeding does not panic");
        use std::os::unix::process::ExitStatusExt;
        Outcome {
            shown: self.shown,
            status: output
                .status
                .code()
                .unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0)),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs, must succeed in silence, and gives stdout.
    #[track_caller]
    pub fn bytes(self) -> Vec<u8> {
        let outcome = self.run();
        outcome.expect(outcome.status == 0 && outcome.stderr.is_empty(), "success");
        outcome.stdout
    }

    /// Runs, must succeed in silence, and gives stdout as text.
    #[track_caller]
    pub fn text(self) -> String {
        String::from_utf8(self.bytes()).expect("output is UTF-8")
    }

    /// Runs, must end with `status`, and gives stderr.
    #[track_caller]
    pub fn fails(self, status: i32) -> String {
        let outcome = self.run();
        outcome.expect(outcome.status == status, &format!("status {status}"));
        outcome.stderr
    }
}

impl Outcome {
    /// Shows the whole run unless `holds`.
    #[track_caller]
    pub fn expect(&self, holds: bool, what: &str) {
        assert!(
            holds,
            "expected {what}\n--- command\n{}\n--- status\n{}\n--- stdout\n{}\n--- stderr\n{}",
            self.shown,
            self.status,
            String::from_utf8_lossy(&self.stdout),
            self.stderr
        );
    }
}
