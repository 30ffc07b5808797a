//! Messages: Lua values captured outside of any state, as one flat buffer and a list of counted references.
//!
//! [`encode`] takes values from a state, [`decode`] builds them in another. Within one message every table, function
//! and userdata keeps its identity. A message owns no Lua object, so it can wait in a queue and be dropped anywhere.

mod buffer;
mod build;
mod classes;
mod decode;
mod decoder;
mod deep;
mod encode;
mod encoder;
mod failure;
mod few;
mod format;
mod found;
mod joint;
mod local;
mod metatables;
#[cfg(feature = "hooks")]
mod mutate;
mod names;
mod naming;
mod objects;
mod path;
mod reader;
mod userdata;
mod walk;

pub use decode::{
    decode, decode_apart, decode_one, decode_packet, decode_packet_kept, decode_possible,
};
pub use deep::{Deep, KindId, Proxy, push_proxy, push_proxy_raising};
pub use encode::{Destination, capture, encode_each, encode_one, encode_packet};
pub use failure::Label;
pub use local::{KEYS, Local};
#[cfg(feature = "hooks")]
pub use mutate::decode_mutated;
pub use names::{name_as, register};

use joint::Joint;
use metatables::Metatable;
use std::sync::Arc;

/// Bytes that a message holds by itself: a number, a boolean or a short string.
const INLINE: usize = 30;

/// Bytes up to which they may be kept apart from the message: beyond, copying them costs more than an allocation.
const APART: usize = 4096;

/// Something that a message refers to and keeps alive.
#[derive(Clone)]
enum Ref {
    /// A linda, or another object that states share.
    Deep(Arc<dyn Deep>),
    /// A metatable, by identity, with the contents for states that do not have it yet.
    Metatable(Arc<Metatable>),
    /// The block of a clone, in units that align it as Lua aligns userdata, its length in bytes, and the mark of the metatable that
    /// it is for: no other gets it. Whatever it points to belongs to the message until the block is moved into a userdata.
    Block(Arc<Vec<u64>>, usize, u64),
}

/// A buffer with references.
struct Full {
    bytes: Vec<u8>,
    refs: Vec<Ref>,
    /// How many values are in it.
    values: u32,
}

/// One captured value; cheap to clone.
#[derive(Clone)]
pub struct Message(Body);

#[derive(Clone)]
enum Body {
    /// A short value.
    Small { len: u8, bytes: [u8; INLINE] },
    /// A string of moderate length.
    Text(Arc<[u8]>),
    /// A value without references.
    Plain(Arc<[u8]>),
    /// A string whose bytes, that many, are kept by whoever has the message.
    TextApart(u32),
    /// A value without references whose bytes are kept by whoever has the message.
    PlainApart(u32),
    /// A value with references, or a large one.
    Full(Arc<Full>),
    /// Value number `.1` (from 0) of several that were sent together and share objects.
    Joint(Arc<Joint>, u32),
}

/// A value that was captured for a message, before it is decided where its bytes go.
pub enum Captured<'a> {
    /// A message that is whole.
    Whole(Message),
    /// A message and the bytes that are apart from it, still where they were found.
    Apart(Message, &'a [u8]),
}

/// Several captured values that share objects: arguments, results, a function with its upvalues.
pub struct Packet(Full);

impl Message {
    /// The captured nil.
    pub fn nil() -> Message {
        Message::small(&[format::NIL])
    }

    /// A captured float.
    pub fn float(value: f64) -> Message {
        let mut bytes = [format::FLOAT; 9];
        bytes[1..].copy_from_slice(&value.to_le_bytes());
        Message::small(&bytes)
    }

    /// How many bytes are apart from the message; none if it is whole.
    #[inline]
    pub fn apart(&self) -> usize {
        match self.0 {
            Body::TextApart(len) | Body::PlainApart(len) => len as usize,
            _ => 0,
        }
    }

    /// The message, whole, with the bytes that were apart from it.
    pub fn whole(self, bytes: &[u8]) -> Message {
        match self.0 {
            Body::TextApart(_) => Message(Body::Text(bytes.into())),
            Body::PlainApart(_) => Message(Body::Plain(bytes.into())),
            body => Message(body),
        }
    }

    /// A message of at most [`INLINE`] bytes.
    #[inline]
    fn small(contents: &[u8]) -> Message {
        let mut bytes = [0; INLINE];
        bytes[..contents.len()].copy_from_slice(contents);
        Message(Body::Small {
            len: contents.len() as u8,
            bytes,
        })
    }
}
