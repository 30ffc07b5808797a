//! What an encoder keeps while it walks through values, and the calls that record it.

use super::buffer::Buffer;
use super::small_map::SmallMap;
use crate::lua::{Raising, Text};
use crate::message::failure::{Failure, Label, Owner, Place, Step, Stop, path};
use crate::message::format;
use crate::message::value::{Full, Metatable, Ref, Span};
use hashbrown::{HashMap, HashSet};
use std::os::raw::c_int;
use std::sync::Arc;

/// An object whose contents are being written.
#[derive(Clone, Copy)]
pub(super) enum Frame {
    /// A table; the current key is above it on the stack.
    Table(TableFrame),
    /// A function or a userdata.
    Numbered(NumberedFrame),
}

/// A table whose contents are being written.
#[derive(Clone, Copy)]
pub(super) struct TableFrame {
    /// Its stack index.
    pub(super) index: c_int,
    /// Its number in the message.
    pub(super) number: u32,
    /// The position of its two counts in the buffer.
    pub(super) counts: usize,
    /// The position of its flags in the buffer.
    pub(super) flags: usize,
    /// How many values of the array part have been written.
    pub(super) array: u32,
    /// How many entries of the hash part have been written.
    pub(super) hash: u32,
    /// The tag of the open run; 0 if there is none.
    pub(super) run: u8,
    /// The position of the count of the open run.
    pub(super) run_at: usize,
    /// How many values the open run has.
    pub(super) run_count: u32,
    /// The key of an entry, an object, has been begun; its value is at the stack top then.
    pub(super) key: bool,
    /// All entries are written, and the metatable, which is a value of its own, is being written.
    pub(super) metatable: bool,
}

/// A function whose upvalues, or a userdata whose user values, are being written.
#[derive(Clone, Copy)]
pub(super) struct NumberedFrame {
    /// What it is.
    pub(super) owner: Owner,
    /// Its stack index.
    pub(super) index: c_int,
    /// The number of the next value, from 1.
    pub(super) next: c_int,
    /// How many values there are.
    pub(super) count: c_int,
    /// Its number in the message.
    pub(super) number: u32,
}

/// An object that has been written.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// Its number in the message.
    pub(super) number: u32,
    /// The position of its flags in the buffer.
    pub(super) flags: usize,
}

/// An object whose body is deferred. The object itself is in the Lua table at `deferred_index`.
#[derive(Clone, Copy)]
pub(super) struct Deferred {
    /// Its tag.
    pub(super) tag: u8,
    /// The position of its flags in the buffer.
    pub(super) flags: usize,
    /// Its number in the message.
    pub(super) number: u32,
}

/// Where a value begins.
#[derive(Clone, Copy, Default)]
pub(super) struct Start {
    /// Its position in the buffer.
    pub(super) at: usize,
    /// The number of its first reference.
    pub(super) reference: usize,
    /// The number of its first object.
    pub(super) object: u32,
}

/// A metatable that the message refers to.
#[derive(Clone, Copy)]
struct MetatableRef {
    /// The number of the reference.
    number: u32,
    /// The value that the reference belongs to.
    value: usize,
}

/// A module's table that is written by its contents, because the receiving state cannot have it by
/// name.
pub(super) struct CopiedModule {
    /// Its number in the message.
    pub(super) object: u32,
    /// Its name as error messages show it.
    pub(super) name: Text,
    /// Why the receiving state cannot have it.
    pub(super) reason: Text,
}

/// Buffers and bookkeeping of one encoding.
#[derive(Default)]
pub struct Encoder {
    /// What has been written.
    pub(super) out: Buffer,
    /// What the bytes refer to by number.
    pub(super) refs: Vec<Ref>,
    /// The objects that have been written, by address. They stay alive because the values do.
    pub(super) seen: SmallMap<usize, Seen>,
    /// How many objects have been written.
    pub(super) objects: u32,
    /// The objects whose contents are being written, the innermost last.
    pub(super) frames: Vec<Frame>,
    /// Address of an upvalue's variable -> the number of the first function that has it, and the
    /// number of the upvalue there.
    pub(super) upvalues: HashMap<usize, (u32, u8)>,
    /// Number of a function -> position of its flags, for `JOIN`.
    pub(super) function_flags: HashMap<u32, usize>,
    /// A table with functions has been written by its contents, here or in a description.
    pub(super) has_table_of_functions: bool,
    /// The objects whose bodies are deferred.
    pub(super) deferred: Vec<Deferred>,
    /// How many of them have been written, or are being written.
    pub(super) deferred_done: usize,
    /// The stack index of the Lua table that holds them.
    pub(super) deferred_index: c_int,
    /// The stack index of the Lua table of converted objects: object -> list of its replacement.
    pub(super) converted_index: c_int,
    /// Why the encoding has stopped.
    pub(super) failure: Option<Failure>,
    /// What the values are.
    pub(super) label: Option<Label>,
    /// The value (from 0) that is being written.
    pub value: usize,
    /// Objects below this number belong to an earlier value of the transfer.
    pub(super) first_object: u32,
    /// A value refers to an object of an earlier one.
    pub(super) shares_objects: bool,
    /// Where each value begins.
    pub(super) starts: Vec<Start>,
    /// The positions of all objects, by number, if `records_spans` is set.
    pub(super) spans: Vec<Span>,
    /// The positions of objects are recorded.
    pub(super) records_spans: bool,
    /// Some object is not in one piece: its body is deferred, or its class stands before it.
    pub(super) scattered: bool,
    /// Numbers are relative to the value, so the values can be cut apart.
    pub(super) relative: bool,
    /// The metatables that are referred to, by identity.
    metatables: SmallMap<u64, MetatableRef>,
    /// Metatables are written as values and not as references.
    pub(super) inline_metatables: bool,
    /// Address of a module's table -> whether the receiving state has it by name.
    pub(super) receiver_has: SmallMap<usize, bool>,
    /// The modules' tables that the receiving state does not have by name.
    pub(super) copied: Vec<CopiedModule>,
    /// The blocks of clones, by the address of their original.
    pub(super) clones: SmallMap<usize, Arc<Vec<u64>>>,
    /// The block of the clone that is being made.
    pub(super) block: Vec<u64>,
    /// The addresses of the objects in a description, for `SentMetatable`.
    pub(super) addresses: HashSet<usize>,
    /// Why a description has no contents.
    pub(super) uncopied: Option<Text>,
    /// The encoder of descriptions: owned here, because a raise may skip the frames that use it.
    pub(super) inner: Option<Box<Encoder>>,
}

impl Encoder {
    /// Makes the encoder as a new one, except for the memory of its buffers.
    pub fn reset(&mut self) {
        self.out.clear();
        self.refs.clear();
        self.seen.clear();
        self.objects = 0;
        self.frames.clear();
        self.upvalues.clear();
        self.function_flags.clear();
        self.has_table_of_functions = false;
        self.deferred.clear();
        self.deferred_done = 0;
        self.failure = None;
        self.label = None;
        self.value = 0;
        self.first_object = 0;
        self.shares_objects = false;
        self.starts.clear();
        self.spans = Vec::new();
        self.records_spans = false;
        self.scattered = false;
        self.relative = false;
        self.metatables.clear();
        self.inline_metatables = false;
        self.clones.clear();
        self.receiver_has.clear();
        self.copied.clear();
    }

    /// Resets the encoder for another attempt at the same values. It keeps the clones, because
    /// each is made once.
    pub(super) fn restart(&mut self) {
        let (label, deferred_index) = (self.label, self.deferred_index);
        let converted_index = self.converted_index;
        let (relative, inline_metatables) = (self.relative, self.inline_metatables);
        let clones = std::mem::take(&mut self.clones);
        self.reset();
        self.clones = clones;
        self.label = label;
        self.relative = relative;
        self.inline_metatables = inline_metatables;
        self.deferred_index = deferred_index;
        self.converted_index = converted_index;
    }

    /// Whether the description of a metatable or of a module is being written.
    pub(super) fn is_description(&self) -> bool {
        matches!(self.label, Some(Label::Metatable | Label::Module))
    }

    /// Takes the failure. If it is in a module's table that is copied, it becomes a `Failure::Copy`
    /// with the reason for the copy.
    pub(super) fn take_explained_failure(&mut self) -> Failure {
        let failure = self.failure.take().unwrap_or(Failure::Malformed);
        let is_open = |copied: &&CopiedModule| {
            self.frames
                .iter()
                .any(|frame| matches!(frame, Frame::Table(table) if table.number == copied.object))
        };
        let in_deferred = self.deferred_done > 0;
        let copied = self.copied.iter().rev();
        match copied
            .clone()
            .find(is_open)
            .or(self.copied.last().filter(|_| in_deferred))
        {
            Some(CopiedModule { name, reason, .. }) => Failure::Copy {
                name: name.clone(),
                reason: reason.clone(),
                failure: failure.text(),
            },
            None => failure,
        }
    }

    /// Writes a reference, with this tag, to object `number`, whose flags are at position `flags`,
    /// and marks the object as shared.
    pub(super) fn refer(&mut self, tag: u8, number: u32, flags: usize) {
        if number < self.first_object {
            self.shares_objects = true;
        }
        if let Some(place) = self.out.get_mut(flags) {
            *place |= format::SHARED;
        }
        let base = if self.relative { self.first_object } else { 0 };
        self.out.tag(tag);
        self.out.u32(number.wrapping_sub(base));
    }

    /// Identities of the metatables that are referred to.
    pub(super) fn metatable_identities(&self) -> impl Iterator<Item = u64> {
        self.metatables.keys().copied()
    }

    /// The number of the reference to a metatable, if the message, or with `relative` the current
    /// value, has one.
    pub(super) fn metatable_reference(&self, identity: u64) -> Option<u32> {
        self.metatables
            .get(&identity)
            .filter(|metatable| !self.relative || metatable.value == self.value)
            .map(|metatable| metatable.number)
    }

    /// Makes room for a reference. Raises if memory runs out, so the caller owns nothing yet.
    pub(super) fn room_for_reference(&mut self, raising: Raising) {
        raising.room(&mut self.refs, 1);
        self.metatables.make_room(raising);
        self.clones.make_room(raising);
    }

    /// Adds a reference to a metatable, for which there is room, and returns its number.
    pub(super) fn add_metatable(&mut self, metatable: Arc<Metatable>) -> u32 {
        let identity = metatable.identity;
        let number = self.add_reference(Ref::Metatable(metatable));
        let metatable = MetatableRef {
            number,
            value: self.value,
        };
        match self.metatables.get_mut(&identity) {
            Some(known) => *known = metatable,
            None => self.metatables.insert(identity, metatable),
        }
        number
    }

    /// Adds a reference, for which there is room, and returns its number.
    pub(super) fn add_reference(&mut self, reference: Ref) -> u32 {
        let base = if self.relative {
            self.starts.last().map_or(0, |start| start.reference)
        } else {
            0
        };
        self.refs.push(reference);
        (self.refs.len() - 1 - base) as u32
    }

    /// Writes the tag and the flags of a new object and remembers it.
    pub(super) fn new_object(&mut self, raising: Raising, tag: u8, address: usize) -> Seen {
        self.seen.make_room(raising);
        self.open_span(raising);
        self.out.tag(tag);
        let flags = self.out.len();
        self.out.tag(0);
        let number = self.objects;
        self.objects += 1;
        let seen = Seen { number, flags };
        self.seen.insert(address, seen);
        seen
    }

    /// Pushes a frame, and reserves the stack slots that its object takes.
    pub(super) fn open(&mut self, raising: Raising, frame: Frame) {
        if self.frames.len().is_multiple_of(format::RESERVE_INTERVAL) {
            raising.reserve(format::RESERVED_SLOTS);
        }
        raising.room(&mut self.frames, 1);
        self.frames.push(frame);
    }

    /// Stops the encoding.
    pub(super) fn fail<T>(&mut self, failure: Failure) -> Result<T, Stop> {
        self.failure = Some(failure);
        Err(Stop)
    }

    /// The path of the value that is being written.
    pub(super) fn path(&self, raising: Raising) -> Text {
        let deferred = (self.deferred_done > 0).then_some(Step::Unknown);
        let steps = self.frames.iter().map(|frame| match frame {
            Frame::Table(table) if table.metatable => Step::Metatable,
            Frame::Table(table) => Step::Key(table.index + 1),
            Frame::Numbered(it) => Step::Numbered(it.owner, it.index, it.next - 1),
        });
        path(
            *raising,
            self.label.unwrap_or(Label::Element),
            self.value,
            deferred.into_iter().chain(steps),
        )
    }

    fn place(&self) -> Place {
        match self.frames.as_slice() {
            [] => Place::Top,
            [Frame::Table(_)] if self.label == Some(Label::Metatable) => Place::Metatable,
            [.., Frame::Table(owner), Frame::Table(_)] if owner.metatable => Place::Metatable,
            [.., Frame::Table(_)] => Place::Table,
            [.., Frame::Numbered(_)] => Place::Numbered,
        }
    }

    /// Stops the encoding because values of the type of the one at the stack top cannot travel.
    pub(super) fn fail_type(&mut self, raising: Raising) -> Result<(), Stop> {
        let failure = Failure::Type {
            path: self.path(raising),
            kind: raising.type_name(-1),
            place: self.place(),
        };
        self.fail(failure)
    }

    /// Takes out what has been written.
    pub(super) fn take_full(&mut self, values: u32) -> Full {
        Full {
            bytes: self.out.contents(),
            refs: std::mem::take(&mut self.refs),
            values,
        }
    }
}
