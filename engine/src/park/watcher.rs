//! A watcher: something other than a parked operation that is told when what it watches may have
//! changed: a slot of a linda, or a latch.

use super::waiter::Waiter;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// What is told. A slot tells it under the lock of its linda, and a latch when it has been opened,
/// without a lock: so `tell` returns soon, takes no lock of a linda, and runs no code of a program.
pub trait Watcher: Send + Sync {
    /// What is watched may have changed. A hint: it may come once too often.
    fn tell(&self);
}

/// A watcher, as what it watches keeps it.
// The standard library's, in models too: loom's cannot point to a trait object.
pub type SharedWatcher = std::sync::Arc<dyn Watcher>;

/// Counts how often it is told, and wakes a thread when that is enough.
pub struct Countdown {
    left: AtomicUsize,
    waiter: Arc<Waiter>,
}

impl Countdown {
    /// A watcher that has had enough when it has been told `count` times.
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
