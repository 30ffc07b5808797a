//! The synchronisation primitives of the engine: those of std, or loom's in the models (`--cfg
//! loom`).

#[cfg(loom)]
use loom::sync as imp;
#[cfg(not(loom))]
use std::sync as imp;

#[cfg(loom)]
pub use loom::thread;
#[cfg(not(loom))]
pub use std::thread;

#[cfg(all(feature = "hooks", not(loom)))]
mod delay;

use std::sync::PoisonError;

pub use imp::atomic;
pub use imp::{Arc, MutexGuard};

/// A point at which another thread may come first. Test builds delay the calling thread here, once
/// in `rarity` times on average, if `LANES_DELAYS` is set (`delay`).
#[inline(always)]
pub fn race_point(rarity: u64) {
    #[cfg(all(feature = "hooks", not(loom)))]
    delay::at_random(rarity);
    let _ = rarity;
}

/// A mutual exclusion lock without poisoning: what it protects is kept consistent at every point
/// that can panic.
pub struct Mutex<T>(imp::Mutex<T>);

#[cfg(not(loom))]
impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T> Mutex<T> {
    #[cfg(not(loom))]
    pub const fn new(value: T) -> Self {
        Mutex(imp::Mutex::new(value))
    }

    #[cfg(loom)]
    pub fn new(value: T) -> Self {
        Mutex(imp::Mutex::new(value))
    }

    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        race_point(64);
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
