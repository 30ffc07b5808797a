//! Receiving: from one slot, which has a quick way, from the first of several, and many elements at once.

use super::operation::{Answer, Ticket, Work};
use super::side::{Found, Shortcut};
use super::state::State;
use super::{Element, Probe, Queues, SPINS, settle};
use crate::memory::grow::OutOfMemory;
use crate::park::{Deadline, Refusal, Request, Wait, Waiter};
use crate::sync::MutexGuard;

/// What a look for an element came to.
enum Looked<'a, K, M: Element> {
    Element(M),
    /// Nothing is there, under this lock; and whether the thread has spun in vain.
    Nothing {
        state: MutexGuard<'a, State<K, M>>,
        spun: bool,
    },
}

impl<K: Clone, M: Element> Queues<K, M> {
    /// Removes the first element of a slot, if that can be done without the lock that senders use. Bytes that are apart from it replace the
    /// contents of `out`.
    #[inline]
    pub fn take(&self, waiter: &Waiter, shortcut: &Shortcut<M>, out: &mut Vec<u8>) -> Found<M> {
        if waiter.request() != Request::None || self.is_cancelled() {
            return Found::Unknown;
        }
        shortcut.take(out)
    }

    /// Removes the first element of a slot; waits until there is one. A shortcut to the slot, if there is one that is not `known`, comes with it.
    /// Bytes that are apart from the element replace the contents of `out`.
    #[inline]
    pub fn receive_one<Q: Probe<K>>(
        &self,
        wait: &Wait,
        key: &Q,
        known: Option<&Shortcut<M>>,
        out: &mut Vec<u8>,
    ) -> Result<(M, Option<Shortcut<M>>), Refusal> {
        let mut new = None;
        let (state, spun) = match self.look(wait, key, known, &mut new, out)? {
            Looked::Element(value) => return Ok((value, new)),
            Looked::Nothing { state, spun } => (state, spun),
        };
        if wait.deadline == Deadline::Now {
            return Err(Refusal::TimedOut);
        }
        let (_, value) = self.park_receive(wait, state, std::slice::from_ref(key), spun)?;
        Ok((value, new))
    }

    /// Removes the first element of a slot, as soon as there is one within a spin. `new` becomes the shortcut to the slot, if it is not `known`.
    // On its own, so that its frame is gone when the thread sleeps.
    #[inline(never)]
    fn look<Q: Probe<K>>(
        &self,
        wait: &Wait,
        key: &Q,
        known: Option<&Shortcut<M>>,
        new: &mut Option<Shortcut<M>>,
        out: &mut Vec<u8>,
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
                match self.take(wait.waiter, shortcut, out) {
                    Found::Element(value) => return Ok(Looked::Element(value)),
                    Found::Unknown => {}
                    Found::Nothing => {
                        shortcut.watch();
                        let found = wait.spin(|| shortcut.is_promising() || self.is_cancelled());
                        spins = if found { spins - 1 } else { 0 };
                        continue;
                    }
                }
            }
            let mut state = self.open(wait)?;
            if let Some(number) = state.find(key) {
                let slot = &mut state.slots[number];
                let value = slot.pop(out);
                if value.is_none() && spins > 0 {
                    slot.watch();
                }
                if let Some(shortcut) = slot.shortcut(shortcut) {
                    *new = Some(shortcut);
                }
                if let Some(value) = value {
                    if slot.has_parked() {
                        settle(state, number);
                    }
                    return Ok(Looked::Element(value));
                }
                if spins > 0 && !slot.has_parked() {
                    continue;
                }
            }
            let spun = spins < most;
            return Ok(Looked::Nothing { state, spun });
        }
    }

    /// Removes the first element of the first key, in the order given, that has one; waits until one has. Returns the key's position.
    pub fn receive<Q: Probe<K>>(&self, wait: &Wait, keys: &[Q]) -> Result<(usize, M), Refusal> {
        let mut state = self.open(wait)?;
        for (position, key) in keys.iter().enumerate() {
            if let Some(number) = state.find(key)
                && let Some(value) = state.slots[number].pop_whole()
            {
                if state.slots[number].has_parked() {
                    settle(state, number);
                }
                return Ok((position, value));
            }
        }
        if wait.deadline == Deadline::Now {
            return Err(Refusal::TimedOut);
        }
        self.park_receive(wait, state, keys, false)
    }

    /// Parks a receive of the first element that comes under one of the keys. `spun`: the thread has spun in vain.
    fn park_receive<'a, Q: Probe<K>>(
        &'a self,
        wait: &Wait,
        mut state: MutexGuard<'a, State<K, M>>,
        keys: &[Q],
        spun: bool,
    ) -> Result<(usize, M), Refusal> {
        state.prepare(keys);
        let ticket = Ticket::new(wait.waiter);
        let operation = state.park(&ticket, Work::Receive);
        for (position, key) in keys.iter().enumerate() {
            let slot = state.find_or_make(key);
            state.queue_up(operation, slot, position, 1);
        }
        match self.wait_for(wait, state, operation, &ticket, spun) {
            Ok(Answer::Received(position, value)) => Ok((position, value)),
            Ok(_) => unreachable!("a receive is answered by an element"),
            Err((refusal, _)) => Err(refusal),
        }
    }

    /// Removes the first elements of a slot at once: at most `max`, as soon as there are `min`, which must be at least 1.
    pub fn receive_batched<Q: Probe<K>>(
        &self,
        wait: &Wait,
        key: &Q,
        min: usize,
        max: usize,
    ) -> Result<Vec<M>, Refusal> {
        let mut state = self.open(wait)?;
        if let Some(number) = state.find(key) {
            let slot = &mut state.slots[number];
            if let Some(values) = slot
                .pop_many(min, max)
                .map_err(|OutOfMemory| Refusal::OutOfMemory)?
            {
                if slot.has_parked() {
                    settle(state, number);
                }
                return Ok(values);
            }
        }
        if wait.deadline == Deadline::Now {
            return Err(Refusal::TimedOut);
        }
        state.prepare(std::slice::from_ref(key));
        let ticket = Ticket::new(wait.waiter);
        let operation = state.park(&ticket, Work::ReceiveBatch { max });
        let slot = state.find_or_make(key);
        state.queue_up(operation, slot, 0, min);
        match self.wait_for(wait, state, operation, &ticket, false) {
            Ok(Answer::ReceivedBatch(values)) => Ok(values),
            Ok(_) => unreachable!("a batched receive is answered by a batch"),
            Err((refusal, _)) => Err(refusal),
        }
    }
}
