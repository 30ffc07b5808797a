//! Refusals that tests ask for: which requests for memory or threads are refused, counted from a
//! moment on.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A plan of refusals. Requests are counted from 1.
pub struct Plan {
    /// The number of the first request that is refused; 0 if none is.
    first: AtomicU64,
    /// How many requests are refused in all.
    count: AtomicU64,
    seen: AtomicU64,
    refused: AtomicU64,
}

/// Allocations of the states of lanes.
pub static LANES: Plan = Plan::off();

/// Allocations of the library itself.
pub static OURS: Plan = Plan::off();

/// The size in bytes from which on allocations of the library itself are counted.
pub static OURS_FROM: AtomicUsize = AtomicUsize::new(0);

/// Making states that use the library's allocator.
pub static ALLOCATORS: Plan = Plan::off();

/// Starting threads for lanes.
pub static THREADS: Plan = Plan::off();

/// Counts an allocation of `size` bytes of the library itself; returns true if it is refused.
#[inline]
pub fn refuses_ours(size: usize) -> bool {
    size >= OURS_FROM.load(Ordering::Relaxed) && OURS.refuses()
}

impl Plan {
    /// A plan that refuses nothing.
    pub const fn off() -> Plan {
        Plan {
            first: AtomicU64::new(0),
            count: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Refuses `count` requests, beginning with request number `first` from now on (the next one is
    /// 1).
    pub fn begin(&self, first: u64, count: u64) {
        self.seen.store(0, Ordering::Relaxed);
        self.refused.store(0, Ordering::Relaxed);
        self.count.store(count, Ordering::Relaxed);
        self.first.store(first, Ordering::Relaxed);
    }

    /// Refuses no more, and returns how many were refused.
    pub fn end(&self) -> u64 {
        self.first.store(0, Ordering::Relaxed);
        self.refused.swap(0, Ordering::Relaxed)
    }

    /// Counts a request; returns true if it is refused.
    #[inline]
    pub fn refuses(&self) -> bool {
        let first = self.first.load(Ordering::Relaxed);
        if first == 0 {
            return false;
        }
        let number = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let refused = number >= first && number - first < self.count.load(Ordering::Relaxed);
        if refused {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        refused
    }
}
