//! Processes that a test looks at while they run.

use std::ops::{Deref, DerefMut};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// A process that does not outlive its test, however that ends.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Running {
        Running(command.spawn().expect("it starts"))
    }

    pub fn send(&self, signal: i32) {
        // SAFETY: the system is asked for a signal to a child, whose number is nobody else's before it is waited for.
        assert_eq!(unsafe { libc::kill(self.id() as i32, signal) }, 0);
    }

    pub fn terminate(&self) {
        self.send(libc::SIGTERM);
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits, and fails when it takes very long.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(180), "not so: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
