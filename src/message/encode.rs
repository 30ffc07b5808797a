//! `encode`: from values on a state's stack to messages.
//!
//! Scalars are captured directly. Everything else is walked inside `protect` with a stack of frames of its own, so
//! nesting is bounded by memory and not by the C stack. Functions in here run where errors may be raised: whatever
//! they own is in the `Encoder`, which belongs to a frame outside.

use super::failure::{Failure, Label, Place, Step, path};
use super::identity::{Identity, Seen};
use super::local::Local;
use super::{Body, Full, INLINE, Message, Packet, Ref, format, names};
use crate::lua::{Kind, Raise, Raising, State, protect_with};
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
    },
}

#[derive(Clone, Copy)]
pub(super) struct TableFrame {
    index: c_int,
    /// Where the two counts are in the buffer.
    counts: usize,
    flags: usize,
    array: u32,
    hash: u32,
    /// The tag of the open run, where its count is, and how many there are.
    run: u8,
    run_at: usize,
    run_count: u32,
    /// All entries are written, and the metatable, which is a value of its own, is being written.
    metatable: bool,
}

/// What a transfer knows of where it goes.
#[derive(Clone, Copy)]
pub enum Destination {
    /// Into a queue: whoever takes it out.
    Anywhere,
    /// Into a state that is at hand and not running.
    State(State),
}

/// Buffers and bookkeeping of one encoding.
#[derive(Default)]
pub(super) struct Encoder {
    pub(super) out: Vec<u8>,
    pub(super) refs: Vec<Ref>,
    pub(super) seen: Identity,
    pub(super) objects: u32,
    pub(super) frames: Vec<Frame>,
    /// Upvalue variable -> the function and upvalue that had it first.
    upvalues: HashMap<usize, (u32, u8)>,
    /// Positions of function flags by number, for `JOIN`.
    function_flags: HashMap<u32, usize>,
    /// Objects whose bodies come later: how many are waiting in the Lua table at `later_index`, and their flags.
    later: Vec<(u8, usize, u32)>,
    later_done: usize,
    later_index: c_int,
    pub(super) failure: Option<Failure>,
    /// Values being encoded: their label, and which one it is now.
    pub(super) label: Option<Label>,
    value: usize,
    /// Objects below this number belong to an earlier value of the transfer.
    first_object: u32,
    /// A value refers to an object of an earlier one.
    pub(super) crossed: bool,
    /// Where each value begins in `out` and in `refs`.
    starts: Vec<(usize, usize)>,
    /// Numbers are relative to the value, so that values can be cut apart.
    relative: bool,
    /// Identity and reference number of the metatables of this value.
    classes: Vec<(u64, u32)>,
    /// Where those of the present value begin.
    first_class: usize,
    /// Metatables are written as values and not as references.
    pub(super) inline: bool,
    /// Blocks of clones by the address of their original.
    pub(super) clones: Vec<(usize, Arc<[u64]>)>,
    /// The encoder of a metatable's contents: owned here, because the frames that use it may be skipped by a raise.
    pub(super) inner: Option<Box<Encoder>>,
}

impl Encoder {
    pub(super) fn reset(&mut self) {
        if self.out.capacity() > 1 << 20 {
            self.out = Vec::new();
        }
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
        self.relative = false;
        self.classes.clear();
        self.first_class = 0;
        self.inline = false;
        self.clones.clear();
    }

    #[inline]
    fn tag(&mut self, tag: u8) {
        self.out.push(tag);
    }

    #[inline]
    fn word(&mut self, tag: u8, value: u64) {
        let mut bytes = [tag; 9];
        bytes[1..].copy_from_slice(&value.to_le_bytes());
        self.out.extend_from_slice(&bytes);
    }

    #[inline]
    pub(super) fn u32(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn patch(&mut self, at: usize, value: u32) {
        if let Some(place) = self.out.get_mut(at..at + 4) {
            place.copy_from_slice(&value.to_le_bytes());
        }
    }

    #[inline]
    fn string(&mut self, bytes: &[u8]) {
        if bytes.len() <= 255 {
            self.out
                .extend_from_slice(&[format::SHORT, bytes.len() as u8]);
        } else {
            self.word(format::LONG, bytes.len() as u64);
        }
        self.out.extend_from_slice(bytes);
    }

    /// Writes a number for an object that appeared before, and marks that object as one to keep.
    fn reference(&mut self, tag: u8, number: u32, flags: usize) {
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
        self.classes.iter().map(|class| class.0)
    }

    /// The number of the reference to a metatable that this value has already.
    pub(super) fn class(&self, identity: u64) -> Option<u32> {
        let from = if self.relative { self.first_class } else { 0 };
        self.classes
            .get(from..)?
            .iter()
            .find(|class| class.0 == identity)
            .map(|class| class.1)
    }

    /// Adds a reference to a metatable and answers its number.
    pub(super) fn counted_class(&mut self, identity: u64, metatable: Arc<super::Metatable>) -> u32 {
        let number = self.counted(Ref::Metatable(metatable));
        self.classes.push((identity, number));
        number
    }

    /// Adds a counted reference and answers its number.
    pub(super) fn counted(&mut self, reference: Ref) -> u32 {
        let base = if self.relative {
            self.starts.last().map_or(0, |start| start.1)
        } else {
            0
        };
        self.refs.push(reference);
        (self.refs.len() - 1 - base) as u32
    }

    /// Writes the tag and the flags of a new object and remembers it. Answers where its flags are.
    pub(super) fn object(&mut self, tag: u8, address: usize) -> (usize, u32) {
        self.tag(tag);
        let flags = self.out.len();
        self.tag(0);
        let number = self.objects;
        self.objects += 1;
        self.seen.insert(address, Seen { number, flags });
        (flags, number)
    }

    pub(super) fn fail(&mut self, failure: Failure) -> Result<(), Stop> {
        self.failure = Some(failure);
        Err(Stop)
    }

    /// The path of the value that is being written.
    pub(super) fn path(&self, raising: Raising) -> String {
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

    fn place(&self) -> Place {
        match self.frames.last() {
            None => Place::Top,
            Some(Frame::Table(_)) => Place::Table,
            Some(Frame::Function { .. }) => Place::Upvalue,
            Some(Frame::Userdata { .. }) => Place::UserValue,
        }
    }

    fn fail_type(&mut self, raising: Raising) -> Result<(), Stop> {
        let failure = Failure::Type {
            path: self.path(raising),
            kind: raising.type_name(-1),
            place: self.place(),
        };
        self.fail(failure)
    }

    /// Begins the contents of an object on the top of the stack, or puts them off.
    fn begin(
        &mut self,
        raising: Raising,
        local: &Local,
        tag: u8,
        flags: usize,
        number: u32,
    ) -> Result<(), Stop> {
        if self.frames.len() >= format::DEPTH {
            if let Some(place) = self.out.get_mut(flags) {
                *place |= format::LATER | format::SHARED;
            }
            self.later.push((tag, flags, number));
            if raising.is_none_or_nil(self.later_index) {
                raising.new_table(16, 0);
                raising.replace(self.later_index);
            }
            raising.raw_set_index(self.later_index, self.later.len() as i64);
            return Ok(());
        }
        self.body(raising, local, tag, flags, number)
    }

    /// Begins the contents of an object on the top of the stack.
    fn body(
        &mut self,
        raising: Raising,
        local: &Local,
        tag: u8,
        flags: usize,
        number: u32,
    ) -> Result<(), Stop> {
        let index = raising.top();
        match tag {
            format::TABLE => {
                let counts = self.out.len();
                self.out.extend_from_slice(&[0; 8]);
                raising.push_nil();
                self.frames.push(Frame::Table(TableFrame {
                    index,
                    counts,
                    flags,
                    array: 0,
                    hash: 0,
                    run: 0,
                    run_at: 0,
                    run_count: 0,
                    metatable: false,
                }));
            }
            format::FUNCTION => {
                let mut count = 0;
                while raising.push_upvalue(index, count + 1).is_some() {
                    raising.pop(1);
                    count += 1;
                }
                self.tag(count as u8);
                self.frames.push(Frame::Function {
                    index,
                    next: 1,
                    count,
                    number,
                });
            }
            _ => {
                let count = super::userdata::user_values(raising, local, index);
                self.tag(count as u8);
                self.frames.push(Frame::Userdata {
                    index,
                    next: 1,
                    count,
                });
            }
        }
        Ok(())
    }

    /// Writes the value on the top of the stack and takes it off, now or when its contents are written.
    fn value(&mut self, raising: Raising, local: &Local, to: Destination) -> Result<(), Stop> {
        match raising.kind(-1) {
            Kind::Nil | Kind::None => self.tag(format::NIL),
            Kind::Boolean => self.tag(if raising.truth(-1) {
                format::TRUE
            } else {
                format::FALSE
            }),
            Kind::Number => {
                if raising.is_integer(-1) {
                    self.word(format::INTEGER, raising.integer(-1) as u64);
                } else {
                    self.word(format::FLOAT, raising.number(-1).to_bits());
                }
            }
            Kind::String => self.string(raising.string(-1)),
            Kind::Light => self.word(format::LIGHT, raising.userdata(-1) as u64),
            Kind::Table => return self.table(raising, local, to),
            Kind::Function => return self.function(raising, local),
            Kind::Userdata => return self.userdata(raising, local),
            Kind::Thread | Kind::Other => return self.fail_type(raising),
        }
        raising.pop(1);
        Ok(())
    }

    /// Writes the table on the top by its contents, or as one that appeared before.
    fn table_contents(&mut self, raising: Raising, local: &Local) -> Result<(), Stop> {
        let address = raising.pointer(-1) as usize;
        if let Some(seen) = self.seen.get(address) {
            self.reference(format::REF, seen.number, seen.flags);
            raising.pop(1);
            return Ok(());
        }
        let (flags, number) = self.object(format::TABLE, address);
        self.begin(raising, local, format::TABLE, flags, number)
    }

    fn table(&mut self, raising: Raising, local: &Local, to: Destination) -> Result<(), Stop> {
        if self.seen.get(raising.pointer(-1) as usize).is_some() {
            return self.table_contents(raising, local);
        }
        if names::known_table(local, raising) {
            // The name is on the top now.
            if names::write_table(self, raising, to) {
                raising.pop(2);
                return Ok(());
            }
            raising.pop(1);
        }
        if raising.push_metatable(-1) {
            if ignored(raising) {
                raising.pop(2);
                self.tag(format::NIL);
                return Ok(());
            }
            raising.pop(1);
        }
        if self.keeps_classes(to) && is_class(raising) {
            let identity = super::metatables::identify(raising);
            self.word(format::CLASS, identity);
        }
        self.table_contents(raising, local)
    }

    /// Whether a class that is met now travels by identity: in what a lane is launched with, and as the upvalue of a
    /// function anywhere, so that objects which are made there have its original as their metatable here.
    fn keeps_classes(&self, to: Destination) -> bool {
        matches!(to, Destination::State(_))
            || self
                .frames
                .iter()
                .any(|frame| matches!(frame, Frame::Function { .. }))
    }

    fn function(&mut self, raising: Raising, local: &Local) -> Result<(), Stop> {
        let address = raising.pointer(-1) as usize;
        if raising.is_c_function(-1) {
            if !names::write_name(self, local, raising, Some(format::NAMED_FUNCTION)) {
                let state = local.name.borrow().clone();
                let failure = Failure::Unnamed {
                    what: "function",
                    path: self.path(raising),
                    state,
                };
                return self.fail(failure);
            }
            raising.pop(1);
            return Ok(());
        }
        if let Some(seen) = self.seen.get(address) {
            self.reference(format::REF, seen.number, seen.flags);
            raising.pop(1);
            return Ok(());
        }
        let (flags, number) = self.object(format::FUNCTION, address);
        self.function_flags.insert(number, flags);
        let length = self.out.len();
        self.u32(0);
        let out: *mut Vec<u8> = &mut self.out;
        if !raising.dump(out) {
            let failure = Failure::Code {
                path: self.path(raising),
            };
            return self.fail(failure);
        }
        let size = (self.out.len() - length - 4) as u32;
        self.patch(length, size);
        self.begin(raising, local, format::FUNCTION, flags, number)
    }

    fn userdata(&mut self, raising: Raising, local: &Local) -> Result<(), Stop> {
        if let Some(seen) = self.seen.get(raising.pointer(-1) as usize) {
            self.reference(format::REF, seen.number, seen.flags);
            raising.pop(1);
            return Ok(());
        }
        if raising.push_metatable(-1) {
            let ignore = ignored(raising);
            raising.pop(1);
            if ignore {
                raising.pop(1);
                self.tag(format::NIL);
                return Ok(());
            }
        }
        match super::userdata::write(self, raising, local) {
            super::userdata::Written::Whole => {
                raising.pop(1);
                Ok(())
            }
            super::userdata::Written::Header { tag, flags, number } => {
                self.begin(raising, local, tag, flags, number)
            }
            super::userdata::Written::Refused => {
                let failure = Failure::Userdata {
                    path: self.path(raising),
                };
                self.fail(failure)
            }
            super::userdata::Written::Stop => Err(Stop),
        }
    }

    /// Writes one entry of the table in `frame`, or several that make a run; false at the end of the table.
    #[inline]
    fn entries(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
        frame: &mut TableFrame,
    ) -> Result<bool, Stop> {
        // Stack: table, key.
        if !raising.next(frame.index) {
            return Ok(false);
        }
        let sequential = raising.kind(-2) == Kind::Number
            && raising.number(-2) == f64::from(frame.array) + 1.0
            && frame.hash == 0
            && frame.array < u32::MAX;
        if sequential {
            frame.array += 1;
            if raising.kind(-1) == Kind::Number {
                let (tag, bits) = if raising.is_integer(-1) {
                    (format::INTEGERS, raising.integer(-1) as u64)
                } else {
                    (format::FLOATS, raising.number(-1).to_bits())
                };
                if frame.run != tag {
                    self.close_run(frame);
                    frame.run = tag;
                    self.tag(tag);
                    frame.run_at = self.out.len();
                    frame.run_count = 0;
                    self.u32(0);
                }
                frame.run_count += 1;
                self.out.extend_from_slice(&bits.to_le_bytes());
                raising.pop(1);
                return Ok(true);
            }
            self.close_run(frame);
        } else {
            self.close_run(frame);
            match raising.kind(-2) {
                Kind::Boolean | Kind::Number | Kind::String | Kind::Light => {
                    frame.hash += 1;
                    raising.push_copy(-2);
                    self.value(raising, local, to)?;
                }
                // Keys of other types do not travel; their entries are left out (SPEC-3x 13.3).
                _ => {
                    raising.pop(1);
                    return Ok(true);
                }
            }
        }
        // The frame must be on record before the value's own frame comes above it.
        if let Some(Frame::Table(place)) = self.frames.last_mut() {
            *place = *frame;
        }
        self.value(raising, local, to)?;
        Ok(true)
    }

    fn close_run(&mut self, frame: &mut TableFrame) {
        if frame.run != 0 {
            self.patch(frame.run_at, frame.run_count);
            frame.run = 0;
        }
    }

    fn end_table(
        &mut self,
        raising: Raising,
        local: &Local,
        mut frame: TableFrame,
    ) -> Result<(), Stop> {
        self.close_run(&mut frame);
        self.patch(frame.counts, frame.array);
        self.patch(frame.counts + 4, frame.hash);
        // Stack: table.
        if raising.push_metatable(frame.index) {
            if let Some(flags) = self.out.get_mut(frame.flags) {
                *flags |= format::METATABLE
                    | if self.inline {
                        format::METATABLE_VALUE
                    } else {
                        0
                    };
            }
            if self.inline {
                let identity = super::metatables::identify(raising);
                self.out.extend_from_slice(&identity.to_le_bytes());
                frame.metatable = true;
                if let Some(Frame::Table(place)) = self.frames.last_mut() {
                    *place = frame;
                }
                return self.table_contents(raising, local);
            }
            let number = super::metatables::write(self, raising, local)?;
            self.u32(number);
            raising.pop(1);
        }
        raising.pop(1);
        self.frames.pop();
        Ok(())
    }

    fn upvalue(&mut self, raising: Raising, local: &Local, to: Destination) -> Result<(), Stop> {
        let Some(Frame::Function {
            index,
            next,
            count,
            number,
        }) = self.frames.last_mut()
        else {
            return Err(Stop);
        };
        if *next > *count {
            self.frames.pop();
            raising.pop(1);
            return Ok(());
        }
        let (index, n, number) = (*index, *next, *number);
        *next += 1;
        let variable = raising.upvalue_id(index, n) as usize;
        if variable != 0 {
            if let Some(&(function, upvalue)) = self.upvalues.get(&variable) {
                let flags = self.function_flags.get(&function).copied().unwrap_or(0);
                self.reference(format::JOIN, function, flags);
                self.tag(upvalue);
                return Ok(());
            }
            self.upvalues.insert(variable, (number, n as u8));
        }
        if raising.push_upvalue(index, n).is_none() {
            raising.push_nil();
        }
        if self.globals(raising) {
            return Ok(());
        }
        self.value(raising, local, to)
    }

    /// Writes the value on the top and takes it off where it is the table of globals: the receiver's own stands for it.
    fn globals(&mut self, raising: Raising) -> bool {
        if raising.kind(-1) != Kind::Table {
            return false;
        }
        raising.push_globals();
        let globals = raising.raw_equal(-1, -2);
        raising.pop(1);
        if globals {
            self.tag(format::GLOBALS);
            raising.pop(1);
        }
        globals
    }

    fn user_value(&mut self, raising: Raising, local: &Local, to: Destination) -> Result<(), Stop> {
        let Some(Frame::Userdata { index, next, count }) = self.frames.last_mut() else {
            return Err(Stop);
        };
        if *next > *count {
            self.frames.pop();
            raising.pop(1);
            return Ok(());
        }
        let (index, n) = (*index, *next);
        *next += 1;
        raising.push_user_value(index, n);
        if self.globals(raising) {
            return Ok(());
        }
        self.value(raising, local, to)
    }

    /// Writes everything that is on the stack of frames.
    fn drain(&mut self, raising: Raising, local: &Local, to: Destination) -> Result<(), Stop> {
        while let Some(frame) = self.frames.last().copied() {
            match frame {
                Frame::Table(mut table) => {
                    let depth = self.frames.len();
                    if table.metatable {
                        self.frames.pop();
                        raising.pop(1);
                        continue;
                    }
                    loop {
                        let more = self.entries(raising, local, to, &mut table)?;
                        if self.frames.len() != depth {
                            break; // a nested object first
                        }
                        if !more {
                            self.end_table(raising, local, table)?;
                            break;
                        }
                    }
                }
                Frame::Function { .. } => self.upvalue(raising, local, to)?,
                Frame::Userdata { .. } => self.user_value(raising, local, to)?,
            }
        }
        Ok(())
    }

    /// Writes one value of the transfer: the one at `index`.
    fn root(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
        index: c_int,
    ) -> Result<(), Stop> {
        raising.push_copy(index);
        self.value(raising, local, to)?;
        self.finish(raising, local, to)
    }

    /// Writes the contents of the value that was begun, and of those objects whose contents were put off.
    fn finish(&mut self, raising: Raising, local: &Local, to: Destination) -> Result<(), Stop> {
        self.drain(raising, local, to)?;
        while let Some(&(tag, flags, number)) = self.later.get(self.later_done) {
            self.later_done += 1;
            raising.raw_get_index(self.later_index, self.later_done as i64);
            self.body(raising, local, tag, flags, number)?;
            self.drain(raising, local, to)?;
        }
        if self.later_done > 0 {
            self.later.clear();
            self.later_done = 0;
            raising.push_nil();
            raising.replace(self.later_index);
        }
        Ok(())
    }

    /// Writes the `count` values at the bottom of the stack.
    fn all(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
        count: c_int,
    ) -> Result<(), Stop> {
        raising.reserve(format::STACK);
        self.later_index = count + 1;
        raising.push_nil();
        self.inline = matches!(to, Destination::State(_));
        self.values(raising, local, to, count)?;
        if !self.inline && super::metatables::shares_objects(self, local) {
            // What a metatable contains is among the values too, so they go together: once more, as one.
            self.again();
            self.inline = true;
            self.values(raising, local, to, count)?;
        }
        if self.relative && self.crossed {
            // The values share objects, so they cannot be cut apart: once more, as one.
            let inline = self.inline;
            self.again();
            self.inline = inline;
            self.relative = false;
            self.values(raising, local, to, count)?;
            self.crossed = true;
        }
        raising.set_top(0);
        Ok(())
    }

    /// Forgets what was written, but not the clones that were made: each is made once.
    fn again(&mut self) {
        let (label, relative, later_index) = (self.label, self.relative, self.later_index);
        let clones = std::mem::take(&mut self.clones);
        self.reset();
        self.clones = clones;
        self.label = label;
        self.relative = relative;
        self.later_index = later_index;
    }

    fn values(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
        count: c_int,
    ) -> Result<(), Stop> {
        for i in 0..count {
            self.value = i as usize;
            self.first_object = self.objects;
            self.first_class = self.classes.len();
            self.starts.push((self.out.len(), self.refs.len()));
            self.root(raising, local, to, i + 1)?;
        }
        Ok(())
    }

    /// Writes the metatable on the top of the stack (left there) as the only value: by its contents, even if it is a
    /// module's table.
    pub(super) fn metatable(&mut self, raising: Raising, local: &Local) -> Result<(), Stop> {
        let top = raising.top();
        raising.push_nil();
        self.later_index = top + 1;
        self.starts.push((0, 0));
        raising.push_copy(top);
        self.table_contents(raising, local)?;
        self.finish(raising, local, Destination::Anywhere)?;
        raising.set_top(top);
        Ok(())
    }

    pub(super) fn take_full(&mut self, values: u32) -> Full {
        let bytes = if self.out.len() > 1 << 16 {
            std::mem::take(&mut self.out)
        } else {
            self.out.as_slice().to_vec()
        };
        Full {
            bytes,
            refs: std::mem::take(&mut self.refs),
            values,
        }
    }
}

/// Whether the table on the top of the stack is made to be a metatable.
fn is_class(raising: Raising) -> bool {
    raising.raw_get_name(-1, b"__index");
    let class = !raising.is_none_or_nil(-1);
    raising.pop(1);
    class
}

/// Whether the metatable on the top of the stack says that its objects do not travel.
fn ignored(raising: Raising) -> bool {
    raising.get_field(-1, c"__lanesignore");
    let ignore = raising.kind(-1) == Kind::Boolean && raising.truth(-1);
    raising.pop(1);
    ignore
}

/// Captures a value that needs no walk.
#[inline]
fn scalar(state: State, index: c_int) -> Option<Message> {
    let word = |tag: u8, value: u64| {
        let mut bytes = [tag; 9];
        bytes[1..].copy_from_slice(&value.to_le_bytes());
        Message::small(&bytes)
    };
    Some(match state.kind(index) {
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
        Kind::String => {
            let text = state.string(index);
            if text.len() <= INLINE - 2 {
                let mut bytes = [0; INLINE];
                bytes[0] = format::SHORT;
                bytes[1] = text.len() as u8;
                bytes[2..2 + text.len()].copy_from_slice(text);
                Message(Body::Small {
                    len: text.len() as u8 + 2,
                    bytes,
                })
            } else {
                let head = if text.len() <= 255 { 2 } else { 9 };
                let mut bytes = Vec::with_capacity(head + text.len());
                if text.len() <= 255 {
                    bytes.extend_from_slice(&[format::SHORT, text.len() as u8]);
                } else {
                    bytes.push(format::LONG);
                    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
                }
                bytes.extend_from_slice(text);
                plain(bytes)
            }
        }
        _ => return None,
    })
}

fn plain(bytes: Vec<u8>) -> Message {
    if bytes.len() > 1 << 16 {
        return Message(Body::Full(Arc::new(Full {
            bytes,
            refs: Vec::new(),
            values: 1,
        })));
    }
    Message(Body::Plain(bytes.into()))
}

fn cut(bytes: &[u8], refs: &[Ref]) -> Message {
    if !refs.is_empty() || bytes.len() > 1 << 16 {
        return Message(Body::Full(Arc::new(Full {
            bytes: bytes.to_vec(),
            refs: refs.to_vec(),
            values: 1,
        })));
    }
    if bytes.len() <= INLINE {
        Message::small(bytes)
    } else {
        Message(Body::Plain(bytes.into()))
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
        Ok(false) => Raise::message(
            encoder
                .failure
                .take()
                .unwrap_or(Failure::Broken)
                .to_string(),
        ),
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
    let mut encoder = walk(local, state, 1, label, Destination::Anywhere, false)?;
    let message = if encoder.out.len() > 1 << 16 {
        Message(Body::Full(Arc::new(encoder.take_full(1))))
    } else {
        cut(&encoder.out, &encoder.refs)
    };
    local.give_encoder(encoder);
    Ok(message)
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
    let scalars: Option<Vec<Message>> = (first..first + count)
        .map(|index| scalar(state, index))
        .collect();
    if let Some(messages) = scalars {
        state.pop(count);
        return Ok(messages);
    }
    let mut encoder = walk(local, state, count, label, Destination::Anywhere, true)?;
    let messages = if encoder.crossed {
        let full = Arc::new(encoder.take_full(count as u32));
        local.give_encoder(encoder);
        (0..count as u32)
            .map(|i| Message(Body::Joint(Arc::clone(&full), i)))
            .collect()
    } else {
        let ends = encoder
            .starts
            .iter()
            .skip(1)
            .copied()
            .chain([(encoder.out.len(), encoder.refs.len())]);
        let messages = encoder
            .starts
            .iter()
            .zip(ends)
            .map(|(from, to)| cut(&encoder.out[from.0..to.0], &encoder.refs[from.1..to.1]))
            .collect();
        local.give_encoder(encoder);
        messages
    };
    Ok(messages)
}

/// Captures the top `count` values as one transfer and takes them off the stack.
pub fn encode_packet(
    local: &Local,
    state: State,
    count: c_int,
    label: Label,
    to: Destination,
) -> Result<Packet, Raise> {
    let mut encoder = walk(local, state, count, label, to, false)?;
    let packet = Packet(encoder.take_full(count as u32));
    local.give_encoder(encoder);
    Ok(packet)
}
