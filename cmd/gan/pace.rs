//! How far an evaluation is, and when no measure of it may begin any more.

use crate::report::ReportArgs;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use wordmill::gan::measure::scores::{Measure, Step};

/// Between two lines of progress.
const PATIENCE: Duration = Duration::from_secs(10);

/// A bar on a terminal, now and then a line elsewhere; and the end, if there is one.
pub struct Pace {
    deadline: Option<Instant>,
    report: ReportArgs,
    bar: Option<ProgressBar>,
    last: Instant,
}

impl Pace {
    /// As much time as it takes, and nobody who waits.
    pub fn silent() -> Pace {
        let report = ReportArgs {
            log: None,
            quiet: true,
        };
        Pace::new(report, None)
    }

    pub fn new(report: ReportArgs, time: Option<Duration>) -> Pace {
        let is_shown = !report.quiet && std::io::stderr().is_terminal();
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}");
        let bar = is_shown.then(|| match style {
            Ok(style) => ProgressBar::new(0).with_style(style),
            Err(_) => ProgressBar::new(0),
        });
        Pace {
            deadline: time.and_then(|time| Instant::now().checked_add(time)),
            report,
            bar,
            last: Instant::now(),
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether nothing may begin any more.
    pub fn is_over(&self) -> bool {
        self.deadline.is_some_and(|end| Instant::now() >= end)
    }

    /// Says what begins, after so many of all.
    pub fn begin(&mut self, what: &str, (done, of): (usize, usize)) {
        if let Some(bar) = &self.bar {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
            bar.set_message(what.to_owned());
            return;
        }
        if self.last.elapsed() >= PATIENCE {
            self.last = Instant::now();
            self.report.say(
                || json!({"event": "measuring", "what": what, "done": done, "of": of}),
                || format!("{what}: {done} of {of}"),
            );
        }
    }

    /// The same of a measure.
    pub fn begin_measure(&mut self, step: Step) {
        let what = name(step.measure);
        let what = match step.is_floor {
            true => format!("{what} of real samples"),
            false => what.to_owned(),
        };
        self.begin(&what, (step.done, step.of));
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// What a measure is called.
pub fn name(measure: Measure) -> &'static str {
    match measure {
        Measure::Frechet => "frechet",
        Measure::Kernel => "kernel",
        Measure::Sliced => "sliced",
        Measure::Overlap => "overlap",
    }
}
