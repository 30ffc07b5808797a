//! The outbox of a slot: elements that receivers take without the lock of the linda, and what a
//! receiver watches while it spins. README.md has the protocol.

use super::element::{Element, Received};
use super::fifo::Fifo;
use crate::memory::grow::OutOfMemory;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex, race_point};
use crossbeam_utils::CachePadded;

/// What the slot and all shortcuts to it share.
///
/// Invariant: `len` grows only under the lock of the linda, and changes only under that of
/// `contents`. So zero, read under the lock of the linda, stays zero.
pub struct Outbox<M> {
    receivers: CachePadded<Receivers<M>>,
    senders: CachePadded<Senders>,
}

/// What receivers write, on cache lines of its own.
#[repr(C)]
struct Receivers<M> {
    /// How many elements are in `contents`.
    len: AtomicUsize,
    contents: Mutex<Contents<M>>,
}

/// The elements that are in an outbox.
#[repr(C)]
pub struct Contents<M> {
    /// The first element, if it was handed over alone and is whole: it lies beside the lock, so
    /// that one cache line brings both.
    first: Option<M>,
    rest: Fifo<M>,
    /// How many elements receivers have taken since the slot counted them last.
    taken: usize,
}

/// What senders write, on a cache line of its own.
struct Senders {
    /// A number that differs after each change of the slot that the outbox does not show.
    changes: AtomicU32,
    /// A receiver spins, or did so last: it wants the next element in the outbox.
    watched: AtomicBool,
}

impl<M: Element> Outbox<M> {
    pub fn new() -> Arc<Outbox<M>> {
        Arc::new(Outbox {
            receivers: CachePadded::new(Receivers {
                len: AtomicUsize::new(0),
                contents: Mutex::new(Contents {
                    first: None,
                    rest: Fifo::new(),
                    taken: 0,
                }),
            }),
            senders: CachePadded::new(Senders {
                changes: AtomicU32::new(0),
                watched: AtomicBool::new(false),
            }),
        })
    }

    /// How many elements there are. Under the lock of the linda it cannot grow.
    #[inline]
    pub fn len(&self) -> usize {
        self.receivers.len.load(Ordering::Acquire)
    }

    /// Calls `work` with the contents, locked, and updates `len`.
    #[inline]
    fn with<R>(&self, work: impl FnOnce(&mut Contents<M>) -> R) -> R {
        let mut contents = self.receivers.contents.lock();
        let result = work(&mut contents);
        race_point(64);
        let len = contents.rest.len() + usize::from(contents.first.is_some());
        self.receivers.len.store(len, Ordering::Release);
        result
    }

    /// Moves the first element to `into`. Returns false if there is none. Needs no other lock.
    #[inline]
    pub fn take(&self, into: &mut Received<M>) -> bool {
        if self.len() == 0 {
            return false;
        }
        self.with(|contents| {
            into.element = contents.first.take();
            let found = into.element.is_some() || contents.rest.pop(into);
            contents.taken += usize::from(found);
            found
        })
    }

    /// Announces that a receiver spins. Needs no lock.
    pub fn watch(&self) {
        self.senders.watched.store(true, Ordering::Relaxed);
    }

    /// Whether a receiver has announced itself since the last call. The caller holds the lock of
    /// the linda.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        let wanted = self.senders.watched.load(Ordering::Relaxed);
        if wanted {
            self.senders.watched.store(false, Ordering::Relaxed);
        }
        wanted
    }

    /// Hands over the only element of the slot. `bytes` are its detached bytes. The caller holds
    /// the lock of the linda, under which the outbox was empty.
    #[inline]
    pub fn hand_over(&self, value: M, bytes: &[u8]) {
        self.with(|contents| {
            if bytes.is_empty() {
                contents.first = Some(value);
            } else {
                contents.rest.push(value, bytes);
            }
            contents.taken = 0;
        });
    }

    /// Exchanges the elements for those of `values`, if the outbox is empty. The caller holds the
    /// lock of the linda.
    pub fn refill(&self, values: &mut Fifo<M>) {
        self.with(|contents| {
            if contents.first.is_none() && contents.rest.is_empty() {
                std::mem::swap(&mut contents.rest, values);
            }
        });
    }

    /// Moves all elements to the front of `values`. The caller holds the lock of the linda.
    ///
    /// Errors: out of memory, and nothing has been moved.
    pub fn give_back(&self, values: &mut Fifo<M>) -> Result<(), OutOfMemory> {
        if self.len() == 0 {
            return Ok(());
        }
        self.with(|contents| {
            if !contents.rest.is_empty() {
                contents.rest.append(values)?;
                std::mem::swap(&mut contents.rest, values);
            }
            if let Some(first) = contents.first.take() {
                values.put_first(first);
            }
            Ok(())
        })?;
        self.changed();
        Ok(())
    }

    /// Removes and returns the contents.
    pub fn empty(&self) -> Contents<M> {
        self.with(|contents| Contents {
            first: contents.first.take(),
            rest: std::mem::replace(&mut contents.rest, Fifo::new()),
            taken: contents.taken,
        })
    }

    /// Puts whole elements before the first. The caller holds the lock of the linda.
    pub fn put_back(&self, values: Vec<M>) {
        self.with(|contents| {
            if let Some(first) = contents.first.take() {
                contents.rest.put_first(first);
            }
            contents.rest.put_back(values);
        });
    }

    /// Calls `see` with whole copies of the first elements, at most `count`. Unwinds if out of
    /// memory.
    pub fn see_copies(&self, count: usize, see: impl FnMut(M))
    where
        M: Clone,
    {
        if self.len() > 0 && count > 0 {
            self.receivers.contents.lock().see_copies(count, see);
        }
    }

    /// Returns how many elements `take` has removed since the last call. The caller holds the lock
    /// of the linda.
    pub fn count_taken(&self) -> usize {
        std::mem::take(&mut self.receivers.contents.lock().taken)
    }

    /// Tells shortcuts that the slot has changed. The caller holds the lock of the linda.
    #[inline]
    pub fn changed(&self) {
        let changes = self.senders.changes.load(Ordering::Relaxed);
        self.senders
            .changes
            .store(changes.wrapping_add(1), Ordering::Release);
    }

    /// A number that differs after the slot has changed. Needs no lock.
    #[inline]
    pub fn changes(&self) -> u32 {
        self.senders.changes.load(Ordering::Acquire)
    }
}

impl<M: Element> Contents<M> {
    /// Calls `see` with whole copies of the first elements, at most `count`, which is at least 1.
    /// Unwinds if out of memory.
    pub fn see_copies(&self, count: usize, mut see: impl FnMut(M))
    where
        M: Clone,
    {
        let first = self.first.clone();
        let rest = count - usize::from(first.is_some());
        first.into_iter().for_each(&mut see);
        self.rest.see_copies(rest, see);
    }
}
