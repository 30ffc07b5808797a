//! The queues of a linda, as threads share them: slots behind one lock.

use super::Element;
use super::deferred::Deferred;
use super::slots::Slots;
use crate::memory::grow::OutOfMemory;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, MutexGuard};
use crossbeam_utils::CachePadded;

/// Named FIFOs, shared by threads.
///
/// There is one lock. Values are dropped and threads woken after it is released. Under the lock run
/// only `Hash` and `Equivalent` of keys, `BorrowedKey::make_key`, and `Clone` of keys and elements:
/// these must not call back into lindas.
///
/// Methods that return a `Refusal` return `Refusal::OutOfMemory` if out of memory; the others
/// unwind with `OutOfMemory`. In both cases nothing has changed.
pub struct Queues<K, M: Element> {
    pub(super) slots: CachePadded<Mutex<Slots<K, M>>>,
    /// Written under the lock. Read without it, too.
    pub(super) cancelled: CachePadded<AtomicBool>,
}

/// The linda is cancelled, for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LindaCancelled;

impl<K: Clone, M: Element> Queues<K, M> {
    pub fn new() -> Queues<K, M> {
        Queues {
            slots: CachePadded::new(Mutex::new(Slots::new())),
            cancelled: CachePadded::new(AtomicBool::new(false)),
        }
    }

    /// Whether the linda is cancelled, for everybody.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Makes a change under the lock, and then does what it has deferred.
    pub(super) fn change<R>(
        &self,
        change: impl FnOnce(&mut Slots<K, M>, &mut Deferred<K, M>) -> R,
    ) -> R {
        let mut deferred = Deferred::new();
        let result = change(&mut self.slots.lock(), &mut deferred);
        deferred.run();
        result
    }

    /// How many operations are parked.
    #[cfg(test)]
    pub fn parked(&self) -> usize {
        self.slots.lock().parked()
    }
}

/// Completes the parked operations that a change of this slot has made possible, and releases the
/// lock.
#[cold]
#[inline(never)]
pub(super) fn settle<K, M: Element>(mut slots: MutexGuard<Slots<K, M>>, slot: u32) {
    let mut deferred = Deferred::new();
    slots.settle(slot, &mut deferred);
    drop(slots);
    deferred.run();
}

/// Releases the lock after an operation on a slot that was out of memory. Returns the error.
#[cold]
pub(super) fn give_up<K, M: Element>(
    mut slots: MutexGuard<Slots<K, M>>,
    slot: u32,
    error: OutOfMemory,
) -> OutOfMemory {
    let mut deferred = Deferred::new();
    // The slot may have been made for the operation.
    slots.tidy(slot, &mut deferred);
    drop(slots);
    deferred.run();
    error
}
