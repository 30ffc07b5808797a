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

/// What `set` and `limit` have done to a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The slot was full, and now has room.
    pub made_room: bool,
    /// How full the slot was after the change, before any parked operation went on.
    pub fill: Fill,
}

/// How full a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// It has room, or no limit.
    Under,
    /// It has as many elements as its limit allows.
    Exact,
    /// It has more.
    Over,
}

impl Fill {
    /// How full a slot with this limit and so many elements is.
    fn of(limit: Option<usize>, count: impl FnOnce() -> usize) -> Fill {
        limit.map_or(Fill::Under, |limit| match count().cmp(&limit) {
            std::cmp::Ordering::Less => Fill::Under,
            std::cmp::Ordering::Equal => Fill::Exact,
            std::cmp::Ordering::Greater => Fill::Over,
        })
    }
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
    /// unlimited slot unknown and a limited one empty.
    ///
    /// Errors: the linda is cancelled.
    pub fn set<Q: BorrowedKey<K>>(
        &self,
        key: &Q,
        mut values: Vec<M>,
    ) -> Result<Changed, LindaCancelled> {
        // The values stay with this frame until they are in the slot, for they must not be dropped
        // under the lock.
        self.change(|slots, deferred| {
            if self.is_cancelled() {
                return Err(LindaCancelled);
            }
            slots.touched = true;
            let slot = match slots.find(key) {
                Some(slot) => slot,
                None if values.is_empty() => {
                    return Ok(Changed {
                        made_room: false,
                        fill: Fill::Under,
                    });
                }
                None => demanded(slots.find_or_make(key)),
            };
            let contents = &mut slots[slot];
            let was_full = contents.is_full();
            deferred.drop_elements(contents.replace(std::mem::take(&mut values)));
            let changed = Changed {
                made_room: was_full && !contents.is_full(),
                fill: Fill::of(contents.limit(), || contents.elements.len()),
            };
            slots.settle(slot, deferred);
            slots.tidy(slot, deferred);
            Ok(changed)
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
    /// Elements above the limit stay.
    ///
    /// Errors: the linda is cancelled.
    pub fn limit<Q: BorrowedKey<K>>(
        &self,
        key: &Q,
        limit: Option<usize>,
    ) -> Result<Changed, LindaCancelled> {
        self.change(|slots, deferred| {
            if self.is_cancelled() {
                return Err(LindaCancelled);
            }
            slots.touched = true;
            let slot = demanded(slots.find_or_make(key));
            let contents = &mut slots[slot];
            let was_full = contents.is_full();
            demanded(contents.set_limit(limit));
            let changed = Changed {
                made_room: was_full && !contents.is_full(),
                fill: Fill::of(contents.limit(), || contents.elements.len()),
            };
            slots.settle(slot, deferred);
            Ok(changed)
        })
    }

    /// The limit of a slot (`None`: none, or the slot is unknown), and how full it is.
    ///
    /// Errors: the linda is cancelled.
    pub fn limit_of<Q: BorrowedKey<K>>(
        &self,
        key: &Q,
    ) -> Result<(Option<usize>, Fill), LindaCancelled> {
        let mut slots = self.slots.lock();
        if self.is_cancelled() {
            return Err(LindaCancelled);
        }
        slots.touched = true;
        let Some(slot) = slots.find(key) else {
            return Ok((None, Fill::Under));
        };
        let slot = &slots[slot];
        let limit = slot.limit();
        Ok((limit, Fill::of(limit, || slot.elements.len())))
    }

    /// Makes a slot known, whose contents and limit stay as they are.
    ///
    /// Errors: the linda is cancelled.
    pub fn make_known<Q: BorrowedKey<K>>(&self, key: &Q) -> Result<(), LindaCancelled> {
        let mut slots = self.slots.lock();
        if self.is_cancelled() {
            return Err(LindaCancelled);
        }
        slots.touched = true;
        let slot = demanded(slots.find_or_make(key));
        slots[slot].known = true;
        Ok(())
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
