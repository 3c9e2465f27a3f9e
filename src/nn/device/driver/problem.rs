//! What the driver and cuBLAS call their errors, and which of them are a lack of memory.

use crate::nn::device::{DeviceError, Problem};
use cudarc::cublas::result::CublasError;
use cudarc::cublas::sys as blas_sys;
use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys;

/// Of its many errors, the driver has one for a lack of memory: a launch for which there are not enough registers is another.
impl From<DriverError> for Problem {
    fn from(error: DriverError) -> Problem {
        match error.0 {
            sys::cudaError_enum::CUDA_ERROR_OUT_OF_MEMORY => Problem::Memory,
            _ => Problem::Other(said(&error)),
        }
    }
}

impl From<CublasError> for Problem {
    fn from(error: CublasError) -> Problem {
        match error.0 {
            blas_sys::cublasStatus_t::CUBLAS_STATUS_ALLOC_FAILED => Problem::Memory,
            status => Problem::Other(format!("cuBLAS: {status:?}")),
        }
    }
}

/// What cuBLAS needs of a device's memory for itself, its kernels included, or somewhat more.
const LIBRARY: usize = 256 << 20;

/// Why there is no handle of cuBLAS. On a device that is full it may say that it is not initialised, and not why.
pub fn of_handle(name: &str, error: CublasError) -> DeviceError {
    let is_full = || result::mem_get_info().is_ok_and(|(free, _)| free < LIBRARY);
    match error.0 {
        blas_sys::cublasStatus_t::CUBLAS_STATUS_NOT_INITIALIZED if is_full() => {
            unusable(name, Problem::Memory)
        }
        _ => unusable(name, error),
    }
}

/// Why a device cannot be opened.
pub fn unusable(name: &str, problem: impl Into<Problem>) -> DeviceError {
    match problem.into() {
        Problem::Memory => DeviceError::Memory {
            name: name.to_owned(),
        },
        Problem::Other(problem) => DeviceError::None { problem },
    }
}

/// An error's text, as the driver has it.
pub fn said(error: &DriverError) -> String {
    match error.error_string() {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => format!("{error:?}"),
    }
}
