//! How a parked thread sleeps on systems other than Windows and 64-bit Linux: on a Condvar of std.
//! That sleeps in _umtx_op on FreeBSD. On macOS it is that of POSIX threads, because calls that
//! wait for an address are private there, or too new (14.4).

use super::deadline::Deadline;
use crate::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long an interruptible wait sleeps at a time: a signal does not end the wait on a Condvar.
pub const SLICE: Option<Duration> = Some(Duration::from_millis(100));

/// The longest single sleep: some systems refuse timeouts that are much longer.
const LONGEST_SLEEP: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Slept {
    /// Woken, or for another reason.
    Woken,
    TimedOut,
}

pub struct Sleeper {
    lock: Mutex<()>,
    changed: Condvar,
}

impl Sleeper {
    pub fn new() -> Sleeper {
        Sleeper {
            lock: Mutex::new(()),
            changed: Condvar::new(),
        }
    }

    /// Sleeps while `word` is `expected`, until woken, the deadline or the end of the slice.
    pub fn sleep(
        &self,
        word: &AtomicU32,
        expected: u32,
        deadline: Deadline,
        slice: Option<Duration>,
    ) -> Slept {
        let remaining = deadline.remaining().unwrap_or(LONGEST_SLEEP);
        if remaining.is_zero() {
            return Slept::TimedOut;
        }
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        // `wake` takes the lock after changing the word, so a change is seen here or wakes us
        // below.
        if word.load(Ordering::Acquire) == expected {
            let time = remaining
                .min(slice.unwrap_or(LONGEST_SLEEP))
                .min(LONGEST_SLEEP);
            drop(
                self.changed
                    .wait_timeout(guard, time)
                    .unwrap_or_else(PoisonError::into_inner),
            );
        }
        Slept::Woken
    }

    /// Wakes the thread that sleeps on `word`.
    pub fn wake(&self, _word: &AtomicU32) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
    }
}
