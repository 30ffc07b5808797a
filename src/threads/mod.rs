//! OS threads: a cache of them, their priority, affinity and names.

pub mod affinity;
pub mod name;
pub mod pool;
pub mod priority;

pub use pool::{Reuse, launch};

use std::cell::Cell;

thread_local! {
    /// The running lane changed something of its thread that the next one must not find.
    static CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// Notes that the calling thread is no longer as it was.
pub fn note_changed() {
    CHANGED.set(true);
}

/// Whether the calling thread was changed; it counts as unchanged from then on.
pub fn take_changed() -> bool {
    CHANGED.replace(false)
}
