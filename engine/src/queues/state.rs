//! What the lock of a linda protects: slots, parked operations, and the rules that connect them.
//!
//! Invariant, whenever the lock is free: no parked operation could be completed. Whoever changes a slot restores it with `settle`.

use super::after::After;
use super::operation::{Answer, Operation, Ticket, Work};
use super::slab::{NONE, Slab};
use super::slot::Slot;
use super::wait_list::Link;
use super::{Element, Probe, Who};
use crate::memory::grow::{OutOfMemory, out_of_memory};
use crate::sync::Arc;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// How many slots are found without hashing their keys.
const RECENT: usize = 8;

pub struct State<K, M: Element> {
    /// Whether any operation has looked at this linda.
    pub touched: bool,
    /// The slots of the keys that were used last, by `Probe::hint`. They may be gone, and their numbers used by others.
    recent: [u32; RECENT],
    pub slots: Slab<Slot<K, M>>,
    hasher: DefaultHashBuilder,
    /// Numbers of slots, by the hash of their keys.
    table: HashTable<u32>,
    operations: Slab<Operation<M>>,
    links: Slab<Link>,
    /// Operations parked so far.
    order: u64,
}

impl<K, M: Element> State<K, M> {
    pub fn new() -> State<K, M> {
        State {
            touched: false,
            recent: [NONE; RECENT],
            slots: Slab::new(),
            hasher: DefaultHashBuilder::default(),
            table: HashTable::new(),
            operations: Slab::new(),
            links: Slab::new(),
            order: 0,
        }
    }

    /// The slot under a key, known or not.
    #[inline]
    pub fn find<Q: Probe<K>>(&mut self, key: &Q) -> Option<u32> {
        let hint = key.hint() % RECENT;
        let recent = self.recent[hint];
        if let Some(slot) = self.slots.get(recent)
            && key.equivalent(&slot.key)
        {
            return Some(recent);
        }
        let slot = self.search(key)?;
        self.recent[hint] = slot;
        Some(slot)
    }

    fn search<Q: Probe<K>>(&self, key: &Q) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.table
            .find(hash, |slot| key.equivalent(&self.slots[*slot].key))
            .copied()
    }

    /// The slot under a key; made, still unknown, if there is none. Unwinds where there is no memory for it.
    #[inline]
    pub fn find_or_make<Q: Probe<K>>(&mut self, key: &Q) -> u32 {
        match self.find(key) {
            Some(slot) => slot,
            None => {
                self.slots.make_room(1);
                let hashed = |slot: &u32| self.slots[*slot].hash;
                if self.table.try_reserve(1, hashed).is_err() {
                    out_of_memory();
                }
                self.make(key.to_key(), self.hasher.hash_one(key))
            }
        }
    }

    #[cold]
    fn make(&mut self, key: K, hash: u64) -> u32 {
        let slot = self.slots.insert(Slot::new(key, hash));
        self.table
            .insert_unique(hash, slot, |slot| self.slots[*slot].hash);
        slot
    }

    /// Removes a slot that nobody would miss.
    pub fn tidy(&mut self, slot: u32, after: &mut After<K, M>) {
        if self.slots[slot].is_idle() {
            let hash = self.slots[slot].hash;
            if let Ok(entry) = self.table.find_entry(hash, |other| *other == slot) {
                entry.remove();
            }
            let slot = self.slots.remove(slot);
            // Who has a shortcut to it must look for the slot that comes next under its key, from now on.
            slot.changed();
            after.drop_slot(slot);
        }
    }

    /// Completes every parked operation that has become possible by a change of this slot.
    #[inline]
    pub fn settle(&mut self, slot: u32, after: &mut After<K, M>) {
        loop {
            let state = &self.slots[slot];
            if state.receivers.is_empty() && state.senders.is_empty() {
                return;
            }
            let receiver = state.receivers.oldest(&self.links, state.len());
            let Some(link) = receiver.or_else(|| state.senders.oldest(&self.links, state.room()))
            else {
                return;
            };
            self.complete(link, after);
        }
    }

    /// Does the work of a parked operation, which must be possible now in the slot of this link.
    fn complete(&mut self, link: u32, after: &mut After<K, M>) {
        let Link {
            operation,
            slot,
            position,
            ..
        } = self.links[link];
        let Operation { ticket, work, .. } = self.unlink(operation, Some(slot), after);
        let slot = &mut self.slots[slot];
        let answer = match work {
            Work::Receive => Answer::Received(
                position,
                slot.pop_whole().expect("an element for the receiver"),
            ),
            Work::ReceiveBatch { max } => match slot.pop_many(1, max) {
                Ok(values) => Answer::ReceivedBatch(values.expect("elements for the receiver")),
                Err(OutOfMemory) => Answer::OutOfMemory(work),
            },
            Work::Send(values) if slot.has_memory(values.len(), 0) => {
                slot.push(values);
                Answer::Sent
            }
            Work::Send(_) => Answer::OutOfMemory(work),
        };
        ticket.answer(answer);
        after.wake(ticket);
    }

    /// Prepares slots for an operation that is to be parked in their wait lists, so that nothing of that needs memory. Unwinds where there is
    /// none.
    pub fn prepare<Q: Probe<K>>(&mut self, keys: &[Q]) {
        self.operations.make_room(1);
        self.links.make_room(keys.len());
        for key in keys {
            let slot = self.find_or_make(key);
            self.slots[slot].gather();
        }
    }

    /// Parks an operation, so far in no wait list, for which the slots have been prepared.
    pub fn park(&mut self, ticket: &Arc<Ticket<M>>, work: Work<M>) -> u32 {
        self.order += 1;
        self.operations.insert(Operation {
            ticket: Arc::clone(ticket),
            work,
            links: NONE,
        })
    }

    /// Adds the operation parked last to a wait list of a slot. `position` is that of the slot's key among the operation's, `need` how
    /// many elements, or how much room, it needs there.
    pub fn queue_up(&mut self, operation: u32, slot: u32, position: usize, need: usize) {
        let Operation { work, links, .. } = &mut self.operations[operation];
        *links = self.links.insert(Link::new(
            operation, slot, position, need, self.order, *links,
        ));
        let slot = &mut self.slots[slot];
        let list = if work.is_send() {
            &mut slot.senders
        } else {
            &mut slot.receivers
        };
        list.append(&mut self.links, *links);
    }

    /// Takes a parked operation out of all wait lists. Slots that nobody would miss any more are removed, except `keep`.
    fn unlink(
        &mut self,
        operation: u32,
        keep: Option<u32>,
        after: &mut After<K, M>,
    ) -> Operation<M> {
        let operation = self.operations.remove(operation);
        let mut link = operation.links;
        while link != NONE {
            let slot = &mut self.slots[self.links[link].slot];
            let list = if operation.work.is_send() {
                &mut slot.senders
            } else {
                &mut slot.receivers
            };
            list.remove(&mut self.links, link);
            let Link { slot, sibling, .. } = self.links.remove(link);
            if keep != Some(slot) {
                self.tidy(slot, after);
            }
            link = sibling;
        }
        operation
    }

    /// Gives up an operation that is still parked.
    pub fn withdraw(&mut self, operation: u32, after: &mut After<K, M>) -> Work<M> {
        self.unlink(operation, None, after).work
    }

    /// Refuses the parked receivers, senders, or both.
    pub fn refuse(&mut self, who: Who, after: &mut After<K, M>) {
        self.refuse_those(who, |_| true, after);
    }

    /// Refuses those whose threads have been asked to stop.
    pub fn refuse_asked(&mut self, who: Who, after: &mut After<K, M>) {
        self.refuse_those(who, |operation| operation.ticket.is_asked_to_stop(), after);
    }

    fn refuse_those(
        &mut self,
        who: Who,
        also: impl Fn(&Operation<M>) -> bool,
        after: &mut After<K, M>,
    ) {
        let refused = |work: &Work<M>| match who {
            Who::None => false,
            Who::Read => !work.is_send(),
            Who::Write => work.is_send(),
            Who::Both => true,
        };
        let numbers: Vec<u32> = self
            .operations
            .iter()
            .filter(|(_, operation)| refused(&operation.work) && also(operation))
            .map(|(number, _)| number)
            .collect();
        for number in numbers {
            let Operation { ticket, work, .. } = self.unlink(number, None, after);
            ticket.answer(Answer::Refused(work));
            after.wake(ticket);
        }
    }

    /// How many operations are parked.
    #[cfg(test)]
    pub fn parked(&self) -> usize {
        self.operations.iter().count()
    }

    /// True when every link, operation and slot that nobody needs is gone.
    #[cfg(test)]
    pub fn is_tidy(&self) -> bool {
        self.operations.iter().next().is_none()
            && self.links.iter().next().is_none()
            && self.slots.iter().all(|(_, slot)| slot.known)
            && self.slots.iter().count() == self.table.len()
    }

    /// Removes all slots. Nobody may be parked.
    pub fn forget(&mut self, after: &mut After<K, M>) {
        self.table = HashTable::new();
        after.drop_slots(std::mem::replace(&mut self.slots, Slab::new()));
    }
}
