//! A seal: ends the time in which a list may be added to, without a lock if nothing has been added.

use super::atomic::{AtomicU8, Ordering};

/// Nothing has been added.
const NONE: u8 = 0;
/// Something has been added.
const SOME: u8 = 1;
/// Nothing can be added, and nothing has been.
const SEALED: u8 = 2;
/// Nothing can be added, and something has been.
const SEALED_SOME: u8 = 3;

/// Belongs to a list that has a lock. `admit` is called under this lock, and if it returns true the
/// element is added before the lock is released. Whoever takes the list calls `seal` first, and
/// locks the list only if that returns true: it then has all that was admitted.
pub struct Seal(AtomicU8);

impl Seal {
    /// Not sealed, and nothing has been added.
    pub fn new() -> Seal {
        Seal(AtomicU8::new(NONE))
    }

    /// Whether an element may be added. If so it has to be.
    pub fn admit(&self) -> bool {
        let admitted = self
            .0
            .compare_exchange(NONE, SOME, Ordering::AcqRel, Ordering::Acquire);
        !admitted.is_err_and(|state| state != SOME)
    }

    /// Admits nothing from now on. Returns whether anything has been admitted.
    #[inline]
    pub fn seal(&self) -> bool {
        let sealed = |state| (state < SEALED).then_some(state + SEALED);
        let before = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, sealed)
            .unwrap_or_else(|state| state);
        before == SOME || before == SEALED_SOME
    }
}

impl Default for Seal {
    fn default() -> Seal {
        Seal::new()
    }
}
