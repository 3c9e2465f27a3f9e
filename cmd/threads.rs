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
