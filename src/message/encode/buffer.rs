//! The bytes of a message while they are written. A message can be large, so running out of memory
//! is an ordinary error: the buffer then leaves out what does not fit and says so at the end.

use crate::lua::{Kind, Sink, State};
use crate::message::format;
use std::ops::{Deref, DerefMut};
use std::os::raw::c_int;

/// A cleared buffer keeps its memory up to this number of bytes.
const KEPT_BYTES: usize = 1 << 20;

/// Up to this number of bytes, the contents are copied out, and the buffer keeps its memory.
const COPIED_BYTES: usize = 1 << 16;

/// The bytes of a message.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Something was left out.
    incomplete: bool,
}

impl Buffer {
    /// Appends one byte, such as a tag.
    #[inline]
    pub(super) fn tag(&mut self, tag: u8) {
        self.extend(&[tag]);
    }

    /// Appends bytes.
    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if self.has_room(bytes.len()) {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Appends a tag and a number of eight bytes.
    #[inline]
    pub(super) fn word(&mut self, tag: u8, value: u64) {
        let mut bytes = [tag; 9];
        bytes[1..].copy_from_slice(&value.to_le_bytes());
        self.extend(&bytes);
    }

    /// Appends a number of four bytes.
    #[inline]
    pub(super) fn u32(&mut self, value: u32) {
        self.extend(&value.to_le_bytes());
    }

    /// Replaces the number of four bytes at position `at`.
    #[inline]
    pub(super) fn patch(&mut self, at: usize, value: u32) {
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&value.to_le_bytes());
        }
    }

    /// Appends a string as a value.
    #[inline]
    pub(super) fn string(&mut self, bytes: &[u8]) {
        if bytes.len() <= 255 {
            self.extend(&[format::SHORT, bytes.len() as u8]);
        } else {
            self.word(format::LONG, bytes.len() as u64);
        }
        self.extend(bytes);
    }

    /// Appends the value at `index`, of type `kind`, if it is a scalar; otherwise returns false.
    #[inline]
    pub(super) fn scalar(&mut self, state: State, index: c_int, kind: Kind) -> bool {
        match kind {
            Kind::Nil | Kind::None => self.tag(format::NIL),
            Kind::Boolean => self.tag(if state.truth(index) {
                format::TRUE
            } else {
                format::FALSE
            }),
            Kind::Number => {
                if state.is_integer(index) {
                    self.word(format::INTEGER, state.integer(index) as u64);
                } else {
                    self.word(format::FLOAT, state.number(index).to_bits());
                }
            }
            Kind::String => self.string(state.string(index)),
            Kind::Light => self.word(format::LIGHT, state.userdata(index) as u64),
            _ => return false,
        }
        true
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

    /// Whether something was left out because memory ran out.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Empties the buffer, which keeps its memory unless it is large.
    pub(super) fn clear(&mut self) {
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.incomplete = false;
    }

    /// The contents; `None` if something was left out.
    pub(super) fn into_bytes(self) -> Option<Vec<u8>> {
        (!self.incomplete).then_some(self.bytes)
    }

    /// The contents as a list of their own; those of a large buffer are taken out.
    pub(super) fn contents(&mut self) -> Vec<u8> {
        if self.bytes.len() > COPIED_BYTES {
            std::mem::take(&mut self.bytes)
        } else {
            self.bytes.clone()
        }
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
        self.extend(bytes);
    }
}
