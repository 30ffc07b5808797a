//! What a decoder keeps, and how it makes the values that it reads.

use super::failure::{Failure, Label, Step, path};
use super::local::Local;
use super::reader::{Outcome, Reader, Stop};
use super::{Ref, deep, format, found, metatables, userdata};
use crate::lua::{Kind, Raising, State, Text};
use std::ops::Range;
use std::os::raw::c_int;

/// An object whose contents are being read.
#[derive(Clone, Copy)]
pub(super) enum Frame {
    Table {
        index: c_int,
        next: u32,
        array: u32,
        hash: u32,
        flags: u8,
        /// A hash entry's key is on the stack.
        key: bool,
        /// The metatable with this identity is on the stack, or its contents are being read.
        metatable: Option<u64>,
    },
    Function {
        index: c_int,
        next: c_int,
        count: c_int,
    },
    Userdata {
        index: c_int,
        next: c_int,
        count: c_int,
    },
}

/// An object whose body comes later.
#[derive(Clone, Copy)]
pub(super) struct Later {
    pub(super) number: u32,
    pub(super) tag: u8,
    pub(super) flags: u8,
    /// Where the body is, if it does not come next.
    pub(super) body: Option<usize>,
}

/// Bookkeeping of one decoding.
#[derive(Default)]
pub(super) struct Decoder {
    pub(super) frames: Vec<Frame>,
    /// How many frames there may be: as many as the Lua stack has room for.
    pub(super) deepest: usize,
    pub(super) objects: u32,
    pub(super) later: Vec<Later>,
    /// The body of one of them is being read.
    pub(super) put_off: bool,
    /// Stack index of the table of shared objects by number (nil until the first).
    pub(super) shared: c_int,
    pub(super) value: usize,
    pub(super) label: Option<Label>,
    pub(super) failure: Option<Failure>,
    /// Stack index of the table of clones that have moved and their metatables (nil until the first); 0: none have.
    pub(super) moved: c_int,
    /// Nobody else will read the message: the blocks of its clones can be moved.
    pub(super) moves: bool,
    /// The next table stands in for one that is here already, below it on the stack.
    pub(super) stand_in: bool,
    /// The metatables that this state had not seen before.
    pub(super) adopted: Vec<u64>,
    /// An object that this state cannot have does not end the decoding: its value is left out.
    pub(super) lenient: bool,
    /// The values that are left out, and why.
    pub(super) refused: Vec<(usize, Text)>,
    /// The numbers of the objects in each of them.
    pub(super) gone: Vec<Range<u32>>,
    /// The objects that are read now have numbers of their own, which `gone` says nothing of.
    pub(super) apart: bool,
}

/// How many places on the stack it takes to move blocks.
const ROOM_TO_MOVE: c_int = 2;

/// Flag of a table, here only: it is read and thrown away.
pub(super) const DISCARD: u8 = 0x80;

impl Decoder {
    pub(super) fn reset(&mut self) {
        self.frames.clear();
        self.objects = 0;
        self.later.clear();
        self.put_off = false;
        self.value = 0;
        self.label = None;
        self.failure = None;
        self.stand_in = false;
        self.adopted.clear();
        self.moves = false;
        self.lenient = false;
        self.refused.clear();
        self.gone.clear();
        self.apart = false;
    }

    /// This state cannot have an object: that is the end, or nil is pushed in its place and its value is left out later.
    pub(super) fn refuse(&mut self, raising: Raising, failure: Failure) -> Outcome {
        let lenient = self.lenient;
        self.failure.get_or_insert(failure);
        if !lenient {
            return Err(Stop);
        }
        raising.push_nil();
        Ok(())
    }

    /// Refuses the present value where it refers to an object of one that is left out.
    #[inline]
    pub(super) fn check_present(&mut self, raising: Raising, number: u32) {
        if self.gone.is_empty() || self.apart {
            return;
        }
        if let Some(n) = self.gone.iter().position(|gone| gone.contains(&number)) {
            let reason = self
                .refused
                .get(n)
                .map_or_else(Text::new, |refused| refused.1.clone());
            let path = self.path(raising);
            self.failure.get_or_insert(Failure::Deep { path, reason });
        }
    }

    /// Replaces the value on the top by nil where it was refused. Its objects began with number `objects`, and the metatables that came
    /// with it with number `adopted`.
    pub(super) fn settle(&mut self, raising: Raising, objects: u32, adopted: usize) {
        raising.room(&mut self.refused, 1);
        raising.room(&mut self.gone, 1);
        let Some(failure) = self.failure.take() else {
            return;
        };
        self.refused.push((self.value, failure.text()));
        drop(failure); // nothing may be owned here when something raises
        self.gone.push(objects..self.objects);
        raising.pop(1);
        metatables::disown(raising, self.adopted.get(adopted..).unwrap_or_default());
        self.adopted.truncate(adopted);
        raising.push_nil();
    }

    pub(super) fn path(&self, raising: Raising) -> Text {
        let later = self.put_off.then_some(Step::Unknown);
        let steps = self.frames.iter().map(|frame| match frame {
            Frame::Table {
                metatable: Some(_), ..
            } => Step::Metatable,
            Frame::Table {
                index, key: true, ..
            } => Step::Key(index + 1),
            Frame::Table {
                next,
                array,
                hash: 0,
                ..
            } if next > array => Step::Metatable,
            Frame::Table { next, .. } => Step::Position(i64::from(*next)),
            Frame::Function { index, next, .. } => Step::Upvalue(*index, *next),
            Frame::Userdata { next, .. } => Step::UserValue(*next),
        });
        path(
            *raising,
            self.label.unwrap_or(Label::Element),
            self.value,
            later.into_iter().chain(steps),
        )
    }

    /// Begins the contents of an object.
    #[inline]
    pub(super) fn open(&mut self, raising: Raising, frame: Frame) -> Outcome {
        if self.frames.len() >= self.deepest {
            return Err(Stop);
        }
        if self.frames.len().is_multiple_of(format::STEP) {
            raising.reserve(format::ROOM);
        }
        raising.room(&mut self.frames, 1);
        self.frames.push(frame);
        Ok(())
    }

    /// Keeps the object on the top (left there) under its number.
    pub(super) fn share(&mut self, raising: Raising, number: u32) {
        if raising.is_none_or_nil(self.shared) {
            raising.new_table(8, 0);
            raising.replace(self.shared);
        }
        raising.push_copy(-1);
        raising.raw_set_index(self.shared, i64::from(number) + 1);
    }

    /// Takes the number of a new object, and keeps the object if it is referred to again.
    pub(super) fn number(&mut self, raising: Raising, flags: u8, tag: u8) -> bool {
        let number = self.objects;
        self.objects += 1;
        if flags & format::SHARED != 0 {
            self.share(raising, number);
        }
        if flags & format::LATER != 0 {
            raising.room(&mut self.later, 1);
            self.later.push(Later {
                number,
                tag,
                flags,
                body: None,
            });
            return false;
        }
        true
    }

    /// Reads one value. Answers whether it is complete on the top; otherwise its frame is on record.
    pub(super) fn value(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
    ) -> Outcome<bool> {
        let tag = reader.peek()?;
        if reader.scalar(raising, tag)? {
            return Ok(true);
        }
        if !reader.spans.is_empty() && self.passed(raising, reader)? {
            return Ok(true);
        }
        reader.at += 1;
        match tag {
            format::GLOBALS => raising.push_globals(),
            format::REF => {
                let number = reader.u32()?;
                self.check_present(raising, number);
                self.referred(raising, local, reader, number)?;
            }
            format::TABLE => {
                let flags = reader.flags()?;
                let stand_in = std::mem::take(&mut self.stand_in);
                let now = flags & format::LATER == 0;
                let (array, hash) = if now { reader.counts()? } else { (0, 0) };
                raising.new_table(array as usize, hash as usize);
                self.number(raising, flags | if stand_in { DISCARD } else { 0 }, tag);
                if stand_in && flags & format::SHARED != 0 {
                    raising.push_copy(-2);
                    raising.raw_set_index(self.shared, i64::from(self.objects));
                }
                if now {
                    let flags = flags | if stand_in { DISCARD } else { 0 };
                    self.table_body(raising, (array, hash), flags)?;
                    return Ok(false);
                }
            }
            format::FUNCTION => {
                let flags = reader.flags()?;
                let len = reader.u32()? as usize;
                let code = reader.take(len)?;
                if !raising.load_bytecode(code) {
                    self.failure = Some(Failure::Code {
                        path: self.path(raising),
                    });
                    return Err(Stop);
                }
                if self.number(raising, flags, tag) {
                    self.function_body(raising, reader)?;
                    return Ok(false);
                }
            }
            format::NAMED_FUNCTION => self.named(raising, local, reader, Kind::Function)?,
            format::NAMED_TABLE => self.named(raising, local, reader, Kind::Table)?,
            format::MODULE => {
                self.described(raising, local, reader)?;
            }
            format::CLASS => {
                let identity = reader.identity()?;
                return self.class(raising, local, reader, identity);
            }
            format::DEEP => {
                let flags = reader.flags()?;
                let Ref::Deep(object) = reader.reference()? else {
                    return Err(Stop);
                };
                if !object.arrive(local, raising)
                    || !deep::push_proxy_raising(local, raising, object)
                {
                    let reason = raising.text(-1).unwrap_or_default();
                    raising.pop(1);
                    let path = self.path(raising);
                    self.refuse(raising, Failure::Deep { path, reason })?;
                    self.stand_in_userdata(raising, c_int::from(object.user_values()));
                }
                if self.number(raising, flags, tag) {
                    self.userdata_body(raising, reader)?;
                    return Ok(false);
                }
            }
            format::CLONE => {
                let flags = reader.flags()?;
                let user_values = c_int::from(reader.u8()?);
                let begin = reader.at;
                let mark = match reader.u8()? {
                    format::NAMED_TABLE => {
                        self.named(raising, local, reader, Kind::Table)?;
                        userdata::mark(reader.bytes.get(begin..reader.at).ok_or(Stop)?)
                    }
                    format::MODULE => self.described(raising, local, reader)?,
                    _ => return Err(Stop),
                };
                let Ref::Block(block, len, its) = reader.reference()? else {
                    return Err(Stop);
                };
                if *its != mark {
                    return Err(Stop);
                }
                if raising.is_none_or_nil(-1) {
                    self.stand_in_userdata(raising, user_values);
                } else {
                    self.clone(raising, block, *len, user_values)?;
                }
                if self.number(raising, flags, tag) {
                    self.userdata_body(raising, reader)?;
                    return Ok(false);
                }
            }
            _ => return Err(Stop),
        }
        Ok(true)
    }

    /// Replaces the metatable on the top by a clone with it. Where the message is not needed any more its block is moved
    /// into the clone, else the metatable's own method makes another.
    pub(super) fn clone(
        &mut self,
        raising: Raising,
        block: &[u64],
        len: usize,
        user_values: c_int,
    ) -> Outcome {
        let metatable = raising.top();
        raising.raw_get_name(metatable, b"__lanesclone");
        if raising.kind(-1) != Kind::Function {
            return Err(Stop);
        }
        raising.pop(1);
        let copy = raising.new_userdata(len, user_values);
        if self.moves {
            raising.fill_block(-1, block);
            if raising.is_none_or_nil(self.moved) {
                raising.new_table(2, 0);
                raising.replace(self.moved);
            }
            // A block moves once.
            raising.push_light(block.as_ptr().cast_mut().cast());
            raising.push_copy(-1);
            raising.raw_get(self.moved);
            if !raising.is_none_or_nil(-1) {
                return Err(Stop);
            }
            raising.pop(1);
            raising.push_boolean(true);
            raising.raw_set(self.moved);
            let count = raising.raw_len(self.moved) as i64;
            raising.push_copy(-1);
            raising.raw_set_index(self.moved, count + 1);
            raising.push_copy(metatable);
            raising.raw_set_index(self.moved, count + 2);
        } else {
            raising.raw_get_name(metatable, b"__lanesclone");
            raising.push_light(copy);
            raising.push_light(block.as_ptr().cast_mut().cast());
            raising.push_integer(len as i64);
            raising.call(3, Some(0));
            raising.push_copy(metatable);
            raising.set_metatable(-2);
        }
        raising.remove(metatable);
        Ok(())
    }

    /// Begins a transfer.
    pub(super) fn begin(&mut self, raising: Raising) {
        raising.push_nil();
        self.moved = raising.top();
    }

    /// Ends a transfer that succeeded. Where blocks are to move, their table stays on the stack, and on the top there is room for
    /// `move_blocks`.
    pub(super) fn end(&mut self, raising: Raising) {
        if raising.is_none_or_nil(self.moved) {
            raising.remove(self.moved);
            self.moved = 0;
        } else {
            raising.reserve(ROOM_TO_MOVE);
            raising.set_top(raising.top() + ROOM_TO_MOVE);
        }
    }

    /// After `protect` has succeeded: now blocks have moved, so their userdata, in the table at `first`, get their metatables, and with them
    /// the finalizers; until then they belonged to the message, which may be put back. (Inside it would be too early: Lua 5.1 collects
    /// garbage after a protected function has returned, and what a finalizer raises then fails the call.)
    pub(super) fn move_blocks(&self, state: State, first: c_int) {
        if self.moved == 0 {
            return;
        }
        state.pop(ROOM_TO_MOVE);
        for n in (1..=state.raw_len(first) as i64).step_by(2) {
            state.raw_get_index(first, n);
            state.raw_get_index(first, n + 1);
            state.set_metatable(-2);
            state.pop(1);
        }
        state.remove(first);
    }

    /// Begins the contents of the table on the top, of which the header has told how many entries of each part there are.
    pub(super) fn table_body(
        &mut self,
        raising: Raising,
        (array, hash): (u32, u32),
        flags: u8,
    ) -> Outcome {
        self.open(
            raising,
            Frame::Table {
                index: raising.top(),
                next: 1,
                array,
                hash,
                flags,
                key: false,
                metatable: None,
            },
        )
    }

    pub(super) fn function_body(&mut self, raising: Raising, reader: &mut Reader) -> Outcome {
        let count = c_int::from(reader.u8()?);
        self.open(
            raising,
            Frame::Function {
                index: raising.top(),
                next: 1,
                count,
            },
        )
    }

    pub(super) fn userdata_body(&mut self, raising: Raising, reader: &mut Reader) -> Outcome {
        let count = c_int::from(reader.u8()?);
        self.open(
            raising,
            Frame::Userdata {
                index: raising.top(),
                next: 1,
                count,
            },
        )
    }

    /// Pushes the object that a name stands for.
    pub(super) fn named(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
        kind: Kind,
    ) -> Outcome {
        let (module, path) = reader.name()?;
        if found::push_object(local, raising, module, path, kind) {
            return Ok(());
        }
        let reason = raising.text(-1).unwrap_or_default();
        raising.pop(1);
        let failure = self.unknown(raising, local, module, path, kind, reason);
        self.refuse(raising, failure)
    }

    /// Replaces the nil on the top by a userdata that can take the user values which follow.
    fn stand_in_userdata(&self, raising: Raising, user_values: c_int) {
        raising.pop(1);
        raising.new_userdata(0, user_values);
    }
}
