//! The receivers' side of a slot: elements that were taken over in one go, or handed to a receiver that spins, so that taking the next one
//! needs no lock that senders use; and what a receiver watches while it spins.
//!
//! Invariants: `len` grows only under the lock of the linda, and shrinks only under the lock of `taken`; so who holds the linda's lock and
//! reads zero knows that it stays zero. What is here comes before what is in the slot itself.

use super::Element;
use super::fifo::Fifo;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex, junction};
use crossbeam_utils::CachePadded;
use std::cell::Cell;

pub struct Side<M> {
    receivers: CachePadded<Receivers<M>>,
    senders: CachePadded<Senders>,
}

/// What receivers write, on cache lines of its own.
#[repr(C)]
struct Receivers<M> {
    /// Elements in `taken`.
    len: AtomicUsize,
    taken: Mutex<Taken<M>>,
}

#[repr(C)]
struct Taken<M> {
    /// The first element, if it was handed over alone: beside the lock, so that it travels with it.
    first: Option<M>,
    rest: Fifo<M>,
    /// Elements that `take` has removed since the slot last counted them.
    removed: usize,
}

/// What senders write, on a cache line of its own.
struct Senders {
    /// Goes on whenever the slot itself changes.
    changes: AtomicU32,
    /// A receiver spins, or did so last: the next element is for this side.
    watched: AtomicBool,
}

/// Where a receiver found elements of a slot last. It stays valid when the slot is gone: then it leads to nothing, and nobody sees it otherwise.
pub struct Shortcut<M> {
    side: Arc<Side<M>>,
    /// The number of changes at which nothing was in the slot but what was here.
    seen: Cell<u32>,
}

/// What there is under a shortcut.
pub enum Found<M> {
    Element(M),
    /// The slot has none.
    Nothing,
    /// Look into the slot.
    Unknown,
}

impl<M> Clone for Shortcut<M> {
    fn clone(&self) -> Self {
        Shortcut {
            side: Arc::clone(&self.side),
            seen: self.seen.clone(),
        }
    }
}

impl<M: Element> Shortcut<M> {
    /// To this side, which nobody has seen without elements in the slot.
    pub(super) fn new(side: &Arc<Side<M>>) -> Shortcut<M> {
        Shortcut {
            side: Arc::clone(side),
            seen: Cell::new(side.changes().wrapping_sub(1)),
        }
    }

    pub(super) fn leads_to(&self, side: &Arc<Side<M>>) -> bool {
        Arc::ptr_eq(&self.side, side)
    }

    /// The slot has nothing but what is here. The caller holds the lock of the linda.
    pub(super) fn saw_the_end(&self) {
        self.seen.set(self.side.changes());
    }

    #[inline]
    pub(super) fn take(&self, out: &mut Vec<u8>) -> Found<M> {
        if let Some(value) = self.side.take(out) {
            return Found::Element(value);
        }
        junction(64);
        if self.side.changes() == self.seen.get() {
            Found::Nothing
        } else {
            Found::Unknown
        }
    }

    /// Announces a receiver that spins.
    pub(super) fn watch(&self) {
        self.side.senders.watched.store(true, Ordering::Relaxed);
    }

    /// Whether `take` might not answer that there is nothing.
    #[inline]
    pub(super) fn is_promising(&self) -> bool {
        self.side.len() > 0 || self.side.changes() != self.seen.get()
    }
}

impl<M: Element> Side<M> {
    pub fn new() -> Arc<Side<M>> {
        Arc::new(Side {
            receivers: CachePadded::new(Receivers {
                len: AtomicUsize::new(0),
                taken: Mutex::new(Taken {
                    first: None,
                    rest: Fifo::new(),
                    removed: 0,
                }),
            }),
            senders: CachePadded::new(Senders {
                changes: AtomicU32::new(0),
                watched: AtomicBool::new(false),
            }),
        })
    }

    /// How many elements it has; under the lock of the linda it cannot grow.
    #[inline]
    pub fn len(&self) -> usize {
        self.receivers.len.load(Ordering::Acquire)
    }

    /// Works on the elements, and puts their number on record.
    #[inline]
    fn with<R>(&self, work: impl FnOnce(&mut Taken<M>) -> R) -> R {
        let mut taken = self.receivers.taken.lock();
        let result = work(&mut taken);
        junction(64);
        let len = taken.rest.len() + usize::from(taken.first.is_some());
        self.receivers.len.store(len, Ordering::Release);
        result
    }

    /// Takes the first element. Bytes that are apart from it replace the contents of `out`.
    #[inline]
    pub fn take(&self, out: &mut Vec<u8>) -> Option<M> {
        if self.len() == 0 {
            return None;
        }
        self.with(|taken| {
            let value = taken.first.take().or_else(|| taken.rest.pop(out))?;
            taken.removed += 1;
            Some(value)
        })
    }

    /// Whether a receiver wants the next element here, which is asked once. The caller holds the lock of the linda.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        let wanted = self.senders.watched.load(Ordering::Relaxed);
        if wanted {
            self.senders.watched.store(false, Ordering::Relaxed);
        }
        wanted
    }

    /// Hands over the only element. The caller holds the lock of the linda, under which the side was empty.
    #[inline]
    pub fn put(&self, value: M) {
        self.with(|taken| {
            taken.first = Some(value);
            taken.removed = 0;
        });
    }

    /// As `put`, with an element and the bytes that are apart from it.
    #[inline]
    pub fn put_apart(&self, value: M, bytes: &[u8]) {
        self.with(|taken| {
            taken.rest.push_apart(value, bytes);
            taken.removed = 0;
        });
    }

    /// Exchanges the elements for those of `values`, if it has none. The caller holds the lock of the linda.
    pub fn refill(&self, values: &mut Fifo<M>) {
        self.with(|taken| {
            if taken.first.is_none() && taken.rest.is_empty() {
                std::mem::swap(&mut taken.rest, values);
            }
        });
    }

    /// Gives all elements back to the front of `values`. The caller holds the lock of the linda.
    pub fn give_back(&self, values: &mut Fifo<M>) {
        if self.len() == 0 {
            return;
        }
        self.with(|taken| {
            if !taken.rest.is_empty() {
                taken.rest.append(values);
                std::mem::swap(&mut taken.rest, values);
            }
            if let Some(first) = taken.first.take() {
                values.put_first(first);
            }
        });
        self.changed();
    }

    /// Takes all elements out: the first, if it was handed over alone, and the others.
    pub fn empty(&self) -> (Option<M>, Fifo<M>) {
        self.with(|taken| {
            let rest = std::mem::replace(&mut taken.rest, Fifo::new());
            (taken.first.take(), rest)
        })
    }

    /// Puts whole elements before the first, of which there is one. The caller holds the lock of the linda.
    pub fn put_back(&self, values: Vec<M>) {
        self.with(|taken| {
            if let Some(first) = taken.first.take() {
                taken.rest.put_first(first);
            }
            taken.rest.put_back(values);
        });
    }

    /// Whole copies of the first elements, at most `count`, are given to `see`.
    pub fn look(&self, count: usize, mut see: impl FnMut(M))
    where
        M: Clone,
    {
        if self.len() > 0 && count > 0 {
            let taken = self.receivers.taken.lock();
            let first = taken.first.clone();
            let rest = count - usize::from(first.is_some());
            first.into_iter().for_each(&mut see);
            taken.rest.look(rest, see);
        }
    }

    /// Answers how many elements `take` has removed since the last call. The caller holds the lock of the linda.
    pub fn count_removed(&self) -> usize {
        std::mem::take(&mut self.receivers.taken.lock().removed)
    }

    /// The slot itself has changed. The caller holds the lock of the linda.
    #[inline]
    pub fn changed(&self) {
        let changes = self.senders.changes.load(Ordering::Relaxed);
        self.senders
            .changes
            .store(changes.wrapping_add(1), Ordering::Release);
    }

    /// A number that differs after the slot itself has changed.
    #[inline]
    pub fn changes(&self) -> u32 {
        self.senders.changes.load(Ordering::Acquire)
    }
}
