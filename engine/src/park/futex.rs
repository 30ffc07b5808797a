//! How a parked thread sleeps on 64-bit Linux: by futex system calls, because those of std hide
//! signals (EINTR).

#![allow(unsafe_code, reason = "system calls")]

use super::deadline::Deadline;
use crate::sync::atomic::AtomicU32;
use std::io::{Error, ErrorKind};
use std::ptr;
use std::time::Duration;

/// How long an interruptible wait sleeps at a time. A signal ends a sleep at once. One that arrives
/// between the last look and the system call is noticed at the end of this time.
pub const SLICE: Option<Duration> = Some(Duration::from_secs(1));

/// The longest single sleep. Every sleep has a timeout, because only timed futex waits end with
/// EINTR if the handler of the signal was installed with SA_RESTART (signal(7)).
const LONGEST_SLEEP: Duration = Duration::from_secs(365 * 24 * 3600);

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

    /// Sleeps while `word` is `expected`, until woken, the deadline, the end of the slice or a
    /// signal.
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
        let time = remaining
            .min(slice.unwrap_or(LONGEST_SLEEP))
            .min(LONGEST_SLEEP);
        // The fields have the type of the platform; `LONGEST_SLEEP` fits into any.
        let time = libc::timespec {
            tv_sec: time.as_secs() as _,
            tv_nsec: time.subsec_nanos() as _,
        };
        // SAFETY: `word` and `time` are valid for the whole call; the kernel writes to neither.
        let result = unsafe {
            libc::syscall(
                libc::SYS_futex,
                ptr::from_ref(word),
                libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
                expected,
                ptr::from_ref(&time),
            )
        };
        let expired = result < 0 && Error::last_os_error().kind() == ErrorKind::TimedOut;
        if expired && deadline.remaining().is_some_and(|left| left.is_zero()) {
            Slept::TimedOut
        } else {
            Slept::Woken
        }
    }

    /// Wakes the thread that sleeps on `word`.
    pub fn wake(&self, word: &AtomicU32) {
        // SAFETY: the call only uses the address of `word` as a name.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                ptr::from_ref(word),
                libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
                1,
            );
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::parker::{Parker, Woken};
    use super::*;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::thread;
    use std::time::Instant;

    extern "C" fn ignore(_signal: libc::c_int) {}

    #[test]
    fn a_signal_ends_an_interruptible_sleep_at_once() {
        // SAFETY: a zeroed sigaction with a handler that does nothing is valid.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = ignore as *const () as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            assert_eq!(libc::sigaction(libc::SIGUSR2, &action, ptr::null_mut()), 0);
        }
        let parker = Parker::new();
        let asked = AtomicUsize::new(0);
        let target = AtomicU64::new(0);
        let start = Instant::now();
        thread::scope(|scope| {
            let sleeper = scope.spawn(|| {
                // SAFETY: the call has no preconditions.
                target.store(unsafe { libc::pthread_self() } as u64, Ordering::Release);
                // Called once before the sleep, so the tenth call is after nine signals, each
                // faster than the slice.
                let interrupted = || asked.fetch_add(1, Ordering::Relaxed) == 9;
                parker.park(Deadline::Never, Some(&interrupted))
            });
            while !sleeper.is_finished() {
                let thread = target.load(Ordering::Acquire);
                if thread != 0 {
                    // SAFETY: a scoped thread is not detached, and is joined only below, so its
                    // handle is valid.
                    unsafe { libc::pthread_kill(thread as libc::pthread_t, libc::SIGUSR2) };
                }
                thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(sleeper.join().unwrap(), Woken::Interrupted);
        });
        assert!(start.elapsed() < SLICE.unwrap() * 9);
    }
}
