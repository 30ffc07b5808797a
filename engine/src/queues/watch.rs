//! Watching a slot: a watcher is told, under the lock of the linda, when there may be an element or
//! room, and when the linda is cancelled. A watched slot is closed to shortcuts, like one with a
//! parked operation, so every change of it is made under that lock. Watchers have no place in the
//! line of waiting operations.

use super::deferred::Deferred;
use super::shared::Queues;
use super::slot::Slot;
use super::wait_list::WaitList;
use super::{BorrowedKey, Element};
use crate::memory::grow::OutOfMemory;
use crate::park::SharedWatcher;

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
}
