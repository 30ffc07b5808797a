//! Decoding: from messages to values on a state's stack.
//!
//! Runs inside `protect` with a stack of frames of its own, as encoding does; the `Decoder`, which
//! owns everything, belongs to a frame outside. A malformed message is an error, never a panic.

mod build;
mod classes;
pub(super) mod decoder;
mod group;
mod messages;
mod objects;
mod reader;

use decoder::Decoder;

use super::cache::Transfer;
use super::failure::{Failure, Label, Stop};
use super::format;
use super::identity::disown;
use super::pools::Coders;
use super::value::{Body, Full, INLINE_BYTES, Message, Packet};
use crate::lua::{Raise, Raising, State, Text, protect, protect_with};
use std::os::raw::c_int;

/// Pushes a value that can be pushed outside of `protect`; returns false for other values.
#[inline]
fn push_scalar(state: State, message: &Message) -> bool {
    let Body::Inline { len, bytes } = &message.0 else {
        return false;
    };
    debug_assert!(usize::from(*len) <= INLINE_BYTES);
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

/// Decodes `data` by `read` inside `protect`, with the top `arguments` values of the stack at its
/// bottom. The pushed values take the place of the arguments; returns how many they are. If there
/// is an error, the arguments are gone and only the error is pushed.
fn run<'a, T: Copy + 'a>(
    coders: &Coders,
    state: State,
    arguments: c_int,
    label: Label,
    data: T,
    read: impl Fn(&mut Decoder, Transfer, T) -> Result<(), Stop> + Copy,
) -> Result<c_int, Raise> {
    let mut decoder = coders.take_decoder();
    let result = run_in(&mut decoder, coders, state, arguments, label, data, read);
    coders.give_decoder(decoder);
    result
}

/// As `run`, with this decoder.
#[inline]
fn run_in<'a, T: Copy + 'a>(
    decoder: &mut Decoder,
    coders: &Coders,
    state: State,
    arguments: c_int,
    label: Label,
    data: T,
    read: impl Fn(&mut Decoder, Transfer, T) -> Result<(), Stop> + Copy,
) -> Result<c_int, Raise> {
    let before = state.top() - arguments;
    decoder.label = Some(label);
    let cache = &coders.cache;
    let outcome = protect_with(state, arguments, decoder, |raising, decoder| {
        decoder.begin(raising);
        let read = read(decoder, Transfer::new(raising, cache), data).is_ok();
        if read {
            decoder.end(raising);
            for _ in 0..arguments {
                raising.remove(1);
            }
        }
        read
    });
    let result = match outcome {
        Ok(true) => {
            decoder.finish_clones(state, before + 1);
            Ok(state.top() - before)
        }
        Ok(false) => {
            state.set_top(before);
            let failure = decoder.failure.take().unwrap_or(Failure::Malformed);
            Err(Raise::message(failure.text()))
        }
        Err(raise) => Err(raise),
    };
    if result.is_err() && !decoder.adopted.is_empty() {
        // The first error is the one to report.
        let _: Result<(), Raise> = protect_with(state, 0, decoder, |raising, decoder| {
            disown(raising, &decoder.adopted);
        });
    }
    result
}

/// Pushes the values of messages, none of which is detached, in order, and returns how many they
/// are. The caller has reserved a stack slot for each.
///
/// Errors: a name that this state does not have; out of memory. Only the error is pushed then.
#[inline]
pub fn decode(
    coders: &Coders,
    state: State,
    label: Label,
    messages: &[Message],
) -> Result<c_int, Raise> {
    run(coders, state, 0, label, messages, Decoder::messages)
}

/// Pushes the value of one message. `detached` are its detached bytes, none if it is not detached.
///
/// Errors: as of [`decode`].
#[inline]
pub fn decode_one(
    coders: &Coders,
    state: State,
    label: Label,
    message: &Message,
    detached: &[u8],
) -> Result<(), Raise> {
    if push_scalar(state, message) {
        return Ok(());
    }
    decode_object(coders, state, label, message, detached)
}

fn decode_object(
    coders: &Coders,
    state: State,
    label: Label,
    message: &Message,
    detached: &[u8],
) -> Result<(), Raise> {
    let text = match &message.0 {
        Body::Inline { len, bytes } if bytes[0] == format::SHORT => bytes.get(2..usize::from(*len)),
        Body::Text(text) => Some(&**text),
        Body::TextDetached(_) => Some(detached),
        Body::Full(full) => plain_string(&full.bytes),
        _ => None,
    };
    if let Some(text) = text {
        return protect(state, 0, move |raising| raising.push_bytes(text));
    }
    let count = if let Body::PlainDetached(_) = &message.0 {
        run(
            coders,
            state,
            0,
            label,
            detached,
            |decoder, transfer, bytes| {
                transfer.reserve(format::RESERVED_SLOTS);
                decoder.single(transfer, bytes, &[])
            },
        )
    } else {
        decode(coders, state, label, std::slice::from_ref(message))
    };
    count.map(|_| ())
}

/// The text of a message that is nothing but a string.
fn plain_string(bytes: &[u8]) -> Option<&[u8]> {
    match *bytes.first()? {
        format::SHORT => bytes.get(2..),
        format::LONG => bytes.get(9..),
        _ => None,
    }
}

/// Pushes the values of a packet, with nil in place of those that this state cannot have. Returns
/// the numbers (from 0) of the latter, each with the reason. The packet can be read again when the
/// state knows more.
///
/// Errors: out of memory.
pub fn decode_possible(
    coders: &Coders,
    state: State,
    label: Label,
    packet: &Packet,
) -> Result<Vec<(usize, Text)>, Raise> {
    let mut decoder = coders.take_decoder();
    decoder.lenient = true;
    let read = Decoder::packet;
    let outcome = run_in(&mut decoder, coders, state, 0, label, &packet.0, read);
    let refused = std::mem::take(&mut decoder.refused);
    coders.give_decoder(decoder);
    outcome.map(|_| refused)
}

/// Pushes the values of a packet, which nobody else reads, and returns how many they are.
///
/// Errors: as of [`decode`].
pub fn decode_packet(
    coders: &Coders,
    state: State,
    label: Label,
    packet: &Packet,
) -> Result<c_int, Raise> {
    run(coders, state, 0, label, &packet.0, read_for_the_last_time)
}

/// As [`decode_packet`], for a packet that is read again if anything fails. `keep` sees the values
/// before what the packet owns has moved into them, and may raise. It gets the stack index of the
/// value at the stack top, which is taken off, and that of the first value of the packet.
pub fn decode_packet_kept(
    coders: &Coders,
    state: State,
    label: Label,
    packet: &Packet,
    keep: impl Fn(Raising, c_int, c_int) + Copy,
) -> Result<c_int, Raise> {
    run(
        coders,
        state,
        1,
        label,
        &packet.0,
        |decoder, transfer, full| {
            let first = transfer.top() + 1;
            read_for_the_last_time(decoder, transfer, full)?;
            keep(*transfer, 1, first);
            Ok(())
        },
    )
}

/// Reads the values of a packet, whose blocks move into them.
fn read_for_the_last_time(
    decoder: &mut Decoder,
    transfer: Transfer,
    full: &Full,
) -> Result<(), Stop> {
    decoder.moves = true;
    decoder.packet(transfer, full)
}
