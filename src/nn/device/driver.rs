//! CUDA, by the crate cudarc: a context, a stream, the kernels of `ops/cuda`, and cuBLAS for products.
//!
//! cuBLAS takes matrices in columns. A matrix in rows is its transpose in columns, and Cᵀ = op(B)ᵀ · op(A)ᵀ, so that
//! its two operands change places and nothing is copied.

mod problem;

use super::{Argument, DeviceError, Facts, Kind, Numbers, Operand, Problem, Product};
use cudarc::cublas::result::{self as blas, CublasError};
use cudarc::cublas::sys as blas_sys;
use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys;
use problem::{of_handle, said, unusable};
use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::ptr::from_ref;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The kernels as PTX: the driver of the device compiles them for it.
const KERNELS: &str = include_str!(concat!(env!("OUT_DIR"), "/kernels.ptx"));

/// The oldest compute capability that this build is for.
const LEAST: (u32, u32) = match u32::from_str_radix(env!("WORDMILL_COMPUTE_CAP"), 10) {
    Ok(least) => (least / 10, least % 10),
    Err(_) => panic!("build.rs sets a number"),
};

/// Pinned memory that copies to the device go through. From memory that is not pinned they may wait for all work before.
const STAGING: usize = 16 << 20;

/// Memory that cuBLAS may use, as NVIDIA advises for devices from Hopper on.
const WORKSPACE: usize = 32 << 20;

pub struct Driver {
    facts: Facts,
    device: sys::CUdevice,
    context: sys::CUcontext,
    stream: sys::CUstream,
    module: sys::CUmodule,
    blas: blas_sys::cublasHandle_t,
    workspace: u64,
    staging: Mutex<Staging>,
    functions: Mutex<HashMap<&'static str, Function>>,
}

/// Pinned memory, and how much of it copies under way may still read.
struct Staging {
    memory: *mut u8,
    used: usize,
}

#[derive(Clone, Copy)]
struct Function(sys::CUfunction);

// SAFETY: handles of CUDA may be used on any thread, where the context is made current first (`here`).
unsafe impl Send for Function {}
// SAFETY: the same; cuBLAS' handle is used by one thread at a time, for `functions` is locked around it.
unsafe impl Send for Driver {}
// SAFETY: the same.
unsafe impl Sync for Driver {}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_tuple("Driver").field(&self.facts).finish()
    }
}

impl Driver {
    pub fn count() -> Result<usize, DeviceError> {
        // SAFETY: only looks whether the library can be opened.
        if !unsafe { sys::is_culib_present() } {
            return Err(DeviceError::Driver);
        }
        let counted = result::init().and_then(|()| result::device::get_count());
        counted
            .map(|count| count as usize)
            .map_err(|error| DeviceError::None {
                problem: said(&error),
            })
    }

    pub fn open(number: usize) -> Result<Driver, DeviceError> {
        let count = Driver::count()?;
        if number >= count {
            return Err(DeviceError::Number { number, count });
        }
        let none = |error: DriverError| DeviceError::None {
            problem: said(&error),
        };
        // SAFETY: only looks whether the library can be opened.
        if !unsafe { blas_sys::is_culib_present() } {
            return Err(DeviceError::Library);
        }
        let device = result::device::get(number as i32).map_err(none)?;
        use sys::CUdevice_attribute_enum::{
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR as MAJOR,
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR as MINOR,
        };
        // SAFETY: `device` is one; every handle is used with those it was made with.
        unsafe {
            let attribute = |which| result::device::get_attribute(device, which).map(|v| v as u32);
            let facts = Facts {
                name: result::device::get_name(device).map_err(none)?,
                capability: (
                    attribute(MAJOR).map_err(none)?,
                    attribute(MINOR).map_err(none)?,
                ),
            };
            if facts.capability < LEAST {
                return Err(DeviceError::Capability {
                    name: facts.name,
                    found: facts.capability,
                    least: LEAST,
                });
            }
            let context = (result::primary_ctx::retain(device))
                .map_err(|error| unusable(&facts.name, error))?;
            let opened = Driver::in_context(facts, device, context);
            if opened.is_err() {
                // With the context goes all that was made in it.
                let _ = result::primary_ctx::release(device);
            }
            opened
        }
    }

    /// What is used of a context.
    fn in_context(
        facts: Facts,
        device: sys::CUdevice,
        context: sys::CUcontext,
    ) -> Result<Driver, DeviceError> {
        let name = facts.name.clone();
        let none = |error: DriverError| unusable(&name, error);
        // SAFETY: every handle is used with those it was made with.
        unsafe {
            result::ctx::set_current(context).map_err(none)?;
            let stream =
                result::stream::create(result::stream::StreamKind::NonBlocking).map_err(none)?;
            let kernels = CString::new(KERNELS).unwrap_or_default();
            let module = result::module::load_data(kernels.as_ptr().cast()).map_err(none)?;
            let problem = |error: CublasError| unusable(&name, error);
            let blas = blas::create_handle().map_err(|error| of_handle(&name, error))?;
            blas::set_stream(blas, stream.cast()).map_err(problem)?;
            // Sums of products stay in f32 where they are parted, too.
            let mode = blas_sys::cublasMath_t::CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
            (blas_sys::cublasSetMathMode(blas, mode).result()).map_err(problem)?;
            let workspace = result::malloc_sync(WORKSPACE).map_err(none)?;
            (blas_sys::cublasSetWorkspace_v2(blas, workspace as *mut c_void, WORKSPACE).result())
                .map_err(problem)?;
            let staging = Staging {
                memory: result::malloc_host(STAGING, 0).map_err(none)?.cast(),
                used: 0,
            };
            Ok(Driver {
                facts,
                staging: Mutex::new(staging),
                device,
                context,
                stream,
                module,
                blas,
                workspace,
                functions: Mutex::default(),
            })
        }
    }

    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The compute capability that kernels are made for.
    pub fn made_for(&self) -> (u32, u32) {
        let target = KERNELS.split_once(".target sm_").map(|(_, target)| target);
        let digits = target.and_then(|target| target.split(|c: char| !c.is_ascii_digit()).next());
        let number: u32 = digits.and_then(|d| d.parse().ok()).unwrap_or_default();
        (number / 10, number % 10)
    }

    /// Makes the context the calling thread's.
    pub fn here(&self) -> Result<(), Problem> {
        // SAFETY: the context lives as long as the driver.
        unsafe { result::ctx::set_current(self.context) }.map_err(Problem::from)
    }

    /// Where all work is done in order.
    pub fn stream(&self) -> sys::CUstream {
        self.stream
    }

    pub fn allocate(&self, bytes: usize) -> Result<u64, Problem> {
        self.here()?;
        // SAFETY: memory that is only used through the driver.
        unsafe { result::malloc_sync(bytes) }.map_err(Problem::from)
    }

    pub fn free(&self, pointer: u64) {
        if self.here().is_ok() {
            // SAFETY: it came from `allocate`, and nobody has it any more. A failure can be told to no one.
            let _ = unsafe { result::free_sync(pointer) };
        }
    }

    pub fn copy_in(&self, to: u64, bytes: &[u8]) -> Result<(), Problem> {
        self.here()?;
        if bytes.len() > STAGING {
            // SAFETY: the caller's memory is as long, and it is waited for.
            return unsafe {
                result::memcpy_htod_async(to, bytes, self.stream)
                    .and_then(|()| result::stream::synchronize(self.stream))
            }
            .map_err(Problem::from);
        }
        let mut staging = self.staging();
        if staging.used + bytes.len() > STAGING {
            self.wait()?;
            staging.used = 0;
        }
        // SAFETY: there is room for so many bytes, which no copy under way reads.
        unsafe {
            let own = std::slice::from_raw_parts_mut(staging.memory.add(staging.used), bytes.len());
            own.copy_from_slice(bytes);
            staging.used += bytes.len();
            result::memcpy_htod_async(to, own, self.stream)
        }
        .map_err(Problem::from)
    }

    pub fn copy_out(&self, bytes: &mut [u8], from: u64) -> Result<(), Problem> {
        self.here()?;
        // SAFETY: the memory is as long, and it is waited for.
        unsafe {
            result::memcpy_dtoh_async(bytes, from, self.stream)
                .and_then(|()| result::stream::synchronize(self.stream))
        }
        .map_err(Problem::from)?;
        self.staging().used = 0;
        Ok(())
    }

    fn staging(&self) -> MutexGuard<'_, Staging> {
        self.staging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn copy(&self, to: u64, from: u64, bytes: usize) -> Result<(), Problem> {
        self.here()?;
        // SAFETY: both are as long.
        unsafe { result::memcpy_dtod_async(to, from, bytes, self.stream) }.map_err(Problem::from)
    }

    pub fn fill(&self, to: u64, byte: u8, bytes: usize) -> Result<(), Problem> {
        self.here()?;
        // SAFETY: it is as long.
        unsafe { result::memset_d8_async(to, byte, bytes, self.stream) }.map_err(Problem::from)
    }

    pub fn wait(&self) -> Result<(), Problem> {
        self.here()?;
        // SAFETY: the stream is ours.
        unsafe { result::stream::synchronize(self.stream) }.map_err(Problem::from)
    }

    pub fn launch(
        &self,
        kernel: &'static str,
        (x, y): (u32, u32),
        threads: u32,
        arguments: &[Argument],
    ) -> Result<(), Problem> {
        self.here()?;
        let mut functions = self
            .functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let function = match functions.get(kernel) {
            Some(function) => *function,
            None => {
                let name = CString::new(kernel).map_err(|error| error.to_string())?;
                // SAFETY: the module is loaded.
                let found = unsafe { result::module::get_function(self.module, name) };
                let function = Function(found?);
                functions.insert(kernel, function);
                function
            }
        };
        let mut pointers: Vec<*mut c_void> = arguments
            .iter()
            .map(|a| from_ref(a).cast_mut().cast())
            .collect();
        // SAFETY: the kernel takes these arguments: its caller stands beside it.
        unsafe {
            result::launch_kernel(
                function.0,
                (x, y, 1),
                (threads, 1, 1),
                0,
                self.stream,
                &mut pointers,
            )
        }
        .map_err(Problem::from)
    }

    pub fn multiply(&self, product: &Product, numbers: Numbers) -> Result<(), Problem> {
        use blas_sys::cublasComputeType_t::{CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32};
        self.here()?;
        let _alone = self
            .functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (m, n, k) = product.shape;
        let (one, beta) = (1.0f32, if product.adds { 1.0f32 } else { 0.0 });
        let compute = match numbers {
            Numbers::Tf32 => CUBLAS_COMPUTE_32F_FAST_TF32,
            _ => CUBLAS_COMPUTE_32F,
        };
        // SAFETY: the matrices have these shapes: the caller says so.
        unsafe {
            blas::gemm_ex(
                self.blas,
                turned(&product.b),
                turned(&product.a),
                size(n)?,
                size(m)?,
                size(k)?,
                from_ref(&one).cast(),
                product.b.place.0[0] as *const c_void,
                type_of(product.b.kind),
                size(product.b.stride)?,
                product.a.place.0[0] as *const c_void,
                type_of(product.a.kind),
                size(product.a.stride)?,
                from_ref(&beta).cast(),
                product.c.place.0[0] as *mut c_void,
                type_of(product.c.kind),
                size(product.c.stride)?,
                compute,
                blas_sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
            )
        }
        .map_err(Problem::from)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.here().is_err() {
            return;
        }
        // SAFETY: each is destroyed once, the context last. Failures on the way out can be told to no one.
        unsafe {
            let _ = result::stream::synchronize(self.stream);
            let _ = blas::destroy_handle(self.blas);
            let _ = result::free_sync(self.workspace);
            let staging = self
                .staging
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            let _ = result::free_host(staging.memory.cast());
            let _ = result::module::unload(self.module);
            let _ = result::stream::destroy(self.stream);
            let _ = result::primary_ctx::release(self.device);
        }
    }
}

fn turned(operand: &Operand) -> blas_sys::cublasOperation_t {
    match operand.is_transposed {
        true => blas_sys::cublasOperation_t::CUBLAS_OP_T,
        false => blas_sys::cublasOperation_t::CUBLAS_OP_N,
    }
}

fn type_of(kind: Kind) -> blas_sys::cudaDataType {
    match kind {
        Kind::F16 => blas_sys::cudaDataType_t::CUDA_R_16F,
        Kind::Bf16 => blas_sys::cudaDataType_t::CUDA_R_16BF,
        Kind::F64 => blas_sys::cudaDataType_t::CUDA_R_64F,
        Kind::F32 | Kind::U32 => blas_sys::cudaDataType_t::CUDA_R_32F,
    }
}

/// cuBLAS counts in 32 bits.
fn size(n: usize) -> Result<i32, String> {
    i32::try_from(n).map_err(|_| format!("a side of {n} is too long"))
}
