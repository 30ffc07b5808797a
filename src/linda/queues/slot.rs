//! A slot: what lies under one key of a linda: a FIFO, its limit, and who waits for it.

use super::Values;
use super::wait_list::WaitList;
use std::collections::VecDeque;

/// Elements up to which a FIFO keeps its memory.
const KEPT: usize = 256;

pub struct Slot<K, M> {
    pub key: K,
    pub hash: u64,
    /// False while the slot exists only for those who wait for it; then it is empty and unlimited.
    pub known: bool,
    pub limit: Option<usize>,
    /// Index of the first element, as `dump` counts.
    pub first: usize,
    pub values: VecDeque<M>,
    pub receivers: WaitList,
    pub senders: WaitList,
}

impl<K, M> Slot<K, M> {
    pub fn new(key: K, hash: u64) -> Slot<K, M> {
        Slot {
            key,
            hash,
            known: false,
            limit: None,
            first: 1,
            values: VecDeque::new(),
            receivers: WaitList::new(),
            senders: WaitList::new(),
        }
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

    /// True when nothing would be lost if the slot did not exist.
    #[inline]
    pub fn is_idle(&self) -> bool {
        !self.known && self.receivers.is_empty() && self.senders.is_empty()
    }

    #[inline]
    pub fn push(&mut self, values: Values<M>) {
        self.known = true;
        match values {
            Values::One(value) => self.values.push_back(value),
            Values::Many(values) => self.values.extend(values),
        }
    }

    #[inline]
    pub fn pop(&mut self) -> Option<M> {
        let value = self.values.pop_front()?;
        self.removed(1);
        Some(value)
    }

    /// Removes the first `count` elements, which must be there.
    pub fn pop_many(&mut self, count: usize) -> Vec<M> {
        let values = self.values.drain(..count).collect();
        self.removed(count);
        values
    }

    #[inline]
    fn removed(&mut self, count: usize) {
        if self.values.is_empty() {
            self.first = 1;
        } else {
            self.first += count;
        }
        // Halving when three quarters are unused keeps the cost per element constant.
        if self.values.capacity() > KEPT && self.values.len() <= self.values.capacity() / 4 {
            self.values.shrink_to(self.values.capacity() / 2);
        }
    }

    /// Puts elements back before the first.
    pub fn put_back(&mut self, values: Vec<M>) {
        self.known = true;
        self.first = self.first.saturating_sub(values.len()).max(1);
        for value in values.into_iter().rev() {
            self.values.push_front(value);
        }
    }

    /// Replaces the contents and returns the old ones. Nothing at all in an unlimited slot makes it unknown.
    pub fn replace(&mut self, values: Vec<M>) -> VecDeque<M> {
        self.first = 1;
        self.known = !values.is_empty() || self.limit.is_some();
        std::mem::replace(&mut self.values, values.into())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn slot(count: usize) -> Slot<(), usize> {
        let mut slot = Slot::new((), 0);
        slot.push(Values::Many((0..count).collect()));
        slot
    }

    #[test]
    fn first_counts_what_was_removed_until_empty() {
        let mut slot = slot(5);
        assert_eq!(slot.first, 1);
        assert_eq!((slot.pop(), slot.first), (Some(0), 2));
        assert_eq!((slot.pop_many(2), slot.first), (vec![1, 2], 4));
        slot.put_back(vec![1, 2]);
        assert_eq!(slot.first, 2);
        slot.put_back(vec![7, 8, 0]);
        assert_eq!(slot.first, 1);
        assert_eq!(
            (slot.pop_many(7), slot.first),
            (vec![7, 8, 0, 1, 2, 3, 4], 1)
        );
        assert_eq!(slot.pop(), None);
    }

    #[test]
    fn memory_is_given_back_as_the_slot_empties() {
        let mut slot = slot(1_000_000);
        for value in 0..1_000_000 {
            assert_eq!(slot.pop(), Some(value));
            assert!(
                slot.values.capacity() <= KEPT.max(4 * slot.values.len() + 8),
                "{value}"
            );
        }
        assert!(slot.known);
    }

    #[test]
    fn replacing_by_nothing_makes_only_an_unlimited_slot_unknown() {
        let mut slot = slot(2);
        assert_eq!(slot.replace(vec![5]), [0, 1]);
        assert!(slot.known);
        assert_eq!(slot.replace(vec![]), [5]);
        assert!(!slot.known && slot.is_idle());
        slot.limit = Some(1);
        assert_eq!(slot.replace(vec![]), []);
        assert!(slot.known && !slot.is_idle());
    }
}
