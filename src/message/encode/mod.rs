//! Encoding: from values on a state's stack to messages.
//!
//! Scalars are captured directly. Everything else is walked inside `protect`, where nothing may be
//! owned: what the walk owns is in an `Encoder` that belongs to a frame outside.
//!
//! Outside of `protect` a call that runs out of memory unwinds, inside it raises.

mod buffer;
mod convert;
pub(super) mod encoder;
mod group;
mod metatables;
mod modules;
mod names;
mod objects;
mod small_map;
mod userdata;
mod walk;

pub use convert::keep_unconverted;
use encoder::Encoder;

use super::cache::{Destination, Transfer};
use super::failure::Label;
use super::format;
use super::pools::Coders;
use super::value::{Body, Full, INLINE_BYTES, Message, Packet, Ref};
use crate::lua::sentinels::NULL;
use crate::lua::{Kind, Raise, State, protect_with};
use buffer::Buffer;
use lanes_engine::memory::grow::{collect, copy, demand, list, shared};
use std::os::raw::c_int;
use std::sync::Arc;

/// Up to this number of bytes they may be detached from a message. Copying more costs more than an
/// allocation.
const DETACHED_BYTES: usize = 4096;

/// A message of more bytes than this keeps them where they were written, without another copy.
const COPIED_BYTES: usize = 1 << 16;

/// Captures a value that needs no walk; `None` for other values.
#[inline]
fn scalar(state: State, index: c_int) -> Option<Message> {
    match state.kind(index) {
        Kind::String => {
            let text = state.string(index);
            Some(short_string(text).unwrap_or_else(|| string(text)))
        }
        kind => plain_scalar(state, index, kind),
    }
}

/// Captures a value of type `kind` that needs no walk and is no string; `None` for other values.
#[inline]
fn plain_scalar(state: State, index: c_int, kind: Kind) -> Option<Message> {
    Some(match kind {
        Kind::Nil | Kind::None => Message::nil(),
        Kind::Boolean => Message::inline(&[if state.truth(index) {
            format::TRUE
        } else {
            format::FALSE
        }]),
        Kind::Number => {
            if state.is_integer(index) {
                Message::word(format::INTEGER, state.integer(index) as u64)
            } else {
                Message::word(format::FLOAT, state.number(index).to_bits())
            }
        }
        Kind::Light => Message::word(format::LIGHT, state.userdata(index) as u64),
        _ => return None,
    })
}

/// Captures a string that a message holds inline; `None` for a longer one.
#[inline]
fn short_string(text: &[u8]) -> Option<Message> {
    if text.len() > INLINE_BYTES - 2 {
        return None;
    }
    let mut bytes = [0; INLINE_BYTES];
    bytes[0] = format::SHORT;
    bytes[1] = text.len() as u8;
    bytes[2..2 + text.len()].copy_from_slice(text);
    Some(Message(Body::Inline {
        len: text.len() as u8 + 2,
        bytes,
    }))
}

/// Captures a string that is longer than [`INLINE_BYTES`].
fn string(text: &[u8]) -> Message {
    if text.len() <= COPIED_BYTES {
        return Message(Body::Text(shared(text)));
    }
    let mut bytes = list(9 + text.len());
    bytes.push(format::LONG);
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text);
    Message(Body::Full(Arc::new(Full {
        bytes,
        refs: Vec::new(),
        values: 1,
    })))
}

/// A message with a copy of encoded bytes and references.
fn copied(bytes: &[u8], refs: &[Ref]) -> Message {
    if !refs.is_empty() || bytes.len() > COPIED_BYTES {
        demand(bytes.len() + size_of_val(refs) + 256);
        return Message(Body::Full(Arc::new(Full {
            bytes: copy(bytes),
            refs: collect(refs.iter().cloned()),
            values: 1,
        })));
    }
    if bytes.len() <= INLINE_BYTES {
        Message::inline(bytes)
    } else {
        Message(Body::Plain(shared(bytes)))
    }
}

/// Encodes the top `count` values in one walk and takes them off the stack. With `relative` each
/// value is numbered on its own, so that they can be cut apart, unless they share objects.
fn walk(
    coders: &Coders,
    state: State,
    count: c_int,
    label: Label,
    to: Destination,
    relative: bool,
) -> Result<Box<Encoder>, Raise> {
    let mut encoder = coders.take_encoder();
    encoder.label = Some(label);
    encoder.relative = relative;
    let cache = &coders.cache;
    let outcome = protect_with(state, count, &mut *encoder, |raising, encoder| {
        let transfer = Transfer::new(raising, cache);
        encoder.encode(transfer, to, count).is_ok()
    });
    let raise = match outcome {
        Ok(true) => return Ok(encoder),
        Ok(false) => Raise::message(encoder.take_explained_failure().text()),
        Err(raise) => raise,
    };
    coders.give_encoder(encoder);
    Err(raise)
}

/// Captures the value at the stack top and takes it off, unless there is an error.
///
/// Errors: a value that cannot travel, named by `label` and its path; what `__lanesclone`, a
/// metamethod or the allocator raises.
#[inline]
pub fn encode_one(coders: &Coders, state: State, label: Label) -> Result<Message, Raise> {
    let message = encode_detached(coders, state, label, |message, detached| {
        if detached.is_empty() {
            return message;
        }
        demand(detached.len() + 16);
        message.attach(detached)
    })?;
    state.pop(1);
    Ok(message)
}

/// Captures the value at the stack top (left there) for a queue that can keep the bytes of
/// messages. `send` gets the message, and its detached bytes (none if it is not detached) where
/// they were found; it runs no Lua code. Returns the result of `send`.
///
/// Errors: as of [`encode_one`].
#[inline]
pub fn encode_detached<R>(
    coders: &Coders,
    state: State,
    label: Label,
    send: impl FnOnce(Message, &[u8]) -> R,
) -> Result<R, Raise> {
    let kind = state.kind(-1);
    if kind == Kind::String {
        let text = state.string(-1);
        let (message, detached) = match short_string(text) {
            Some(message) => (message, &[][..]),
            None if text.len() <= DETACHED_BYTES => {
                (Message(Body::TextDetached(text.len() as u32)), text)
            }
            None => (string(text), &[][..]),
        };
        return Ok(send(message, detached));
    }
    if let Some(message) = plain_scalar(state, -1, kind) {
        return Ok(send(message, &[]));
    }
    state.push_copy(-1);
    let encoder = walk(coders, state, 1, label, Destination::Anywhere, false)?;
    let bytes = &encoder.out[..];
    if bytes.len() > INLINE_BYTES && bytes.len() <= DETACHED_BYTES && encoder.refs.is_empty() {
        let message = Message(Body::PlainDetached(bytes.len() as u32));
        let result = send(message, bytes);
        coders.give_encoder(encoder);
        return Ok(result);
    }
    Ok(send(finish(coders, encoder), &[]))
}

/// The message of the one value that an encoder has written; gives the encoder back.
fn finish(coders: &Coders, mut encoder: Box<Encoder>) -> Message {
    let message = if encoder.out.len() > COPIED_BYTES {
        Message(Body::Full(Arc::new(encoder.take_full(1))))
    } else {
        copied(&encoder.out, &encoder.refs)
    };
    coders.give_encoder(encoder);
    message
}

/// Captures the top `count` values as messages that can be received one by one, and takes them off
/// the stack. Those that are received together share the objects that they shared when they were
/// sent.
///
/// Errors: as of [`encode_one`].
pub fn encode_each(
    coders: &Coders,
    state: State,
    count: c_int,
    label: Label,
) -> Result<Vec<Message>, Raise> {
    let first = state.top() - count + 1;
    let mut messages = list(count as usize);
    messages.extend((first..first + count).map_while(|index| scalar(state, index)));
    if messages.len() == count as usize {
        state.pop(count);
        return Ok(messages);
    }
    messages.clear();
    let mut encoder = walk(coders, state, count, label, Destination::Anywhere, true)?;
    if encoder.relative {
        let starts = encoder.starts.iter();
        let starts = starts.map(|start| (start.at, start.reference));
        let end = (encoder.out.len(), encoder.refs.len());
        let pieces = starts.clone().zip(starts.skip(1).chain([end]));
        messages.extend(
            pieces
                .map(|(from, to)| copied(&encoder.out[from.0..to.0], &encoder.refs[from.1..to.1])),
        );
        coders.give_encoder(encoder);
    } else {
        let group = Arc::new(encoder.take_group(count as u32));
        coders.give_encoder(encoder);
        messages.extend((0..count as u32).map(|n| Message(Body::Grouped(Arc::clone(&group), n))));
    }
    Ok(messages)
}

/// Captures the top `count` values (left there) if none of them needs a walk. Takes no memory of
/// the state, so it works in a lane whose state has run out of memory. `None` if a value needs a
/// walk, or memory of the process runs out. With `nulls` a light userdata may be `lanes.null`,
/// which becomes nil.
fn scalars(state: State, count: c_int, nulls: bool) -> Option<Packet> {
    let values = || state.top() - count + 1..=state.top();
    let is_scalar = |index| {
        matches!(
            state.kind(index),
            Kind::Nil | Kind::Boolean | Kind::Number | Kind::Light | Kind::String
        )
    };
    if !values().all(is_scalar) {
        return None;
    }
    let mut out = Buffer::default();
    for index in values() {
        match state.kind(index) {
            Kind::Light if nulls && state.userdata(index) as usize == NULL => out.tag(format::NIL),
            kind => {
                out.scalar(state, index, kind);
            }
        }
    }
    let bytes = out.into_bytes()?;
    Some(Packet(Full {
        bytes,
        refs: Vec::new(),
        values: count as u32,
    }))
}

/// Captures the top `count` values as one transfer and takes them off the stack.
///
/// Errors: as of [`encode_one`].
pub fn encode_packet(
    coders: &Coders,
    state: State,
    count: c_int,
    label: Label,
    to: Destination,
) -> Result<Packet, Raise> {
    let nulls = coders.cache.conversion.get().is_some();
    if let Some(packet) = scalars(state, count, nulls) {
        state.pop(count);
        return Ok(packet);
    }
    let mut encoder = walk(coders, state, count, label, to, false)?;
    let packet = Packet(encoder.take_full(count as u32));
    coders.give_encoder(encoder);
    Ok(packet)
}
