//! The bytes of a message while they are written. Where there is no memory for more, what comes is left out and the buffer says so
//! in the end, because a message can be large and lack of memory is an error like others.

use crate::lua::Sink;
use std::ops::{Deref, DerefMut};

#[derive(Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    /// Something was left out.
    incomplete: bool,
}

impl Buffer {
    #[inline]
    pub fn push(&mut self, byte: u8) {
        self.extend_from_slice(&[byte]);
    }

    #[inline]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        if self.has_room(bytes.len()) {
            self.bytes.extend_from_slice(bytes);
        }
    }

    #[inline]
    fn has_room(&mut self, count: usize) -> bool {
        self.bytes.capacity() - self.bytes.len() >= count || self.grow(count)
    }

    #[cold]
    fn grow(&mut self, count: usize) -> bool {
        self.incomplete = self.incomplete || self.bytes.try_reserve(count).is_err();
        !self.incomplete
    }

    /// Whether something was left out for lack of memory.
    pub fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Empties the buffer. What it has of memory it keeps, unless that is much.
    pub fn clear(&mut self) {
        if self.bytes.capacity() > 1 << 20 {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.incomplete = false;
    }

    /// Takes the contents out.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

impl Deref for Buffer {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Sink for Buffer {
    fn write(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
