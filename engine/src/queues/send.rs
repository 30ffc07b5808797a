//! Sending.

use super::operation::Work;
use super::shared::{Queues, give_up, settle};
use super::slots::Slots;
use super::wait::SPINS;
use super::{BorrowedKey, Element, Values};
use crate::park::{Deadline, Refusal, Wait};
use crate::sync::{Arc, MutexGuard};

/// The values that could not be sent, whole, and the reason.
type Refused<M> = (Refusal, Values<M>);

impl<K: Clone, M: Element> Queues<K, M> {
    /// Appends all the values at once, as soon as the limit of the slot allows it. `bytes` are the
    /// detached bytes of the only one; empty if it is whole, or if there are several.
    ///
    /// Errors: the reason why the values were not sent, with the values, whole.
    #[inline]
    pub fn send<Q: BorrowedKey<K>>(
        &self,
        wait: &Wait,
        key: &Q,
        values: Values<M>,
        bytes: &[u8],
    ) -> Result<(), Refused<M>> {
        let mut slots = match self.enter(wait) {
            Ok(slots) => slots,
            Err(refusal) => return refused(refusal, values, bytes),
        };
        // A new slot is unlimited, so a refused send never makes one.
        let number = match slots.find_or_make(key) {
            Ok(number) => number,
            Err(error) => {
                drop(slots);
                return refused(error, values, bytes);
            }
        };
        if values.len() <= slots[number].room() {
            return append(slots, number, values, bytes);
        }
        self.send_to_full(wait, slots, number, key, values.attach(bytes))
    }

    /// Sends to a slot that has no room for the values, which are whole.
    #[cold]
    #[inline(never)]
    fn send_to_full<'a, Q: BorrowedKey<K>>(
        &'a self,
        wait: &Wait,
        mut slots: MutexGuard<'a, Slots<K, M>>,
        mut number: u32,
        key: &Q,
        values: Values<M>,
    ) -> Result<(), Refused<M>> {
        if wait.deadline == Deadline::Now {
            return Err((Refusal::TimedOut, values));
        }
        let need = values.len();
        let mut spins = SPINS;
        while spins > 0 && !slots[number].has_parked() {
            let outbox = Arc::clone(slots[number].elements.watch());
            spins = self.spin(wait, outbox, slots, spins);
            slots = match self.enter(wait) {
                Ok(slots) => slots,
                Err(refusal) => return Err((refusal, values)),
            };
            number = match slots.find_or_make(key) {
                Ok(number) => number,
                Err(error) => return Err((error.into(), values)),
            };
            if need <= slots[number].room() {
                return append(slots, number, values, &[]);
            }
        }
        let (work, keys) = (Work::Send(values), std::slice::from_ref(key));
        match self.park(wait, slots, work, keys, need, spins < SPINS) {
            Ok(_) => Ok(()),
            Err((refusal, Work::Send(values))) => Err((refusal, values)),
            Err(_) => unreachable!("a send keeps its values"),
        }
    }
}

/// Appends the values to a slot whose limit allows it, and releases the lock.
#[inline(always)]
fn append<K, M: Element>(
    mut slots: MutexGuard<Slots<K, M>>,
    number: u32,
    values: Values<M>,
    bytes: &[u8],
) -> Result<(), Refused<M>> {
    let slot = &mut slots[number];
    if let Err(error) = slot.elements.make_room(values.len(), bytes.len()) {
        return refused(give_up(slots, number, error), values, bytes);
    }
    slot.push(values, bytes);
    if slot.has_parked() {
        settle(slots, number);
    }
    Ok(())
}

/// The error of a send.
#[cold]
fn refused<M: Element>(
    refusal: impl Into<Refusal>,
    values: Values<M>,
    bytes: &[u8],
) -> Result<(), Refused<M>> {
    Err((refusal.into(), values.attach(bytes)))
}
