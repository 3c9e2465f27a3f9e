//! Signals that ask a training run to stop and keep what it has learned.

use anyhow::Result;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Ends as a signal that has stopped a run would have ended the process; 0 is none.
pub fn end(signal: usize) -> Result<()> {
    if signal > 0 {
        signal_hook::low_level::emulate_default_handler(signal as i32)?;
    }
    Ok(())
}

/// The signal that has stopped a run: of several processes, perhaps another one was told to stop.
pub fn asked(signal: &AtomicUsize) -> usize {
    match signal.load(Ordering::Relaxed) {
        0 => SIGTERM as usize,
        signal => signal,
    }
}

/// How long a second signal counts as the first one's echo.
const SAME_WISH: Duration = Duration::from_secs(1);

/// What a signal sets: that the run should stop, and which signal it was. One that comes later than a second after the
/// first ends the process at once; one before that is the same wish once more, as `timeout` signals both the process
/// and its group. Without a name for a checkpoint the first one ends it.
pub fn on_signals(can_stop: bool) -> Result<(Arc<AtomicBool>, Arc<AtomicUsize>)> {
    let (stop, which) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    if can_stop {
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
        let (stop, which) = (Arc::clone(&stop), Arc::clone(&which));
        std::thread::spawn(move || {
            let mut first = None;
            for signal in signals.forever() {
                let first = *first.get_or_insert_with(Instant::now);
                if first.elapsed() > SAME_WISH {
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
                which.store(signal as usize, Ordering::Relaxed);
                stop.store(true, Ordering::Release);
            }
        });
    }
    Ok((stop, which))
}
