//! Ranks that are threads of one process, for tests: what they sum stands in a row that all reach.

use super::Ranks;
use std::sync::{Barrier, Mutex};

/// What all threads share.
struct Meeting {
    barrier: Barrier,
    /// What each has brought.
    brought: Mutex<Vec<Vec<u8>>>,
}

/// One of them.
pub struct Thread<'a> {
    rank: usize,
    size: usize,
    meeting: &'a Meeting,
}

/// Runs work in so many ranks at once, and gives what each found.
pub fn run<T: Send>(size: usize, work: impl Fn(&Thread) -> T + Sync) -> Vec<T> {
    let meeting = Meeting {
        barrier: Barrier::new(size),
        brought: Mutex::new(vec![Vec::new(); size]),
    };
    let (meeting, work) = (&meeting, &work);
    let thread = move |rank| Thread {
        rank,
        size,
        meeting,
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..size)
            .map(|rank| scope.spawn(move || work(&thread(rank))))
            .collect();
        all.into_iter()
            .map(|rank| rank.join().expect("a rank that does not panic"))
            .collect()
    })
}

impl Thread<'_> {
    /// Brings bytes, and gives what all have brought.
    fn meet(&self, own: Vec<u8>) -> Vec<Vec<u8>> {
        let brought = || self.meeting.brought.lock().expect("no rank panicked");
        brought()[self.rank] = own;
        self.meeting.barrier.wait();
        let all = brought().clone();
        self.meeting.barrier.wait();
        let same = all.iter().all(|other| other.len() == all[0].len());
        assert!(same, "ranks that call different things");
        all
    }
}

impl Ranks for Thread<'_> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn local(&self) -> usize {
        self.rank
    }

    fn sum(&self, values: &mut [f32]) {
        let all = self.meet(values.iter().flat_map(|v| v.to_le_bytes()).collect());
        for (i, value) in values.iter_mut().enumerate() {
            let of = |bytes: &Vec<u8>| {
                f32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().expect("4 bytes"))
            };
            *value = all.iter().map(of).sum();
        }
    }

    fn sum_f64(&self, values: &mut [f64]) {
        let all = self.meet(values.iter().flat_map(|v| v.to_le_bytes()).collect());
        for (i, value) in values.iter_mut().enumerate() {
            let of = |bytes: &Vec<u8>| {
                f64::from_le_bytes(bytes[8 * i..8 * i + 8].try_into().expect("8 bytes"))
            };
            *value = all.iter().map(of).sum();
        }
    }

    fn share(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.meet(bytes.to_vec())[0]);
    }

    fn finish(self: Box<Self>) {}
}
