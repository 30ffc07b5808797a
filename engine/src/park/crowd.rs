//! A crowd: threads that only wake each other. It is noticed when all of them sleep without a
//! deadline, since then nobody is left to wake anybody.
//!
//! Whoever falls asleep last looks at all others. That finds every such moment: the counter reaches
//! zero with the last one, and all others have said before that they sleep. It finds no other: a
//! thread says that it falls asleep (`falls`) after all that it did for others, so if `falls` has
//! not changed while the others were looked at, and each of them slept and had no token, nobody did
//! anything since the look began.

use super::waiter::Waiter;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// Counts of its members.
pub struct Crowd {
    /// Members that do not sleep, or sleep until a deadline.
    awake: AtomicUsize,
    /// How often a member has fallen asleep.
    falls: AtomicUsize,
}

impl Crowd {
    /// A crowd of one member, which is awake.
    pub fn new() -> Crowd {
        Crowd {
            awake: AtomicUsize::new(1),
            falls: AtomicUsize::new(0),
        }
    }

    /// One more member, which is awake. Called by a member that is.
    pub fn enter(&self) {
        self.awake.fetch_add(1, Ordering::SeqCst);
    }

    /// The calling member leaves. Returns whether all others may be asleep.
    pub fn leave(&self) -> bool {
        self.awake.fetch_sub(1, Ordering::SeqCst) == 1
    }

    /// The calling member, which has this waiter, is about to park without a deadline. `wakes` must
    /// follow. Returns whether all may be asleep.
    pub fn falls_asleep(&self, waiter: &Waiter) -> bool {
        self.falls.fetch_add(1, Ordering::SeqCst);
        waiter.set_asleep(true);
        self.awake.fetch_sub(1, Ordering::SeqCst) == 1
    }

    /// The member has woken. Its waiter said so before the token was taken that woke it.
    pub fn wakes(&self, waiter: &Waiter) {
        waiter.set_asleep(false);
        self.awake.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether all members sleep for ever, according to `all_asleep`, which looks at
    /// `Waiter::is_asleep` of each.
    pub fn is_still(&self, all_asleep: impl FnOnce() -> bool) -> bool {
        let before = self.falls.load(Ordering::SeqCst);
        all_asleep() && self.falls.load(Ordering::SeqCst) == before
    }
}
