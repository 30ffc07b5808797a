//! A test hook: messages whose bytes are changed at random and then decoded.
//!
//! Bytecode and its length stay as they are, because Lua does not check bytecode.

use super::cache::Destination;
use super::decode::{decode, decode_one, decode_packet};
use super::encode::encode_packet;
use super::failure::Label;
use super::format;
use super::identity::new_identity;
use super::pools::Coders;
use super::value::{Body, Full, INLINE_BYTES, Message, Metatable, Packet, Ref, Span, ValueGroup};
use crate::lua::{KEYS, Raise, State, protect};
use std::os::raw::c_int;
use std::sync::Arc;

/// A piece of a message that a change affects as a whole.
#[derive(Clone)]
enum Piece {
    /// One byte.
    Byte(u8),
    /// The length of bytecode, and the bytecode.
    Code(Vec<u8>),
}

/// A generator of random numbers.
struct Random(u64);

impl Random {
    /// A number below `bound`; 0 if that is 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % bound.max(1) as u64) as usize
    }

    /// A range within `len` pieces, mostly a short one.
    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        let longest = if self.below(3) == 0 { len } else { 24 };
        start..(start + self.below(longest + 1)).min(len)
    }

    /// A number for a length, a count or a reference, little-endian; mostly a wrong one.
    fn number(&mut self) -> [u8; 8] {
        let number = match self.below(6) {
            0 => u64::MAX,
            1 => 0x7fff_ffff,
            2 => 1 << (4 * self.below(16)),
            3 => self.below(256) as u64,
            _ => self.below(8) as u64,
        };
        number.to_le_bytes()
    }
}

/// Cuts the bytes of a message into pieces.
fn pieces(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        pieces.push(Piece::Byte(byte));
        at += 1;
        if let [format::FUNCTION, flags, a, b, c, d, 0x1b, b'L', ..] = *rest {
            let len = 4 + u32::from_le_bytes([a, b, c, d]) as usize;
            if let Some(code) = rest.get(2..2 + len) {
                pieces.push(Piece::Byte(flags));
                pieces.push(Piece::Code(code.to_vec()));
                at += 1 + len;
            }
        }
    }
    pieces
}

/// Makes one change.
fn change(pieces: &mut Vec<Piece>, random: &mut Random) {
    let at = random.below(pieces.len());
    match random.below(9) {
        0 => {
            if let Some(Piece::Byte(byte)) = pieces.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            if let Some(Piece::Byte(byte)) = pieces.get_mut(at) {
                *byte = random.below(usize::from(format::MODULE) + 2) as u8;
            }
        }
        2 => {
            if let Some(Piece::Byte(byte)) = pieces.get_mut(at) {
                *byte = random.below(256) as u8;
            }
        }
        kind @ (3 | 4) => {
            let width = if kind == 3 { 4 } else { 8 };
            let number = random.number();
            for (piece, new) in pieces.iter_mut().skip(at).zip(number).take(width) {
                if let Piece::Byte(byte) = piece {
                    *byte = new;
                }
            }
        }
        5 => {
            let taken = random.range(pieces.len());
            pieces.drain(taken);
        }
        6 => {
            let copy = pieces[random.range(pieces.len())].to_vec();
            pieces.splice(at..at, copy);
        }
        7 => {
            let copy = pieces[random.range(pieces.len())].to_vec();
            let replaced = at..(at + copy.len()).min(pieces.len());
            pieces.splice(replaced, copy);
        }
        _ => pieces.truncate(at),
    }
}

/// The bytes with a few changes, or none.
fn changed(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut pieces = pieces(bytes);
    for _ in 0..random.below(6) {
        change(&mut pieces, random);
    }
    let mut bytes = Vec::new();
    for piece in &pieces {
        match piece {
            Piece::Byte(byte) => bytes.push(*byte),
            Piece::Code(code) => bytes.extend_from_slice(code),
        }
    }
    bytes
}

/// The reference, or one to a metatable with changed contents that no state has.
fn changed_reference(reference: &Ref, random: &mut Random) -> Ref {
    match reference {
        Ref::Metatable(metatable) if random.below(2) == 0 => Ref::Metatable(Arc::new(Metatable {
            identity: new_identity(),
            contents: Full {
                bytes: changed(&metatable.contents.bytes, random),
                refs: metatable.contents.refs.clone(),
                values: 1,
            },
            named: metatable.named,
            reason: None,
        })),
        _ => reference.clone(),
    }
}

/// A group of values that are separable or not. If they are, each value begins where there may be
/// an object, and spans are wherever there may be an object.
fn group(full: Full, random: &mut Random) -> ValueGroup {
    let (mut starts, mut spans) = (Vec::new(), Vec::new());
    if random.below(2) == 0 {
        let tags = [format::TABLE, format::FUNCTION, format::DEEP];
        let places = (0..full.bytes.len()).filter(|&at| tags.contains(&full.bytes[at]));
        spans.extend(places.zip(0..).map(|(at, number)| Span {
            number,
            next: number + 1 + random.below(4) as u32,
            at,
            end: at + random.below(64),
        }));
        for _ in 0..full.values {
            let number = random.below(spans.len() + 1);
            let at = spans.get(number).map_or(0, |span| span.at);
            starts.push((at, number as u32));
        }
    }
    ValueGroup {
        full,
        starts,
        spans,
    }
}

/// Makes the state forget all metatables that it has seen.
fn forget_metatables(state: State) -> Result<(), Raise> {
    protect(state, 0, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.metatables);
        let table = raising.top();
        raising.push_nil();
        while raising.next(table) {
            raising.pop(1);
            raising.push_copy(-1);
            raising.push_nil();
            raising.raw_set(table);
        }
        raising.set_top(0);
    })
}

/// Captures all values on the stack, changes the bytes of the message as `seed` says, decodes them
/// and pushes the values. Returns how many they are.
///
/// Errors: the values cannot be captured; the changed bytes are malformed.
pub fn decode_mutated(coders: &Coders, state: State, seed: u64) -> Result<c_int, Raise> {
    let count = state.top();
    let packet = encode_packet(
        coders,
        state,
        count,
        Label::Argument(1),
        Destination::Anywhere,
    )?;
    let mut random = Random(seed);
    let full = Full {
        bytes: changed(&packet.0.bytes, &mut random),
        refs: packet
            .0
            .refs
            .iter()
            .map(|reference| changed_reference(reference, &mut random))
            .collect(),
        values: packet.0.values,
    };
    if random.below(4) == 0 {
        forget_metatables(state)?;
    }
    // The stack is empty: the values were taken off.
    match random.below(3) {
        0 => decode_packet(coders, state, Label::Argument(1), &Packet(full)),
        1 if full.refs.is_empty() && full.bytes.len() <= INLINE_BYTES => {
            let message = Message::inline(&full.bytes);
            decode(coders, state, Label::Element, &[message])
        }
        1 if full.refs.is_empty() => {
            let message = Message(Body::PlainDetached(full.bytes.len() as u32));
            decode_one(coders, state, Label::Element, &message, &full.bytes)?;
            Ok(1)
        }
        1 => {
            let message = Message(Body::Full(Arc::new(full)));
            decode(coders, state, Label::Element, &[message])
        }
        _ => {
            let values = full.values;
            let group = Arc::new(group(full, &mut random));
            let messages: Vec<Message> = (0..values)
                .skip(random.below(values as usize))
                .map(|n| Message(Body::Grouped(Arc::clone(&group), n)))
                .collect();
            drop(group);
            decode(coders, state, Label::Element, &messages)
        }
    }
}
