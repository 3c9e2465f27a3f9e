//! Where to compute: the one pool of threads, and how many it has.

use crate::stream::Failure;
use anyhow::{Result, bail};

/// Limits every pool to `threads`; none means one per core.
///
/// # Errors
/// When the pool has been started already.
pub fn limit(threads: Option<u16>) -> Result<()> {
    if let Some(threads) = threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()?;
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Device {
    Cpu,
    /// An NVIDIA GPU
    Cuda,
}

impl Device {
    /// # Errors
    /// When this build has no such device.
    pub fn check(self) -> Result<()> {
        if self == Device::Cuda {
            bail!(Failure::usage("this wordmill computes on the CPU only").hint(
                "leave --device out; GPUs need a build with --features cuda, which this version has not yet"
            ));
        }
        Ok(())
    }
}
