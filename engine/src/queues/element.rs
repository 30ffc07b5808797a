//! What goes into queues and comes out of them: keys, elements, lists of values, and pictures of slots.

use hashbrown::Equivalent;
use std::hash::Hash;

/// A key that is asked for, perhaps borrowed; becomes a key of its own only where a slot is made. Probes that are equivalent to the same key
/// have the same hash.
pub trait Probe<K>: Hash + Equivalent<K> {
    fn to_key(&self) -> K;

    /// A small number, quickly told, that is often another one for another key. Equivalent probes have the same.
    fn hint(&self) -> usize {
        0
    }
}

/// What slots hold. An element may be in two pieces: itself, and bytes that lie beside those of other elements.
pub trait Element: Sized {
    /// How many bytes are apart from it; none if it is whole.
    fn apart(&self) -> usize {
        0
    }

    /// The element, whole, with the bytes that were apart from it.
    fn whole(self, bytes: &[u8]) -> Self {
        let _ = bytes;
        self
    }
}

/// What tests and models put into queues.
#[cfg(any(test, loom))]
impl Element for u32 {}

/// What one send adds, all or nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Values<M> {
    One(M),
    Many(Vec<M>),
}

impl<M> Values<M> {
    pub(super) fn len(&self) -> usize {
        match self {
            Values::One(_) => 1,
            Values::Many(values) => values.len(),
        }
    }
}

/// The linda is cancelled, for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LindaCancelled;

/// Whom to wake when a linda is cancelled; `None` takes the cancellation back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    None,
    Read,
    Write,
    Both,
}

/// A picture of one slot.
#[derive(Debug, PartialEq, Eq)]
pub struct Dump<M> {
    /// Index of the first element: 1 in a new, emptied or set slot, one more for each element removed since.
    pub first: usize,
    pub count: usize,
    pub limit: Option<usize>,
    pub values: Vec<M>,
}
