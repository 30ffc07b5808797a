//! Restrictions of slots: a slot can be kept to `set` and `get`, or to `send` and `receive`
//! (docs/manual/v4.md#lindas). They hold for calls that begin later; one that waits goes on.

use super::key::{Key, KeyRef};
use hashbrown::Equivalent;
use lanes_engine::memory::grow;
use lanes_engine::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Which operations a slot is restricted to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restriction {
    /// Any.
    None,
    /// `set` and `get`.
    SetGet,
    /// `send` and `receive`.
    SendReceive,
}

impl Restriction {
    /// Its name in programs.
    pub fn name(self) -> &'static str {
        match self {
            Restriction::None => "none",
            Restriction::SetGet => "set/get",
            Restriction::SendReceive => "send/receive",
        }
    }

    /// The one with this name.
    pub fn named(name: &[u8]) -> Option<Restriction> {
        [
            Restriction::None,
            Restriction::SetGet,
            Restriction::SendReceive,
        ]
        .into_iter()
        .find(|restriction| restriction.name().as_bytes() == name)
    }
}

/// The restrictions of the slots of one linda.
#[derive(Default)]
pub struct Restrictions {
    /// Whether there has ever been one.
    any: AtomicBool,
    restricted: Mutex<Vec<(Key, Restriction)>>,
}

impl Restrictions {
    /// Whether there has ever been one.
    #[inline]
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// That of one slot.
    #[inline]
    pub fn of(&self, key: &KeyRef) -> Restriction {
        if self.any() {
            let restricted = self.restricted.lock();
            let found = restricted.iter().find(|entry| key.equivalent(&entry.0));
            return found.map_or(Restriction::None, |entry| entry.1);
        }
        Restriction::None
    }

    /// Sets that of one slot, and returns the previous one. Unwinds if out of memory.
    pub fn set(&self, key: &KeyRef, restriction: Restriction) -> Restriction {
        let owned = key.to_key();
        let mut restricted = self.restricted.lock();
        if let Some(at) = restricted.iter().position(|entry| key.equivalent(&entry.0)) {
            if restriction != Restriction::None {
                return std::mem::replace(&mut restricted[at].1, restriction);
            }
            let (key, before) = restricted.swap_remove(at);
            // The key may be an object, which must not be dropped under the lock.
            drop(restricted);
            drop(key);
            return before;
        }
        if restriction != Restriction::None {
            grow::room(&mut *restricted, 1);
            restricted.push((owned, restriction));
            self.any.store(true, Ordering::Release);
        }
        Restriction::None
    }
}
