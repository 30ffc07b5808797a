//! Watching a slot: a watcher is told, under the lock of the linda, when there may be an element or
//! room, and when the linda is cancelled. A watched slot is closed to shortcuts, like one with a
//! parked operation, so every change of it is made under that lock. Watchers have no place in the
//! line of waiting operations.

use super::deferred::Deferred;
use super::shared::{Queues, settle};
use super::slot::Slot;
use super::wait_list::WaitList;
use super::{BorrowedKey, Element};
use crate::memory::grow::OutOfMemory;
use crate::park::{Deadline, Notifier, Refusal, Request, SharedWatcher, Wait, Waiter, Watcher};
use crate::sync::Arc;

/// The events of which a watcher is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchFor {
    Elements,
    /// Room for at least one element.
    Room,
}

impl WatchFor {
    fn list<K, M: Element>(self, slot: &mut Slot<K, M>) -> &mut WaitList {
        match self {
            WatchFor::Elements => &mut slot.receivers,
            WatchFor::Room => &mut slot.senders,
        }
    }
}

impl<K: Clone, M: Element> Queues<K, M> {
    /// Adds a watcher of a slot, until `unwatch`. It is told at once if there already is an element
    /// or room.
    ///
    /// Errors: out of memory, and nothing has changed.
    pub fn watch<Q: BorrowedKey<K>>(
        &self,
        key: &Q,
        what: WatchFor,
        watcher: &SharedWatcher,
    ) -> Result<(), OutOfMemory> {
        self.change(|slots, deferred| {
            slots.touched = true;
            let number = slots.find_or_make(key)?;
            let slot = &mut slots[number];
            let gathered = slot.elements.gather();
            let watched = gathered.and_then(|()| what.list(slot).watch(watcher));
            if watched.is_err() {
                slots.tidy(number, deferred);
            } else if self.is_cancelled() {
                watcher.tell();
            } else {
                slots[number].tell();
            }
            watched
        })
    }

    /// Removes a watcher. Does nothing if it does not watch the slot.
    pub fn unwatch<Q: BorrowedKey<K>>(&self, key: &Q, what: WatchFor, watcher: &SharedWatcher) {
        let mut deferred = Deferred::new();
        let mut slots = self.slots.lock();
        let removed = slots.find(key).and_then(|number| {
            let removed = what.list(&mut slots[number]).unwatch(watcher);
            slots.tidy(number, &mut deferred);
            removed
        });
        // The watcher is dropped after the lock is released.
        drop(slots);
        drop(removed);
        deferred.run();
    }

    /// As `receive`, without a wait, for whoever has its notifier watch the slots. If all of them
    /// are empty the notifier is cleared under the lock of the linda, so no element is overlooked.
    ///
    /// Errors: why nothing was received.
    pub fn receive_or_clear<Q: BorrowedKey<K>>(
        &self,
        waiter: &Arc<Waiter>,
        keys: &[Q],
        notifier: &Notifier,
    ) -> Result<(usize, M), Refusal> {
        let at_once = Wait {
            waiter,
            deadline: Deadline::Now,
            interrupted: None,
            sleeps: None,
        };
        let mut slots = self.enter(&at_once)?;
        for (position, key) in keys.iter().enumerate() {
            if let Some(number) = slots.find(key)
                && let Some(value) = slots[number].pop_whole()
            {
                settle(slots, number);
                return Ok((position, value));
            }
        }
        notifier.clear();
        drop(slots);
        // A request comes without that lock, and may have been told of before the notifier was
        // cleared.
        if waiter.request() != Request::None {
            notifier.tell();
        }
        Err(Refusal::TimedOut)
    }
}
