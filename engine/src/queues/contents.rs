//! Operations that never wait: they read or replace the contents of slots, limit them, and cancel.

use super::operation::Who;
use super::shared::{LindaCancelled, Queues};
use super::{BorrowedKey, Element};
use crate::memory::grow::{OutOfMemory, collect, out_of_memory};
use crate::sync::atomic::Ordering;

/// A picture of one slot.
#[derive(Debug, PartialEq, Eq)]
pub struct Dump<M> {
    /// Index of the first element: 1 in a new, emptied or set slot, one more for each element
    /// removed since.
    pub first: usize,
    pub count: usize,
    pub limit: Option<usize>,
    pub values: Vec<M>,
}

/// The value. Unwinds if out of memory.
fn demanded<T>(result: Result<T, OutOfMemory>) -> T {
    result.unwrap_or_else(|OutOfMemory| out_of_memory())
}

impl<K: Clone, M: Element> Queues<K, M> {
    /// Returns whole elements that could not be delivered to the front of a slot, above any limit
    /// and even if the linda is cancelled.
    pub fn put_back<Q: BorrowedKey<K>>(&self, key: &Q, values: Vec<M>) {
        if values.is_empty() {
            return;
        }
        // The values stay with this frame until they are in the slot, for they must not be dropped
        // under the lock.
        let mut values = values;
        self.change(|slots, deferred| {
            let slot = demanded(slots.find_or_make(key));
            slots[slot].put_back(std::mem::take(&mut values));
            slots.settle(slot, deferred);
        });
    }

    /// Replaces the contents of a slot by whole elements, above any limit. No values make an
    /// unlimited slot unknown and a limited one empty. Returns true if the slot was full and now
    /// has room.
    ///
    /// Errors: the linda is cancelled.
    pub fn set<Q: BorrowedKey<K>>(
        &self,
        key: &Q,
        mut values: Vec<M>,
    ) -> Result<bool, LindaCancelled> {
        // The values stay with this frame until they are in the slot, for they must not be dropped
        // under the lock.
        self.change(|slots, deferred| {
            if self.is_cancelled() {
                return Err(LindaCancelled);
            }
            slots.touched = true;
            let slot = match slots.find(key) {
                Some(slot) => slot,
                None if values.is_empty() => return Ok(false),
                None => demanded(slots.find_or_make(key)),
            };
            let contents = &mut slots[slot];
            let was_full = contents.is_full();
            deferred.drop_elements(contents.replace(std::mem::take(&mut values)));
            let has_room = was_full && !contents.is_full();
            slots.settle(slot, deferred);
            slots.tidy(slot, deferred);
            Ok(has_room)
        })
    }

    /// Returns whole copies of the first elements of a slot, at most `count`.
    ///
    /// Errors: the linda is cancelled.
    pub fn get<Q: BorrowedKey<K>>(&self, key: &Q, count: usize) -> Result<Vec<M>, LindaCancelled>
    where
        M: Clone,
    {
        let mut slots = self.slots.lock();
        if self.is_cancelled() {
            return Err(LindaCancelled);
        }
        slots.touched = true;
        let slot = slots.find(key);
        Ok(slot.map_or_else(Vec::new, |slot| slots[slot].elements.copies(count)))
    }

    /// Sets how many elements a slot may hold (`None`: any number), and makes the slot known.
    /// Elements above the limit stay. Returns true if the slot was full and now has room.
    ///
    /// Errors: the linda is cancelled.
    pub fn limit<Q: BorrowedKey<K>>(
        &self,
        key: &Q,
        limit: Option<usize>,
    ) -> Result<bool, LindaCancelled> {
        self.change(|slots, deferred| {
            if self.is_cancelled() {
                return Err(LindaCancelled);
            }
            slots.touched = true;
            let slot = demanded(slots.find_or_make(key));
            let contents = &mut slots[slot];
            let was_full = contents.is_full();
            demanded(contents.set_limit(limit));
            let has_room = was_full && !contents.is_full();
            slots.settle(slot, deferred);
            Ok(has_room)
        })
    }

    /// How many elements a slot holds; `None` if it is unknown.
    pub fn count<Q: BorrowedKey<K>>(&self, key: &Q) -> Option<usize> {
        let mut slots = self.slots.lock();
        slots.touched = true;
        let slot = slots.find(key)?;
        let slot = &slots[slot];
        slot.known.then_some(slot.elements.len())
    }

    /// All known slots with their numbers of elements, in no order.
    pub fn counts(&self) -> Vec<(K, usize)> {
        let mut slots = self.slots.lock();
        slots.touched = true;
        let known = slots.iter().filter(|(_, slot)| slot.known);
        collect(known.map(|(_, slot)| (slot.key.clone(), slot.elements.len())))
    }

    /// Whether any operation has looked at this linda. If none has there is nothing in it.
    pub fn were_used(&self) -> bool {
        self.slots.lock().touched
    }

    /// A picture of all known slots, in no order; `None` if no operation has looked at this linda
    /// yet.
    pub fn dump(&self) -> Option<Vec<(K, Dump<M>)>>
    where
        M: Clone,
    {
        let mut slots = self.slots.lock();
        if !slots.touched {
            return None;
        }
        let known = slots.iter_mut().filter(|slot| slot.known);
        let pictures = known.map(|slot| {
            // Otherwise receivers might take some while the others are copied.
            demanded(slot.elements.gather());
            let values = slot.elements.copies(usize::MAX);
            let picture = Dump {
                first: slot.elements.first(),
                count: values.len(),
                limit: slot.limit(),
                values,
            };
            (slot.key.clone(), picture)
        });
        Some(collect(pictures))
    }

    /// Marks the linda as cancelled, for every operation of everybody, and ends the parked
    /// operations that are meant; the others wait on, and see the mark at their deadline.
    /// `Who::None` removes the mark.
    pub fn cancel(&self, who: Who) {
        self.change(|slots, deferred| {
            self.cancelled.store(who != Who::None, Ordering::Release);
            slots.refuse(who, deferred);
            if who != Who::None {
                slots.tell_all();
            }
        });
    }

    /// Ends the parked operations that are meant if their threads have been asked to stop.
    pub fn refuse_asked(&self, who: Who) {
        self.change(|slots, deferred| slots.refuse_asked(who, deferred));
    }

    /// Removes all slots. Parked operations end as if the linda were cancelled; watchers are told
    /// once more.
    pub fn clear(&self) {
        self.change(|slots, deferred| {
            slots.refuse(Who::Both, deferred);
            slots.tell_all();
            slots.forget(deferred);
        });
    }
}
