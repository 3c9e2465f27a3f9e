//! What goes wrong on a device, and on the way to one.

use super::Numbers;

/// Why there is no device to compute on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    #[error("no GPU can be used: this wordmill was built without the feature cuda")]
    Built,
    #[error("no GPU can be used: there is no libcuda.so.1")]
    Driver,
    #[error("no GPU can be used: there is no libcublas.so")]
    Library,
    #[error("there is no usable GPU: {problem}")]
    None { problem: String },
    #[error("{name} is out of memory before anything is computed")]
    Memory { name: String },
    #[error("there is no GPU {number}: this machine has {count}")]
    Number { number: usize, count: usize },
    #[error("{name} has compute capability {}: this build is for {} and later", shown(*found), shown(*least))]
    Capability {
        name: String,
        found: (u32, u32),
        least: (u32, u32),
    },
    #[error("{name} has no units for {numbers:?}")]
    Numbers { name: String, numbers: Numbers },
}

fn shown((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}

/// What went wrong on a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("out of memory on the GPU: {wanted}, {held} bytes are held")]
    Memory { wanted: Wanted, held: usize },
    #[error("the GPU failed in {operation}: {problem}")]
    Failed {
        operation: &'static str,
        problem: String,
    },
}

/// What there was no memory for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wanted {
    #[error("{0} more bytes were wanted")]
    Bytes(usize),
    /// The driver or cuBLAS wanted it for themselves, and do not say how much.
    #[error("{0} wanted more")]
    By(&'static str),
}

/// Why the driver or a library beside it has not done what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing of it was begun: with more memory it may be asked again.
    #[error("out of memory")]
    Memory,
    #[error("{0}")]
    Other(String),
}

impl From<String> for Problem {
    fn from(problem: String) -> Problem {
        Problem::Other(problem)
    }
}
