//! The elements of a slot, and how they go from senders to receivers. README.md has the states, the
//! counters and the protocol. Whoever calls a method here holds the lock of the linda.

use super::element::{Element, Received};
use super::fifo::Fifo;
use super::outbox::{Contents, Outbox};
use super::shortcut::Shortcut;
use crate::memory::grow::{OutOfMemory, list};
use crate::sync::Arc;

/// The elements of a slot: those in the outbox, and behind them those in the queue.
///
/// The slot is *open* if it has no limit and no operation is parked on it. Only then may elements
/// go to the outbox; whoever closes a slot calls `gather` first.
pub struct Handover<M: Element> {
    /// Index of the first element, as `Dump` has it, without the elements that receivers have taken
    /// from the outbox since `count_taken`.
    first: usize,
    queue: Fifo<M>,
    /// Made when a receiver first needs it, or a sender that spins.
    outbox: Option<Arc<Outbox<M>>>,
}

/// Elements that were replaced by others: those of the outbox, then those of the queue.
// The box keeps it small: nearly always the outbox is empty.
pub type Replaced<M> = (Option<Box<Contents<M>>>, Fifo<M>);

impl<M: Element> Handover<M> {
    pub fn new() -> Handover<M> {
        Handover {
            first: 1,
            queue: Fifo::new(),
            outbox: None,
        }
    }

    /// How many elements there are. Until they are gathered receivers may take some at any time.
    #[inline]
    pub fn len(&self) -> usize {
        self.queue.len() + self.outbox.as_ref().map_or(0, |outbox| outbox.len())
    }

    /// How many elements are in the queue: all, if the slot is not open.
    #[inline]
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.outbox.as_ref().is_none_or(|outbox| outbox.len() == 0)
    }

    /// Makes an outbox, for somebody who will watch it.
    pub fn watch(&mut self) -> &Arc<Outbox<M>> {
        self.outbox.get_or_insert_with(Outbox::new)
    }

    /// Moves the elements of the outbox back to the queue.
    ///
    /// Errors: out of memory, and nothing has been moved.
    pub fn gather(&mut self) -> Result<(), OutOfMemory> {
        match &self.outbox {
            Some(outbox) => outbox.give_back(&mut self.queue),
            None => Ok(()),
        }
    }

    /// Tells shortcuts that the slot has changed in a way that the outbox does not show.
    #[inline]
    pub fn changed(&self) {
        if let Some(outbox) = &self.outbox {
            outbox.changed();
        }
    }

    /// Makes room for `elements` more elements with `bytes` detached bytes in all.
    ///
    /// Errors: out of memory.
    #[inline]
    pub fn make_room(&mut self, elements: usize, bytes: usize) -> Result<(), OutOfMemory> {
        self.queue.make_room(elements, bytes)
    }

    /// To be called before the first element of an empty slot is added. Returns the outbox if a
    /// receiver wants the element there.
    #[inline(always)]
    fn begin(&mut self, is_open: impl FnOnce() -> bool) -> Option<&Outbox<M>> {
        self.first = 1;
        let outbox = self.outbox.as_deref()?;
        if outbox.is_wanted() && is_open() {
            return Some(outbox);
        }
        outbox.count_taken();
        None
    }

    /// Appends an element, for which there is room. `bytes` are its detached bytes.
    #[inline(always)]
    pub fn push(&mut self, value: M, bytes: &[u8], is_open: impl FnOnce() -> bool) {
        if self.is_empty()
            && let Some(outbox) = self.begin(is_open)
        {
            return outbox.hand_over(value, bytes);
        }
        self.queue.push(value, bytes);
        self.changed();
    }

    /// Appends whole elements, for which there is room.
    pub fn extend(&mut self, values: Vec<M>) {
        if self.is_empty() {
            self.begin(|| false);
        }
        self.queue.extend(values);
        self.changed();
    }

    /// Moves the first element to `into`. Returns false if there is none.
    #[inline]
    pub fn pop(&mut self, into: &mut Received<M>) -> bool {
        if let Some(outbox) = &self.outbox
            && outbox.take(into)
        {
            return true;
        }
        let found = self.queue.pop(into);
        self.first += usize::from(found);
        found
    }

    /// Lets receivers take what is left without the lock of the linda, if the slot is open. To be
    /// called after a receiver has popped. Returns a shortcut if `known`, the one that it has, does
    /// not lead here.
    #[inline]
    pub fn shortcut(
        &mut self,
        known: Option<&Shortcut<M>>,
        is_open: impl FnOnce() -> bool,
    ) -> Option<Shortcut<M>> {
        if !self.queue.is_empty() {
            if !is_open() {
                return None;
            }
            let outbox = self.outbox.get_or_insert_with(Outbox::new);
            outbox.refill(&mut self.queue);
        }
        let outbox = self.outbox.as_ref()?;
        let new = match known {
            Some(known) if known.leads_to(outbox) => None,
            _ => Some(Shortcut::new(outbox)),
        };
        if self.queue.is_empty()
            && let Some(shortcut) = new.as_ref().or(known)
        {
            shortcut.saw_the_end();
        }
        new
    }

    /// Removes and returns the first elements, whole: at most `max`; `None` if there are fewer than
    /// `min`.
    ///
    /// Errors: out of memory, and nothing has been removed.
    pub fn pop_many(&mut self, min: usize, max: usize) -> Result<Option<Vec<M>>, OutOfMemory> {
        // Otherwise receivers might take some between counting and removing.
        self.gather()?;
        let count = self.queue.len().min(max);
        if count < min {
            return Ok(None);
        }
        let values = self.queue.pop_many(count)?;
        self.first += count;
        self.changed();
        Ok(Some(values))
    }

    /// Puts whole elements back before the first.
    pub fn put_back(&mut self, values: Vec<M>) {
        self.first = self.first().saturating_sub(values.len()).max(1);
        match self.outbox.as_ref().filter(|outbox| outbox.len() > 0) {
            Some(outbox) => outbox.put_back(values),
            None => self.queue.put_back(values),
        }
        self.changed();
    }

    /// Replaces all elements by whole ones and returns the old ones.
    pub fn replace(&mut self, values: Vec<M>) -> Replaced<M> {
        let outbox = self.outbox.as_ref().filter(|outbox| outbox.len() > 0);
        let replaced = (
            outbox.map(|outbox| Box::new(outbox.empty())),
            std::mem::replace(&mut self.queue, Fifo::of(values)),
        );
        self.count_taken();
        self.first = 1;
        self.changed();
        replaced
    }

    /// How many elements receivers have taken from the outbox since the last call.
    fn count_taken(&self) -> usize {
        self.outbox
            .as_ref()
            .map_or(0, |outbox| outbox.count_taken())
    }

    /// Index of the first element: 1 in a new, emptied or set slot, one more for each element
    /// removed since.
    pub fn first(&mut self) -> usize {
        self.first += self.count_taken();
        if self.is_empty() {
            self.first = 1;
        }
        self.first
    }

    /// Whole copies of the first elements, at most `count`. Unwinds if out of memory.
    pub fn copies(&self, count: usize) -> Vec<M>
    where
        M: Clone,
    {
        let mut copies = list(count.min(self.len()));
        if let Some(outbox) = &self.outbox {
            outbox.see_copies(count, |value| copies.push(value));
        }
        self.queue
            .see_copies(count - copies.len(), |value| copies.push(value));
        copies
    }
}

impl<M: Element> Drop for Handover<M> {
    fn drop(&mut self) {
        // Shortcuts may keep the outbox: from now on they find nothing there, and look for the
        // slot.
        if let Some(outbox) = &self.outbox {
            drop(outbox.empty());
            outbox.changed();
        }
    }
}
