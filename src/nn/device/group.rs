//! Devices of several processes that sum among themselves, by NCCL, whose library is opened when it is wanted.
//!
//! Four of its functions, as NVIDIA's documentation of NCCL 2 has them. The library is what every machine with PyTorch or
//! NVIDIA's package libnccl2 has.

use super::{Gpu, Kind, Memory};
use libloading::{Library, Symbol};
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::ptr::null_mut;

/// Bytes of what names a group.
pub const NAME: usize = 128;

const LIBRARIES: [&str; 2] = ["libnccl.so.2", "libnccl.so"];

/// What names a group.
#[derive(Clone, Copy)]
#[repr(C)]
struct Id([u8; NAME]);

type Comm = *mut c_void;
type GetUniqueId = unsafe extern "C" fn(*mut Id) -> c_int;
type CommInitRank = unsafe extern "C" fn(*mut Comm, c_int, Id, c_int) -> c_int;
type AllReduce = unsafe extern "C" fn(
    *const c_void,
    *mut c_void,
    usize,
    c_int,
    c_int,
    Comm,
    *mut c_void,
) -> c_int;
type CommDestroy = unsafe extern "C" fn(Comm) -> c_int;

/// ncclFloat32 and ncclSum.
const FLOAT: c_int = 7;
const SUM: c_int = 0;

/// The library, and what is used of it.
struct Nccl {
    get_unique_id: GetUniqueId,
    comm_init_rank: CommInitRank,
    all_reduce: AllReduce,
    comm_destroy: CommDestroy,
    /// What these are in.
    _library: Library,
}

impl Nccl {
    fn open() -> Result<Nccl, String> {
        // SAFETY: the library runs nothing of its own that other threads mind.
        let mut opened = LIBRARIES.iter().map(|name| unsafe { Library::new(*name) });
        let library = opened
            .find_map(Result::ok)
            .ok_or_else(|| format!("there is no {}", LIBRARIES[0]))?;
        // SAFETY: the types are those of the documentation, and the library is kept as long as its functions.
        unsafe {
            Ok(Nccl {
                get_unique_id: function(&library, "ncclGetUniqueId")?,
                comm_init_rank: function(&library, "ncclCommInitRank")?,
                all_reduce: function(&library, "ncclAllReduce")?,
                comm_destroy: function(&library, "ncclCommDestroy")?,
                _library: library,
            })
        }
    }
}

/// A function of the library.
///
/// # Safety
/// `F` must be its type, and the library must live as long as it is used.
unsafe fn function<F: Copy>(library: &Library, name: &str) -> Result<F, String> {
    // SAFETY: the caller's word.
    let found: Result<Symbol<F>, _> = unsafe { library.get(name) };
    found.map(|found| *found).map_err(|error| error.to_string())
}

/// # Errors
/// When a function has not given 0.
fn checked(name: &str, result: c_int) -> Result<(), String> {
    match result {
        0 => Ok(()),
        error => Err(format!(
            "{name} fails with {error}; NCCL_DEBUG=WARN tells more"
        )),
    }
}

/// A device among others.
pub struct Group {
    nccl: Nccl,
    gpu: Gpu,
    comm: Comm,
}

// SAFETY: a communicator may be used on any thread, by one at a time, which `Gpu::attempt` sees to.
unsafe impl Send for Group {}
// SAFETY: the same.
unsafe impl Sync for Group {}

impl Group {
    /// The name of a new group, which one process makes for all.
    ///
    /// # Errors
    /// When there is no library, or it cannot.
    pub fn name() -> Result<[u8; NAME], String> {
        let nccl = Nccl::open()?;
        let mut id = Id([0; NAME]);
        // SAFETY: `id` is written to.
        checked("ncclGetUniqueId", unsafe { (nccl.get_unique_id)(&mut id) })?;
        Ok(id.0)
    }

    /// # Errors
    /// When there is no library.
    pub fn find() -> Result<(), String> {
        Nccl::open().map(drop)
    }

    /// The group of that name, as one of so many; waits until all have come.
    ///
    /// # Errors
    /// When the devices cannot reach each other.
    pub fn join(
        gpu: &Gpu,
        name: [u8; NAME],
        (rank, size): (usize, usize),
    ) -> Result<Group, String> {
        let nccl = Nccl::open()?;
        (gpu.0.driver.here()).map_err(|problem| problem.to_string())?;
        let mut comm = null_mut();
        // SAFETY: `comm` is written to; the context of the device is current.
        let joined =
            unsafe { (nccl.comm_init_rank)(&mut comm, size as c_int, Id(name), rank as c_int) };
        checked("ncclCommInitRank", joined)?;
        Ok(Group {
            nccl,
            gpu: gpu.clone(),
            comm,
        })
    }

    /// Each value of a part becomes the sum of what all devices have in its place. Nothing waits for it but what follows on the
    /// device.
    ///
    /// # Panics
    /// When they are no f32, or there are fewer.
    pub fn sum(&self, values: &Memory, part: Range<usize>) {
        assert_eq!(values.kind, Kind::F32);
        assert!(part.end <= values.len());
        let first = values.pointer + (part.start * Kind::F32.bytes()) as u64;
        let (pointer, n) = (first as *mut c_void, part.len());
        self.gpu.attempt("a sum over GPUs", |driver| {
            driver.here()?;
            let stream = driver.stream().cast();
            // SAFETY: the values are `n` in the memory of this device, whose stream does all that is done with them in order.
            let summed = unsafe {
                (self.nccl.all_reduce)(pointer, pointer, n, FLOAT, SUM, self.comm, stream)
            };
            Ok(checked("ncclAllReduce", summed)?)
        });
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: nothing uses it after this.
        unsafe { (self.nccl.comm_destroy)(self.comm) };
    }
}
