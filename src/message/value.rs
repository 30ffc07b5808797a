//! What messages are made of: one value, several in one transfer, and what they refer to.

use super::deep::Deep;
use super::format;
use crate::lua::Text;
use std::sync::Arc;

/// How many bytes a message holds inline: enough for a number, a boolean or a short string.
pub(super) const INLINE_BYTES: usize = 30;

/// An object outside of the buffer, which a message refers to by number and keeps alive.
#[derive(Clone)]
pub(super) enum Ref {
    /// A linda, or another object that states share.
    Deep(Arc<dyn Deep>),
    /// A metatable or a module's table, by identity, with the contents for states that lack it.
    Metatable(Arc<Metatable>),
    /// The block of a cloned userdata.
    Block(Block),
}

/// The block of a cloned userdata. Whatever it points to belongs to the message until the block is
/// moved into a userdata.
#[derive(Clone)]
pub(super) struct Block {
    /// The contents, in units that align them as Lua aligns userdata.
    pub(super) words: Arc<Vec<u64>>,
    /// The length in bytes.
    pub(super) len: usize,
    /// The mark of the metatable that the block is for: no userdata with another one gets it.
    pub(super) mark: u64,
}

/// A metatable, or the table of a module, as it travels.
pub(super) struct Metatable {
    /// Its number, unique in the process.
    pub(super) identity: u64,
    /// Its contents, as one table. If it is `named`, its name comes first, and the contents follow
    /// only if a copy can be made.
    pub(super) contents: Full,
    /// States look it up by name first.
    pub(super) named: bool,
    /// Why a copy cannot be made.
    pub(super) reason: Option<Text>,
}

/// Encoded values with their references.
pub(super) struct Full {
    /// The values, in the format of `format.rs`.
    pub(super) bytes: Vec<u8>,
    /// What the bytes refer to by number.
    pub(super) refs: Vec<Ref>,
    /// How many values there are.
    pub(super) values: u32,
}

/// Several values that were sent together and share objects, in one buffer.
pub(super) struct ValueGroup {
    /// The values.
    pub(super) full: Full,
    /// Where each value begins, and the number of its first object. Empty if the values are not
    /// separable: they are read all together.
    pub(super) starts: Vec<(usize, u32)>,
    /// The objects that are referred to, in the order of their numbers.
    pub(super) spans: Vec<Span>,
}

/// Where an object is in a buffer.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    /// The number of the object.
    pub(super) number: u32,
    /// The number of the first object behind it and its contents.
    pub(super) next: u32,
    /// The position of its tag.
    pub(super) at: usize,
    /// The position behind its contents.
    pub(super) end: usize,
}

/// One captured value; cheap to clone.
#[derive(Clone)]
pub struct Message(pub(super) Body);

/// The forms of a message.
#[derive(Clone)]
pub(super) enum Body {
    /// A short value.
    Inline {
        /// How many of the bytes are in use.
        len: u8,
        /// The value.
        bytes: [u8; INLINE_BYTES],
    },
    /// A string of moderate length: its text, without a tag.
    Text(Arc<[u8]>),
    /// A value without references.
    Plain(Arc<[u8]>),
    /// As `Text`, but detached: the owner of the message keeps its bytes, of this number.
    TextDetached(u32),
    /// As `Plain`, but detached: the owner of the message keeps its bytes, of this number.
    PlainDetached(u32),
    /// A value with references, or a large one.
    Full(Arc<Full>),
    /// A value of a group, by its number from 0.
    Grouped(Arc<ValueGroup>, u32),
}

/// Several captured values that share objects: arguments, results, a function with its upvalues.
pub struct Packet(pub(super) Full);

impl Message {
    /// The captured nil.
    pub fn nil() -> Message {
        Message::inline(&[format::NIL])
    }

    /// A captured float.
    pub fn float(value: f64) -> Message {
        Message::word(format::FLOAT, value.to_bits())
    }

    /// How many bytes of the message are detached; 0 if it holds all of them itself.
    #[inline]
    pub fn detached(&self) -> usize {
        match self.0 {
            Body::TextDetached(len) | Body::PlainDetached(len) => len as usize,
            _ => 0,
        }
    }

    /// The message with its detached bytes, `bytes`, inside. Allocates as many bytes and 16 more:
    /// the caller makes sure that there is memory for them.
    pub fn attach(self, bytes: &[u8]) -> Message {
        match self.0 {
            Body::TextDetached(_) => Message(Body::Text(bytes.into())),
            Body::PlainDetached(_) => Message(Body::Plain(bytes.into())),
            body => Message(body),
        }
    }

    /// A message that holds `contents`, at most [`INLINE_BYTES`], inline.
    #[inline]
    pub(super) fn inline(contents: &[u8]) -> Message {
        let mut bytes = [0; INLINE_BYTES];
        bytes[..contents.len()].copy_from_slice(contents);
        Message(Body::Inline {
            len: contents.len() as u8,
            bytes,
        })
    }

    /// A message of a tag and a number of eight bytes.
    #[inline]
    pub(super) fn word(tag: u8, value: u64) -> Message {
        let mut bytes = [tag; 9];
        bytes[1..].copy_from_slice(&value.to_le_bytes());
        Message::inline(&bytes)
    }
}
