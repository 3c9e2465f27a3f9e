//! An NVIDIA GPU: its memory, kernels and products, for operations that have a half of their own there.
//!
//! | module | what is in it |
//! |---|---|
//! | `memory` | values on the device, in memory that is used again |
//! | `numbers` | how they are kept |
//! | `driver` | what is asked of CUDA: the one file that knows it, and its stand-in for builds without it |
//! | `fault` | what goes wrong |
//! | `group` | devices of several processes, which sum among themselves: the same of NCCL |
//!
//! All work goes to one stream in the order it is asked for, and nothing of it waits: the host runs ahead and meets the
//! device when it reads a value back. So no operation returns an error. The first fault of a device stays, with the operation
//! that met it, which may be a later one than caused it; what is asked of it from then on is left undone, and whoever reads
//! from it or asks [`Gpu::check`] is told.
//!
//! The libraries of CUDA are opened when a device is, not when the program starts: one binary runs with and without them.

mod fault;
mod memory;
mod numbers;
#[cfg(test)]
mod tests;

#[cfg(feature = "cuda")]
mod driver;
#[cfg(not(feature = "cuda"))]
#[path = "absent.rs"]
mod driver;
#[cfg(feature = "cuda")]
mod group;
#[cfg(not(feature = "cuda"))]
#[path = "group/absent.rs"]
mod group;

use driver::Driver;
pub use fault::{DeviceError, Fault, Problem, Wanted};
pub use group::{Group, NAME};
pub use memory::{Kind, Memory};
pub use numbers::Numbers;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a device can do, as its driver tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub name: String,
    /// Compute capability, such as (8, 0).
    pub capability: (u32, u32),
}

/// A device in use; copies are the same one.
#[derive(Clone, Debug)]
pub struct Gpu(Arc<Inner>);

/// Memory that nobody has, by its size in bytes.
type Free = BTreeMap<usize, Vec<u64>>;

#[derive(Debug)]
struct Inner {
    driver: Driver,
    numbers: Numbers,
    free: Mutex<Free>,
    held: AtomicUsize,
    multiplied: AtomicU64,
    /// The first fault; a lack of memory can be forgiven.
    fault: Mutex<Option<Fault>>,
}

impl Gpu {
    /// How many devices the driver sees.
    ///
    /// # Errors
    /// When there is no driver to ask.
    pub fn count() -> Result<usize, DeviceError> {
        Driver::count()
    }

    /// The device of that number. Where nothing is said of numbers, they are kept as it computes fastest.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open(number: usize, numbers: Option<Numbers>) -> Result<Gpu, DeviceError> {
        let driver = Driver::open(number)?;
        let facts = driver.facts();
        let numbers = numbers.unwrap_or(Numbers::of(facts.capability));
        if facts.capability < numbers.least() {
            return Err(DeviceError::Numbers {
                name: facts.name.clone(),
                numbers,
            });
        }
        Ok(Gpu(Arc::new(Inner {
            driver,
            numbers,
            free: Mutex::default(),
            held: AtomicUsize::new(0),
            multiplied: AtomicU64::new(0),
            fault: Mutex::default(),
        })))
    }

    pub fn facts(&self) -> &Facts {
        self.0.driver.facts()
    }

    /// How activations are kept.
    pub fn numbers(&self) -> Numbers {
        self.0.numbers
    }

    /// The kind of activations in memory.
    pub fn kind(&self) -> Kind {
        self.0.numbers.kind()
    }

    /// Whether kernels multiply activations on tensor cores. It is the build that says it: a device may have more.
    pub fn has_tensor_products(&self) -> bool {
        let made_for = self.0.driver.made_for();
        self.0.numbers.has_tensor_products(made_for)
    }

    /// Bytes that are held, in use or for use again: the most that was in use, rounded up.
    pub fn held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }

    /// # Errors
    /// When something has failed since the device was opened, the first of it.
    pub fn check(&self) -> Result<(), Fault> {
        self.fault().clone().map_or(Ok(()), Err)
    }

    /// Goes on after a lack of memory, without what is held for nobody; after anything else a device is of no use any more.
    pub fn forgive(&self) -> bool {
        let mut free = self.free();
        let mut fault = self.fault();
        if matches!(*fault, Some(Fault::Memory { .. })) {
            let emptied = self.empty(&mut free);
            *fault = emptied.err().map(|problem| Fault::Failed {
                operation: "waiting",
                problem: problem.to_string(),
            });
        }
        fault.is_none()
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        self.0.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self) -> MutexGuard<'_, Option<Fault>> {
        self.0.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all is done that was asked for.
    ///
    /// # Errors
    /// When some of it failed.
    pub fn wait(&self) -> Result<(), Fault> {
        self.attempt("waiting", Driver::wait);
        self.check()
    }

    /// Runs a kernel of `ops/cuda` over a grid of blocks.
    pub fn launch(
        &self,
        kernel: &'static str,
        grid: (u32, u32),
        threads: u32,
        arguments: &[Argument],
    ) {
        // A grid without blocks is an error to CUDA, but nothing to do here.
        if grid.0 > 0 && grid.1 > 0 {
            self.attempt(kernel, |driver| {
                driver.launch(kernel, grid, threads, arguments)
            });
        }
    }

    /// Runs a kernel that goes over `n` values in strides of its grid.
    pub fn launch_over(&self, n: usize, kernel: &'static str, arguments: &[Argument]) {
        const THREADS: usize = 256;
        // Enough blocks to fill any device a few times over.
        const BLOCKS: usize = 4096;
        let blocks = n.div_ceil(THREADS).min(BLOCKS) as u32;
        self.launch(kernel, (blocks, 1), THREADS as u32, arguments);
    }

    /// Floating-point operations of all matrix products that were asked for, a sum and a product each.
    pub fn multiplied(&self) -> u64 {
        self.0.multiplied.load(Ordering::Relaxed)
    }

    /// C = op(A) · op(B), or C + op(A) · op(B).
    pub fn multiply(&self, product: &Product) {
        let (m, n, k) = product.shape;
        let operations = 2 * (m * n * k) as u64;
        self.0.multiplied.fetch_add(operations, Ordering::Relaxed);
        assert!(k > 0 || product.adds, "a sum of nothing is not written");
        if m > 0 && n > 0 && k > 0 {
            self.attempt("a matrix product", |driver| {
                driver.multiply(product, self.0.numbers)
            });
        }
    }

    /// Does something with the driver, unless something failed before, and remembers if it fails.
    fn attempt<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Driver) -> Result<T, Problem>,
    ) -> Option<T> {
        let mut fault = self.fault();
        if fault.is_some() {
            return None;
        }
        match work(&self.0.driver) {
            Ok(value) => Some(value),
            Err(problem) => {
                *fault = Some(self.fault_of(operation, problem));
                None
            }
        }
    }

    fn fault_of(&self, operation: &'static str, problem: Problem) -> Fault {
        match problem {
            Problem::Memory => Fault::Memory {
                wanted: Wanted::By(operation),
                held: self.held(),
            },
            Problem::Other(problem) => Fault::Failed { operation, problem },
        }
    }

    /// Gives memory that nobody has back to the driver, when nothing reads from it any more.
    fn empty(&self, free: &mut Free) -> Result<(), Problem> {
        self.0.driver.wait()?;
        for (size, list) in std::mem::take(free) {
            self.0.held.fetch_sub(size * list.len(), Ordering::Relaxed);
            list.into_iter()
                .for_each(|pointer| self.0.driver.free(pointer));
        }
        Ok(())
    }

    /// Memory of so many bytes or somewhat more, and how many: what was given back, or new. None of a device that has failed.
    fn take(&self, bytes: usize) -> (u64, usize) {
        let mut free = self.free();
        let mut near = free.range_mut(bytes..=bytes + bytes / 4);
        if let Some((size, list)) = near.find(|(_, list)| !list.is_empty())
            && let Some(pointer) = list.pop()
        {
            return (pointer, *size);
        }
        let mut fault = self.fault();
        if fault.is_some() {
            return (0, bytes);
        }
        let driver = &self.0.driver;
        let found = match driver.allocate(bytes) {
            // What lies about in other sizes may make room.
            Err(Problem::Memory) => (self.empty(&mut free)).and_then(|()| driver.allocate(bytes)),
            found => found,
        };
        match found {
            Ok(pointer) => {
                self.0.held.fetch_add(bytes, Ordering::Relaxed);
                return (pointer, bytes);
            }
            Err(Problem::Memory) => {
                *fault = Some(Fault::Memory {
                    wanted: Wanted::Bytes(bytes),
                    held: self.held(),
                });
            }
            Err(problem) => *fault = Some(self.fault_of("asking for memory", problem)),
        }
        (0, bytes)
    }

    fn give(&self, pointer: u64, bytes: usize) {
        if pointer != 0 {
            // In tests, whoever reads what it has not written reads no numbers.
            #[cfg(test)]
            self.attempt("clearing", |driver| driver.fill(pointer, 0xff, bytes));
            self.free().entry(bytes).or_default().push(pointer);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let free = std::mem::take(self.free.get_mut().unwrap_or_else(PoisonError::into_inner));
        for pointer in free.into_values().flatten() {
            self.driver.free(pointer);
        }
    }
}

/// A value that a kernel is given: memory, which lives as long as the argument, a number, or some words of a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Argument<'m>([u64; 6], PhantomData<&'m Memory>);

impl<'m> Argument<'m> {
    /// No memory.
    pub const NULL: Argument<'static> = Argument([0; 6], PhantomData);

    /// A structure of 32-bit words.
    ///
    /// # Panics
    /// When there are more than twelve.
    pub fn words(words: &[u32]) -> Argument<'static> {
        let mut bytes = [0; 6];
        for (i, word) in words.iter().enumerate() {
            bytes[i / 2] |= u64::from(*word) << (32 * (i % 2));
        }
        Argument(bytes, PhantomData)
    }

    fn first(value: u64) -> Argument<'m> {
        Argument([value, 0, 0, 0, 0, 0], PhantomData)
    }
}

impl From<u32> for Argument<'_> {
    fn from(value: u32) -> Self {
        Argument::first(value.into())
    }
}

impl From<u64> for Argument<'_> {
    fn from(value: u64) -> Self {
        Argument::first(value)
    }
}

impl From<usize> for Argument<'_> {
    /// A count of rows or columns; kernels take it in 32 or 64 bits.
    fn from(value: usize) -> Self {
        Argument::first(value as u64)
    }
}

impl From<f32> for Argument<'_> {
    fn from(value: f32) -> Self {
        Argument::first(value.to_bits().into())
    }
}

/// A matrix in rows: where it begins, how its values are kept, how far its rows are apart, and whether it is meant
/// transposed.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'m> {
    pub place: Argument<'m>,
    pub kind: Kind,
    pub stride: usize,
    pub is_transposed: bool,
}

impl<'m> Operand<'m> {
    pub fn transposed(self) -> Operand<'m> {
        Operand {
            is_transposed: !self.is_transposed,
            ..self
        }
    }
}

/// C (m, n) = op(A) (m, k) · op(B) (k, n), added to what is there if `adds`.
#[derive(Clone, Copy, Debug)]
pub struct Product<'m> {
    pub a: Operand<'m>,
    pub b: Operand<'m>,
    /// Not transposed.
    pub c: Operand<'m>,
    pub shape: (usize, usize, usize),
    pub adds: bool,
}
