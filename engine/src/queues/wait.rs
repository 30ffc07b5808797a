//! Waiting for a slot to change: spinning, then parking.

use super::deferred::Deferred;
use super::operation::{Outcome, Ticket, Work};
use super::outbox::Outbox;
use super::shared::Queues;
use super::slots::Slots;
use super::{BorrowedKey, Element};
use crate::park::{Refusal, Request, Wait, Woken};
use crate::sync::{Arc, MutexGuard};

/// How often one operation spins before it parks.
pub const SPINS: u32 = 4;

impl<K: Clone, M: Element> Queues<K, M> {
    /// Takes the lock for an operation that ends if its waiter has been asked to stop, or if the
    /// linda is cancelled.
    #[inline]
    pub(super) fn enter(&self, wait: &Wait) -> Result<MutexGuard<'_, Slots<K, M>>, Refusal> {
        let request = wait.waiter.request();
        if request != Request::None {
            return Err(Refusal::Request(request));
        }
        let mut slots = self.slots.lock();
        if self.is_cancelled() {
            return Err(Refusal::LindaCancelled);
        }
        slots.touched = true;
        Ok(slots)
    }

    /// Releases the lock and spins until the slot of this outbox has changed. Returns how many more
    /// spins are worthwhile.
    pub(super) fn spin(
        &self,
        wait: &Wait,
        outbox: Arc<Outbox<M>>,
        slots: MutexGuard<Slots<K, M>>,
        spins: u32,
    ) -> u32 {
        let before = outbox.changes();
        drop(slots);
        if wait.spin(|| outbox.changes() != before || self.is_cancelled()) {
            spins - 1
        } else {
            0
        }
    }

    /// Parks an operation on these keys and waits until somebody has completed it, or until the
    /// wait ends for another reason. `need` is the number of elements, or the amount of room, that
    /// it needs in one of the slots. `spun`: the thread has spun in vain, and goes to sleep at
    /// once.
    ///
    /// Errors: the reason why the operation was not completed, with its work.
    pub(super) fn park<'a, Q: BorrowedKey<K>>(
        &'a self,
        wait: &Wait,
        mut slots: MutexGuard<'a, Slots<K, M>>,
        work: Work<M>,
        keys: &[Q],
        need: usize,
        spun: bool,
    ) -> Result<Outcome<M>, (Refusal, Work<M>)> {
        let ticket = Ticket::new(wait.waiter);
        let mut deferred = Deferred::new();
        let operation = match slots.park(&ticket, work, keys, need, &mut deferred) {
            Ok(operation) => operation,
            Err(work) => {
                drop(slots);
                deferred.run();
                return Err((Refusal::OutOfMemory, work));
            }
        };
        self.wait_for(wait, slots, operation, &ticket, spun)
    }

    /// Waits until a parked operation is completed. Arguments and errors are those of `park`.
    pub(super) fn wait_for<'a>(
        &'a self,
        wait: &Wait,
        mut slots: MutexGuard<'a, Slots<K, M>>,
        operation: u32,
        ticket: &Ticket<M>,
        spun: bool,
    ) -> Result<Outcome<M>, (Refusal, Work<M>)> {
        // Checked again under the lock, so that `refuse_asked` misses no waiter.
        let request = wait.waiter.request();
        if request != Request::None {
            let mut deferred = Deferred::new();
            let work = slots.withdraw(operation, &mut deferred);
            drop(slots);
            deferred.run();
            return Err((Refusal::Request(request), work));
        }
        wait.waiter.set_waiting(true);
        drop(slots);
        let outcome = loop {
            let woken = if spun { wait.sleep() } else { wait.park() };
            if let Some(outcome) = ticket.take_outcome() {
                break outcome;
            }
            let request = wait.waiter.request();
            if woken == Woken::Notified && request == Request::None {
                continue;
            }
            let mut deferred = Deferred::new();
            let mut slots = self.slots.lock();
            // An operation that was completed in the meantime stays completed.
            if let Some(outcome) = ticket.take_outcome() {
                break outcome;
            }
            let refusal = match woken {
                _ if request != Request::None => Refusal::Request(request),
                Woken::Interrupted => Refusal::Interrupted,
                _ if self.is_cancelled() => Refusal::LindaCancelled,
                _ => Refusal::TimedOut,
            };
            let work = slots.withdraw(operation, &mut deferred);
            drop(slots);
            deferred.run();
            wait.waiter.set_waiting(false);
            return Err((refusal, work));
        };
        wait.waiter.set_waiting(false);
        match (outcome, wait.waiter.request()) {
            (Outcome::OutOfMemory(work), _) => Err((Refusal::OutOfMemory, work)),
            (Outcome::Refused(work), Request::None) => Err((Refusal::LindaCancelled, work)),
            (Outcome::Refused(work), request) => Err((Refusal::Request(request), work)),
            (outcome, _) => Ok(outcome),
        }
    }
}
