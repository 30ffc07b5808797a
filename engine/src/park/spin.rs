//! Whether and how long a thread spins before it sleeps. Waking a sleeping thread takes tens of
//! microseconds, so a short spin is usually worthwhile. It is not if spins fail again and again, or
//! keep other threads from running.

use super::deadline::Deadline;
use crate::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::hint;
use std::thread;
use std::time::{Duration, Instant};

/// The longest spin: somewhat longer than it takes to wake a halted processor.
const LONGEST_SPIN: Duration = Duration::from_micros(100);

/// The first part of a spin, during which the thread does not yield. There is none if other threads
/// wanted to run during the last spin.
const WITHOUT_YIELD: Duration = Duration::from_micros(2);

/// How often the condition is looked at between two readings of the clock.
const LOOKS_PER_READING: u32 = 16;

/// After n failures in a row the next 2^n waits do not spin. This is the largest n.
const MOST_FAILURES: u32 = 6;

/// A yield that takes longer than this has let another thread run.
const CROWDED_YIELD: Duration = Duration::from_nanos(500);

/// How many threads of the process are past the first part of their spin.
static SPINNING: AtomicUsize = AtomicUsize::new(0);

/// How the last spins of one thread went. Written by that thread alone.
pub struct Spin {
    failures: AtomicU32,
    skip: AtomicU32,
    /// How many spins in a row have let other threads run on this processor, perhaps the one that
    /// this thread waits for.
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

    /// Spins until `ready` returns true. Returns false if it does not soon enough, or if spinning
    /// is not worthwhile now.
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
            Deadline::At(instant) => instant.min(start + LONGEST_SPIN),
            _ => start + LONGEST_SPIN,
        };
        let alone = self.crowded.load(Ordering::Relaxed) == 0;
        let success = (alone && look_until(&ready, start + WITHOUT_YIELD)) || {
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

    /// Spins, and lets other threads run between looks.
    fn yield_until(&self, ready: impl Fn() -> bool, end: Instant) -> bool {
        let mut before = Instant::now();
        let mut crowded = false;
        let success = loop {
            thread::yield_now();
            let now = Instant::now();
            crowded |= now - before > CROWDED_YIELD;
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
        // A thread that sleeps is woken on an idle processor, if the system has one: the next wait
        // sleeps at once. This is tried less and less often.
        if count.is_power_of_two() {
            self.skip.store(1, Ordering::Relaxed);
        }
        success
    }
}

fn look(ready: impl Fn() -> bool) -> bool {
    for _ in 0..LOOKS_PER_READING {
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
    // 0: not known yet. There is no lock, because a process that is forked meanwhile would find it
    // locked.
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
