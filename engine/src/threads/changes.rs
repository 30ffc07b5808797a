//! Whether the job that runs has changed its thread.

use super::pool::Reuse;
use std::cell::Cell;

thread_local! {
    /// True if the running job has changed a setting of its thread that the next job must not
    /// inherit.
    static CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// Notes that the job has changed its thread (priority, affinity, name).
pub fn note_changed() {
    CHANGED.set(true);
}

/// Whether the job has changed its thread.
pub(super) fn is_changed() -> bool {
    CHANGED.get()
}

/// Whether the calling thread, whose job has ended, may run another job.
pub fn reuse() -> Reuse {
    if CHANGED.replace(false) {
        Reuse::LetGo
    } else {
        Reuse::Keep
    }
}
