//! What slots hold, and what one send adds.

/// What slots hold. A part of an element may be detached from it: bytes that lie in one buffer with
/// those of other elements.
pub trait Element: Sized {
    /// How many bytes are detached from the element; 0 if it is whole.
    fn detached(&self) -> usize {
        0
    }

    /// The whole element. `bytes` are its detached bytes.
    fn attach(self, bytes: &[u8]) -> Self {
        let _ = bytes;
        self
    }
}

/// The whole element. `bytes` are its detached bytes, and are not read if it has none.
#[inline]
pub fn attached<M: Element>(value: M, bytes: &[u8]) -> M {
    if value.detached() > 0 {
        value.attach(bytes)
    } else {
        value
    }
}

/// What tests and models put into queues.
#[cfg(any(test, loom))]
impl Element for u32 {}

/// What one send adds, all or nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Values<M> {
    /// One element, whose bytes may be detached.
    One(M),
    /// Whole elements.
    Many(Vec<M>),
}

impl<M: Element> Values<M> {
    /// How many elements there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Values::One(_) => 1,
            Values::Many(values) => values.len(),
        }
    }

    /// The same elements, whole. `bytes` are the detached bytes of the only one.
    pub(super) fn attach(self, bytes: &[u8]) -> Values<M> {
        match self {
            Values::One(value) => Values::One(attached(value, bytes)),
            values => values,
        }
    }
}
