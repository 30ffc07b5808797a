//! The queues of a linda: what its methods do, over any type of key and message.
//!
//! One lock. An operation that has to wait is parked in the wait lists of its slots and completed, under the lock, by whoever makes it
//! possible; so a wake-up reaches exactly the thread it is meant for, and order is first come first served, among those that can be served. Values are dropped and threads
//! woken after unlocking. Under the lock run only `Hash` and `Equivalent` of keys, `Probe::to_key`, and `Clone` of keys and messages: these
//! must not call back into lindas.

mod after;
mod element;
mod fifo;
mod operation;
mod receive;
mod side;
mod slab;
mod slot;
mod state;
mod wait_list;

#[cfg(all(test, not(loom)))]
mod tests;

use crate::memory::grow::collect;
use crate::park::{Deadline, Refusal, Request, Wait, Woken};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard};
use after::After;
use crossbeam_utils::CachePadded;
pub use element::{Dump, Element, LindaCancelled, Probe, Values, Who};
use operation::{Answer, Ticket, Work};
use side::Side;
pub use side::{Found, Shortcut};
use state::State;

/// Named FIFOs, shared by threads.
pub struct Queues<K, M: Element> {
    state: CachePadded<Mutex<State<K, M>>>,
    /// Written under the lock. Read by those who do without it.
    cancelled: CachePadded<AtomicBool>,
}

/// How often one operation spins before it parks.
const SPINS: u32 = 4;

impl<K: Clone, M: Element> Queues<K, M> {
    pub fn new() -> Queues<K, M> {
        Queues {
            state: CachePadded::new(Mutex::new(State::new())),
            cancelled: CachePadded::new(AtomicBool::new(false)),
        }
    }

    #[inline]
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Appends all the values at once as soon as the slot's limit allows it. What could not be sent comes back with the reason.
    #[inline]
    pub fn send<Q: Probe<K>>(
        &self,
        wait: &Wait,
        key: &Q,
        values: Values<M>,
    ) -> Result<(), (Refusal, Values<M>)> {
        let need = values.len();
        let mut spins = SPINS;
        loop {
            let mut state = match self.open(wait) {
                Ok(state) => state,
                Err(refusal) => return Err((refusal, values)),
            };
            // A slot that is made here is unlimited, so none is made for a send that fails.
            let number = state.find_or_make(key);
            let slot = &mut state.slots[number];
            if need <= slot.room() {
                if !slot.has_memory(need, 0) {
                    self.leave(state, number);
                    return Err((Refusal::OutOfMemory, values));
                }
                slot.push(values);
                if slot.has_parked() {
                    settle(state, number);
                }
                return Ok(());
            }
            if wait.deadline == Deadline::Now {
                return Err((Refusal::TimedOut, values));
            }
            if spins > 0 && !slot.has_parked() {
                spins = self.spin(wait, Arc::clone(slot.watch()), state, spins);
                continue;
            }
            state.prepare(std::slice::from_ref(key));
            let ticket = Ticket::new(wait.waiter);
            let operation = state.park(&ticket, Work::Send(values));
            state.queue_up(operation, number, 0, need);
            return match self.wait_for(wait, state, operation, &ticket, spins < SPINS) {
                Ok(_) => Ok(()),
                Err((refusal, Work::Send(values))) => Err((refusal, values)),
                Err(_) => unreachable!("a send keeps its values"),
            };
        }
    }

    /// As `send` of one element that is in two pieces, without waiting: refused where there is no room.
    #[inline]
    pub fn send_apart<Q: Probe<K>>(
        &self,
        wait: &Wait,
        key: &Q,
        value: M,
        bytes: &[u8],
    ) -> Result<(), (Refusal, M)> {
        let mut state = match self.open(wait) {
            Ok(state) => state,
            Err(refusal) => return Err((refusal, value)),
        };
        let number = state.find_or_make(key);
        let slot = &mut state.slots[number];
        if slot.room() == 0 {
            return Err((Refusal::TimedOut, value));
        }
        if !slot.has_memory(1, bytes.len()) {
            self.leave(state, number);
            return Err((Refusal::OutOfMemory, value));
        }
        slot.push_apart(value, bytes);
        if slot.has_parked() {
            settle(state, number);
        }
        Ok(())
    }

    /// Unlocks after an operation for which there was no memory. Its slot, if it was made for it, goes.
    #[cold]
    fn leave(&self, mut state: MutexGuard<State<K, M>>, slot: u32) {
        let mut after = After::new();
        state.tidy(slot, &mut after);
        drop(state);
        after.run();
    }

    /// The state, locked, for an operation that cancellation of the waiter or of the linda ends.
    #[inline]
    fn open(&self, wait: &Wait) -> Result<MutexGuard<'_, State<K, M>>, Refusal> {
        let request = wait.waiter.request();
        if request != Request::None {
            return Err(Refusal::Request(request));
        }
        let mut state = self.state.lock();
        if self.is_cancelled() {
            return Err(Refusal::LindaCancelled);
        }
        state.touched = true;
        Ok(state)
    }

    /// Unlocks and spins until the slot of this side has changed. Answers how many more spins are worth a try.
    fn spin(
        &self,
        wait: &Wait,
        side: Arc<Side<M>>,
        state: MutexGuard<State<K, M>>,
        spins: u32,
    ) -> u32 {
        let before = side.changes();
        drop(state);
        if wait.spin(|| side.changes() != before || self.is_cancelled()) {
            spins - 1
        } else {
            0
        }
    }

    /// Waits until a parked operation is completed or given up. The work given up comes back with the reason. `spun`: the thread has spun in
    /// vain, and goes to sleep at once.
    fn wait_for<'a>(
        &'a self,
        wait: &Wait,
        mut state: MutexGuard<'a, State<K, M>>,
        operation: u32,
        ticket: &Ticket<M>,
        spun: bool,
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
            let woken = if spun { wait.sleep() } else { wait.park() };
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
                _ if self.is_cancelled() => Refusal::LindaCancelled,
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
            (Answer::OutOfMemory(work), _) => Err((Refusal::OutOfMemory, work)),
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
    pub fn set<Q: Probe<K>>(&self, key: &Q, mut values: Vec<M>) -> Result<bool, LindaCancelled> {
        // They stay with this frame until they are in the slot, for they must not be dropped under the lock.
        self.change(|state, after| {
            if self.is_cancelled() {
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
            after.drop_values(contents.replace(std::mem::take(&mut values)));
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
        if self.is_cancelled() {
            return Err(LindaCancelled);
        }
        state.touched = true;
        let slot = state.find(key);
        Ok(slot.map_or_else(Vec::new, |slot| state.slots[slot].copies(count)))
    }

    /// Sets how many elements a slot may hold (`None`: any number), making the slot known. What is above the limit stays. True when the
    /// slot was full and now is not.
    pub fn limit<Q: Probe<K>>(
        &self,
        key: &Q,
        limit: Option<usize>,
    ) -> Result<bool, LindaCancelled> {
        self.change(|state, after| {
            if self.is_cancelled() {
                return Err(LindaCancelled);
            }
            state.touched = true;
            let slot = state.find_or_make(key);
            let contents = &mut state.slots[slot];
            let was_full = contents.is_full();
            contents.set_limit(limit);
            let has_room = was_full && !contents.is_full();
            state.settle(slot, after);
            Ok(has_room)
        })
    }

    /// How many elements a slot holds; `None` when it is unknown.
    pub fn count<Q: Probe<K>>(&self, key: &Q) -> Option<usize> {
        let mut state = self.state.lock();
        state.touched = true;
        let slot = state.find(key)?;
        let slot = &state.slots[slot];
        slot.known.then_some(slot.len())
    }

    /// All known slots with their numbers of elements, in no order.
    pub fn counts(&self) -> Vec<(K, usize)> {
        let mut state = self.state.lock();
        state.touched = true;
        let known = state.slots.iter().filter(|(_, slot)| slot.known);
        collect(known.map(|(_, slot)| (slot.key.clone(), slot.len())))
    }

    /// Whether any operation has looked at this linda: else there is nothing in it.
    pub fn were_used(&self) -> bool {
        self.state.lock().touched
    }

    /// A picture of all known slots; `None` when no operation has touched this linda yet.
    pub fn dump(&self) -> Option<Vec<(K, Dump<M>)>>
    where
        M: Clone,
    {
        let mut state = self.state.lock();
        if !state.touched {
            return None;
        }
        let known = state.slots.values_mut().filter(|slot| slot.known);
        let pictures = known.map(|slot| {
            slot.gather();
            let values = slot.copies(usize::MAX);
            let picture = Dump {
                first: slot.first(),
                count: values.len(),
                limit: slot.limit(),
                values,
            };
            (slot.key.clone(), picture)
        });
        Some(collect(pictures))
    }

    /// Marks the linda as cancelled, for every operation of everybody, and ends the parked ones of the given kind; others wait on, and
    /// learn of it at their timeout. `Who::None` removes the mark.
    pub fn cancel(&self, who: Who) {
        self.change(|state, after| {
            self.cancelled.store(who != Who::None, Ordering::Release);
            state.refuse(who, after);
        });
    }

    /// Ends the parked operations of the given kind whose threads have been asked to stop.
    pub fn refuse_asked(&self, who: Who) {
        self.change(|state, after| state.refuse_asked(who, after));
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

/// Completes the parked operations that a change of this slot has made possible, and unlocks.
#[cold]
#[inline(never)]
fn settle<K, M: Element>(mut state: MutexGuard<State<K, M>>, slot: u32) {
    let mut after = After::new();
    state.settle(slot, &mut after);
    drop(state);
    after.run();
}
