//! A bar on stderr for inputs that take long, and only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nobody wants a bar for what is over sooner.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much of the input has been read.
pub struct Progress {
    count: Arc<AtomicU64>,
    /// Bytes of all files, if each has a size.
    total: Option<u64>,
    is_shown: bool,
    start: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// The progress through `files`. It stays invisible when `quiet`, when stderr is no terminal, and when output goes
    /// to the same terminal.
    pub fn of_files(files: &[PathBuf], quiet: bool) -> Progress {
        let size = |path: &PathBuf| {
            path.metadata()
                .ok()
                .filter(|m| m.is_file())
                .map(|m| m.len())
        };
        Progress {
            count: Arc::default(),
            total: files.iter().map(size).sum(),
            is_shown: !quiet && std::io::stderr().is_terminal() && !std::io::stdout().is_terminal(),
            start: Instant::now(),
            bar: None,
        }
    }

    /// The counter that [`Counted`] readers move.
    pub fn count(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.count)
    }

    /// Draws the state of things.
    pub fn show(&mut self) {
        if !self.is_shown || self.start.elapsed() < PATIENCE {
            return;
        }
        let total = self.total;
        let bar = self.bar.get_or_insert_with(|| new_bar(total));
        bar.set_position(self.count.load(Ordering::Relaxed));
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {bytes} {bytes_per_sec} {elapsed}",
        ),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The rounds of a training run: a bar on a terminal, a line for each elsewhere.
pub struct Rounds {
    bar: Option<ProgressBar>,
    total: u64,
    quiet: bool,
}

impl Rounds {
    pub fn new(total: u64, quiet: bool) -> Rounds {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg} {eta}");
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| match style {
            Ok(style) => ProgressBar::new(total).with_style(style),
            Err(_) => ProgressBar::new(total),
        });
        Rounds { bar, total, quiet }
    }

    /// Says that round `number`, counted from 0, is over.
    pub fn done(&self, number: u32, message: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(u64::from(number) + 1);
                bar.set_message(message.to_owned());
            }
            None if !self.quiet => eprintln!("{}/{} {message}", number + 1, self.total),
            None => {}
        }
    }
}

/// A reader that counts what was read.
pub struct Counted<R> {
    input: R,
    count: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub fn new(input: R, count: Arc<AtomicU64>) -> Counted<R> {
        Counted { input, count }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
