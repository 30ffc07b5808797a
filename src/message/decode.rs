//! `decode`: from messages to values on a state's stack.
//!
//! Runs inside `protect` with a stack of frames of its own, like its counterpart; what it owns is in the `Decoder`,
//! which belongs to a frame outside. A message that cannot be read is an error, never a panic.

use super::decoder::Decoder;
use super::failure::{Failure, Label};
use super::local::Local;
use super::metatables;
use super::reader::Outcome;
use super::{Body, Full, INLINE, Message, Packet, format};
use crate::lua::{Raise, Raising, State, Text, protect, protect_with};
use std::os::raw::c_int;

/// Pushes a value that can be pushed without an error; false where it cannot.
#[inline]
fn push_scalar(state: State, message: &Message) -> bool {
    let Body::Small { len, bytes } = &message.0 else {
        return false;
    };
    debug_assert!(usize::from(*len) <= INLINE);
    let word = || {
        bytes
            .get(1..9)
            .and_then(|word| word.try_into().ok())
            .map_or(0, u64::from_le_bytes)
    };
    match bytes[0] {
        format::NIL => state.push_nil(),
        format::FALSE => state.push_boolean(false),
        format::TRUE => state.push_boolean(true),
        format::INTEGER => state.push_integer(word() as i64),
        format::FLOAT => state.push_number(f64::from_bits(word())),
        _ => return false,
    }
    true
}

fn run<'a, T: Copy + 'a>(
    local: &Local,
    state: State,
    arguments: c_int,
    label: Label,
    data: T,
    read: impl Fn(&mut Decoder, Raising, &Local, T) -> Outcome + Copy,
) -> Result<c_int, Raise> {
    let mut decoder = local.take_decoder();
    let result = run_in(&mut decoder, local, state, arguments, label, data, read);
    local.give_decoder(decoder);
    result
}

#[inline]
fn run_in<'a, T: Copy + 'a>(
    decoder: &mut Decoder,
    local: &Local,
    state: State,
    arguments: c_int,
    label: Label,
    data: T,
    read: impl Fn(&mut Decoder, Raising, &Local, T) -> Outcome + Copy,
) -> Result<c_int, Raise> {
    let before = state.top() - arguments;
    decoder.label = Some(label);
    let outcome = protect_with(state, arguments, decoder, |raising, decoder| {
        read(decoder, raising, local, data).is_ok()
    });
    let result = match outcome {
        Ok(true) => {
            decoder.move_blocks(state, before + 1);
            Ok(state.top() - before)
        }
        Ok(false) => {
            state.set_top(before);
            Err(Raise::message(
                decoder.failure.take().unwrap_or(Failure::Broken).text(),
            ))
        }
        Err(raise) => Err(raise),
    };
    if result.is_err() && !decoder.adopted.is_empty() {
        let _: Result<(), Raise> = protect_with(state, 0, decoder, |raising, decoder| {
            metatables::disown(raising, &decoder.adopted);
        });
    }
    result
}

/// Pushes the values of messages, in order, and answers how many. The caller has room for one, and for as many more
/// as there are messages beyond the first.
///
/// Errors: a name that this state does not have; out of memory. Nothing but the error is pushed then.
#[inline]
pub fn decode(
    local: &Local,
    state: State,
    label: Label,
    messages: &[Message],
) -> Result<c_int, Raise> {
    run(
        local,
        state,
        0,
        label,
        messages,
        |decoder, raising, local, messages| {
            decoder.begin(raising);
            decoder.messages(raising, local, messages)?;
            decoder.end(raising);
            Ok(())
        },
    )
}

/// Pushes the value of one message, which is whole.
#[inline]
pub fn decode_one(
    local: &Local,
    state: State,
    label: Label,
    message: &Message,
) -> Result<(), Raise> {
    decode_apart(local, state, label, message, &[])
}

/// Pushes the value of one message; `bytes` are those that are apart from it.
#[inline]
pub fn decode_apart(
    local: &Local,
    state: State,
    label: Label,
    message: &Message,
    bytes: &[u8],
) -> Result<(), Raise> {
    if push_scalar(state, message) {
        return Ok(());
    }
    decode_object(local, state, label, message, bytes)
}

fn decode_object(
    local: &Local,
    state: State,
    label: Label,
    message: &Message,
    apart: &[u8],
) -> Result<(), Raise> {
    let text = match &message.0 {
        Body::Small { len, bytes } if bytes[0] == format::SHORT => bytes.get(2..usize::from(*len)),
        Body::Text(text) => Some(&**text),
        Body::TextApart(_) => Some(apart),
        Body::Full(full) => plain_string(&full.bytes),
        _ => None,
    };
    if let Some(text) = text {
        return protect(state, 0, move |raising| raising.push_bytes(text));
    }
    if let Body::PlainApart(_) = &message.0 {
        return run(
            local,
            state,
            0,
            label,
            apart,
            |decoder, raising, local, bytes| {
                raising.reserve(format::ROOM);
                decoder.begin(raising);
                decoder.single(raising, local, bytes, &[])?;
                decoder.end(raising);
                Ok(())
            },
        )
        .map(|_| ());
    }
    decode(local, state, label, std::slice::from_ref(message)).map(|_| ())
}

/// The text of a message that is nothing but a string.
fn plain_string(bytes: &[u8]) -> Option<&[u8]> {
    match *bytes.first()? {
        format::SHORT => bytes.get(2..),
        format::LONG => bytes.get(9..),
        _ => None,
    }
}

/// As [`decode_packet`], but goes on after values that this state cannot have: there is nil in their place. Answers which they are
/// (from 0), and why. The packet stays whole, and can be read again when the state knows more.
pub fn decode_possible(
    local: &Local,
    state: State,
    label: Label,
    packet: &Packet,
) -> Result<Vec<(usize, Text)>, Raise> {
    let mut decoder = local.take_decoder();
    decoder.lenient = true;
    let outcome = run_in(&mut decoder, local, state, 0, label, &packet.0, read_packet);
    let refused = std::mem::take(&mut decoder.refused);
    local.give_decoder(decoder);
    outcome.map(|_| refused)
}

/// Pushes the values of a packet and answers how many.
pub fn decode_packet(
    local: &Local,
    state: State,
    label: Label,
    packet: &Packet,
) -> Result<c_int, Raise> {
    run(
        local,
        state,
        0,
        label,
        &packet.0,
        |decoder, raising, local, full| {
            // A packet has one reader.
            decoder.moves = true;
            read_packet(decoder, raising, local, full)
        },
    )
}

fn read_packet(decoder: &mut Decoder, raising: Raising, local: &Local, full: &Full) -> Outcome {
    decoder.begin(raising);
    decoder.packet(raising, local, full)?;
    decoder.end(raising);
    Ok(())
}

/// As `decode_packet`, for a packet that is read again if anything fails: `keep` sees the values before what the packet owns
/// has moved into them, and may raise. It is given the places of the value on the top of the stack, which goes, and of the
/// first value of the packet.
pub fn decode_packet_kept(
    local: &Local,
    state: State,
    label: Label,
    packet: &Packet,
    keep: impl Fn(Raising, c_int, c_int) + Copy,
) -> Result<c_int, Raise> {
    run(
        local,
        state,
        1,
        label,
        &packet.0,
        |decoder, raising, local, full| {
            decoder.moves = true;
            decoder.begin(raising);
            let first = raising.top() + 1;
            decoder.packet(raising, local, full)?;
            keep(raising, 1, first);
            decoder.end(raising);
            raising.remove(1);
            Ok(())
        },
    )
}
