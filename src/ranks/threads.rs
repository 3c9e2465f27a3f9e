//! Ranks that are threads of one process, for tests.

use super::local::{Process, together};

/// Runs work in so many ranks at once, and gives what each found.
pub fn run<T: Send>(size: usize, work: impl Fn(&Process) -> T + Sync) -> Vec<T> {
    let work = &work;
    std::thread::scope(|scope| {
        let all: Vec<_> = together(size)
            .into_iter()
            .map(|rank| scope.spawn(move || work(&rank)))
            .collect();
        all.into_iter()
            .map(|rank| rank.join().expect("a rank that does not panic"))
            .collect()
    })
}
