//! What the lock of a linda protects: its slots, the operations that are parked on them, and the
//! rules that connect both.
//!
//! Invariant, whenever the lock is free: no parked operation could be completed. Whoever changes a
//! slot calls `settle`, which restores it.

use super::deferred::Deferred;
use super::operation::{Operation, Outcome, Ticket, Who, Work};
use super::slab::{NONE, Slab};
use super::slot::Slot;
use super::wait_list::Link;
use super::{BorrowedKey, Element};
use crate::memory::grow::OutOfMemory;
use crate::sync::Arc;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::ops::{Index, IndexMut};

/// How many slots are found without hashing their keys.
const RECENT_SLOTS: usize = 8;

/// The slots of a linda, by number and by key.
pub struct Slots<K, M: Element> {
    /// Whether any operation has looked at this linda.
    pub touched: bool,
    /// The slots of the keys that were used last, by `BorrowedKey::hint`. A slot may be gone, and
    /// its number that of another one.
    recent: [u32; RECENT_SLOTS],
    list: Slab<Slot<K, M>>,
    hasher: DefaultHashBuilder,
    /// Numbers of slots, by the hash of their keys.
    table: HashTable<u32>,
    operations: Slab<Operation<M>>,
    links: Slab<Link>,
    /// Operations parked so far.
    order: u64,
}

impl<K, M: Element> Slots<K, M> {
    pub fn new() -> Slots<K, M> {
        Slots {
            touched: false,
            recent: [NONE; RECENT_SLOTS],
            list: Slab::new(),
            hasher: DefaultHashBuilder::default(),
            table: HashTable::new(),
            operations: Slab::new(),
            links: Slab::new(),
            order: 0,
        }
    }

    /// The slot under a key, known or not.
    #[inline]
    pub fn find<Q: BorrowedKey<K>>(&mut self, key: &Q) -> Option<u32> {
        let hint = key.hint() % RECENT_SLOTS;
        let recent = self.recent[hint];
        if let Some(slot) = self.list.get(recent)
            && key.equivalent(&slot.key)
        {
            return Some(recent);
        }
        let slot = self.search(key)?;
        self.recent[hint] = slot;
        Some(slot)
    }

    fn search<Q: BorrowedKey<K>>(&self, key: &Q) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.table
            .find(hash, |slot| key.equivalent(&self.list[*slot].key))
            .copied()
    }

    /// The slot under a key. If there is none it is made; it is unknown then.
    ///
    /// Errors: out of memory, and nothing has changed.
    #[inline]
    pub fn find_or_make<Q: BorrowedKey<K>>(&mut self, key: &Q) -> Result<u32, OutOfMemory> {
        match self.find(key) {
            Some(slot) => Ok(slot),
            None => self.make(key),
        }
    }

    #[cold]
    fn make<Q: BorrowedKey<K>>(&mut self, key: &Q) -> Result<u32, OutOfMemory> {
        self.list.make_room(1)?;
        let hash_of = |slot: &u32| self.list[*slot].hash;
        if self.table.try_reserve(1, hash_of).is_err() {
            return Err(OutOfMemory);
        }
        let hash = self.hasher.hash_one(key);
        let slot = self.list.insert(Slot::new(key.make_key()?, hash));
        self.table
            .insert_unique(hash, slot, |slot| self.list[*slot].hash);
        Ok(slot)
    }

    /// All slots, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Slot<K, M>)> {
        self.list.iter()
    }

    /// All slots.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Slot<K, M>> {
        self.list.values_mut()
    }

    /// Removes a slot if it is idle.
    pub fn tidy(&mut self, slot: u32, deferred: &mut Deferred<K, M>) {
        if self.list[slot].is_idle() {
            let hash = self.list[slot].hash;
            if let Ok(entry) = self.table.find_entry(hash, |other| *other == slot) {
                entry.remove();
            }
            let slot = self.list.remove(slot);
            // From now on a shortcut to it finds nothing: another slot may come under its key.
            slot.elements.changed();
            deferred.drop_slot(slot);
        }
    }

    /// Completes every parked operation that a change of this slot has made possible, and tells
    /// watchers of what is left.
    #[inline]
    pub fn settle(&mut self, slot: u32, deferred: &mut Deferred<K, M>) {
        loop {
            let contents = &self.list[slot];
            if !contents.has_parked() {
                return;
            }
            let (receivers, senders) = (&contents.receivers, &contents.senders);
            let receiver = receivers.oldest(&self.links, contents.elements.len());
            let Some(link) = receiver.or_else(|| senders.oldest(&self.links, contents.room()))
            else {
                return contents.tell();
            };
            self.complete(link, deferred);
        }
    }

    /// Does the work of a parked operation, or ends it without if another case of its `select` has
    /// been chosen. The work must be possible in the slot of this link.
    fn complete(&mut self, link: u32, deferred: &mut Deferred<K, M>) {
        let Link {
            operation,
            slot,
            position,
            ..
        } = self.links[link];
        let Operation { ticket, work, .. } = self.unlink(operation, Some(slot), deferred);
        if !ticket.claim() {
            ticket.complete(Outcome::Refused(work));
            return;
        }
        let slot = &mut self.list[slot];
        let outcome = match work {
            Work::Receive => Outcome::Received(
                position,
                slot.pop_whole().expect("an element for the receiver"),
            ),
            Work::ReceiveBatch { max } => match slot.elements.pop_many(1, max) {
                Ok(values) => Outcome::ReceivedBatch(values.expect("elements for the receiver")),
                Err(OutOfMemory) => Outcome::OutOfMemory(work),
            },
            Work::Send(values) => match slot.elements.make_room(values.len(), 0) {
                Ok(()) => {
                    slot.push(values, &[]);
                    Outcome::Sent
                }
                Err(OutOfMemory) => Outcome::OutOfMemory(Work::Send(values)),
            },
        };
        ticket.complete(outcome);
        deferred.wake(ticket);
    }

    /// Parks an operation in the wait lists of these keys. `need` is how many elements, or how much
    /// room, it needs in one of the slots. Returns its number.
    ///
    /// Errors: out of memory, with the work; nothing is parked.
    pub fn park<Q: BorrowedKey<K>>(
        &mut self,
        ticket: &Arc<Ticket<M>>,
        work: Work<M>,
        keys: &[Q],
        need: usize,
        deferred: &mut Deferred<K, M>,
    ) -> Result<u32, Work<M>> {
        if let Err(OutOfMemory) = self.prepare(keys) {
            for key in keys {
                if let Some(slot) = self.find(key) {
                    self.tidy(slot, deferred);
                }
            }
            return Err(work);
        }
        let operation = self.begin(ticket, work);
        for (position, key) in keys.iter().enumerate() {
            if let Some(slot) = self.find(key) {
                self.queue_up(operation, slot, position, need);
            }
        }
        Ok(operation)
    }

    /// Makes the slots of these keys, closes them, and makes room for an operation, so that parking
    /// it needs no memory.
    fn prepare<Q: BorrowedKey<K>>(&mut self, keys: &[Q]) -> Result<(), OutOfMemory> {
        self.operations.make_room(1)?;
        self.links.make_room(keys.len())?;
        for key in keys {
            let slot = self.find_or_make(key)?;
            self.list[slot].elements.gather()?;
        }
        Ok(())
    }

    /// Adds an operation that is in no wait list yet.
    fn begin(&mut self, ticket: &Arc<Ticket<M>>, work: Work<M>) -> u32 {
        self.order += 1;
        self.operations.insert(Operation {
            ticket: Arc::clone(ticket),
            work,
            links: NONE,
        })
    }

    /// Adds the operation that was parked last to a wait list of a slot. `position` is that of the
    /// slot's key among the keys of the operation.
    fn queue_up(&mut self, operation: u32, slot: u32, position: usize, need: usize) {
        let Operation { work, links, .. } = &mut self.operations[operation];
        *links = self.links.insert(Link::new(
            operation, slot, position, need, self.order, *links,
        ));
        let slot = &mut self.list[slot];
        let list = if work.is_send() {
            &mut slot.senders
        } else {
            &mut slot.receivers
        };
        list.append(&mut self.links, *links);
    }

    /// Removes a parked operation from all wait lists, and slots that are idle then, except `keep`.
    fn unlink(
        &mut self,
        operation: u32,
        keep: Option<u32>,
        deferred: &mut Deferred<K, M>,
    ) -> Operation<M> {
        let operation = self.operations.remove(operation);
        let mut link = operation.links;
        while link != NONE {
            let slot = &mut self.list[self.links[link].slot];
            let list = if operation.work.is_send() {
                &mut slot.senders
            } else {
                &mut slot.receivers
            };
            list.remove(&mut self.links, link);
            let Link { slot, sibling, .. } = self.links.remove(link);
            if keep != Some(slot) {
                self.tidy(slot, deferred);
            }
            link = sibling;
        }
        operation
    }

    /// Ends an operation that is still parked, without an outcome, and returns its work.
    pub fn withdraw(&mut self, operation: u32, deferred: &mut Deferred<K, M>) -> Work<M> {
        self.unlink(operation, None, deferred).work
    }

    /// Refuses parked operations.
    pub fn refuse(&mut self, who: Who, deferred: &mut Deferred<K, M>) {
        self.refuse_those(who, |_| true, deferred);
    }

    /// Refuses parked operations whose threads have been asked to stop.
    pub fn refuse_asked(&mut self, who: Who, deferred: &mut Deferred<K, M>) {
        self.refuse_those(
            who,
            |operation| operation.ticket.is_asked_to_stop(),
            deferred,
        );
    }

    fn refuse_those(
        &mut self,
        who: Who,
        also: impl Fn(&Operation<M>) -> bool,
        deferred: &mut Deferred<K, M>,
    ) {
        let numbers: Vec<u32> = self
            .operations
            .iter()
            .filter(|(_, operation)| who.includes(&operation.work) && also(operation))
            .map(|(number, _)| number)
            .collect();
        for number in numbers {
            let Operation { ticket, work, .. } = self.unlink(number, None, deferred);
            let wakes = ticket.claim();
            ticket.complete(Outcome::Refused(work));
            if wakes {
                deferred.wake(ticket);
            }
        }
    }

    /// How many operations are parked.
    #[cfg(test)]
    pub fn parked(&self) -> usize {
        self.operations.iter().count()
    }

    /// True if there is no link, operation or slot that nobody needs.
    #[cfg(test)]
    pub fn is_tidy(&self) -> bool {
        self.operations.iter().next().is_none()
            && self.links.iter().next().is_none()
            && self.list.iter().all(|(_, slot)| slot.known)
            && self.list.iter().count() == self.table.len()
    }

    /// Tells all watchers.
    pub fn tell_all(&self) {
        for (_, slot) in self.iter() {
            slot.receivers.tell();
            slot.senders.tell();
        }
    }

    /// Removes all slots. Nobody may be parked.
    pub fn forget(&mut self, deferred: &mut Deferred<K, M>) {
        self.table = HashTable::new();
        deferred.drop_slots(std::mem::replace(&mut self.list, Slab::new()));
    }
}

impl<K, M: Element> Index<u32> for Slots<K, M> {
    type Output = Slot<K, M>;

    #[inline]
    fn index(&self, number: u32) -> &Slot<K, M> {
        &self.list[number]
    }
}

impl<K, M: Element> IndexMut<u32> for Slots<K, M> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut Slot<K, M> {
        &mut self.list[number]
    }
}
