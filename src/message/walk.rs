//! The walk of an encoder: which objects it meets, and in which order it writes what they contain.
//!
//! Runs inside `protect` with a stack of frames of its own, so nesting is bounded by memory and not by the C stack. What
//! it owns is in the `Encoder`, which belongs to a frame outside.

use super::encode::Destination;
use super::encoder::{Encoder, Frame, Start, Stop, TableFrame};
use super::failure::Failure;
use super::local::Local;
use super::{format, metatables, names, naming};
use crate::lua::{Kind, Raising};
use std::os::raw::c_int;

impl Encoder {
    /// Writes one entry of the table in `frame`, or several that make a run; false at the end of the table.
    #[inline]
    pub(super) fn entries(
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
        let (key, kind) = (raising.kind(-2), raising.kind(-1));
        let sequential = frame.hash == 0
            && key == Kind::Number
            && raising.number(-2) == f64::from(frame.array) + 1.0
            && frame.array < u32::MAX;
        if sequential {
            frame.array += 1;
            if kind == Kind::Number {
                self.run(raising, frame);
                raising.pop(1);
                return Ok(true);
            }
            self.close_run(frame);
        } else {
            self.close_run(frame);
            // Keys of other types do not travel; their entries are left out (docs/manual/transfer.md#tables).
            if !matches!(
                key,
                Kind::Boolean | Kind::Number | Kind::String | Kind::Light
            ) {
                raising.pop(1);
                return Ok(true);
            }
            frame.hash += 1;
            self.scalar(raising, -2, key);
        }
        if self.scalar(raising, -1, kind) {
            raising.pop(1);
            return Ok(true);
        }
        // The frame must be on record before the value's own frame comes above it.
        if let Some(Frame::Table(place)) = self.frames.last_mut() {
            *place = *frame;
        }
        self.complex(raising, local, to, kind)?;
        Ok(true)
    }

    /// Writes the number on the top into the run of its kind, which may begin with it.
    #[inline]
    fn run(&mut self, raising: Raising, frame: &mut TableFrame) {
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
    }

    pub(super) fn close_run(&mut self, frame: &mut TableFrame) {
        if frame.run != 0 {
            self.patch(frame.run_at, frame.run_count);
            frame.run = 0;
        }
    }

    pub(super) fn end_table(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
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
                let identity = metatables::identify(raising);
                self.out.extend_from_slice(&identity.to_le_bytes());
                frame.metatable = true;
                if let Some(Frame::Table(place)) = self.frames.last_mut() {
                    *place = frame;
                }
                if names::known_table(local, raising) {
                    if naming::write_table(self, raising, local, to)? {
                        raising.pop(2);
                        return Ok(());
                    }
                    raising.pop(1);
                }
                return self.table_contents(raising, local);
            }
            let number = self.metatable_reference(raising, local)?;
            self.u32(number);
            raising.pop(1);
        }
        self.end_object(raising, frame.number);
        Ok(())
    }

    /// Writes the metatable on the top (left there) as a description and returns the number of its reference.
    fn metatable_reference(&mut self, raising: Raising, local: &Local) -> Result<u32, Stop> {
        if let Some(number) = self.class(metatables::identify(raising)) {
            return Ok(number);
        }
        let named = names::known_table(local, raising);
        if named {
            raising.insert(-2);
        }
        let number = metatables::write(self, raising, local, named)?;
        if named {
            raising.remove(-2);
        }
        Ok(number)
    }

    pub(super) fn upvalue(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
    ) -> Result<(), Stop> {
        let Some(Frame::Function {
            index,
            next,
            count,
            number,
        }) = self.frames.last_mut()
        else {
            return Err(Stop);
        };
        let (index, n, number) = (*index, *next, *number);
        if n > *count {
            self.end_object(raising, number);
            return Ok(());
        }
        *next += 1;
        let variable = raising.upvalue_id(index, n) as usize;
        if variable != 0 {
            if let Some(&(function, upvalue)) = self.upvalues.get(&variable) {
                let flags = self.function_flags.get(&function).copied().unwrap_or(0);
                self.reference(format::JOIN, function, flags);
                self.tag(upvalue);
                return Ok(());
            }
            raising.room(&mut self.upvalues, 1);
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
    pub(super) fn globals(&mut self, raising: Raising) -> bool {
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

    pub(super) fn user_value(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
    ) -> Result<(), Stop> {
        let Some(Frame::Userdata {
            index,
            next,
            count,
            number,
        }) = self.frames.last_mut()
        else {
            return Err(Stop);
        };
        let (index, n, number) = (*index, *next, *number);
        if n > *count {
            self.end_object(raising, number);
            return Ok(());
        }
        *next += 1;
        raising.push_user_value(index, n);
        if self.globals(raising) {
            return Ok(());
        }
        self.value(raising, local, to)
    }

    /// Writes everything that is on the stack of frames.
    pub(super) fn drain(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
    ) -> Result<(), Stop> {
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
                            self.end_table(raising, local, to, table)?;
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
    pub(super) fn root(
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
    pub(super) fn finish(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
    ) -> Result<(), Stop> {
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
    pub(super) fn all(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
        count: c_int,
    ) -> Result<(), Stop> {
        raising.reserve(format::ROOM);
        self.later_index = count + 1;
        raising.push_nil();
        self.inline = matches!(to, Destination::State(..));
        loop {
            self.values(raising, local, to, count)?;
            if self.relative && self.crossed {
                // The values share objects, so they cannot be cut apart: once more, as one.
                self.again();
                self.relative = false;
                self.spanning = true;
            } else if !self.inline && metatables::shares_objects(self, local) {
                // What a metatable contains is among the values too, so they go together: once more, as one.
                self.again();
                self.inline = true;
            } else {
                break;
            }
        }
        raising.set_top(0);
        if self.out.is_incomplete() {
            return self.fail(Failure::Memory);
        }
        Ok(())
    }

    /// The object of the last frame, which is on the top, is written.
    fn end_object(&mut self, raising: Raising, number: u32) {
        self.close_span(number);
        self.frames.pop();
        raising.pop(1);
    }

    /// Forgets what was written, but not the clones that were made: each is made once.
    pub(super) fn again(&mut self) {
        let (label, later_index) = (self.label, self.later_index);
        let (relative, inline) = (self.relative, self.inline);
        let clones = std::mem::take(&mut self.clones);
        self.reset();
        self.clones = clones;
        self.label = label;
        self.relative = relative;
        self.inline = inline;
        self.later_index = later_index;
    }

    /// Writes the `count` values at the bottom of the stack, or fewer where they were to be cut apart and cannot be.
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
            raising.room(&mut self.starts, 1);
            self.starts.push(Start {
                at: self.out.len(),
                reference: self.refs.len(),
                object: self.objects,
            });
            self.root(raising, local, to, i + 1)?;
            if self.relative && self.crossed {
                break;
            }
        }
        Ok(())
    }

    /// Writes the metatable on the top of the stack (left there) as the only value: by its contents, even if it is a
    /// module's table.
    pub(super) fn metatable(&mut self, raising: Raising, local: &Local) -> Result<(), Stop> {
        let top = raising.top();
        raising.push_nil();
        self.later_index = top + 1;
        self.starts.push(Start {
            at: 0,
            reference: 0,
            object: 0,
        });
        raising.push_copy(top);
        self.table_contents(raising, local)?;
        self.finish(raising, local, Destination::Anywhere)?;
        raising.set_top(top);
        if self.out.is_incomplete() {
            return self.fail(Failure::Memory);
        }
        Ok(())
    }
}
