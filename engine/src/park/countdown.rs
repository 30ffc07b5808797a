//! A countdown: a watcher that wakes a thread when it has been told often enough.

use super::waiter::Waiter;
use super::watcher::Watcher;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering};

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
