//! What is deferred until the lock of the linda is released: waking threads, and dropping values,
//! whose destructors may do anything.

use super::Element;
use super::handover::Replaced;
use super::operation::Ticket;
use super::slab::Slab;
use super::slot::Slot;
use crate::sync::Arc;

/// Work for after the lock. It is dropped, or `run`, without the lock.
pub struct Deferred<K, M: Element> {
    // Nearly always at most one thread is to be woken: that takes no allocation.
    wake: Option<Arc<Ticket<M>>>,
    wake_too: Vec<Arc<Ticket<M>>>,
    elements: Option<Replaced<M>>,
    slots: Slab<Slot<K, M>>,
}

impl<K, M: Element> Deferred<K, M> {
    #[inline]
    pub fn new() -> Deferred<K, M> {
        Deferred {
            wake: None,
            wake_too: Vec::new(),
            elements: None,
            slots: Slab::new(),
        }
    }

    /// Wakes the thread of this ticket.
    pub fn wake(&mut self, ticket: Arc<Ticket<M>>) {
        if self.wake.is_none() {
            self.wake = Some(ticket);
        } else {
            self.wake_too.push(ticket);
        }
    }

    /// Drops elements. To be called at most once.
    pub fn drop_elements(&mut self, elements: Replaced<M>) {
        self.elements = Some(elements);
    }

    /// Drops a slot.
    pub fn drop_slot(&mut self, slot: Slot<K, M>) {
        self.slots.insert(slot);
    }

    /// Drops all these slots. No slots may be deferred already.
    pub fn drop_slots(&mut self, slots: Slab<Slot<K, M>>) {
        self.slots = slots;
    }

    /// Does the work.
    #[inline]
    pub fn run(self) {
        if let Some(ticket) = self.wake {
            ticket.wake();
            for ticket in self.wake_too {
                ticket.wake();
            }
        }
    }
}
