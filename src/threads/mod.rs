//! OS threads: a cache of them, their priority, affinity and names.

pub mod affinity;
pub mod name;
pub mod pool;
pub mod priority;

#[cfg(not(feature = "hooks"))]
pub use pool::launch;
pub use pool::{Ending, Reuse};

use std::cell::Cell;

thread_local! {
    /// The running lane changed something of its thread that the next one must not find.
    static CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// As `pool::launch`, unless a test wants no thread to be had.
#[cfg(feature = "hooks")]
pub fn launch(job: pool::Job) -> std::io::Result<()> {
    if crate::hooks::plan::THREADS.refuses() {
        return Err(std::io::ErrorKind::WouldBlock.into());
    }
    pool::launch(job)
}

/// Notes that the calling thread is no longer as it was.
pub fn note_changed() {
    CHANGED.set(true);
}

/// Whether the calling thread was changed; it counts as unchanged from then on.
pub fn take_changed() -> bool {
    CHANGED.replace(false)
}
