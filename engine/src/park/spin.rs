//! When and how long a thread spins before it sleeps. Waking a sleeper costs tens of microseconds, so a short spin usually pays; a spin that
//! keeps failing, or keeps others from running, does not.

use super::deadline::Deadline;
use crate::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::hint;
use std::thread;
use std::time::{Duration, Instant};

/// Longest spin: somewhat longer than it takes to wake a halted processor.
const LONGEST: Duration = Duration::from_micros(100);

/// After this much of a spin, other threads are let through between looks; at once, if they wanted to run during the last spin.
const POLITE: Duration = Duration::from_micros(2);

/// Looks between two readings of the clock.
const LOOKS: u32 = 16;

/// After n failures in a row, 2^n waits go without a spin, up to this n.
const MOST_FAILURES: u32 = 6;

/// A yield that takes longer than this has let another thread run.
const CROWDED: Duration = Duration::from_nanos(500);

/// Threads that are past the first part of their spin, in the whole process.
static SPINNING: AtomicUsize = AtomicUsize::new(0);

/// How the last spins of one thread went. Written by that thread alone.
pub struct Spin {
    failures: AtomicU32,
    skip: AtomicU32,
    /// How many spins in a row have let others run on this processor: perhaps the one that is waited for.
    crowded: AtomicU32,
}

impl Spin {
    pub const fn new() -> Spin {
        Spin {
            failures: AtomicU32::new(0),
            skip: AtomicU32::new(0),
            crowded: AtomicU32::new(0),
        }
    }

    /// Spins until `ready` says so. False when it did not in good time, or when this is no time to spin.
    pub fn until(&self, ready: impl Fn() -> bool, deadline: Deadline) -> bool {
        let skip = self.skip.load(Ordering::Relaxed);
        if skip > 0 {
            self.skip.store(skip - 1, Ordering::Relaxed);
            return false;
        }
        if processors() < 2 {
            return false;
        }
        if look(&ready) {
            self.failures.store(0, Ordering::Relaxed);
            return true;
        }
        let start = Instant::now();
        let end = match deadline {
            Deadline::At(instant) => instant.min(start + LONGEST),
            _ => start + LONGEST,
        };
        let alone = self.crowded.load(Ordering::Relaxed) == 0;
        let success = (alone && look_until(&ready, start + POLITE)) || {
            let room = SPINNING.fetch_add(1, Ordering::Relaxed) < processors();
            let success = room && self.yield_until(&ready, end);
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

    /// Lets other threads run between looks.
    fn yield_until(&self, ready: impl Fn() -> bool, end: Instant) -> bool {
        let mut before = Instant::now();
        let mut crowded = false;
        let success = loop {
            thread::yield_now();
            let now = Instant::now();
            crowded |= now - before > CROWDED;
            if ready() {
                break true;
            }
            if now >= end {
                break false;
            }
            before = now;
        };
        let count = if crowded {
            self.crowded.load(Ordering::Relaxed).wrapping_add(1)
        } else {
            0
        };
        self.crowded.store(count, Ordering::Relaxed);
        // One that sleeps is woken where there is room, if the system sees any. Tried less and less often.
        if count.is_power_of_two() {
            self.skip.store(1, Ordering::Relaxed);
        }
        success
    }
}

fn look(ready: impl Fn() -> bool) -> bool {
    for _ in 0..LOOKS {
        if ready() {
            return true;
        }
        hint::spin_loop();
    }
    false
}

fn look_until(ready: impl Fn() -> bool, end: Instant) -> bool {
    loop {
        if look(&ready) {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
    }
}

/// Processors that this process may use.
fn processors() -> usize {
    // 0: nobody has asked yet. No lock, which a process that is forked just then would find locked for ever.
    static PROCESSORS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    match PROCESSORS.load(Ordering::Relaxed) {
        0 => {
            let count = thread::available_parallelism().map_or(1, usize::from);
            PROCESSORS.store(count, Ordering::Relaxed);
            count
        }
        count => count,
    }
}
