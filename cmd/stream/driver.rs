//! Units through a command, in parallel and in order.
//!
//! ```text
//! reader thread ── unit ─▶ main ── unit i ──▶ pool: analyse ─┐
//!        ▲                  │ ▲ └─ document i, number ─▶ print │
//!        └──── permits ─────┘ └── what is done, in any order ─┘
//!                           └─ text i, in order ─▶ writer thread
//! ```
//!
//! Sentences are numbered through the whole output, so a unit is printed when those before it are analysed, and written
//! when they are written. The reader needs a permit for each unit and gets it back when the unit is written: memory is
//! bounded by the number of permits, and no unit waits for more than those before it.

use super::Job;
use super::args::StreamArgs;
use super::input::{self, Defaults, Source};
use super::output::Output;
use super::record::{self, Analysed};
use crate::progress::Progress;
use anyhow::{Error, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use wordmill::text::html::Legend;
use wordmill::text::units::Unit;

/// A unit and where it comes from.
pub struct Work {
    pub unit: Unit,
    pub source: Arc<Source>,
}

/// Units under way for each thread: enough that one that takes long holds up nobody.
const UNITS_PER_THREAD: usize = 4;

enum Event {
    Read(Work),
    ReadFailed(Error),
    ReadAll,
    Analysed(usize, Result<Analysed>),
    Printed(usize, String, Legend),
}

/// Sends every unit through `analyse` and prints what it gives, between the head and the foot of its format.
pub fn run(
    args: &StreamArgs,
    job: &Job,
    analyse: impl Fn(Work) -> Result<Analysed> + Sync,
) -> Result<()> {
    let files = input::inputs(&args.files)?;
    let columns = args.column_spec()?;
    crate::threads::limit(args.threads)?;
    let mut progress = Progress::of_files(&files, args.quiet);
    let output = Output::create(args.out.as_deref(), args.line_buffered)?;
    let (writer, writing) = start_writer(output, record::head(args, job));

    let (sender, events) = channel();
    let (permit, permits) = channel();
    for _ in 0..UNITS_PER_THREAD * rayon::current_num_threads() {
        // The receiver is alive: it is right here.
        let _ = permit.send(());
    }
    start_reader(
        args.clone(),
        files,
        Defaults::of(job),
        (&progress, permits, &sender),
    );

    let failure = rayon::in_place_scope(|pool| {
        let mut read = 0;
        // The number of units that will be written, once it is known.
        let mut end = None;
        let mut failure = None;
        let mut sentences = 1;
        let mut legend = Legend::default();
        let mut analysed = InOrder::default();
        let mut printed = InOrder::default();
        while end.is_none_or(|end| printed.next < end) {
            // A sender is alive: it is right here.
            let Ok(event) = events.recv() else { break };
            match event {
                Event::Read(work) if end.is_none() => {
                    let (sender, analyse, i) = (sender.clone(), &analyse, read);
                    pool.spawn(move |_| drop(sender.send(Event::Analysed(i, analyse(work)))));
                    read += 1;
                }
                Event::Read(_) => {}
                Event::ReadAll => end = end.or(Some(read)),
                Event::ReadFailed(error) if end.is_none() => {
                    (end, failure) = (Some(read), Some(error));
                }
                Event::ReadFailed(_) => {}
                Event::Analysed(i, result) => analysed.put(i, result),
                Event::Printed(i, text, shown) => {
                    legend.merge(shown);
                    printed.put(i, text);
                }
            }
            while let Some((i, result)) = analysed.take() {
                match result {
                    _ if end.is_some_and(|end| i >= end) => {}
                    Ok(Analysed::Finished(text)) => printed.put(i, text),
                    Ok(Analysed::Record(record)) => {
                        let first = sentences;
                        sentences += record.sentences();
                        let (sender, columns) = (sender.clone(), &columns);
                        pool.spawn(move |_| {
                            let (text, shown) = record::printed(record, first, args, job, columns);
                            drop(sender.send(Event::Printed(i, text, shown)));
                        });
                    }
                    Err(error) => (end, failure) = (Some(i), Some(error)),
                }
            }
            while let Some((_, text)) = printed.take() {
                if writer.send(text).is_err() {
                    // The writer has failed and says why when it is joined.
                    return failure;
                }
                // Nobody needs the permit when the reader is through.
                let _ = permit.send(());
                progress.show();
            }
        }
        if failure.is_none() {
            // Whether the writer has failed is said when it is joined.
            let _ = writer.send(record::foot(args, job, &legend));
        }
        failure
    });
    drop(writer);
    let written = writing
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    progress.finish();
    match failure {
        // What was written before goes out, to stdout that is: an unfinished file is dropped.
        Some(failure) => {
            written?.abandon()?;
            Err(failure)
        }
        None => written?.finish(),
    }
}

/// Puts numbered things that arrive in any order back in order.
struct InOrder<T> {
    next: usize,
    early: BTreeMap<usize, T>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        InOrder {
            next: 0,
            early: BTreeMap::new(),
        }
    }
}

impl<T> InOrder<T> {
    fn put(&mut self, i: usize, thing: T) {
        self.early.insert(i, thing);
    }

    fn take(&mut self) -> Option<(usize, T)> {
        let thing = self.early.remove(&self.next)?;
        self.next += 1;
        Some((self.next - 1, thing))
    }
}

/// The reader is never joined: it may be waiting for a pipe while the tool has to end.
fn start_reader(
    args: StreamArgs,
    files: Vec<PathBuf>,
    defaults: Defaults,
    (progress, permits, events): (&Progress, Receiver<()>, &Sender<Event>),
) {
    let count = progress.count();
    let events = events.clone();
    std::thread::spawn(move || {
        let give = |work| permits.recv().is_ok() && events.send(Event::Read(work)).is_ok();
        let end = match input::read_all(&args, &files, defaults, &count, give) {
            Ok(()) => Event::ReadAll,
            Err(error) => Event::ReadFailed(error),
        };
        // Nobody listens when the tool has failed already.
        drop(events.send(end));
    });
}

fn start_writer(
    mut output: Output,
    head: String,
) -> (SyncSender<String>, JoinHandle<Result<Output>>) {
    let (sender, printed) = sync_channel::<String>(1);
    let writing = std::thread::spawn(move || {
        output.write(&head)?;
        for text in printed {
            output.write(&text)?;
            output.end_of_unit()?;
        }
        Ok(output)
    });
    (sender, writing)
}
