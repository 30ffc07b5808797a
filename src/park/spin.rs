//! When and how long a thread spins before it sleeps. Waking a sleeper costs tens of microseconds, so a short spin usually pays; a spin that
//! keeps failing, or keeps others from running, does not.

use super::Deadline;
use super::parker::NOTIFIED;
use crate::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::hint;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// Longest spin: somewhat longer than it takes to wake a halted processor.
const LONGEST: Duration = Duration::from_micros(50);

/// After this much of a spin, other threads are let through between looks.
const POLITE: Duration = Duration::from_micros(2);

/// Looks between two readings of the clock.
const LOOKS: u32 = 16;

/// After n failures in a row, 2^n waits go without a spin, up to this n.
const MOST_FAILURES: u32 = 6;

/// Threads that are past the first part of their spin, in the whole process.
static SPINNING: AtomicUsize = AtomicUsize::new(0);

/// How the last spins of one thread went. Written by that thread alone.
pub struct Spin {
    failures: AtomicU32,
    skip: AtomicU32,
}

impl Spin {
    pub const fn new() -> Spin {
        Spin {
            failures: AtomicU32::new(0),
            skip: AtomicU32::new(0),
        }
    }

    /// Spins until `word` says NOTIFIED. False when it did not in good time, or when this is no time to spin.
    pub fn until_notified(&self, word: &AtomicU32, deadline: Deadline) -> bool {
        let skip = self.skip.load(Ordering::Relaxed);
        if skip > 0 {
            self.skip.store(skip - 1, Ordering::Relaxed);
            return false;
        }
        if processors() < 2 {
            return false;
        }
        let notified = || word.load(Ordering::Relaxed) == NOTIFIED;
        if look(notified) {
            self.failures.store(0, Ordering::Relaxed);
            return true;
        }
        let start = Instant::now();
        let end = match deadline {
            Deadline::At(instant) => instant.min(start + LONGEST),
            _ => start + LONGEST,
        };
        let success = look_until(notified, start + POLITE) || {
            let room = SPINNING.fetch_add(1, Ordering::Relaxed) < processors();
            let success = room && yield_until(notified, end);
            SPINNING.fetch_sub(1, Ordering::Relaxed);
            success
        };
        if success {
            self.failures.store(0, Ordering::Relaxed);
        } else {
            let failures = (self.failures.load(Ordering::Relaxed) + 1).min(MOST_FAILURES);
            self.failures.store(failures, Ordering::Relaxed);
            self.skip.store(1 << failures, Ordering::Relaxed);
        }
        success
    }
}

fn look(notified: impl Fn() -> bool) -> bool {
    for _ in 0..LOOKS {
        if notified() {
            return true;
        }
        hint::spin_loop();
    }
    false
}

fn look_until(notified: impl Fn() -> bool, end: Instant) -> bool {
    loop {
        if look(&notified) {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
    }
}

fn yield_until(notified: impl Fn() -> bool, end: Instant) -> bool {
    loop {
        thread::yield_now();
        if notified() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
    }
}

/// Processors that this process may use.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}
