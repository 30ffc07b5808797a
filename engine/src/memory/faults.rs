//! Which requests for something scarce are refused, counted from a moment on.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A plan of refusals. Requests are counted from 1.
pub struct Plan {
    /// The first request that is refused; 0: none.
    first: AtomicU64,
    /// How many are refused in all.
    count: AtomicU64,
    seen: AtomicU64,
    refused: AtomicU64,
}

/// Allocations of the states of lanes.
pub static LANES: Plan = Plan::off();

/// Memory of the library itself.
pub static OURS: Plan = Plan::off();

/// The size in bytes from which on requests for it are counted.
pub static OURS_FROM: AtomicUsize = AtomicUsize::new(0);

/// States over an allocator of ours.
pub static ALLOCATORS: Plan = Plan::off();

/// Threads for lanes.
pub static THREADS: Plan = Plan::off();

/// Counts a request for so many bytes for the library itself and answers whether it is refused.
#[inline]
pub fn refuses_ours(size: usize) -> bool {
    size >= OURS_FROM.load(Ordering::Relaxed) && OURS.refuses()
}

impl Plan {
    /// Refuses nothing.
    pub const fn off() -> Plan {
        Plan {
            first: AtomicU64::new(0),
            count: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Refuses from request number `first` from now on, `count` in all.
    pub fn begin(&self, first: u64, count: u64) {
        self.seen.store(0, Ordering::Relaxed);
        self.refused.store(0, Ordering::Relaxed);
        self.count.store(count, Ordering::Relaxed);
        self.first.store(first, Ordering::Relaxed);
    }

    /// Refuses no more, and answers how many were refused.
    pub fn end(&self) -> u64 {
        self.first.store(0, Ordering::Relaxed);
        self.refused.swap(0, Ordering::Relaxed)
    }

    /// Counts a request and answers whether it is refused.
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
