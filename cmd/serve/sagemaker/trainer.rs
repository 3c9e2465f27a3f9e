//! The command of a training job, as a child process: a trainer that is stopped ends by the signal, and a job by success; and
//! whatever a command says of its failure, or however it is ended, can be told behind it.

use anyhow::{Context, Result};
use signal_hook::consts::SIGTERM;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a command has ended.
pub struct Ended {
    pub status: ExitStatus,
    /// Whether it was asked to stop.
    pub was_asked: bool,
    /// Its last message, from its first line on.
    pub said: String,
}

/// The process that signals go to.
#[derive(Default)]
struct Child {
    /// Its number, while it is known to be its own.
    id: Option<u32>,
    was_asked: bool,
}

/// Runs this program with other arguments; what it says goes to standard error, and SIGTERM goes to it.
///
/// # Errors
/// When it cannot be started.
pub fn run(line: &[String]) -> Result<Ended> {
    let shared = Arc::new(Mutex::new(Child::default()));
    forward(Arc::clone(&shared))?;
    let program = std::env::current_exe().context("this program has no name")?;
    let mut child = Command::new(&program)
        .args(line)
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| program.display().to_string())?;
    {
        let mut known = lock(&shared);
        known.id = Some(child.id());
        if known.was_asked {
            terminate(child.id());
        }
    }
    let said = match child.stderr.take() {
        Some(stderr) => told(stderr)?,
        None => String::new(),
    };
    // Before it is waited for, its number is nobody else's.
    let was_asked = {
        let mut known = lock(&shared);
        known.id = None;
        known.was_asked
    };
    let status = child.wait()?;
    Ok(Ended {
        said: match said.is_empty() {
            true => format!("{}: {status}\n", line.join(" ")),
            false => said,
        },
        status,
        was_asked,
    })
}

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes SIGTERM on, once.
fn forward(child: Arc<Mutex<Child>>) -> Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM])?;
    std::thread::spawn(move || {
        for _ in signals.forever() {
            let mut known = lock(&child);
            if !known.was_asked {
                known.was_asked = true;
                if let Some(id) = known.id {
                    terminate(id);
                }
            }
        }
    });
    Ok(())
}

fn terminate(id: u32) {
    // SAFETY: kill takes two numbers and touches no memory of this process; the number is that of a child that has not been
    // waited for, so that no other process can have it.
    unsafe { libc::kill(id as libc::pid_t, SIGTERM) };
}

/// Shows what a process says, and gives its last message.
fn told(stderr: impl Read) -> Result<String> {
    /// What SageMaker shows of it, and some more.
    const MOST: usize = 8 << 10;
    let mut reader = BufReader::new(stderr);
    let mut last = Vec::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        // Nobody may be there to see it.
        let _ = std::io::stderr().write_all(&line);
        if line.starts_with(b"wordmill ") || line.starts_with(b"error: ") {
            last.clear();
        }
        if last.len() < MOST {
            last.extend_from_slice(&line);
        }
        line.clear();
    }
    Ok(String::from_utf8_lossy(&last).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_begins_with_the_name_or_an_error() {
        let said = "wordmill gan train: begins anew\nstep 1\nerror: unexpected\n\n  tip: none\n";
        assert_eq!(
            told(said.as_bytes()).expect("text"),
            "error: unexpected\n\n  tip: none\n"
        );
    }
}
