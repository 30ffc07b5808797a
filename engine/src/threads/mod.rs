//! OS threads: a cache of them, their priority, affinity and names.

pub mod affinity;
pub mod fork;
pub mod name;
pub mod pool;
pub mod priority;

pub use pool::{Ending, Reuse};

use std::cell::Cell;

thread_local! {
    /// The running lane changed something of its thread that the next one must not find.
    static CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// As `pool::launch`. A new thread is as the one that starts it: where that was changed, it serves no other job.
pub fn launch(job: pool::Job) -> std::io::Result<()> {
    #[cfg(feature = "hooks")]
    if crate::memory::faults::THREADS.refuses() {
        return Err(std::io::ErrorKind::WouldBlock.into());
    }
    if !CHANGED.get() {
        return pool::launch(job);
    }
    pool::launch(Box::new(move |ending| {
        note_changed();
        job(ending)
    }))
}

/// Notes that the calling thread is no longer as it was.
pub fn note_changed() {
    CHANGED.set(true);
}

/// Whether the calling thread was changed; it counts as unchanged from then on.
pub fn take_changed() -> bool {
    CHANGED.replace(false)
}
