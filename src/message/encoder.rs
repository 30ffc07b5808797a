//! What an encoder keeps while it walks through values, and how it writes what it finds.

use super::buffer::Buffer;
use super::failure::{Failure, Label, Place, Step, path};
use super::few::Few;
use super::joint::Span;
use super::{Full, Ref, format};
use crate::lua::{Raising, Text};
use hashbrown::HashMap;
use std::os::raw::c_int;
use std::sync::Arc;

/// The transfer cannot go on; why is in the encoder.
#[derive(Clone, Copy)]
pub(super) struct Stop;

/// An object whose contents are being written.
#[derive(Clone, Copy)]
pub(super) enum Frame {
    /// A table at this stack index, the current key above it.
    Table(TableFrame),
    /// A function at this stack index, the upvalue that comes next, and how many there are.
    Function {
        index: c_int,
        next: c_int,
        count: c_int,
        number: u32,
    },
    /// A userdata at this stack index, the user value that comes next, and how many there are.
    Userdata {
        index: c_int,
        next: c_int,
        count: c_int,
        number: u32,
    },
}

#[derive(Clone, Copy)]
pub(super) struct TableFrame {
    pub(super) index: c_int,
    pub(super) number: u32,
    /// Where the two counts are in the buffer.
    pub(super) counts: usize,
    pub(super) flags: usize,
    pub(super) array: u32,
    pub(super) hash: u32,
    /// The tag of the open run, where its count is, and how many there are.
    pub(super) run: u8,
    pub(super) run_at: usize,
    pub(super) run_count: u32,
    /// All entries are written, and the metatable, which is a value of its own, is being written.
    pub(super) metatable: bool,
}

/// What is remembered of an object: its number within the message, and where its flags are in the buffer.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) number: u32,
    pub(super) flags: usize,
}

/// Where a value begins.
#[derive(Clone, Copy)]
pub(super) struct Start {
    /// In `out`.
    pub(super) at: usize,
    /// In `refs`.
    pub(super) reference: usize,
    /// The number of its first object.
    pub(super) object: u32,
}

/// What is remembered of a metatable that is referred to: the number of its reference, and the value that has it.
#[derive(Clone, Copy)]
struct Class {
    number: u32,
    value: usize,
}

/// A module's table that is written by its contents, because the receiving state cannot have it by name.
pub(super) struct Copied {
    /// Its number.
    pub(super) object: u32,
    /// How it is called.
    pub(super) name: Text,
    /// Why it cannot be had.
    pub(super) reason: Text,
}

/// Buffers and bookkeeping of one encoding.
#[derive(Default)]
pub(super) struct Encoder {
    pub(super) out: Buffer,
    pub(super) refs: Vec<Ref>,
    /// What is known of the objects, by address: all of them are alive as long as the values are.
    pub(super) seen: Few<usize, Seen>,
    pub(super) objects: u32,
    pub(super) frames: Vec<Frame>,
    /// Upvalue variable -> the function and upvalue that had it first.
    pub(super) upvalues: HashMap<usize, (u32, u8)>,
    /// Positions of function flags by number, for `JOIN`.
    pub(super) function_flags: HashMap<u32, usize>,
    /// Objects whose bodies come later: how many are waiting in the Lua table at `later_index`, and their flags.
    pub(super) later: Vec<(u8, usize, u32)>,
    pub(super) later_done: usize,
    pub(super) later_index: c_int,
    pub(super) failure: Option<Failure>,
    /// Values being encoded: their label, and which one it is now.
    pub(super) label: Option<Label>,
    pub(super) value: usize,
    /// Objects below this number belong to an earlier value of the transfer.
    pub(super) first_object: u32,
    /// A value refers to an object of an earlier one.
    pub(super) crossed: bool,
    pub(super) starts: Vec<Start>,
    /// Where all objects are, by number, if `spanning` asks for that.
    pub(super) spans: Vec<Span>,
    pub(super) spanning: bool,
    /// There is an object that is not all in one place.
    pub(super) scattered: bool,
    /// Numbers are relative to the value, so that values can be cut apart.
    pub(super) relative: bool,
    /// The metatables that are referred to, by identity.
    classes: Few<u64, Class>,
    /// Metatables are written as values and not as references.
    pub(super) inline: bool,
    /// Whether the receiving state has the modules' tables that were met, by address.
    pub(super) there: Few<usize, bool>,
    /// Those that it does not have.
    pub(super) copied: Vec<Copied>,
    /// Blocks of clones by the address of their original.
    pub(super) clones: Few<usize, Arc<Vec<u64>>>,
    /// The encoder of a metatable's contents: owned here, because the frames that use it may be skipped by a raise.
    pub(super) inner: Option<Box<Encoder>>,
}

impl Encoder {
    pub(super) fn reset(&mut self) {
        self.out.clear();
        self.refs.clear();
        self.seen.clear();
        self.objects = 0;
        self.frames.clear();
        self.upvalues.clear();
        self.function_flags.clear();
        self.later.clear();
        self.later_done = 0;
        self.failure = None;
        self.label = None;
        self.value = 0;
        self.first_object = 0;
        self.crossed = false;
        self.starts.clear();
        self.spans = Vec::new();
        self.spanning = false;
        self.scattered = false;
        self.relative = false;
        self.classes.clear();
        self.inline = false;
        self.clones.clear();
        self.there.clear();
        self.copied.clear();
    }

    /// Whether what is written is the description of a metatable or of a module.
    pub(super) fn describes(&self) -> bool {
        matches!(self.label, Some(Label::Metatable | Label::Module))
    }

    /// Takes the failure, and says beside it why the module that it happened in was copied at all.
    pub(super) fn explained(&mut self) -> Failure {
        let failure = self.failure.take().unwrap_or(Failure::Broken);
        if matches!(failure, Failure::Memory | Failure::Cancelled) {
            return failure;
        }
        let open = |copied: &&Copied| {
            self.frames
                .iter()
                .any(|frame| matches!(frame, Frame::Table(table) if table.number == copied.object))
        };
        let put_off = self.later_done > 0;
        let copied = self.copied.iter().rev();
        match copied
            .clone()
            .find(open)
            .or(self.copied.last().filter(|_| put_off))
        {
            Some(Copied { name, reason, .. }) => Failure::Copy {
                name: name.clone(),
                reason: reason.clone(),
                failure: failure.text(),
            },
            None => failure,
        }
    }

    #[inline]
    pub(super) fn tag(&mut self, tag: u8) {
        self.out.push(tag);
    }

    #[inline]
    pub(super) fn word(&mut self, tag: u8, value: u64) {
        let mut bytes = [tag; 9];
        bytes[1..].copy_from_slice(&value.to_le_bytes());
        self.out.extend_from_slice(&bytes);
    }

    #[inline]
    pub(super) fn u32(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    pub(super) fn patch(&mut self, at: usize, value: u32) {
        if let Some(place) = self.out.get_mut(at..at + 4) {
            place.copy_from_slice(&value.to_le_bytes());
        }
    }

    #[inline]
    pub(super) fn string(&mut self, bytes: &[u8]) {
        if bytes.len() <= 255 {
            self.out
                .extend_from_slice(&[format::SHORT, bytes.len() as u8]);
        } else {
            self.word(format::LONG, bytes.len() as u64);
        }
        self.out.extend_from_slice(bytes);
    }

    /// Writes a number for an object that appeared before, and marks that object as one to keep.
    pub(super) fn reference(&mut self, tag: u8, number: u32, flags: usize) {
        if number < self.first_object {
            self.crossed = true;
        }
        if let Some(place) = self.out.get_mut(flags) {
            *place |= format::SHARED;
        }
        let base = if self.relative { self.first_object } else { 0 };
        self.tag(tag);
        self.u32(number.wrapping_sub(base));
    }

    /// Identities of the metatables that are referred to.
    pub(super) fn class_identities(&self) -> impl Iterator<Item = u64> {
        self.classes.keys().copied()
    }

    /// The number of the reference to a metatable that this value has already.
    pub(super) fn class(&self, identity: u64) -> Option<u32> {
        self.classes
            .get(&identity)
            .filter(|class| !self.relative || class.value == self.value)
            .map(|class| class.number)
    }

    /// Makes room for a counted reference. Raises where there is no memory for it, so nothing may be owned here yet.
    pub(super) fn room_for_reference(&mut self, raising: Raising) {
        raising.room(&mut self.refs, 1);
        self.classes.make_room(raising);
        self.clones.make_room(raising);
    }

    /// Adds a reference to a metatable, for which there is room, and answers its number.
    pub(super) fn counted_class(&mut self, identity: u64, metatable: Arc<super::Metatable>) -> u32 {
        let number = self.counted(Ref::Metatable(metatable));
        let class = Class {
            number,
            value: self.value,
        };
        match self.classes.get_mut(&identity) {
            Some(known) => *known = class,
            None => self.classes.insert(identity, class),
        }
        number
    }

    /// Adds a counted reference, for which there is room, and answers its number.
    pub(super) fn counted(&mut self, reference: Ref) -> u32 {
        let base = if self.relative {
            self.starts.last().map_or(0, |start| start.reference)
        } else {
            0
        };
        self.refs.push(reference);
        (self.refs.len() - 1 - base) as u32
    }

    /// Writes the tag and the flags of a new object and remembers it. Answers where its flags are.
    pub(super) fn object(&mut self, raising: Raising, tag: u8, address: usize) -> (usize, u32) {
        self.seen.make_room(raising);
        self.open_span(raising);
        self.tag(tag);
        let flags = self.out.len();
        self.tag(0);
        let number = self.objects;
        self.objects += 1;
        self.seen.insert(address, Seen { number, flags });
        (flags, number)
    }

    /// Begins the contents of an object.
    pub(super) fn open(&mut self, raising: Raising, frame: Frame) {
        if self.frames.len().is_multiple_of(format::STEP) {
            raising.reserve(format::ROOM);
        }
        raising.room(&mut self.frames, 1);
        self.frames.push(frame);
    }

    pub(super) fn fail(&mut self, failure: Failure) -> Result<(), Stop> {
        self.failure = Some(failure);
        Err(Stop)
    }

    /// The path of the value that is being written.
    pub(super) fn path(&self, raising: Raising) -> Text {
        let later = (self.later_done > 0).then_some(Step::Unknown);
        let steps = self.frames.iter().map(|frame| match frame {
            Frame::Table(table) if table.metatable => Step::Metatable,
            Frame::Table(table) => Step::Key(table.index + 1),
            Frame::Function { index, next, .. } => Step::Upvalue(*index, *next - 1),
            Frame::Userdata { next, .. } => Step::UserValue(*next - 1),
        });
        path(
            *raising,
            self.label.unwrap_or(Label::Element),
            self.value,
            later.into_iter().chain(steps),
        )
    }

    pub(super) fn place(&self) -> Place {
        match self.frames.as_slice() {
            [] => Place::Top,
            [Frame::Table(_)] if self.label == Some(Label::Metatable) => Place::Metatable,
            [.., Frame::Table(owner), Frame::Table(_)] if owner.metatable => Place::Metatable,
            [.., innermost] => match innermost {
                Frame::Table(_) => Place::Table,
                Frame::Function { .. } => Place::Upvalue,
                Frame::Userdata { .. } => Place::UserValue,
            },
        }
    }

    pub(super) fn fail_type(&mut self, raising: Raising) -> Result<(), Stop> {
        let failure = Failure::Type {
            path: self.path(raising),
            kind: raising.type_name(-1),
            place: self.place(),
        };
        self.fail(failure)
    }

    pub(super) fn take_full(&mut self, values: u32) -> Full {
        let bytes = if self.out.len() > 1 << 16 {
            self.out.take()
        } else {
            self.out.to_vec()
        };
        Full {
            bytes,
            refs: std::mem::take(&mut self.refs),
            values,
        }
    }
}
