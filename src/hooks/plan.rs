//! Which requests for something scarce are refused, counted from a moment on.

use std::sync::atomic::{AtomicU64, Ordering};

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

/// Threads for lanes.
pub static THREADS: Plan = Plan::off();

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
