//! What one state reuses from transfer to transfer: encoders, decoders and a buffer.

use super::cache::TransferCache;
use super::decode::decoder::Decoder;
use super::encode::encoder::Encoder;
use std::cell::{Cell, RefCell};

/// What one state has for its transfers: what it knows, and coders to reuse.
pub struct Coders {
    /// What the state knows.
    pub cache: TransferCache,
    encoders: Pool<Encoder>,
    decoders: Pool<Decoder>,
    scratch: Cell<Vec<u8>>,
    last_value: Cell<usize>,
}

/// Values to reuse. They are boxed, so taking one out and putting it back moves a pointer.
#[derive(Default)]
struct Pool<T>(RefCell<Vec<Box<T>>>);

impl<T: Default> Pool<T> {
    #[inline]
    fn take(&self) -> Box<T> {
        self.0.borrow_mut().pop().unwrap_or_default()
    }

    #[inline]
    fn give(&self, value: Box<T>) {
        self.0.borrow_mut().push(value);
    }
}

/// A buffer that is given back for the next transfer when it is dropped.
pub struct Scratch<'a> {
    coders: &'a Coders,
    /// Its contents.
    pub bytes: Vec<u8>,
}

impl Drop for Scratch<'_> {
    #[inline]
    fn drop(&mut self) {
        self.coders.scratch.set(std::mem::take(&mut self.bytes));
    }
}

impl Coders {
    /// The coders of a state that error messages call `name`.
    pub fn new(name: &str) -> Coders {
        Coders {
            cache: TransferCache::new(name),
            encoders: Pool::default(),
            decoders: Pool::default(),
            scratch: Cell::default(),
            last_value: Cell::default(),
        }
    }

    /// A buffer, with the contents of its last use, that no other call gets until it is dropped.
    #[inline]
    pub fn scratch(&self) -> Scratch<'_> {
        Scratch {
            coders: self,
            bytes: self.scratch.take(),
        }
    }

    /// Which value (from 0) of its transfer the last encoding was at when it ended.
    pub fn last_value(&self) -> usize {
        self.last_value.get()
    }

    pub(super) fn take_encoder(&self) -> Box<Encoder> {
        self.encoders.take()
    }

    pub(super) fn give_encoder(&self, mut encoder: Box<Encoder>) {
        self.last_value.set(encoder.value);
        encoder.reset();
        self.encoders.give(encoder);
    }

    pub(super) fn take_decoder(&self) -> Box<Decoder> {
        self.decoders.take()
    }

    pub(super) fn give_decoder(&self, mut decoder: Box<Decoder>) {
        decoder.reset();
        self.decoders.give(decoder);
    }
}
