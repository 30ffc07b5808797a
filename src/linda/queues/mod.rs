//! The queues of a linda: what its methods do, over any type of key and message.
//!
//! One lock. An operation that has to wait is parked in the wait lists of its slots and completed, under the lock, by whoever makes it
//! possible; so a wake-up reaches exactly the thread it is meant for, and order is first come first served. Values are dropped and threads
//! woken after unlocking. Under the lock run only `Hash` and `Equivalent` of keys, `Probe::to_key`, and `Clone` of keys and messages: these
//! must not call back into lindas.

mod after;
mod operation;
mod slab;
mod slot;
mod state;
mod wait_list;

#[cfg(all(test, not(loom)))]
mod tests;

use crate::park::{Deadline, Refusal, Request, Wait, Woken};
use crate::sync::{Mutex, MutexGuard};
use after::After;
use hashbrown::Equivalent;
use operation::{Answer, Ticket, Work};
use state::State;
use std::hash::Hash;

/// A key that is asked for, perhaps borrowed; becomes a key of its own only where a slot is made. Probes that are equivalent to the same key
/// have the same hash.
pub trait Probe<K>: Hash + Equivalent<K> {
    fn to_key(&self) -> K;
}

/// What one send adds, all or nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Values<M> {
    One(M),
    Many(Vec<M>),
}

impl<M> Values<M> {
    fn len(&self) -> usize {
        match self {
            Values::One(_) => 1,
            Values::Many(values) => values.len(),
        }
    }
}

/// The linda is cancelled, for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LindaCancelled;

/// Whom to wake when a linda is cancelled; `None` takes the cancellation back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    None,
    Read,
    Write,
    Both,
}

/// A picture of one slot.
#[derive(Debug, PartialEq, Eq)]
pub struct Dump<M> {
    /// Index of the first element: 1 in a new, emptied or set slot, one more for each element removed since.
    pub first: usize,
    pub count: usize,
    pub limit: Option<usize>,
    pub values: Vec<M>,
}

/// Named FIFOs, shared by threads.
pub struct Queues<K, M> {
    state: Mutex<State<K, M>>,
}

impl<K: Clone, M> Queues<K, M> {
    pub fn new() -> Queues<K, M> {
        Queues {
            state: Mutex::new(State::new()),
        }
    }

    /// Appends all the values at once as soon as the slot's limit allows it. What could not be sent comes back with the reason.
    #[inline]
    pub fn send<Q: Probe<K>>(
        &self,
        wait: &Wait,
        key: &Q,
        values: Values<M>,
    ) -> Result<(), (Refusal, Values<M>)> {
        let request = wait.waiter.request();
        if request != Request::None {
            return Err((Refusal::Request(request), values));
        }
        let mut state = self.state.lock();
        if state.cancelled {
            return Err((Refusal::LindaCancelled, values));
        }
        state.touched = true;
        // A slot that is made here is unlimited, so none is made for a send that fails.
        let slot = state.find_or_make(key);
        let need = values.len();
        if need <= state.slots[slot].room() {
            state.slots[slot].push(values);
            if state.slots[slot].has_parked() {
                let mut after = After::new();
                state.settle(slot, &mut after);
                drop(state);
                after.run();
            }
            return Ok(());
        }
        if wait.deadline == Deadline::Now {
            return Err((Refusal::TimedOut, values));
        }
        let ticket = Ticket::new(wait.waiter);
        let operation = state.park(&ticket, Work::Send(values));
        state.queue_up(operation, slot, 0, need);
        match self.wait_for(wait, state, operation, &ticket) {
            Ok(_) => Ok(()),
            Err((refusal, Work::Send(values))) => Err((refusal, values)),
            Err(_) => unreachable!("a send keeps its values"),
        }
    }

    /// Removes the first element of the first key, in the order given, that has one; waits until one has. Returns the key's position.
    #[inline]
    pub fn receive<Q: Probe<K>>(&self, wait: &Wait, keys: &[Q]) -> Result<(usize, M), Refusal> {
        let request = wait.waiter.request();
        if request != Request::None {
            return Err(Refusal::Request(request));
        }
        let mut state = self.state.lock();
        if state.cancelled {
            return Err(Refusal::LindaCancelled);
        }
        state.touched = true;
        for (position, key) in keys.iter().enumerate() {
            if let Some(slot) = state.find(key)
                && let Some(value) = state.slots[slot].pop()
            {
                if state.slots[slot].has_parked() {
                    let mut after = After::new();
                    state.settle(slot, &mut after);
                    drop(state);
                    after.run();
                }
                return Ok((position, value));
            }
        }
        if wait.deadline == Deadline::Now {
            return Err(Refusal::TimedOut);
        }
        let ticket = Ticket::new(wait.waiter);
        let operation = state.park(&ticket, Work::Receive);
        for (position, key) in keys.iter().enumerate() {
            let slot = state.find_or_make(key);
            state.queue_up(operation, slot, position, 1);
        }
        match self.wait_for(wait, state, operation, &ticket) {
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
        let request = wait.waiter.request();
        if request != Request::None {
            return Err(Refusal::Request(request));
        }
        let mut after = After::new();
        let mut state = self.state.lock();
        if state.cancelled {
            return Err(Refusal::LindaCancelled);
        }
        state.touched = true;
        if let Some(slot) = state.find(key) {
            let contents = &mut state.slots[slot];
            let count = contents.values.len();
            if count >= min {
                let values = contents.pop_many(count.min(max));
                state.settle(slot, &mut after);
                drop(state);
                after.run();
                return Ok(values);
            }
        }
        if wait.deadline == Deadline::Now {
            return Err(Refusal::TimedOut);
        }
        let ticket = Ticket::new(wait.waiter);
        let operation = state.park(&ticket, Work::ReceiveBatch { max });
        let slot = state.find_or_make(key);
        state.queue_up(operation, slot, 0, min);
        match self.wait_for(wait, state, operation, &ticket) {
            Ok(Answer::ReceivedBatch(values)) => Ok(values),
            Ok(_) => unreachable!("a batched receive is answered by a batch"),
            Err((refusal, _)) => Err(refusal),
        }
    }

    /// Waits until a parked operation is completed or given up. The work given up comes back with the reason.
    fn wait_for<'a>(
        &'a self,
        wait: &Wait,
        mut state: MutexGuard<'a, State<K, M>>,
        operation: u32,
        ticket: &Ticket<M>,
    ) -> Result<Answer<M>, (Refusal, Work<M>)> {
        // Looked at once more under the lock, so that `refuse_asked` overlooks nobody.
        let request = wait.waiter.request();
        if request != Request::None {
            let mut after = After::new();
            let work = state.withdraw(operation, &mut after);
            drop(state);
            after.run();
            return Err((Refusal::Request(request), work));
        }
        wait.waiter.set_waiting(true);
        drop(state);
        let answer = loop {
            let woken = wait.park();
            if let Some(answer) = ticket.take_answer() {
                break answer;
            }
            let request = wait.waiter.request();
            if woken == Woken::Notified && request == Request::None {
                continue;
            }
            let mut after = After::new();
            let mut state = self.state.lock();
            // What was completed at the last moment stays completed.
            if let Some(answer) = ticket.take_answer() {
                break answer;
            }
            let refusal = match woken {
                _ if request != Request::None => Refusal::Request(request),
                Woken::Interrupted => Refusal::Interrupted,
                _ if state.cancelled => Refusal::LindaCancelled,
                _ => Refusal::TimedOut,
            };
            let work = state.withdraw(operation, &mut after);
            drop(state);
            after.run();
            wait.waiter.set_waiting(false);
            return Err((refusal, work));
        };
        wait.waiter.set_waiting(false);
        match (answer, wait.waiter.request()) {
            (Answer::Refused(work), Request::None) => Err((Refusal::LindaCancelled, work)),
            (Answer::Refused(work), request) => Err((Refusal::Request(request), work)),
            (answer, _) => Ok(answer),
        }
    }

    /// Returns elements, whose delivery failed, to the front of a slot, above any limit and even if the linda is cancelled.
    pub fn put_back<Q: Probe<K>>(&self, key: &Q, values: Vec<M>) {
        if values.is_empty() {
            return;
        }
        self.change(|state, after| {
            let slot = state.find_or_make(key);
            state.slots[slot].put_back(values);
            state.settle(slot, after);
        });
    }

    /// Replaces the contents of a slot, above any limit. No values make an unlimited slot unknown and a limited one empty. True when the
    /// slot was full and now has room.
    pub fn set<Q: Probe<K>>(&self, key: &Q, values: Vec<M>) -> Result<bool, LindaCancelled> {
        self.change(|state, after| {
            if state.cancelled {
                // Not to be dropped under the lock.
                after.drop_values(values.into());
                return Err(LindaCancelled);
            }
            state.touched = true;
            let slot = match state.find(key) {
                Some(slot) => slot,
                None if values.is_empty() => return Ok(false),
                None => state.find_or_make(key),
            };
            let contents = &mut state.slots[slot];
            let was_full = contents.is_full();
            after.drop_values(contents.replace(values));
            let has_room = was_full && !contents.is_full();
            state.settle(slot, after);
            state.tidy(slot, after);
            Ok(has_room)
        })
    }

    /// Up to `count` of a slot's first elements, which stay there.
    pub fn get<Q: Probe<K>>(&self, key: &Q, count: usize) -> Result<Vec<M>, LindaCancelled>
    where
        M: Clone,
    {
        let mut state = self.state.lock();
        if state.cancelled {
            return Err(LindaCancelled);
        }
        state.touched = true;
        let slot = state.find(key);
        Ok(slot.map_or_else(Vec::new, |slot| {
            state.slots[slot]
                .values
                .iter()
                .take(count)
                .cloned()
                .collect()
        }))
    }

    /// Sets how many elements a slot may hold (`None`: any number), making the slot known. What is above the limit stays. True when the
    /// slot was full and now is not.
    pub fn limit<Q: Probe<K>>(
        &self,
        key: &Q,
        limit: Option<usize>,
    ) -> Result<bool, LindaCancelled> {
        self.change(|state, after| {
            if state.cancelled {
                return Err(LindaCancelled);
            }
            state.touched = true;
            let slot = state.find_or_make(key);
            let contents = &mut state.slots[slot];
            let was_full = contents.is_full();
            contents.known = true;
            contents.limit = limit;
            let has_room = was_full && !contents.is_full();
            state.settle(slot, after);
            Ok(has_room)
        })
    }

    /// How many elements a slot holds; `None` when it is unknown.
    pub fn count<Q: Probe<K>>(&self, key: &Q) -> Option<usize> {
        let mut state = self.state.lock();
        state.touched = true;
        let slot = &state.slots[state.find(key)?];
        slot.known.then_some(slot.values.len())
    }

    /// All known slots with their numbers of elements, in no order.
    pub fn counts(&self) -> Vec<(K, usize)> {
        let mut state = self.state.lock();
        state.touched = true;
        let known = state.slots.iter().filter(|(_, slot)| slot.known);
        known
            .map(|(_, slot)| (slot.key.clone(), slot.values.len()))
            .collect()
    }

    /// A picture of all known slots; `None` when no operation has touched this linda yet.
    pub fn dump(&self) -> Option<Vec<(K, Dump<M>)>>
    where
        M: Clone,
    {
        let state = self.state.lock();
        let known = state.slots.iter().filter(|(_, slot)| slot.known);
        let pictures = known.map(|(_, slot)| {
            let values: Vec<M> = slot.values.iter().cloned().collect();
            (
                slot.key.clone(),
                Dump {
                    first: slot.first,
                    count: values.len(),
                    limit: slot.limit,
                    values,
                },
            )
        });
        state.touched.then(|| pictures.collect())
    }

    /// Marks the linda as cancelled, for every operation of everybody, and ends the parked ones of the given kind; others wait on, and
    /// learn of it at their timeout. `Who::None` removes the mark.
    pub fn cancel(&self, who: Who) {
        self.change(|state, after| {
            state.cancelled = who != Who::None;
            state.refuse(who, after);
        });
    }

    /// Ends the parked operations of the given kind whose threads have been asked to stop.
    pub fn refuse_asked(&self, who: Who) {
        self.change(|state, after| state.refuse_asked(who, after));
    }

    #[cfg(test)]
    pub fn is_cancelled(&self) -> bool {
        self.state.lock().cancelled
    }

    /// Forgets all slots. Operations that are still parked end as if the linda were cancelled.
    pub fn clear(&self) {
        self.change(|state, after| {
            state.refuse(Who::Both, after);
            state.forget(after);
        });
    }

    /// How many operations are parked.
    #[cfg(test)]
    pub fn parked(&self) -> usize {
        self.state.lock().parked()
    }

    /// Makes a change under the lock, and then does what is left to do.
    fn change<R>(&self, change: impl FnOnce(&mut State<K, M>, &mut After<K, M>) -> R) -> R {
        let mut after = After::new();
        let result = change(&mut self.state.lock(), &mut after);
        after.run();
        result
    }
}
