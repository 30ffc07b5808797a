//! Starting lanes: on a thread of the cache, unless the calling thread has been changed.

use super::changes::{is_changed, note_changed, reuse};
use super::pool::{self, Ending, Job};
use super::reserved::Reserved;
use std::io;

/// As `pool::launch`. A new thread inherits settings from the thread that starts it: if these were
/// changed, the new thread runs only this job.
pub fn launch(job: Job, stack: usize) -> io::Result<()> {
    #[cfg(feature = "hooks")]
    if crate::memory::faults::THREADS.refuses() {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    if !is_changed() {
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
pub fn reserve(stack: usize) -> io::Result<Reserved> {
    Reserved::take(|job| launch(job, stack), reuse)
}
