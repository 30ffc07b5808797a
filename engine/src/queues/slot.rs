//! A slot: what lies under one key of a linda: a FIFO, its limit, and who waits for it.
//!
//! The first elements may be on the receivers' side, where the linda's lock does not protect them: not while the slot has a limit or somebody
//! is parked, so that whoever holds the linda's lock then sees all there is.

use super::fifo::{Fifo, whole};
use super::side::{Shortcut, Side};
use super::wait_list::WaitList;
use super::{Element, Values};
use crate::memory::grow::{OutOfMemory, list};
use crate::sync::Arc;

pub struct Slot<K, M: Element> {
    pub key: K,
    pub hash: u64,
    /// False while the slot exists only for those who wait for it; then it is empty and unlimited.
    pub known: bool,
    limit: Option<usize>,
    /// Index of the first element, as `dump` counts, but for elements that the receivers' side has not told us of yet.
    first: usize,
    /// The elements behind those on the receivers' side.
    values: Fifo<M>,
    /// Made when it is first of use.
    side: Option<Arc<Side<M>>>,
    pub receivers: WaitList,
    pub senders: WaitList,
}

impl<K, M: Element> Slot<K, M> {
    pub fn new(key: K, hash: u64) -> Slot<K, M> {
        Slot {
            key,
            hash,
            known: false,
            limit: None,
            first: 1,
            values: Fifo::new(),
            side: None,
            receivers: WaitList::new(),
            senders: WaitList::new(),
        }
    }

    /// How many elements it has. Receivers may take some without the lock of the linda, but where it is gathered.
    #[inline]
    pub fn len(&self) -> usize {
        self.values.len() + self.side.as_ref().map_or(0, |side| side.len())
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.values.is_empty() && self.side.as_ref().is_none_or(|side| side.len() == 0)
    }

    /// How many elements may be added.
    #[inline]
    pub fn room(&self) -> usize {
        self.limit
            .map_or(usize::MAX, |limit| limit.saturating_sub(self.values.len()))
    }

    /// Whether an operation waits for this slot to change.
    #[inline]
    pub fn has_parked(&self) -> bool {
        !(self.receivers.is_empty() && self.senders.is_empty())
    }

    pub fn is_full(&self) -> bool {
        self.room() == 0
    }

    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    pub fn set_limit(&mut self, limit: Option<usize>) {
        self.gather();
        self.known = true;
        self.limit = limit;
        self.changed();
    }

    /// True when nothing would be lost if the slot did not exist.
    #[inline]
    pub fn is_idle(&self) -> bool {
        !self.known && self.receivers.is_empty() && self.senders.is_empty()
    }

    /// The receivers' side, for somebody who will watch it.
    pub fn watch(&mut self) -> &Arc<Side<M>> {
        self.side.get_or_insert_with(Side::new)
    }

    /// Takes the elements on the receivers' side back.
    pub fn gather(&mut self) {
        if let Some(side) = &self.side {
            side.give_back(&mut self.values);
        }
    }

    /// To be called after a change that a shortcut would not show.
    #[inline]
    pub fn changed(&self) {
        if let Some(side) = &self.side {
            side.changed();
        }
    }

    /// What comes next is the first element of a slot that is empty. Answers the receivers' side, if somebody waits there for just that.
    #[inline]
    fn begin(&mut self) -> Option<&Side<M>> {
        self.first = 1;
        let side = self.side.as_deref()?;
        if side.is_wanted() && self.limit.is_none() && !self.has_parked() {
            return Some(side);
        }
        side.count_removed();
        None
    }

    /// Whether there is memory for what is to be added: so many elements, and so many bytes that are apart from them.
    #[inline]
    pub fn has_memory(&mut self, elements: usize, bytes: usize) -> bool {
        self.values.has_room(elements, bytes)
    }

    /// Adds elements, for which there is memory.
    #[inline]
    pub fn push(&mut self, values: Values<M>) {
        self.known = true;
        match values {
            Values::One(value) => {
                if self.is_empty()
                    && let Some(side) = self.begin()
                {
                    return side.put(value);
                }
                self.values.push(value);
            }
            Values::Many(values) => {
                if self.is_empty() {
                    self.begin();
                }
                self.values.extend(values);
            }
        }
        self.changed();
    }

    /// As `push`, of an element and the bytes that are apart from it.
    #[inline]
    pub fn push_apart(&mut self, value: M, bytes: &[u8]) {
        self.known = true;
        if self.is_empty()
            && let Some(side) = self.begin()
        {
            return side.put_apart(value, bytes);
        }
        self.values.push_apart(value, bytes);
        self.changed();
    }

    /// Removes the first element. Bytes that are apart from it replace the contents of `out`.
    #[inline]
    pub fn pop(&mut self, out: &mut Vec<u8>) -> Option<M> {
        if let Some(side) = &self.side
            && let Some(value) = side.take(out)
        {
            return Some(value);
        }
        let value = self.values.pop(out)?;
        self.first += 1;
        if self.limit.is_some() {
            self.changed();
        }
        Some(value)
    }

    /// Removes the first element, whole.
    pub fn pop_whole(&mut self) -> Option<M> {
        let mut bytes = Vec::new();
        let value = self.pop(&mut bytes)?;
        Some(whole(value, &bytes))
    }

    /// To be called when a receiver has looked: lets it and others take what is left without the lock of the linda, and tells it how.
    /// `known` is what it knows already.
    #[inline]
    pub fn shortcut(&mut self, known: Option<&Shortcut<M>>) -> Option<Shortcut<M>> {
        if !self.values.is_empty() {
            if self.limit.is_some() || self.has_parked() {
                return None;
            }
            let side = self.side.get_or_insert_with(Side::new);
            side.refill(&mut self.values);
        }
        let side = self.side.as_ref()?;
        let new = match known {
            Some(known) if known.leads_to(side) => None,
            _ => Some(Shortcut::new(side)),
        };
        if self.values.is_empty()
            && let Some(shortcut) = new.as_ref().or(known)
        {
            shortcut.saw_the_end();
        }
        new
    }

    /// Removes the first elements: at most `max`, if there are `min`.
    ///
    /// Errors: not enough memory, and nothing has been removed.
    pub fn pop_many(&mut self, min: usize, max: usize) -> Result<Option<Vec<M>>, OutOfMemory> {
        // Else others might take some between counting and taking.
        self.gather();
        let count = self.values.len().min(max);
        if count < min {
            return Ok(None);
        }
        let mut values = Vec::new();
        if !self.values.pop_many(count, &mut values) {
            return Err(OutOfMemory);
        }
        self.first += count;
        self.changed();
        Ok(Some(values))
    }

    /// Puts elements back before the first.
    pub fn put_back(&mut self, values: Vec<M>) {
        self.known = true;
        self.first = self.first().saturating_sub(values.len()).max(1);
        match self.side.as_ref().filter(|side| side.len() > 0) {
            Some(side) => side.put_back(values),
            None => self.values.put_back(values),
        }
        self.changed();
    }

    /// Replaces the contents and returns the old ones. Nothing at all in an unlimited slot makes it unknown.
    pub fn replace(&mut self, values: Vec<M>) -> Fifo<M> {
        self.gather();
        self.first();
        self.first = 1;
        self.known = !values.is_empty() || self.limit.is_some();
        let old = self.values.replace(values);
        self.changed();
        old
    }

    /// Index of the first element: 1 in a new, emptied or set slot, one more for each element removed since.
    pub fn first(&mut self) -> usize {
        if let Some(side) = &self.side {
            self.first += side.count_removed();
        }
        if self.is_empty() {
            self.first = 1;
        }
        self.first
    }

    /// Whole copies of the first elements, at most `count`.
    pub fn copies(&self, count: usize) -> Vec<M>
    where
        M: Clone,
    {
        let mut copies = list(count.min(self.len()));
        if let Some(side) = &self.side {
            side.look(count, |value| copies.push(value));
        }
        self.values
            .look(count - copies.len(), |value| copies.push(value));
        copies
    }
}

impl<K, M: Element> Drop for Slot<K, M> {
    fn drop(&mut self) {
        // A shortcut may keep the side: it leads to nothing now, and says so.
        if let Some(side) = &self.side {
            drop(side.empty());
            side.changed();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::side::Found;
    use super::*;

    impl Element for usize {}

    fn slot(count: usize) -> Slot<(), usize> {
        let mut slot = Slot::new((), 0);
        slot.push(Values::Many((0..count).collect()));
        slot
    }

    fn replaced(slot: &mut Slot<(), usize>, values: Vec<usize>) -> Vec<usize> {
        let mut old = Vec::new();
        slot.replace(values)
            .look(usize::MAX, |value| old.push(value));
        old
    }

    fn taken(shortcut: &Shortcut<usize>) -> Option<usize> {
        match shortcut.take(&mut Vec::new()) {
            Found::Element(value) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn first_counts_what_was_removed_until_empty() {
        let mut slot = slot(5);
        assert_eq!(slot.first(), 1);
        assert_eq!((slot.pop_whole(), slot.first()), (Some(0), 2));
        assert_eq!(
            (slot.pop_many(2, 2).unwrap().unwrap(), slot.first()),
            (vec![1, 2], 4)
        );
        slot.put_back(vec![1, 2]);
        assert_eq!(slot.first(), 2);
        slot.put_back(vec![7, 8, 0]);
        assert_eq!(slot.first(), 1);
        assert_eq!(
            (slot.pop_many(7, 7).unwrap().unwrap(), slot.first()),
            (vec![7, 8, 0, 1, 2, 3, 4], 1)
        );
        assert_eq!(slot.pop_whole(), None);
    }

    #[test]
    fn elements_on_the_receivers_side_come_first_and_are_counted() {
        let mut slot = slot(5);
        assert_eq!(slot.pop_whole(), Some(0));
        let shortcut = slot.shortcut(None).unwrap();
        slot.push(Values::One(5));
        assert_eq!((slot.len(), slot.first()), (5, 2));
        assert_eq!(taken(&shortcut), Some(1));
        assert_eq!((slot.len(), slot.first()), (4, 3));
        assert_eq!(slot.copies(3), [2, 3, 4]);
        assert_eq!(slot.copies(9), [2, 3, 4, 5]);
        slot.put_back(vec![1]);
        assert_eq!((slot.len(), slot.first()), (5, 2));
        assert_eq!(taken(&shortcut), Some(1));
        slot.shortcut(None).unwrap();
        slot.push(Values::One(6));
        assert_eq!(slot.pop_many(5, 5).unwrap().unwrap(), [2, 3, 4, 5, 6]);
        assert_eq!((slot.len(), slot.first()), (0, 1));
    }

    #[test]
    fn what_receivers_have_taken_is_forgotten_when_the_slot_was_empty() {
        let mut slot = slot(2);
        slot.pop_whole();
        let shortcut = slot.shortcut(None).unwrap();
        assert_eq!(taken(&shortcut), Some(1));
        slot.push(Values::Many(vec![7, 8]));
        assert_eq!(slot.first(), 1);
        assert_eq!(replaced(&mut slot, vec![9]), [7, 8]);
        assert_eq!(slot.first(), 1);
    }

    #[test]
    fn a_receiver_that_watches_gets_the_next_element_at_once() {
        let mut slot = slot(1);
        slot.pop_whole();
        slot.watch();
        let shortcut = slot.shortcut(None).unwrap();
        assert!(matches!(shortcut.take(&mut Vec::new()), Found::Nothing));
        shortcut.watch();
        slot.push(Values::One(1));
        slot.push(Values::One(2));
        assert_eq!((slot.len(), slot.first()), (2, 1));
        assert_eq!(slot.copies(2), [1, 2]);
        assert_eq!(taken(&shortcut), Some(1));
        assert!(matches!(shortcut.take(&mut Vec::new()), Found::Unknown));
        assert_eq!((slot.pop_whole(), slot.first()), (Some(2), 1));
        assert!(slot.shortcut(Some(&shortcut)).is_none());
        assert!(matches!(shortcut.take(&mut Vec::new()), Found::Nothing));
        shortcut.watch();
        slot.push(Values::One(3));
        slot.push(Values::One(4));
        assert_eq!(replaced(&mut slot, vec![5]), [3, 4]);
        assert_eq!(slot.pop_many(1, 1).unwrap().unwrap(), [5]);
        assert!(slot.shortcut(Some(&shortcut)).is_none());
        assert!(matches!(shortcut.take(&mut Vec::new()), Found::Nothing));
        drop(slot);
        assert!(matches!(shortcut.take(&mut Vec::new()), Found::Unknown));
    }

    #[test]
    fn elements_that_went_back_are_looked_for_in_the_slot() {
        let mut slot = slot(3);
        slot.pop_whole();
        let shortcut = slot.shortcut(None).unwrap();
        slot.gather();
        assert!(matches!(shortcut.take(&mut Vec::new()), Found::Unknown));
        assert_eq!((slot.pop_whole(), slot.first()), (Some(1), 3));
    }

    #[test]
    fn a_shortcut_to_a_slot_that_is_gone_finds_nothing() {
        let mut slot = slot(3);
        slot.pop_whole();
        let shortcut = slot.shortcut(None).unwrap();
        drop(slot);
        assert!(matches!(shortcut.take(&mut Vec::new()), Found::Unknown));
    }

    #[test]
    fn a_slot_with_a_limit_or_a_parked_operation_keeps_its_elements() {
        let mut slot = slot(3);
        slot.pop_whole();
        let shortcut = slot.shortcut(None).unwrap();
        slot.set_limit(Some(1));
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
        slot.set_limit(Some(1));
        assert!(replaced(&mut slot, vec![]).is_empty());
        assert!(slot.known && !slot.is_idle());
    }
}
