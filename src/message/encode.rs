//! `encode`: from values on a state's stack to messages.
//!
//! Scalars are captured directly. Everything else is walked inside `protect` with a stack of frames of its own, so
//! nesting is bounded by memory and not by the C stack. Functions in here run where errors may be raised: whatever
//! they own is in the `Encoder`, which belongs to a frame outside.

use super::encoder::Encoder;
use super::failure::{Failure, Label};
use super::local::Local;
use super::{APART, Body, Captured, Full, INLINE, Message, Packet, Ref, format};
use crate::lua::sentinels::CANCEL_ERROR;
use crate::lua::{Kind, Raise, State, protect_with};
use lanes_engine::memory::grow::{collect, copy, demand, is_there, list, shared};
use std::os::raw::c_int;
use std::sync::Arc;

/// What a transfer knows of where it goes.
#[derive(Clone, Copy)]
pub enum Destination<'a> {
    /// Into a queue: whoever takes it out.
    Anywhere,
    /// Into a state that is at hand and not running, and what it keeps for its transfers.
    State(State, &'a Local),
}

/// Captures a value that needs no walk.
#[inline]
fn scalar(state: State, index: c_int) -> Option<Message> {
    match state.kind(index) {
        Kind::String => string(state.string(index)),
        kind => plain_scalar(state, index, kind),
    }
}

/// Captures a value that needs no walk and is no string.
#[inline]
fn plain_scalar(state: State, index: c_int, kind: Kind) -> Option<Message> {
    let word = |tag: u8, value: u64| {
        let mut bytes = [tag; 9];
        bytes[1..].copy_from_slice(&value.to_le_bytes());
        Message::small(&bytes)
    };
    Some(match kind {
        Kind::Nil | Kind::None => Message::nil(),
        Kind::Boolean => Message::small(&[if state.truth(index) {
            format::TRUE
        } else {
            format::FALSE
        }]),
        Kind::Number => {
            if state.is_integer(index) {
                word(format::INTEGER, state.integer(index) as u64)
            } else {
                word(format::FLOAT, state.number(index).to_bits())
            }
        }
        Kind::Light => word(format::LIGHT, state.userdata(index) as u64),
        _ => return None,
    })
}

/// Captures a string; `None` where there is no memory for it.
fn string(text: &[u8]) -> Option<Message> {
    if let Some(message) = short_string(text) {
        return Some(message);
    }
    if text.len() <= LARGE {
        return is_there(text.len() + 16).then(|| Message(Body::Text(text.into())));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(9 + text.len()).ok()?;
    bytes.push(format::LONG);
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text);
    Some(Message(Body::Full(Arc::new(Full {
        bytes,
        refs: Vec::new(),
        values: 1,
    }))))
}

/// Captures a string that a message holds by itself.
#[inline]
fn short_string(text: &[u8]) -> Option<Message> {
    if text.len() > INLINE - 2 {
        return None;
    }
    let mut bytes = [0; INLINE];
    bytes[0] = format::SHORT;
    bytes[1] = text.len() as u8;
    bytes[2..2 + text.len()].copy_from_slice(text);
    Some(Message(Body::Small {
        len: text.len() as u8 + 2,
        bytes,
    }))
}

/// Bytes beyond which a message is kept as it was written, and not copied once more.
const LARGE: usize = 1 << 16;

/// A message with a copy of the bytes. Unwinds where there is no memory for it.
fn cut(bytes: &[u8], refs: &[Ref]) -> Message {
    if !refs.is_empty() || bytes.len() > LARGE {
        demand(bytes.len() + size_of_val(refs) + 256);
        return Message(Body::Full(Arc::new(Full {
            bytes: copy(bytes),
            refs: collect(refs.iter().cloned()),
            values: 1,
        })));
    }
    if bytes.len() <= INLINE {
        Message::small(bytes)
    } else {
        Message(Body::Plain(shared(bytes)))
    }
}

/// Encodes the top `count` values in one walk and takes them off the stack.
fn walk(
    local: &Local,
    state: State,
    count: c_int,
    label: Label,
    to: Destination,
    relative: bool,
) -> Result<Box<Encoder>, Raise> {
    let mut encoder = local.take_encoder();
    encoder.label = Some(label);
    encoder.relative = relative;
    let outcome = protect_with(state, count, &mut *encoder, |raising, encoder| {
        encoder.all(raising, local, to, count).is_ok()
    });
    let raise = match outcome {
        Ok(true) => return Ok(encoder),
        Ok(false) => match encoder.explained() {
            Failure::Memory => Raise::out_of_memory(),
            Failure::Cancelled => Raise::Light(CANCEL_ERROR),
            failure => Raise::message(failure.text()),
        },
        Err(raise) => raise,
    };
    local.give_encoder(encoder);
    Err(raise)
}

/// Captures the top value on its own and takes it off the stack.
///
/// Errors: a value that cannot travel, named by `label` and its path; whatever `__lanesclone`, a metamethod or the
/// allocator raises.
#[inline]
pub fn encode_one(local: &Local, state: State, label: Label) -> Result<Message, Raise> {
    if let Some(message) = scalar(state, -1) {
        state.pop(1);
        return Ok(message);
    }
    let encoder = walk(local, state, 1, label, Destination::Anywhere, false)?;
    Ok(message_of(local, encoder))
}

/// As [`encode_one`], for a queue that can keep the bytes of messages: they are given to `send` where they were found, and the
/// value stays on the stack. `send` runs no code of Lua's.
#[inline]
pub fn capture<R>(
    local: &Local,
    state: State,
    label: Label,
    send: impl FnOnce(Captured) -> R,
) -> Result<R, Raise> {
    let kind = state.kind(-1);
    if kind == Kind::String {
        let text = state.string(-1);
        return Ok(send(match short_string(text) {
            Some(message) => Captured::Whole(message),
            None if text.len() <= APART => {
                Captured::Apart(Message(Body::TextApart(text.len() as u32)), text)
            }
            None => Captured::Whole(string(text).ok_or_else(Raise::out_of_memory)?),
        }));
    }
    if let Some(message) = plain_scalar(state, -1, kind) {
        return Ok(send(Captured::Whole(message)));
    }
    state.push_copy(-1);
    let encoder = walk(local, state, 1, label, Destination::Anywhere, false)?;
    let bytes = &encoder.out[..];
    if bytes.len() > INLINE && bytes.len() <= APART && encoder.refs.is_empty() {
        let message = Message(Body::PlainApart(bytes.len() as u32));
        let result = send(Captured::Apart(message, bytes));
        local.give_encoder(encoder);
        return Ok(result);
    }
    Ok(send(Captured::Whole(message_of(local, encoder))))
}

/// The one message that an encoder has written.
fn message_of(local: &Local, mut encoder: Box<Encoder>) -> Message {
    let message = if encoder.out.len() > LARGE {
        Message(Body::Full(Arc::new(encoder.take_full(1))))
    } else {
        cut(&encoder.out, &encoder.refs)
    };
    local.give_encoder(encoder);
    message
}

/// Captures the top `count` values as elements that can be taken out one by one; those taken out together share
/// what they shared when they were sent. Takes the values off the stack.
pub fn encode_each(
    local: &Local,
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
    let mut encoder = walk(local, state, count, label, Destination::Anywhere, true)?;
    if encoder.relative {
        let starts = encoder.starts.iter();
        let starts = starts.map(|start| (start.at, start.reference));
        let end = (encoder.out.len(), encoder.refs.len());
        let pieces = starts.clone().zip(starts.skip(1).chain([end]));
        messages.extend(
            pieces.map(|(from, to)| cut(&encoder.out[from.0..to.0], &encoder.refs[from.1..to.1])),
        );
        local.give_encoder(encoder);
    } else {
        let joint = Arc::new(encoder.take_joint(count as u32));
        local.give_encoder(encoder);
        messages.extend((0..count as u32).map(|i| Message(Body::Joint(Arc::clone(&joint), i))));
    }
    Ok(messages)
}

/// Captures the top `count` values if none of them needs a walk. Nothing is asked of the state's memory, so that the
/// error of a lane whose memory has run out still arrives.
fn scalars(state: State, count: c_int) -> Option<Packet> {
    let values = || state.top() - count + 1..=state.top();
    let plain = |index| {
        matches!(
            state.kind(index),
            Kind::Nil | Kind::Boolean | Kind::Number | Kind::Light | Kind::String
        )
    };
    if !values().all(plain) {
        return None;
    }
    let mut bytes = Vec::new();
    for index in values() {
        match scalar(state, index)?.0 {
            Body::Small { len, bytes: small } => {
                bytes.try_reserve(INLINE).ok()?;
                bytes.extend_from_slice(small.get(..usize::from(len))?);
            }
            Body::Plain(plain) => {
                bytes.try_reserve(plain.len()).ok()?;
                bytes.extend_from_slice(&plain);
            }
            Body::Text(text) => {
                bytes.try_reserve(9 + text.len()).ok()?;
                bytes.push(format::LONG);
                bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
                bytes.extend_from_slice(&text);
            }
            Body::Full(full) => {
                bytes.try_reserve(full.bytes.len()).ok()?;
                bytes.extend_from_slice(&full.bytes);
            }
            Body::TextApart(_) | Body::PlainApart(_) | Body::Joint(..) => return None,
        }
    }
    Some(Packet(Full {
        bytes,
        refs: Vec::new(),
        values: count as u32,
    }))
}

/// Captures the top `count` values as one transfer and takes them off the stack.
pub fn encode_packet(
    local: &Local,
    state: State,
    count: c_int,
    label: Label,
    to: Destination,
) -> Result<Packet, Raise> {
    if let Some(packet) = scalars(state, count) {
        state.pop(count);
        return Ok(packet);
    }
    let mut encoder = walk(local, state, count, label, to, false)?;
    let packet = Packet(encoder.take_full(count as u32));
    local.give_encoder(encoder);
    Ok(packet)
}
