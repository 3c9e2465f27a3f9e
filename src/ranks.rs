//! Processes that learn together, numbered from 0 on: what they give each other.
//!
//! ```text
//! sum      each gets Σ of what all have        (all-reduce)
//! share    each gets what rank 0 has           (broadcast)
//! ```
//!
//! What such calls mean: MPI 3.1, chapter 5. Who makes them: processes that a launcher of MPI has started, on one machine or
//! many, or those of one machine that the first of them has started.

mod gpus;
pub mod local;
mod memory;
#[cfg(not(feature = "mpi"))]
#[path = "ranks/absent.rs"]
mod mpi;
#[cfg(feature = "mpi")]
mod mpi;
#[cfg(test)]
pub mod threads;

use crate::nn::device::Memory;
pub use gpus::on_gpus;
use std::ops::Range;

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

    /// The same in single precision of a part of what lies on a device; nothing is done where the devices do not reach each
    /// other.
    fn sum_there(&self, values: &Memory, part: Range<usize>) -> bool {
        let _ = (values, part);
        false
    }

    /// Everybody gets what rank 0 has; all have as many bytes.
    fn share(&self, bytes: &mut [u8]);

    /// Says that this process ends as it should. One that ends without is a failure, and the others end, too.
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

/// Slurm's, which says so of processes that have nothing to do with each other, too; those that have are numbered by PMIx.
const SLURM: (&str, &str) = ("SLURM_STEP_NUM_TASKS", "PMIX_RANK");

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
    let slurm = std::env::var(SLURM.0).ok();
    let slurm = slurm.filter(|_| std::env::var_os(SLURM.1).is_some());
    let sizes = SIZES.iter().filter_map(|name| std::env::var(name).ok());
    let size = sizes
        .chain(slurm)
        .filter_map(|size| size.parse().ok())
        .next();
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

/// Whether all ranks have the same number, such as that of what they have read.
pub fn have_same(ranks: &dyn Ranks, number: u64) -> bool {
    let mut first = number.to_le_bytes();
    ranks.share(&mut first);
    let mut others = [f64::from(u8::from(first != number.to_le_bytes()))];
    ranks.sum_f64(&mut others);
    others == [0.0]
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn one_that_has_another_number_is_known_to_all() {
        let found = threads::run(3, |ranks| {
            let odd = u64::from(ranks.rank() == 1);
            (have_same(ranks, 7), have_same(ranks, 7 + odd))
        });
        assert_eq!(found, [(true, false); 3]);
    }
}
