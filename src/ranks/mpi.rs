//! Ranks that are processes of MPI, on one machine or many.

use super::{Ranks, RanksError};
use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Equivalence, Root};
use std::mem::ManuallyDrop;

/// Values of one call: MPI counts them in 31 bits, and what is received needs room of its own.
const CALL: usize = 1 << 22;

/// All processes of the launch.
pub struct Processes {
    /// Ends MPI when it is dropped, for which it has to be told: see [`Ranks::finish`].
    universe: ManuallyDrop<Universe>,
    world: SimpleCommunicator,
    local: usize,
}

// SAFETY: MPI was initialised for threads that call it in turns, and whoever holds the trait promises that they do.
unsafe impl Sync for Processes {}

pub fn open(_size: usize) -> Result<Box<dyn Ranks>, RanksError> {
    let (universe, threading) =
        mpi::initialize_with_threading(Threading::Serialized).ok_or(RanksError::Initialised)?;
    if threading < Threading::Serialized {
        return Err(RanksError::Threads);
    }
    let world = universe.world();
    let local = world.split_shared(world.rank()).rank();
    Ok(Box::new(Processes {
        universe: ManuallyDrop::new(universe),
        world,
        local: local as usize,
    }))
}

impl Processes {
    fn sum_of<T: Equivalence + Copy + Default>(&self, values: &mut [T]) {
        let mut sums = vec![T::default(); values.len().min(CALL)];
        for part in values.chunks_mut(CALL) {
            let sums = &mut sums[..part.len()];
            (self.world).all_reduce_into(&*part, &mut *sums, SystemOperation::sum());
            part.copy_from_slice(sums);
        }
    }
}

impl Ranks for Processes {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    fn local(&self) -> usize {
        self.local
    }

    fn sum(&self, values: &mut [f32]) {
        self.sum_of(values);
    }

    fn sum_f64(&self, values: &mut [f64]) {
        self.sum_of(values);
    }

    fn share(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(CALL) {
            self.world.process_at_rank(0).broadcast_into(part);
        }
    }

    fn finish(mut self: Box<Self>) {
        // SAFETY: nothing takes it after this, for this is the end of what holds it.
        unsafe { ManuallyDrop::drop(&mut self.universe) };
    }
}
