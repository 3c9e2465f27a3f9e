//! Processes that train one model together, each on its part of every batch.
//!
//! ```text
//! g = Σ g of all ranks        in the order of parts that become complete on the way back, while the pass goes on
//! ```
//!
//! Every rank has the whole model, knows the whole batch, and computes a part of it: the loss is divided by the tokens of
//! the batch, and a row drops what it would drop if one rank computed them all. So N ranks learn what one would, but for
//! the order of sums. Rank 0 evaluates, tells and writes. Data parallelism with all-reduce, gradients in buckets while
//! the pass goes back: Li et al. 2020 (PyTorch distributed). The standard of the calls: MPI 3.1, chapter 5.

mod copies;
#[cfg(not(feature = "mpi"))]
#[path = "ranks/absent.rs"]
mod mpi;
#[cfg(feature = "mpi")]
mod mpi;
#[cfg(test)]
pub mod threads;

use super::device::Memory;
use super::tape::{Complete, Tape};
use std::ops::Range;
use std::sync::mpsc;

/// One of the processes, as it sees all of them. What it calls, all must call, in the same order; threads may share it,
/// but only one at a time calls it.
pub trait Ranks: Sync {
    /// The number of this one, from 0 on.
    fn rank(&self) -> usize;

    /// How many there are.
    fn size(&self) -> usize;

    /// The number of this one among those on the same machine.
    fn local(&self) -> usize;

    /// Each value becomes the sum of what all have in its place; all get the same bits.
    fn sum(&self, values: &mut [f32]);

    /// The same in double precision.
    fn sum_f64(&self, values: &mut [f64]);

    /// Everybody gets what rank 0 has; all have as many bytes.
    fn share(&self, bytes: &mut [u8]);

    /// Says that this process ends as it should. One that ends without is a failure, and MPI's launcher ends the others.
    fn finish(self: Box<Self>);
}

/// Why the processes that a launcher started cannot train together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RanksError {
    #[error("started as one of {size} processes, and this build knows no MPI")]
    Built { size: usize },
    #[error("MPI has been initialised already")]
    Initialised,
    #[error("this MPI does not let threads call it in turns")]
    Threads,
}

/// Variables by which launchers say how many processes they start: Open MPI's, MPICH's and Intel's, MVAPICH2's.
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"];

/// The processes that a launcher such as `mpirun` has started; nothing when this one is alone.
///
/// # Errors
/// When they cannot talk to each other.
pub fn of_launcher() -> Result<Option<Box<dyn Ranks>>, RanksError> {
    match launched() {
        1 => Ok(None),
        size => mpi::open(size).map(Some),
    }
}

/// How many processes a launcher says that it has started: 1 without one.
pub fn launched() -> usize {
    let sizes = SIZES.iter().filter_map(|name| std::env::var(name).ok());
    let size = sizes.filter_map(|size| size.parse().ok()).next();
    size.unwrap_or(1).max(1)
}

/// Whether rank 0 works here.
pub fn is_first(ranks: Option<&dyn Ranks>) -> bool {
    ranks.is_none_or(|ranks| ranks.rank() == 0)
}

/// Gives everybody the bytes of rank 0, however many.
pub fn share_bytes(ranks: &dyn Ranks, bytes: Vec<u8>) -> Vec<u8> {
    let mut length = (bytes.len() as u64).to_le_bytes();
    ranks.share(&mut length);
    let mut shared = bytes;
    shared.resize(u64::from_le_bytes(length) as usize, 0);
    ranks.share(&mut shared);
    shared
}

/// Gives everybody the values of rank 0, to which the others add nothing.
pub fn share_values(ranks: &dyn Ranks, values: &mut [f32]) {
    if ranks.rank() > 0 {
        values.fill(0.0);
    }
    ranks.sum(values);
}

/// Runs a pass back and gives the gradients of the whole batch: those that are complete are summed by a thread while the
/// pass goes on, the others behind it.
pub fn backward(ranks: &dyn Ranks, tape: Tape) -> Vec<f32> {
    let (complete, receive) = mpsc::channel::<Complete>();
    std::thread::scope(|scope| {
        let summing = scope.spawn(move || {
            let sum = |(range, mut values): Complete| {
                ranks.sum(&mut values);
                (range, values)
            };
            receive.into_iter().map(sum).collect::<Vec<_>>()
        });
        let mut gradients = tape.backward_telling(complete);
        let summed = match summing.join() {
            Ok(summed) => summed,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let rest = gaps(
            summed.iter().map(|(range, _)| range.clone()),
            gradients.len(),
        );
        for (range, values) in &summed {
            gradients[range.clone()].copy_from_slice(values);
        }
        sum_parts(ranks, &mut gradients, &rest);
        gradients
    })
}

/// Sums gradients that lie on a device, by way of the host.
pub fn sum_there(ranks: &dyn Ranks, gradients: &Memory) {
    let mut values = vec![0.0; gradients.len()];
    gradients.read_into(&mut values);
    ranks.sum(&mut values);
    gradients.copy_from(&Memory::from_f32(gradients.gpu(), &values));
}

/// Sums what is in some places, in one call.
fn sum_parts(ranks: &dyn Ranks, values: &mut [f32], parts: &[Range<usize>]) {
    let mut together: Vec<f32> = parts
        .iter()
        .flat_map(|part| &values[part.clone()])
        .copied()
        .collect();
    ranks.sum(&mut together);
    let mut from = &together[..];
    for part in parts {
        let (own, others) = from.split_at(part.len());
        values[part.clone()].copy_from_slice(own);
        from = others;
    }
}

/// What ranges leave of `0..len`.
fn gaps(ranges: impl Iterator<Item = Range<usize>>, len: usize) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = ranges.collect();
    ranges.sort_by_key(|range| range.start);
    let mut gaps = Vec::new();
    let mut at = 0;
    for range in ranges.into_iter().chain(std::iter::once(len..len)) {
        if at < range.start {
            gaps.push(at..range.start);
        }
        at = range.end;
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_a_range_is_in_a_gap() {
        let of = |ranges: &[Range<usize>]| gaps(ranges.iter().cloned(), 10);
        assert_eq!(of(&[7..9, 2..4]), [0..2, 4..7, 9..10]);
        assert!(of(&[0..4, 4..10]).is_empty());
        assert!(of(&[]).contains(&(0..10)));
    }

    #[test]
    fn sums_are_of_all_ranks_and_shares_are_of_the_first() {
        let found = threads::run(3, |ranks| {
            let mut values = [1.0, ranks.rank() as f32];
            ranks.sum(&mut values);
            let mut kept = [ranks.rank() as f32 + 5.0];
            share_values(ranks, &mut kept);
            let bytes = share_bytes(ranks, vec![7; 2 * (1 - ranks.rank().min(1))]);
            (values, kept, bytes)
        });
        assert_eq!(found, vec![([3.0, 3.0], [5.0], vec![7, 7]); 3]);
    }

    #[test]
    fn only_some_parts_are_summed_when_only_they_are_asked_for() {
        let found = threads::run(2, |ranks| {
            let mut values = [1.0, 2.0, 3.0, 4.0];
            sum_parts(ranks, &mut values, &[0..1, 2..4]);
            values
        });
        assert_eq!(found, [[2.0, 2.0, 6.0, 8.0]; 2]);
    }
}
