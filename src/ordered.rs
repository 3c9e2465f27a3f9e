//! Work on a stream in parallel, with results in the order of the stream.
//!
//! ```text
//! reader thread ── item ──▶ caller ── item i ──▶ workers ─┐
//!        ▲                   │  ▲                         │ result i, in any order
//!        └───── permits ─────┘  └─────────────────────────┘
//!                            └─ put(result i), in order
//! ```
//!
//! The reader needs a permit for each item and gets it back when its result has been put: memory is bounded by the
//! number of permits.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};

/// Items under way for each worker: enough that one that takes long holds up nobody.
const ITEMS_PER_WORKER: usize = 4;

enum Event<T, R, E> {
    Read(T),
    Ended(Result<(), E>),
    Done(usize, Result<R, E>),
}

/// Reads items with `next` until it gives none, on a thread of its own; calls `work` on each, on `workers` threads that
/// have a state each, made by `start` from the worker's number; and calls `put` with the results, here and in order.
/// Gives the states back.
///
/// The reader's thread is not waited for when something has failed: it may be waiting for a pipe.
///
/// # Errors
/// The first in the order of the items, wherever it came from; of `put`, at once.
pub fn ordered<T, S, R, E>(
    workers: usize,
    mut next: impl FnMut() -> Result<Option<T>, E> + Send + 'static,
    start: impl Fn(usize) -> S + Sync,
    work: impl Fn(&mut S, T) -> Result<R, E> + Sync,
    mut put: impl FnMut(R) -> Result<(), E>,
) -> Result<Vec<S>, E>
where
    T: Send + 'static,
    S: Send,
    R: Send + 'static,
    E: Send + 'static,
{
    let (sender, events) = channel();
    let (permit, permits) = channel();
    for _ in 0..ITEMS_PER_WORKER * workers {
        // The receiver is alive: it is right here.
        let _ = permit.send(());
    }
    let reader = sender.clone();
    std::thread::spawn(move || {
        let mut read = || {
            while permits.recv().is_ok() {
                let Some(item) = next()? else { break };
                if reader.send(Event::Read(item)).is_err() {
                    break;
                }
            }
            Ok(())
        };
        let ended = read();
        // Nobody listens when something else has failed already.
        drop(reader.send(Event::Ended(ended)));
    });
    let (items, queue) = channel();
    let queue = Mutex::new(queue);
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|number| {
                let (queue, start, work, sender) = (&queue, &start, &work, sender.clone());
                scope.spawn(move || {
                    let mut state = start(number);
                    while let Some((i, item)) = take(queue) {
                        let done = work(&mut state, item);
                        drop(sender.send(Event::Done(i, done)));
                    }
                    state
                })
            })
            .collect();
        let mut read = 0;
        let mut done = 0;
        // The number of items, once it is known, and what is said about the one behind them.
        let mut end = None;
        let mut early = BTreeMap::new();
        let result = loop {
            if let Some((_, last)) = end.take_if(|(items, _)| *items == done) {
                break last;
            }
            // A sender is alive: it is right here.
            let Ok(event) = events.recv() else {
                break Ok(());
            };
            match event {
                Event::Read(item) => {
                    drop(items.send((read, item)));
                    read += 1;
                }
                Event::Ended(result) => end = Some((read, result)),
                Event::Done(i, result) => drop(early.insert(i, result)),
            }
            let mut put_ready = || {
                while let Some(result) = early.remove(&done) {
                    put(result?)?;
                    done += 1;
                    // Nobody needs the permit when the reader is through.
                    let _ = permit.send(());
                }
                Ok(())
            };
            if let Err(error) = put_ready() {
                break Err(error);
            }
        };
        // Workers end when there is nothing more to take, and leave what nobody waits for.
        drop(items);
        if result.is_err() {
            while take(&queue).is_some() {}
        }
        let join = |handle: std::thread::ScopedJoinHandle<S>| {
            let joined = handle.join();
            joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        let states = handles.into_iter().map(join).collect();
        result.map(|()| states)
    })
}

/// The next item, when there is one; none when there will be none.
fn take<T>(queue: &Mutex<Receiver<T>>) -> Option<T> {
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(workers: usize, fails_at: u64) -> (Result<u64, String>, Vec<u64>) {
        let mut numbers = 0..1000u64;
        let mut seen = Vec::new();
        let states = ordered(
            workers,
            move || Ok(numbers.next()),
            |_| 0,
            |sum, number| {
                *sum += number;
                match number == fails_at {
                    true => Err(format!("item {number}")),
                    false => Ok(number * number),
                }
            },
            |square| {
                seen.push(square);
                Ok(())
            },
        );
        (states.map(|sums| sums.iter().sum()), seen)
    }

    #[test]
    fn results_come_in_order_whatever_the_number_of_workers() {
        let squares: Vec<u64> = (0..1000).map(|n| n * n).collect();
        for workers in [1, 2, 7] {
            assert_eq!(run(workers, u64::MAX), (Ok(499_500), squares.clone()));
        }
    }

    #[test]
    fn what_comes_before_a_failure_is_put() {
        let (result, seen) = run(3, 500);
        assert_eq!(result, Err("item 500".to_owned()));
        assert_eq!(seen.len(), 500);
    }

    #[test]
    fn a_failing_reader_lets_what_it_has_read_finish() {
        let mut left = 5;
        let mut seen = 0;
        let result = ordered(
            2,
            move || {
                left -= 1;
                if left > 0 {
                    Ok(Some(left))
                } else {
                    Err("broken")
                }
            },
            |_| (),
            |(), item| Ok(item),
            |_| {
                seen += 1;
                Ok(())
            },
        );
        assert_eq!((result, seen), (Err("broken"), 4));
    }
}
