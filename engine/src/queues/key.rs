//! Keys of slots, as callers have them.

use crate::memory::grow::OutOfMemory;
use hashbrown::Equivalent;
use std::hash::Hash;

/// A key that is looked up by reference: `K` is the owned key, which is made only when a slot is
/// made. The key of a slot that is removed is dropped without the lock of the linda. Borrowed keys
/// that are equivalent to the same owned key have the same hash.
pub trait BorrowedKey<K>: Hash + Equivalent<K> {
    /// Makes the owned key.
    ///
    /// Errors: out of memory.
    fn make_key(&self) -> Result<K, OutOfMemory>;

    /// A small number that is cheap to compute and often differs for different keys. Equivalent
    /// keys have the same.
    fn hint(&self) -> usize {
        0
    }
}
