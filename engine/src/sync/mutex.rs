//! The lock of the engine.

use super::imp;
use super::race::race_point;
use std::sync::PoisonError;

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

    /// Whether somebody has the lock.
    #[cfg(all(test, not(loom)))]
    pub fn is_locked(&self) -> bool {
        self.0.try_lock().is_err()
    }

    #[inline]
    pub fn lock(&self) -> imp::MutexGuard<'_, T> {
        race_point(64);
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
