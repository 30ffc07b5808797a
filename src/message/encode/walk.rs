//! The walk of an encoder: in which order objects and their contents are written.
//!
//! Runs inside `protect` with a stack of frames of its own, so nesting is bounded by memory and not
//! by the C stack. The `Encoder`, which owns everything, belongs to a frame outside.

use super::convert::is_null;
use super::encoder::{Deferred, Encoder, Frame, Seen, Start, TableFrame};
use crate::lua::{Kind, Raising};
use crate::message::cache::{Destination, Transfer};
use crate::message::failure::{Owner, Stop};
use crate::message::format;
use crate::message::identity::identify;
use crate::message::names::{push_table_name, scan_if_stale};
use std::os::raw::c_int;

impl Encoder {
    /// Writes one entry of the table in `frame`; returns false at the end of the table.
    #[inline]
    fn entry(
        &mut self,
        transfer: Transfer,
        to: Destination,
        frame: &mut TableFrame,
    ) -> Result<bool, Stop> {
        if frame.key {
            frame.key = false;
            return self.entry_value(transfer, to, frame, transfer.kind(-1));
        }
        // Stack: table, key.
        if !transfer.next(frame.index) {
            return Ok(false);
        }
        let (key, kind) = (transfer.kind(-2), transfer.kind(-1));
        let is_sequential = frame.hash == 0
            && key == Kind::Number
            && transfer.number(-2) == f64::from(frame.array) + 1.0
            && frame.array < u32::MAX;
        if is_sequential {
            frame.array += 1;
            if kind == Kind::Number {
                self.run(*transfer, frame);
                transfer.pop(1);
                return Ok(true);
            }
            self.close_run(frame);
        } else {
            self.close_run(frame);
            // Entries with keys of other types are left out (docs/manual/transfer.md#tables).
            if !matches!(
                key,
                Kind::Boolean | Kind::Number | Kind::String | Kind::Light
            ) {
                return self.entry_with_object(transfer, to, frame, key);
            }
            if key == Kind::Light && self.is_dropped_key(transfer) {
                transfer.pop(1);
                return Ok(true);
            }
            frame.hash += 1;
            self.out.scalar(**transfer, -2, key);
        }
        self.entry_value(transfer, to, frame, kind)
    }

    /// Writes the value of an entry, which is at the stack top, and takes it off.
    #[inline(always)]
    fn entry_value(
        &mut self,
        transfer: Transfer,
        to: Destination,
        frame: &mut TableFrame,
        kind: Kind,
    ) -> Result<bool, Stop> {
        if kind == Kind::Light && self.is_null_here(transfer) {
            self.out.tag(format::NIL);
            transfer.pop(1);
            return Ok(true);
        }
        if self.out.scalar(**transfer, -1, kind) {
            transfer.pop(1);
            return Ok(true);
        }
        // The frame must be up to date before the value's own frame is pushed on top of it.
        self.update_table(*frame);
        self.object(transfer, to, kind)?;
        Ok(true)
    }

    /// Whether the light userdata at the stack top is `lanes.null`, which becomes nil: so it does
    /// in the 4.x interface.
    pub(super) fn is_null_here(&self, transfer: Transfer) -> bool {
        transfer.cache.conversion.get().is_some() && is_null(*transfer, -1)
    }

    /// Whether the light userdata below the stack top is `lanes.null`, which is no key then.
    fn is_dropped_key(&self, transfer: Transfer) -> bool {
        transfer.cache.conversion.get().is_some() && is_null(*transfer, -2)
    }

    /// Begins an entry whose key is an object: key and value are at the stack top. In the 3.x
    /// interface such entries are left out; in that of 4.x those are whose key cannot travel, or
    /// converts to nil.
    #[cold]
    #[inline(never)]
    fn entry_with_object(
        &mut self,
        transfer: Transfer,
        to: Destination,
        frame: &mut TableFrame,
        key: Kind,
    ) -> Result<bool, Stop> {
        let conversion = transfer.cache.conversion.get();
        let (Some(conversion), Kind::Table | Kind::Function | Kind::Userdata) = (conversion, key)
        else {
            transfer.pop(1);
            return Ok(true);
        };
        self.update_table(*frame);
        transfer.reserve(8);
        transfer.push_copy(-2);
        let converted = key != Kind::Function
            && !self.written(*transfer)
            && self.convert(transfer, to, conversion)?;
        let kind = transfer.kind(-1);
        let is_nan = kind == Kind::Number && transfer.number(-1).is_nan();
        if matches!(kind, Kind::Nil | Kind::Thread | Kind::Other) || is_nan {
            transfer.pop(2);
            return Ok(true);
        }
        frame.hash += 1;
        frame.key = true;
        self.update_table(*frame);
        if self.out.scalar(**transfer, -1, kind) {
            transfer.pop(1);
        } else if converted {
            self.converted(transfer, to, kind)?;
        } else {
            self.object(transfer, to, kind)?;
        }
        Ok(true)
    }

    /// Replaces the last frame, a table's.
    fn update_table(&mut self, frame: TableFrame) {
        if let Some(Frame::Table(place)) = self.frames.last_mut() {
            *place = frame;
        }
    }

    /// Adds the number at the stack top to the open run of the table; opens a run if there is none
    /// of its type.
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
            self.out.tag(tag);
            frame.run_at = self.out.len();
            frame.run_count = 0;
            self.out.u32(0);
        }
        frame.run_count += 1;
        self.out.extend(&bits.to_le_bytes());
    }

    fn close_run(&mut self, frame: &mut TableFrame) {
        if frame.run != 0 {
            self.out.patch(frame.run_at, frame.run_count);
            frame.run = 0;
        }
    }

    /// Ends the contents of the table in the last frame: writes its counts and its metatable.
    fn end_table(
        &mut self,
        transfer: Transfer,
        to: Destination,
        mut frame: TableFrame,
    ) -> Result<(), Stop> {
        self.close_run(&mut frame);
        self.out.patch(frame.counts, frame.array);
        self.out.patch(frame.counts + 4, frame.hash);
        // Stack: table.
        if !transfer.push_metatable(frame.index) {
            self.end_object(*transfer, frame.number);
            return Ok(());
        }
        let flags = if self.inline_metatables {
            format::METATABLE | format::METATABLE_VALUE
        } else {
            format::METATABLE
        };
        if let Some(place) = self.out.get_mut(frame.flags) {
            *place |= flags;
        }
        if self.inline_metatables {
            frame.metatable = true;
            self.update_table(frame);
            return self.write_inline_metatable(transfer, to);
        }
        let number = self.refer_to_metatable(transfer)?;
        self.out.u32(number);
        transfer.pop(1);
        self.end_object(*transfer, frame.number);
        Ok(())
    }

    /// Writes the metatable at the stack top as a value, after its identity, and takes it off, at
    /// once or when its contents have been written.
    fn write_inline_metatable(&mut self, transfer: Transfer, to: Destination) -> Result<(), Stop> {
        let identity = identify(*transfer);
        self.out.extend(&identity.to_le_bytes());
        if push_table_name(transfer) {
            if self.write_module(transfer, to)? {
                transfer.pop(2);
                return Ok(());
            }
            transfer.pop(1);
        }
        self.table_contents(transfer);
        Ok(())
    }

    /// Adds a reference to the metatable at the stack top (left there), with its description, and
    /// returns the number of the reference.
    fn refer_to_metatable(&mut self, transfer: Transfer) -> Result<u32, Stop> {
        if let Some(number) = self.metatable_reference(identify(*transfer)) {
            return Ok(number);
        }
        let named = push_table_name(transfer);
        if named {
            transfer.insert(-2);
        }
        let number = self.write_metatable(transfer, named)?;
        if named {
            transfer.remove(-2);
        }
        Ok(number)
    }

    /// Writes the next upvalue or user value of the object in the last frame, or ends the object.
    fn numbered_value(&mut self, transfer: Transfer, to: Destination) -> Result<(), Stop> {
        let Some(Frame::Numbered(frame)) = self.frames.last_mut() else {
            return Err(Stop);
        };
        let (index, n, number) = (frame.index, frame.next, frame.number);
        if n > frame.count {
            self.end_object(*transfer, number);
            return Ok(());
        }
        frame.next += 1;
        match frame.owner {
            Owner::Function => {
                if self.joins_variable(*transfer, index, n, number) {
                    return Ok(());
                }
                if transfer.push_upvalue(index, n).is_none() {
                    transfer.push_nil();
                }
            }
            Owner::Userdata => {
                transfer.push_user_value(index, n);
            }
        }
        if self.write_globals(*transfer) {
            return Ok(());
        }
        self.value(transfer, to)
    }

    /// If the variable of upvalue `n` of function `number`, at `index`, has been met before, writes
    /// a `JOIN`; otherwise remembers it and returns false.
    fn joins_variable(&mut self, raising: Raising, index: c_int, n: c_int, number: u32) -> bool {
        let variable = raising.upvalue_id(index, n) as usize;
        if variable == 0 {
            return false;
        }
        if let Some(&(function, upvalue)) = self.upvalues.get(&variable) {
            let flags = self.function_flags.get(&function).copied().unwrap_or(0);
            self.refer(format::JOIN, function, flags);
            self.out.tag(upvalue);
            return true;
        }
        raising.room(&mut self.upvalues, 1);
        self.upvalues.insert(variable, (number, n as u8));
        false
    }

    /// If the value at the stack top is the table of globals, writes `GLOBALS` and takes it off;
    /// otherwise returns false.
    fn write_globals(&mut self, raising: Raising) -> bool {
        if raising.kind(-1) != Kind::Table {
            return false;
        }
        raising.push_globals();
        let is_globals = raising.raw_equal(-1, -2);
        raising.pop(1);
        if is_globals {
            self.out.tag(format::GLOBALS);
            raising.pop(1);
        }
        is_globals
    }

    /// Writes the contents of all objects that have frames.
    fn drain(&mut self, transfer: Transfer, to: Destination) -> Result<(), Stop> {
        while let Some(frame) = self.frames.last().copied() {
            let Frame::Table(mut table) = frame else {
                self.numbered_value(transfer, to)?;
                continue;
            };
            if table.metatable {
                // The metatable has been written, and is off the stack.
                self.frames.pop();
                transfer.pop(1);
                continue;
            }
            let depth = self.frames.len();
            loop {
                let more = self.entry(transfer, to, &mut table)?;
                if self.frames.len() != depth {
                    break; // a nested object first
                }
                if table.key {
                    continue;
                }
                if !more {
                    self.end_table(transfer, to, table)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// The object of the last frame, which is at the stack top, has been written.
    fn end_object(&mut self, raising: Raising, number: u32) {
        self.close_span(number);
        self.frames.pop();
        raising.pop(1);
    }

    /// Writes the contents of the value that has been begun, and of the objects that are deferred.
    fn finish(&mut self, transfer: Transfer, to: Destination) -> Result<(), Stop> {
        self.drain(transfer, to)?;
        while let Some(&Deferred { tag, flags, number }) = self.deferred.get(self.deferred_done) {
            self.deferred_done += 1;
            transfer.raw_get_index(self.deferred_index, self.deferred_done as i64);
            self.begin_body(transfer, tag, Seen { number, flags });
            self.drain(transfer, to)?;
        }
        if self.deferred_done > 0 {
            self.deferred.clear();
            self.deferred_done = 0;
            transfer.push_nil();
            transfer.replace(self.deferred_index);
        }
        Ok(())
    }

    /// Writes the `count` values at the bottom of the stack, which is empty afterwards.
    pub(super) fn encode(
        &mut self,
        transfer: Transfer,
        to: Destination,
        count: c_int,
    ) -> Result<(), Stop> {
        transfer.reserve(format::RESERVED_SLOTS);
        self.deferred_index = count + 1;
        self.converted_index = count + 2;
        transfer.push_nil();
        transfer.push_nil();
        self.inline_metatables = matches!(to, Destination::State(..));
        let mut is_checked = false;
        loop {
            let scans = transfer.cache.scans.get();
            let written = self.values(transfer, to, count);
            if !is_checked && (written.is_err() || self.has_table_of_functions) {
                is_checked = true;
                if transfer.cache.scans.get() != scans || scan_if_stale(transfer) {
                    // Tables of modules may have been taken for other tables before the scan: all
                    // is written again. Descriptions may have such tables, too.
                    transfer.cache.metatables.borrow_mut().clear();
                    self.restart();
                    transfer.set_top(self.converted_index);
                    transfer.push_nil();
                    transfer.replace(self.deferred_index);
                    continue;
                }
            }
            written?;
            if self.relative && self.shares_objects {
                // The values share objects, so they cannot be cut apart: they are written again,
                // as a group.
                self.restart();
                self.relative = false;
                self.records_spans = true;
            } else if !self.inline_metatables && self.shares_objects_with_metatables(transfer.cache)
            {
                // An object is in a value and in a metatable, so both must be in one buffer: they
                // are written again, with metatables as values.
                self.restart();
                self.inline_metatables = true;
            } else {
                break;
            }
        }
        transfer.set_top(0);
        self.check_complete(*transfer);
        Ok(())
    }

    /// Raises if something is missing in the buffer because memory ran out.
    fn check_complete(&self, raising: Raising) {
        if self.out.is_incomplete() {
            raising.out_of_memory();
        }
    }

    /// Writes the `count` values at the bottom of the stack; stops early if they turn out to share
    /// objects and should be cut apart.
    fn values(&mut self, transfer: Transfer, to: Destination, count: c_int) -> Result<(), Stop> {
        for i in 0..count {
            self.value = i as usize;
            self.first_object = self.objects;
            transfer.room(&mut self.starts, 1);
            self.starts.push(Start {
                at: self.out.len(),
                reference: self.refs.len(),
                object: self.objects,
            });
            transfer.push_copy(i + 1);
            self.value(transfer, to)?;
            self.finish(transfer, to)?;
            if self.relative && self.shares_objects {
                break;
            }
        }
        Ok(())
    }

    /// Writes the table at the stack top (left there) as the only value: by its contents, even if
    /// it is a module's table.
    pub(super) fn describe_contents(&mut self, transfer: Transfer) -> Result<(), Stop> {
        let table = transfer.top();
        transfer.push_nil();
        transfer.push_nil();
        self.deferred_index = table + 1;
        self.converted_index = table + 2;
        transfer.room(&mut self.starts, 1);
        self.starts.push(Start::default());
        transfer.push_copy(table);
        self.table_contents(transfer);
        self.finish(transfer, Destination::Anywhere)?;
        transfer.set_top(table);
        self.check_complete(*transfer);
        Ok(())
    }
}
