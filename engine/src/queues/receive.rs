//! Receiving: from one slot, for which there are shortcuts; from the first of several slots; and
//! several elements at once.

use super::BorrowedKey;
use super::element::{Element, Received};
use super::operation::{Outcome, Work};
use super::shared::{Queues, settle};
use super::shortcut::{Found, Shortcut};
use super::slots::Slots;
use super::wait::SPINS;
use crate::park::{Deadline, Refusal, Request, Wait, Waiter};
use crate::sync::MutexGuard;

/// What a receiver found before it waits.
enum Looked<'a, K, M: Element> {
    /// An element, which has been moved to the receiver.
    Element,
    /// The slot is empty, under this lock. `spun`: the thread has spun in vain.
    Nothing {
        slots: MutexGuard<'a, Slots<K, M>>,
        spun: bool,
    },
}

impl<K: Clone, M: Element> Queues<K, M> {
    /// Moves the first element of a slot to `into`, if that can be done without the lock of the
    /// linda.
    #[inline]
    pub fn take(&self, waiter: &Waiter, shortcut: &Shortcut<M>, into: &mut Received<M>) -> Found {
        if waiter.request() != Request::None || self.is_cancelled() {
            return Found::Unknown;
        }
        shortcut.take(into)
    }

    /// Waits until a slot has an element, and moves the first to `into`. Returns a shortcut to the
    /// slot, if there is one and it is not `known`.
    ///
    /// Errors: why nothing was received.
    #[inline]
    pub fn receive_one<Q: BorrowedKey<K>>(
        &self,
        wait: &Wait,
        key: &Q,
        known: Option<&Shortcut<M>>,
        into: &mut Received<M>,
    ) -> Result<Option<Shortcut<M>>, Refusal> {
        let mut new = None;
        let (slots, spun) = match self.look(wait, key, known, &mut new, into)? {
            Looked::Element => return Ok(new),
            Looked::Nothing { slots, spun } => (slots, spun),
        };
        if wait.deadline == Deadline::Now {
            return Err(Refusal::TimedOut);
        }
        let (_, value) = self.park_receive(wait, slots, std::slice::from_ref(key), spun)?;
        into.element = Some(value);
        Ok(new)
    }

    /// Moves the first element of a slot to `into`, if there is one before the thread has spun in
    /// vain. `new` becomes the shortcut to the slot, if it is not `known`.
    // A function of its own, so that its frame is gone when the thread sleeps.
    #[inline(never)]
    fn look<Q: BorrowedKey<K>>(
        &self,
        wait: &Wait,
        key: &Q,
        known: Option<&Shortcut<M>>,
        new: &mut Option<Shortcut<M>>,
        into: &mut Received<M>,
    ) -> Result<Looked<'_, K, M>, Refusal> {
        let most = match wait.deadline {
            Deadline::Now => 0,
            _ => SPINS,
        };
        let mut spins = most;
        loop {
            let shortcut = new.as_ref().or(known);
            if spins > 0
                && let Some(shortcut) = shortcut
            {
                match self.take(wait.waiter, shortcut, into) {
                    Found::Element => return Ok(Looked::Element),
                    Found::Unknown => {}
                    Found::Nothing => {
                        shortcut.watch();
                        let found = wait.spin(|| shortcut.is_promising() || self.is_cancelled());
                        spins = if found { spins - 1 } else { 0 };
                        continue;
                    }
                }
            }
            let mut slots = self.enter(wait)?;
            if let Some(number) = slots.find(key) {
                let slot = &mut slots[number];
                let found = slot.pop(into);
                if !found && spins > 0 {
                    slot.elements.watch();
                }
                if let Some(shortcut) = slot.shortcut(shortcut) {
                    *new = Some(shortcut);
                }
                if found {
                    if slot.has_parked() {
                        settle(slots, number);
                    }
                    return Ok(Looked::Element);
                }
                if spins > 0 && !slot.has_parked() {
                    continue;
                }
            }
            let spun = spins < most;
            return Ok(Looked::Nothing { slots, spun });
        }
    }

    /// Waits until one of the slots has an element, and removes the first element of the first such
    /// slot, in the order of the keys. Returns the position of the key, and the element, whole.
    ///
    /// Errors: why nothing was received.
    pub fn receive<Q: BorrowedKey<K>>(
        &self,
        wait: &Wait,
        keys: &[Q],
    ) -> Result<(usize, M), Refusal> {
        let mut slots = self.enter(wait)?;
        for (position, key) in keys.iter().enumerate() {
            if let Some(number) = slots.find(key)
                && let Some(value) = slots[number].pop_whole()
            {
                if slots[number].has_parked() {
                    settle(slots, number);
                }
                return Ok((position, value));
            }
        }
        if wait.deadline == Deadline::Now {
            return Err(Refusal::TimedOut);
        }
        self.park_receive(wait, slots, keys, false)
    }

    /// Parks a receive of the first element that comes under one of the keys. `spun`: the thread
    /// has spun in vain.
    fn park_receive<'a, Q: BorrowedKey<K>>(
        &'a self,
        wait: &Wait,
        slots: MutexGuard<'a, Slots<K, M>>,
        keys: &[Q],
        spun: bool,
    ) -> Result<(usize, M), Refusal> {
        match self.park(wait, slots, Work::Receive, keys, 1, spun) {
            Ok(Outcome::Received(position, value)) => Ok((position, value)),
            Ok(_) => unreachable!("a receive is completed by an element"),
            Err((refusal, _)) => Err(refusal),
        }
    }

    /// Waits until a slot has `min` elements, which is at least 1, and removes and returns its
    /// first elements, at most `max`, whole.
    ///
    /// Errors: why nothing was received.
    pub fn receive_batched<Q: BorrowedKey<K>>(
        &self,
        wait: &Wait,
        key: &Q,
        min: usize,
        max: usize,
    ) -> Result<Vec<M>, Refusal> {
        let mut slots = self.enter(wait)?;
        if let Some(number) = slots.find(key) {
            let slot = &mut slots[number];
            if let Some(values) = slot.elements.pop_many(min, max)? {
                if slot.has_parked() {
                    settle(slots, number);
                }
                return Ok(values);
            }
        }
        if wait.deadline == Deadline::Now {
            return Err(Refusal::TimedOut);
        }
        let (work, keys) = (Work::ReceiveBatch { max }, std::slice::from_ref(key));
        match self.park(wait, slots, work, keys, min, false) {
            Ok(Outcome::ReceivedBatch(values)) => Ok(values),
            Ok(_) => unreachable!("a batched receive is completed by a batch"),
            Err((refusal, _)) => Err(refusal),
        }
    }
}
