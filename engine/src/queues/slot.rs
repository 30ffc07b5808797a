//! A slot: what lies under one key of a linda: its elements, its limit, and who waits for it or
//! watches it.

use super::element::Received;
use super::handover::{Handover, Replaced};
use super::shortcut::Shortcut;
use super::wait_list::WaitList;
use super::{Element, Values};
use crate::memory::grow::OutOfMemory;

pub struct Slot<K, M: Element> {
    pub key: K,
    pub hash: u64,
    /// False while the slot exists only for those who wait for it; then it is empty and unlimited.
    pub known: bool,
    limit: Option<usize>,
    pub elements: Handover<M>,
    pub receivers: WaitList,
    pub senders: WaitList,
}

/// Whether a slot is open (see `Handover`).
#[inline]
fn is_open(limit: Option<usize>, receivers: &WaitList, senders: &WaitList) -> bool {
    limit.is_none() && receivers.is_empty() && senders.is_empty()
}

impl<K, M: Element> Slot<K, M> {
    pub fn new(key: K, hash: u64) -> Slot<K, M> {
        Slot {
            key,
            hash,
            known: false,
            limit: None,
            elements: Handover::new(),
            receivers: WaitList::new(),
            senders: WaitList::new(),
        }
    }

    /// How many elements may be added.
    #[inline]
    pub fn room(&self) -> usize {
        self.limit.map_or(usize::MAX, |limit| {
            limit.saturating_sub(self.elements.queued())
        })
    }

    /// Whether an operation is parked on this slot, or somebody watches it.
    #[inline]
    pub fn has_parked(&self) -> bool {
        !(self.receivers.is_empty() && self.senders.is_empty())
    }

    /// Tells those who watch for elements, or for room, if there are any.
    pub fn tell(&self) {
        if !self.elements.is_empty() {
            self.receivers.tell();
        }
        if self.room() > 0 {
            self.senders.tell();
        }
    }

    pub fn is_full(&self) -> bool {
        self.room() == 0
    }

    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Sets the limit, which makes the slot known.
    ///
    /// Errors: out of memory, and nothing has changed.
    pub fn set_limit(&mut self, limit: Option<usize>) -> Result<(), OutOfMemory> {
        self.elements.gather()?;
        self.known = true;
        self.limit = limit;
        self.elements.changed();
        Ok(())
    }

    /// True if nothing would be lost without the slot.
    #[inline]
    pub fn is_idle(&self) -> bool {
        !self.known && self.receivers.is_empty() && self.senders.is_empty()
    }

    /// Appends elements, for which there is room. `bytes` are the detached bytes of the only one.
    #[inline(always)]
    pub fn push(&mut self, values: Values<M>, bytes: &[u8]) {
        self.known = true;
        match values {
            Values::One(value) => self.elements.push(value, bytes, || {
                is_open(self.limit, &self.receivers, &self.senders)
            }),
            Values::Many(values) => self.elements.extend(values),
        }
    }

    /// Moves the first element to `into`. Returns false if there is none.
    #[inline]
    pub fn pop(&mut self, into: &mut Received<M>) -> bool {
        let found = self.elements.pop(into);
        if found && self.limit.is_some() {
            self.elements.changed();
        }
        found
    }

    /// Removes and returns the first element, whole.
    pub fn pop_whole(&mut self) -> Option<M> {
        let mut bytes = Vec::new();
        let mut received = Received::new(&mut bytes);
        self.pop(&mut received);
        received.whole()
    }

    /// As `Handover::shortcut`.
    #[inline]
    pub fn shortcut(&mut self, known: Option<&Shortcut<M>>) -> Option<Shortcut<M>> {
        self.elements.shortcut(known, || {
            is_open(self.limit, &self.receivers, &self.senders)
        })
    }

    /// Puts whole elements back before the first.
    pub fn put_back(&mut self, values: Vec<M>) {
        self.known = true;
        self.elements.put_back(values);
    }

    /// Replaces all elements by whole ones and returns the old ones. No elements make an unlimited
    /// slot unknown.
    pub fn replace(&mut self, values: Vec<M>) -> Replaced<M> {
        self.known = !values.is_empty() || self.limit.is_some();
        self.elements.replace(values)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::shortcut::Found;
    use super::*;

    impl Element for usize {}

    fn slot(count: usize) -> Slot<(), usize> {
        let mut slot = Slot::new((), 0);
        slot.push(Values::Many((0..count).collect()), &[]);
        slot
    }

    fn replaced(slot: &mut Slot<(), usize>, values: Vec<usize>) -> Vec<usize> {
        let (outbox, queue) = slot.replace(values);
        let mut old = Vec::new();
        if let Some(outbox) = outbox {
            outbox.see_copies(usize::MAX, |value| old.push(value));
        }
        queue.see_copies(usize::MAX, |value| old.push(value));
        old
    }

    fn taken(shortcut: &Shortcut<usize>) -> Option<usize> {
        let mut bytes = Vec::new();
        let mut received = Received::new(&mut bytes);
        shortcut.take(&mut received);
        received.whole()
    }

    fn found(shortcut: &Shortcut<usize>) -> Found {
        shortcut.take(&mut Received::new(&mut Vec::new()))
    }

    #[test]
    fn first_counts_what_was_removed_until_empty() {
        let mut slot = slot(5);
        assert_eq!(slot.elements.first(), 1);
        assert_eq!((slot.pop_whole(), slot.elements.first()), (Some(0), 2));
        assert_eq!(
            (
                slot.elements.pop_many(2, 2).unwrap().unwrap(),
                slot.elements.first()
            ),
            (vec![1, 2], 4)
        );
        slot.put_back(vec![1, 2]);
        assert_eq!(slot.elements.first(), 2);
        slot.put_back(vec![7, 8, 0]);
        assert_eq!(slot.elements.first(), 1);
        assert_eq!(
            (
                slot.elements.pop_many(7, 7).unwrap().unwrap(),
                slot.elements.first()
            ),
            (vec![7, 8, 0, 1, 2, 3, 4], 1)
        );
        assert_eq!(slot.pop_whole(), None);
    }

    #[test]
    fn elements_in_the_outbox_come_first_and_are_counted() {
        let mut slot = slot(5);
        assert_eq!(slot.pop_whole(), Some(0));
        let shortcut = slot.shortcut(None).unwrap();
        slot.push(Values::One(5), &[]);
        assert_eq!((slot.elements.len(), slot.elements.first()), (5, 2));
        assert_eq!(taken(&shortcut), Some(1));
        assert_eq!((slot.elements.len(), slot.elements.first()), (4, 3));
        assert_eq!(slot.elements.copies(3), [2, 3, 4]);
        assert_eq!(slot.elements.copies(9), [2, 3, 4, 5]);
        slot.put_back(vec![1]);
        assert_eq!((slot.elements.len(), slot.elements.first()), (5, 2));
        assert_eq!(taken(&shortcut), Some(1));
        slot.shortcut(None).unwrap();
        slot.push(Values::One(6), &[]);
        assert_eq!(
            slot.elements.pop_many(5, 5).unwrap().unwrap(),
            [2, 3, 4, 5, 6]
        );
        assert_eq!((slot.elements.len(), slot.elements.first()), (0, 1));
    }

    #[test]
    fn what_receivers_have_taken_is_forgotten_when_the_slot_was_empty() {
        let mut slot = slot(2);
        slot.pop_whole();
        let shortcut = slot.shortcut(None).unwrap();
        assert_eq!(taken(&shortcut), Some(1));
        slot.push(Values::Many(vec![7, 8]), &[]);
        assert_eq!(slot.elements.first(), 1);
        assert_eq!(replaced(&mut slot, vec![9]), [7, 8]);
        assert_eq!(slot.elements.first(), 1);
    }

    #[test]
    fn what_receivers_have_taken_is_forgotten_when_one_watches_and_several_come() {
        let mut slot = slot(2);
        slot.pop_whole();
        let shortcut = slot.shortcut(None).unwrap();
        assert_eq!(taken(&shortcut), Some(1));
        shortcut.watch();
        slot.push(Values::Many(vec![7, 8]), &[]);
        assert_eq!(slot.elements.first(), 1);
        assert_eq!(slot.pop_whole(), Some(7));
        assert_eq!(slot.elements.first(), 2);
    }

    #[test]
    fn a_receiver_that_watches_gets_the_next_element_at_once() {
        let mut slot = slot(1);
        slot.pop_whole();
        slot.elements.watch();
        let shortcut = slot.shortcut(None).unwrap();
        assert!(matches!(found(&shortcut), Found::Nothing));
        shortcut.watch();
        slot.push(Values::One(1), &[]);
        slot.push(Values::One(2), &[]);
        assert_eq!((slot.elements.len(), slot.elements.first()), (2, 1));
        assert_eq!(slot.elements.copies(2), [1, 2]);
        assert_eq!(taken(&shortcut), Some(1));
        assert!(matches!(found(&shortcut), Found::Unknown));
        assert_eq!((slot.pop_whole(), slot.elements.first()), (Some(2), 1));
        assert!(slot.shortcut(Some(&shortcut)).is_none());
        assert!(matches!(found(&shortcut), Found::Nothing));
        shortcut.watch();
        slot.push(Values::One(3), &[]);
        slot.push(Values::One(4), &[]);
        assert_eq!(replaced(&mut slot, vec![5]), [3, 4]);
        assert_eq!(slot.elements.pop_many(1, 1).unwrap().unwrap(), [5]);
        assert!(slot.shortcut(Some(&shortcut)).is_none());
        assert!(matches!(found(&shortcut), Found::Nothing));
        drop(slot);
        assert!(matches!(found(&shortcut), Found::Unknown));
    }

    #[test]
    fn a_shortcut_does_not_know_of_elements_that_were_gathered() {
        let mut slot = slot(3);
        slot.pop_whole();
        let shortcut = slot.shortcut(None).unwrap();
        slot.elements.gather().unwrap();
        assert!(matches!(found(&shortcut), Found::Unknown));
        assert_eq!((slot.pop_whole(), slot.elements.first()), (Some(1), 3));
    }

    #[test]
    fn a_shortcut_to_a_slot_that_is_gone_finds_nothing() {
        let mut slot = slot(3);
        slot.pop_whole();
        let shortcut = slot.shortcut(None).unwrap();
        drop(slot);
        assert!(matches!(found(&shortcut), Found::Unknown));
    }

    #[test]
    fn a_slot_with_a_limit_keeps_its_elements_in_its_queue() {
        let mut slot = slot(3);
        slot.pop_whole();
        let shortcut = slot.shortcut(None).unwrap();
        slot.set_limit(Some(1)).unwrap();
        assert_eq!(taken(&shortcut), None);
        assert_eq!(slot.pop_whole(), Some(1));
        assert!(slot.shortcut(None).is_none());
        assert!(slot.is_full());
    }

    #[test]
    fn replacing_by_nothing_makes_only_an_unlimited_slot_unknown() {
        let mut slot = slot(2);
        assert_eq!(replaced(&mut slot, vec![5]), [0, 1]);
        assert!(slot.known);
        assert_eq!(replaced(&mut slot, vec![]), [5]);
        assert!(!slot.known && slot.is_idle());
        slot.set_limit(Some(1)).unwrap();
        assert!(replaced(&mut slot, vec![]).is_empty());
        assert!(slot.known && !slot.is_idle());
    }
}
