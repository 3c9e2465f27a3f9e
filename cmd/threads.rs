//! Where to compute: the one pool of threads, and how many it has.

use anyhow::Result;

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

/// The same for one of several processes on this machine, each of which has its share of the cores where nothing is said.
///
/// # Errors
/// When the pool has been started already.
pub fn share(threads: Option<u16>, processes: usize) -> Result<()> {
    if threads.is_some() || processes < 2 {
        return limit(threads);
    }
    let cores = std::thread::available_parallelism()?.get();
    limit(u16::try_from((cores / processes).max(1)).ok())
}
