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

/// Where an element goes that is removed from a slot. It is written once, where its receiver wants
/// it: each function that returned it would move it, and the processor waits when bytes that were
/// just written in small parts are read in large ones.
pub struct Received<'a, M> {
    /// None before an element has come.
    pub element: Option<M>,
    /// Its detached bytes, if it has any, replace the contents.
    pub bytes: &'a mut Vec<u8>,
}

impl<'a, M: Element> Received<'a, M> {
    /// Nothing yet.
    pub fn new(bytes: &'a mut Vec<u8>) -> Received<'a, M> {
        Received {
            element: None,
            bytes,
        }
    }

    /// The element, whole, if one has come.
    pub fn whole(self) -> Option<M> {
        Some(attached(self.element?, self.bytes))
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
