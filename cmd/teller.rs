//! What a training run tells: lines or objects on stderr, `log.jsonl` and `curves.svg` in its folder.

use crate::report::ReportArgs;
use crate::run_folder::RunFolder;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;
use wordmill::nn::curves::curves;
use wordmill::nn::event::{Ended, Evaluation, Event, Report};
use wordmill::nn::folder::Folder;
use wordmill::nn::plan::Plan;

/// How a command says what its reports and evaluations hold.
#[derive(Clone, Copy)]
pub struct Lines {
    pub report: fn(&Report) -> String,
    pub evaluation: fn(&Evaluation) -> String,
}

/// What the log of a run holds; lines that are no events are passed over.
pub fn events(folder: &Folder) -> Vec<Event> {
    let text = std::fs::read_to_string(folder.path("log.jsonl")).unwrap_or_default();
    let lines = text.lines();
    lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// The listener of a run.
pub struct Teller<'a> {
    /// Of the command.
    name: &'static str,
    lines: Lines,
    report: ReportArgs,
    run: &'a mut RunFolder,
    folder: Folder,
    /// What ends the run: steps, and seconds.
    ends: (Option<u64>, Option<Duration>),
    /// Reports and evaluations so far.
    log: Vec<Event>,
    /// Whether the log could not be written, which is said once.
    is_mute: bool,
}

impl<'a> Teller<'a> {
    pub fn new(
        (name, lines): (&'static str, Lines),
        report: ReportArgs,
        run: &'a mut RunFolder,
        (plan, time): (&Plan, Option<Duration>),
    ) -> Teller<'a> {
        Teller {
            name,
            lines,
            report,
            folder: Folder::new(run.path()),
            run,
            ends: (plan.max_steps, time),
            log: Vec::new(),
            is_mute: false,
        }
    }

    /// Tells what has happened. A checkpoint is saved when it has been sent to where the run belongs.
    pub fn tell(&mut self, event: &Event) {
        let unsent = match event {
            Event::Saved { step } => self.unsent(*step),
            _ => None,
        };
        let event = unsent.as_ref().unwrap_or(event);
        match event {
            Event::Resumed { step } => self.rewind(*step),
            Event::Report(_) | Event::Evaluation { .. } => self.write(event),
            _ => {}
        }
        let warns = matches!(event, Event::NotSaved { .. } | Event::Skipped { .. });
        if warns && self.report.log.is_none() {
            // Not even --quiet hides that what was learned may be lost.
            eprintln!("wordmill {} train: {}", self.name, self.line(event));
        } else if !matches!(event, Event::Saved { .. }) || self.report.log.is_some() {
            self.report.say(|| object(event), || self.line(event));
        }
    }

    /// Sends a checkpoint, and gives what is wrong with that.
    fn unsent(&mut self, step: u64) -> Option<Event> {
        let failure = self.run.send().err()?;
        let problem = failure.to_string();
        Some(Event::NotSaved { step, problem })
    }

    /// Reads the log again up to the step a run goes on from.
    fn rewind(&mut self, step: u64) {
        self.log = events(&self.folder);
        self.log.retain(|event| step_of(event) <= step);
        let kept: Vec<String> = self
            .log
            .iter()
            .map(|event| object(event).to_string() + "\n")
            .collect();
        self.is_mute = self
            .folder
            .write("log.jsonl", kept.concat().as_bytes())
            .is_err();
    }

    fn write(&mut self, event: &Event) {
        self.log.push(event.clone());
        let path = self.folder.path("log.jsonl");
        let written = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| writeln!(file, "{}", object(event)))
            .map_err(|error| format!("{}: {error}", path.display()));
        let drawn = match event {
            Event::Evaluation { .. } => self
                .folder
                .write("curves.svg", curves(&self.log).as_bytes()),
            _ => Ok(()),
        };
        if let Err(problem) = written.and(drawn.map_err(|error| error.to_string()))
            && !std::mem::replace(&mut self.is_mute, true)
        {
            let name = self.name;
            eprintln!("wordmill {name} train: {problem}; training goes on");
        }
    }

    fn line(&self, event: &Event) -> String {
        match event {
            Event::Report(report) => format!(
                "step {}, epoch {}: {}, {}{}",
                report.step,
                report.epoch + 1,
                (self.lines.report)(report),
                clock(report.seconds),
                self.left(report)
            ),
            Event::Evaluation {
                step,
                is_best,
                evaluation,
                ..
            } => {
                let best = if *is_best { ", the best so far" } else { "" };
                let mut line =
                    format!("step {step}: {}{best}", (self.lines.evaluation)(evaluation));
                for [source, reference, own] in &evaluation.samples {
                    line += &format!(
                        "\n  source     {source}\n  reference  {reference}\n  model      {own}"
                    );
                }
                for warning in &evaluation.warnings {
                    line += &format!("\n  warning: {warning}");
                }
                line
            }
            Event::Saved { step } => format!("step {step}: saved"),
            Event::NotSaved { step, problem } => {
                format!(
                    "the checkpoint of step {step} could not be written: {problem}; training goes on"
                )
            }
            Event::Skipped { problem } => format!("{problem}; an earlier checkpoint is tried"),
            Event::Resumed { step } => format!("goes on from step {step}"),
            Event::Ended {
                step,
                reason,
                best,
                seconds,
            } => {
                let why = match reason {
                    Ended::Steps => "all steps are done",
                    Ended::Epochs => "all epochs are done",
                    Ended::Time => "the time is over",
                    Ended::Patience => "it gets no better",
                    Ended::Stopped => "stopped",
                };
                let best = best.map_or(String::new(), |(step, score)| {
                    // A loss is kept with its sign turned.
                    format!(", best {:.2} at step {step}", score.abs())
                });
                format!("step {step}: {why} after {}{best}", clock(*seconds))
            }
        }
    }

    /// What is left of the time, as the end of a line; nothing where no end is known.
    fn left(&self, report: &Report) -> String {
        let by_steps = self.ends.0.map(|last| {
            let share = report.step as f64 / last.max(1) as f64;
            report.seconds / share.max(1e-9) - report.seconds
        });
        let by_time = self.ends.1.map(|time| time.as_secs_f64() - report.seconds);
        let left = [by_steps, by_time].into_iter().flatten().reduce(f64::min);
        left.map_or(String::new(), |left| {
            format!(", {} left", clock(left.max(0.0)))
        })
    }
}

fn object(event: &Event) -> Value {
    serde_json::to_value(event).unwrap_or_else(|error| json!({ "error": error.to_string() }))
}

fn step_of(event: &Event) -> u64 {
    match event {
        Event::Report(report) => report.step,
        Event::Evaluation { step, .. }
        | Event::Saved { step }
        | Event::NotSaved { step, .. }
        | Event::Resumed { step }
        | Event::Ended { step, .. } => *step,
        Event::Skipped { .. } => 0,
    }
}

/// `1:02:03`, `2:03`
fn clock(seconds: f64) -> String {
    let all = seconds.round() as u64;
    let (hours, minutes, seconds) = (all / 3600, all / 60 % 60, all % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
