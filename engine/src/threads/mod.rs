//! OS threads: a cache of them, their priority, affinity and names.

pub mod affinity;
mod cpu_time;
pub mod fork;
pub mod name;
pub mod pool;
pub mod priority;
pub mod reserved;
pub mod stack;

pub use cpu_time::cpu_time;
pub use pool::{Ending, Reuse};
pub use reserved::Reserved;

use std::cell::Cell;

thread_local! {
    /// The job that runs has changed something of its thread that the next job must not find.
    static CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// As `pool::launch`. A new thread inherits from the one that starts it: if that was changed, the
/// new one runs no other job.
pub fn launch(job: pool::Job, stack: usize) -> std::io::Result<()> {
    #[cfg(feature = "hooks")]
    if crate::memory::faults::THREADS.refuses() {
        return Err(std::io::ErrorKind::WouldBlock.into());
    }
    if !CHANGED.get() {
        return pool::launch(job, stack);
    }
    let changed = move |ending: &Ending| {
        note_changed();
        job(ending)
    };
    pool::launch(Box::new(changed), stack)
}

/// Takes a thread, whose stack has `stack` bytes, before there is a job for it.
///
/// Errors: those of `launch`.
pub fn reserve(stack: usize) -> std::io::Result<Reserved> {
    Reserved::take(|job| launch(job, stack), reuse)
}

/// Whether the calling thread, whose job has ended, may run another job.
pub fn reuse() -> Reuse {
    if CHANGED.replace(false) {
        Reuse::LetGo
    } else {
        Reuse::Keep
    }
}

/// Notes that the job has changed its thread (priority, affinity, name).
pub fn note_changed() {
    CHANGED.set(true);
}
