//! Devices of several processes that sum among themselves, by NCCL (Jeaugey 2017): the crate cudarc, and a library that is
//! looked for when it is wanted.

use super::{Gpu, Kind, Memory};
use cudarc::nccl::{result, sys};

/// Bytes of what names a group.
pub const NAME: usize = 128;

/// A device among others.
pub struct Group {
    gpu: Gpu,
    comm: sys::ncclComm_t,
}

// SAFETY: a communicator may be used on any thread, by one at a time, which `Gpu::attempt` sees to.
unsafe impl Send for Group {}
// SAFETY: the same.
unsafe impl Sync for Group {}

impl Group {
    /// Whether the library is at hand.
    pub fn is_there() -> bool {
        // SAFETY: only looks whether the library can be opened.
        unsafe { sys::is_culib_present() }
    }

    /// The name of a new group, which one process makes for all.
    ///
    /// # Errors
    /// When the library cannot.
    pub fn name() -> Result<[u8; NAME], String> {
        let id = result::get_uniqueid().map_err(|error| said(&error))?;
        Ok(id.internal.map(|byte| byte as u8))
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
        gpu.0.driver.here()?;
        let id = sys::ncclUniqueId {
            internal: name.map(|byte| byte as _),
        };
        let mut comm = std::ptr::null_mut();
        // SAFETY: `comm` is written to; the context of the device is current.
        unsafe { result::comm_init_rank(&mut comm, size as i32, id, rank as i32) }
            .map_err(|error| said(&error))?;
        Ok(Group {
            gpu: gpu.clone(),
            comm,
        })
    }

    /// Each value becomes the sum of what all devices have in its place. Nothing waits for it but what follows on the device.
    ///
    /// # Panics
    /// When they are no f32.
    pub fn sum(&self, values: &Memory) {
        assert_eq!(values.kind, Kind::F32);
        let (pointer, n) = (values.pointer, values.len());
        self.gpu.attempt("a sum over GPUs", |driver| {
            driver.here()?;
            // SAFETY: the values are `n` in the memory of this device, whose stream writes them in order.
            let summed = unsafe {
                result::all_reduce(
                    pointer as *const _,
                    pointer as *mut _,
                    n,
                    sys::ncclDataType_t::ncclFloat32,
                    sys::ncclRedOp_t::ncclSum,
                    self.comm,
                    driver.stream().cast(),
                )
            };
            summed.map(drop).map_err(|error| said(&error))
        });
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: nothing uses it after this.
        let _ = unsafe { result::comm_destroy(self.comm) };
    }
}

fn said(error: &result::NcclError) -> String {
    // "ncclUnhandledCudaError" and the like: the library logs the rest where NCCL_DEBUG=WARN is set.
    format!("{:?} (NCCL_DEBUG=WARN tells more)", error.0)
}
