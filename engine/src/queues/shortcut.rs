//! A receiver's way to a slot without the lock of the linda.

use super::element::{Element, Received};
use super::outbox::Outbox;
use crate::sync::{Arc, race_point};
use std::cell::Cell;

/// What a receiver remembers of a slot that it has received from: its outbox. A shortcut stays
/// valid when its slot is gone: it then finds nothing, and the receiver looks for a slot under the
/// key.
pub struct Shortcut<M> {
    outbox: Arc<Outbox<M>>,
    /// `Outbox::changes` when the slot last had no elements but those in the outbox.
    seen: Cell<u32>,
}

/// What there is under a shortcut.
pub enum Found {
    /// An element, which has been moved to its receiver.
    Element,
    /// The slot is empty.
    Nothing,
    /// Only the slot itself can tell.
    Unknown,
}

impl<M> Clone for Shortcut<M> {
    fn clone(&self) -> Self {
        Shortcut {
            outbox: Arc::clone(&self.outbox),
            seen: self.seen.clone(),
        }
    }
}

impl<M: Element> Shortcut<M> {
    /// A shortcut to this outbox. It does not know yet whether the slot is empty.
    pub(super) fn new(outbox: &Arc<Outbox<M>>) -> Shortcut<M> {
        Shortcut {
            outbox: Arc::clone(outbox),
            seen: Cell::new(outbox.changes().wrapping_sub(1)),
        }
    }

    pub(super) fn leads_to(&self, outbox: &Arc<Outbox<M>>) -> bool {
        Arc::ptr_eq(&self.outbox, outbox)
    }

    /// Remembers that the slot has no elements but those in the outbox. The caller holds the lock
    /// of the linda.
    pub(super) fn saw_the_end(&self) {
        self.seen.set(self.outbox.changes());
    }

    /// Moves the first element of the slot to `into`.
    #[inline]
    pub(super) fn take(&self, into: &mut Received<M>) -> Found {
        if self.outbox.take(into) {
            return Found::Element;
        }
        race_point(64);
        if self.outbox.changes() == self.seen.get() {
            Found::Nothing
        } else {
            Found::Unknown
        }
    }

    /// Announces that this receiver spins.
    pub fn watch(&self) {
        self.outbox.watch();
    }

    /// Whether `take` may find something other than nothing.
    #[inline]
    pub fn is_promising(&self) -> bool {
        self.outbox.len() > 0 || self.outbox.changes() != self.seen.get()
    }
}
