//! What is left to do after unlocking: waking threads, and dropping values, whose destructors may do anything.

use super::Element;
use super::fifo::Fifo;
use super::operation::Ticket;
use super::slab::Slab;
use super::slot::Slot;
use crate::sync::Arc;

pub struct After<K, M: Element> {
    // Nearly always at most one is to be woken, which then costs no allocation.
    wake: Option<Arc<Ticket<M>>>,
    wake_too: Vec<Arc<Ticket<M>>>,
    values: Option<Fifo<M>>,
    slots: Slab<Slot<K, M>>,
}

impl<K, M: Element> After<K, M> {
    #[inline]
    pub fn new() -> After<K, M> {
        After {
            wake: None,
            wake_too: Vec::new(),
            values: None,
            slots: Slab::new(),
        }
    }

    pub fn wake(&mut self, ticket: Arc<Ticket<M>>) {
        if self.wake.is_none() {
            self.wake = Some(ticket);
        } else {
            self.wake_too.push(ticket);
        }
    }

    pub fn drop_values(&mut self, values: Fifo<M>) {
        self.values = Some(values);
    }

    pub fn drop_slot(&mut self, slot: Slot<K, M>) {
        self.slots.insert(slot);
    }

    pub fn drop_slots(&mut self, slots: Slab<Slot<K, M>>) {
        self.slots = slots;
    }

    /// To be called without the lock.
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
