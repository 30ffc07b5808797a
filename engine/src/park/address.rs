//! How a parked thread sleeps on Windows: by WaitOnAddress. The Condvar of std uses it, too, with a
//! lock around it, which a wake then takes first.

#![allow(unsafe_code, reason = "system calls")]

use super::deadline::Deadline;
use crate::sync::atomic::AtomicU32;
use std::ptr;
use std::time::Duration;
use windows_sys::Win32::System::Threading::{INFINITE, WaitOnAddress, WakeByAddressSingle};

/// How long an interruptible wait sleeps at a time: Ctrl-C runs on a thread of its own, and wakes
/// no other.
pub const SLICE: Option<Duration> = Some(Duration::from_millis(100));

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Slept {
    /// Woken, or for another reason.
    Woken,
    TimedOut,
}

pub struct Sleeper;

impl Sleeper {
    pub fn new() -> Sleeper {
        Sleeper
    }

    /// Sleeps while `word` is `expected`, until woken, the deadline or the end of the slice.
    pub fn sleep(
        &self,
        word: &AtomicU32,
        expected: u32,
        deadline: Deadline,
        slice: Option<Duration>,
    ) -> Slept {
        let remaining = deadline.remaining();
        if remaining.is_some_and(|left| left.is_zero()) {
            return Slept::TimedOut;
        }
        let time = remaining.into_iter().chain(slice).min();
        // SAFETY: `word` and `expected` are valid for the whole call, which writes to neither.
        unsafe {
            WaitOnAddress(
                word.as_ptr().cast(),
                ptr::from_ref(&expected).cast(),
                size_of::<u32>(),
                milliseconds(time),
            );
        }
        Slept::Woken
    }

    /// Wakes the thread that sleeps on `word`.
    pub fn wake(&self, word: &AtomicU32) {
        // SAFETY: the call only uses the address of `word` as a name.
        unsafe { WakeByAddressSingle(word.as_ptr().cast()) }
    }
}

/// A time as the system counts it, rounded up, so that a wait does not look at the clock again and
/// again in its last millisecond. What is too long for it is cut, and the wait continues.
fn milliseconds(time: Option<Duration>) -> u32 {
    let Some(time) = time else {
        return INFINITE;
    };
    let count = time.as_nanos().div_ceil(1_000_000);
    u32::try_from(count).unwrap_or(INFINITE).min(INFINITE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_and_never_mean_for_ever() {
        let of = |time| milliseconds(Some(time));
        assert_eq!(of(Duration::from_nanos(1)), 1);
        assert_eq!(of(Duration::from_millis(20)), 20);
        assert_eq!(of(Duration::from_micros(20_001)), 21);
        assert_eq!(of(Duration::from_secs(365 * 24 * 3600)), INFINITE - 1);
        assert_eq!(of(Duration::MAX), INFINITE - 1);
        assert_eq!(milliseconds(None), INFINITE);
    }
}
