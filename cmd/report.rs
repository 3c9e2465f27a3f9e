//! What a run tells on stderr: a bar on a terminal, lines elsewhere, objects, or nothing.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use wordmill::embed::word2vec::Progress;

/// Flags for what is told.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct ReportArgs {
    /// Report in objects of JSON, one a line
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log: Option<Log>,
    /// Show no progress
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Log {
    Json,
}

impl ReportArgs {
    /// Tells one thing, as an object or as a line.
    pub fn say(self, object: impl FnOnce() -> Value, line: impl FnOnce() -> String) {
        match self.log {
            _ if self.quiet => {}
            Some(Log::Json) => eprintln!("{}", object()),
            None => eprintln!("{}", line()),
        }
    }
}

/// Between two lines of a run that goes over text word by word.
const PATIENCE: Duration = Duration::from_secs(5);

/// The words of such a run.
pub struct Words {
    report: ReportArgs,
    start: Instant,
    last: Instant,
    bar: Option<ProgressBar>,
}

impl Words {
    pub fn new(report: ReportArgs) -> Words {
        let shows = !report.quiet && report.log.is_none() && std::io::stderr().is_terminal();
        let style = ProgressStyle::with_template("{wide_bar} {percent}% {msg} {eta}");
        let bar = shows.then(|| ProgressBar::new(0));
        let now = Instant::now();
        Words {
            report,
            start: now,
            last: now,
            bar: bar.map(|bar| match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }),
        }
    }

    /// Tells how far the run is, if it is time to, or over.
    pub fn tell(&mut self, progress: &Progress, epochs: u32) {
        let seconds = self.start.elapsed().as_secs_f64();
        let speed = progress.here as f64 / seconds.max(1e-9);
        let Progress {
            words,
            total,
            epoch,
            loss,
            rate,
            ..
        } = *progress;
        let epoch = epoch + 1;
        let line = || {
            let (speed, left) = (
                speed / 1e3,
                (total - words.min(total)) as f64 / speed.max(1e-9),
            );
            format!(
                "epoch {epoch}/{epochs}, loss {loss:.4}, rate {rate:.5}, {speed:.0} thousand words/s, {left:.0} s left"
            )
        };
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(words);
            bar.set_message(format!("loss {loss:.4} {:.0} k words/s", speed / 1e3));
            return;
        }
        if self.last.elapsed() < PATIENCE && words < total {
            return;
        }
        self.last = Instant::now();
        let object = || {
            json!({
                "event": "progress", "epoch": epoch, "of": epochs, "words": words, "total": total, "loss": loss,
                "learning_rate": rate, "words_per_second": speed.round(), "seconds": seconds,
            })
        };
        self.report.say(object, line);
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
