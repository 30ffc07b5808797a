//! A watcher: is told when a slot of a linda, or a latch, may have changed, without being a parked
//! operation.

use super::waiter::Waiter;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// Implemented by watchers. A slot calls `tell` under the lock of its linda, and an opened latch
/// without a lock: so `tell` must return soon, take no lock of a linda, and run no Lua code.
pub trait Watcher: Send + Sync {
    /// The watched object may have changed. This is a hint: a call may be superfluous.
    fn tell(&self);
}

/// A watcher, as the watched object stores it.
// This is the standard library's type in models too, because loom's cannot point to a trait object.
pub type SharedWatcher = std::sync::Arc<dyn Watcher>;

/// Counts how often it is told, and wakes a thread at a given number.
pub struct Countdown {
    left: AtomicUsize,
    waiter: Arc<Waiter>,
}

impl Countdown {
    /// A watcher that wakes the thread when it has been told `count` times.
    pub fn new(count: usize, waiter: &Arc<Waiter>) -> std::sync::Arc<Countdown> {
        std::sync::Arc::new(Countdown {
            left: AtomicUsize::new(count),
            waiter: Arc::clone(waiter),
        })
    }

    /// Whether it has been told often enough. If so, everything that was done before it was told
    /// is visible.
    pub fn is_over(&self) -> bool {
        self.left.load(Ordering::Acquire) == 0
    }
}

impl Watcher for Countdown {
    fn tell(&self) {
        let step = |left: usize| left.checked_sub(1);
        let before = self
            .left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, step);
        if before == Ok(1) {
            self.waiter.unpark();
        }
    }
}
