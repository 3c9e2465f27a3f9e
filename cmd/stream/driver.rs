//! Units through a command in ordered, parallel batches.
//!
//! ```text
//! reader thread ── units ──▶ main: batch ▶ analyse ▶ number ▶ print ── strings ──▶ writer thread
//!                 bounded          (rayon, in order)                   bounded
//! ```
//!
//! Memory is bounded by the channels and the size of a batch. Sentences are numbered through the whole output, so a
//! batch is analysed before it is printed, both in parallel.

use super::Job;
use super::args::StreamArgs;
use super::input::{self, Defaults, Source};
use super::output::Output;
use super::record::{self, Record};
use crate::progress::Progress;
use anyhow::Result;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use wordmill::text::units::{TARGET, Unit};

/// A unit and where it comes from.
pub struct Work {
    pub unit: Unit,
    pub source: Arc<Source>,
}

/// Units of a batch for each thread: enough that a long one holds up the others only a little.
const UNITS_PER_THREAD: usize = 4;

/// Sends every unit through `analyse` and prints what it gives, after `header`.
pub fn run(
    args: &StreamArgs,
    job: &Job,
    header: &str,
    analyse: impl Fn(Work) -> Result<Record> + Sync,
) -> Result<()> {
    let files = input::inputs(&args.files)?;
    let columns = args.column_spec()?;
    crate::threads::limit(args.threads)?;
    let threads = rayon::current_num_threads();
    let mut progress = Progress::of_files(&files, args.quiet);
    let output = Output::create(args.out.as_deref(), args.line_buffered)?;
    let (writer, writing) = start_writer(output, header);

    let defaults = Defaults {
        from: job.default_from,
        to: job.default_to,
    };
    let (sender, works) = sync_channel::<Result<Work>>(UNITS_PER_THREAD * threads);
    start_reader(args.clone(), files, defaults, &progress, sender);

    let mut batches = Batches {
        works,
        eager: args.line_buffered,
        threads,
    };
    let mut sentences: u64 = 1;
    let mut failure = None;
    while failure.is_none()
        && let Some((batch, error)) = batches.next_batch()
    {
        let mut records = Vec::with_capacity(batch.len());
        failure = error;
        for analysed in in_order(batch, &analyse) {
            match analysed {
                Ok(record) => records.push((sentences, record)),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
            if let Some((first, record)) = records.last() {
                sentences = first + record.sentences();
            }
        }
        let printed = in_order(records, |(first, record)| {
            record::printed(record, first, args, job, &columns)
        });
        if writer.send(printed).is_err() {
            break;
        }
        progress.show();
    }
    drop(writer);
    let written = writing
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    progress.finish();
    match failure {
        // The first failure is what the user must hear of; the unfinished file goes with `written`.
        Some(failure) => Err(failure),
        None => written?.finish(),
    }
}

/// `map` over `items`, on as many threads as there are.
fn in_order<T: Send, U: Send>(items: Vec<T>, map: impl Fn(T) -> U + Sync) -> Vec<U> {
    match items.len() {
        // Waking the pool costs more than a single unit gains.
        0 | 1 => items.into_iter().map(map).collect(),
        _ => items.into_par_iter().with_max_len(1).map(&map).collect(),
    }
}

/// The reader is never joined: it may be waiting for a pipe while the tool has to end.
fn start_reader(
    args: StreamArgs,
    files: Vec<std::path::PathBuf>,
    defaults: Defaults,
    progress: &Progress,
    sender: SyncSender<Result<Work>>,
) {
    let count = progress.count();
    std::thread::spawn(move || {
        let give = |work| sender.send(Ok(work)).is_ok();
        if let Err(error) = input::read_all(&args, &files, defaults, &count, give) {
            // Nobody listens any more when this fails.
            let _ = sender.send(Err(error));
        }
    });
}

fn start_writer(
    mut output: Output,
    header: &str,
) -> (SyncSender<Vec<String>>, JoinHandle<Result<Output>>) {
    let (sender, printed) = sync_channel::<Vec<String>>(1);
    let header = header.to_string();
    let writing = std::thread::spawn(move || {
        output.write(&header)?;
        for batch in printed {
            for text in &batch {
                output.write(text)?;
            }
            output.end_batch()?;
        }
        Ok(output)
    });
    (sender, writing)
}

/// Collects units into batches.
struct Batches {
    works: Receiver<Result<Work>>,
    /// Take what is there and wait for no more.
    eager: bool,
    threads: usize,
}

impl Batches {
    /// The next units, and the error that ended the input behind them; `None` behind the last.
    fn next_batch(&mut self) -> Option<(Vec<Work>, Option<anyhow::Error>)> {
        let most = UNITS_PER_THREAD * self.threads;
        let mut batch = Vec::new();
        let mut bytes = 0;
        loop {
            let next = match self.eager && !batch.is_empty() {
                true => self.works.try_recv().ok(),
                false => self.works.recv().ok(),
            };
            match next {
                Some(Ok(work)) => {
                    bytes += work.unit.text.len();
                    batch.push(work);
                }
                Some(Err(error)) => return Some((batch, Some(error))),
                None => return (!batch.is_empty()).then_some((batch, None)),
            }
            let is_full = bytes >= most * TARGET && batch.len() >= self.threads;
            if is_full || batch.len() >= MOST_UNITS {
                return Some((batch, None));
            }
        }
    }
}

/// Units may be single sentences, under `--shard` or `--line-buffered`.
const MOST_UNITS: usize = 1 << 14;
