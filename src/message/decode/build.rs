//! Building the contents of objects, in the order in which they were written.
//!
//! Runs inside `protect` with a stack of frames of its own, as the walk of an encoder.

use super::decoder::{DISCARD_FLAG, Decoder, Deferred, Frame, NumberedFrame, Part, TableFrame};
use super::reader::Reader;
use crate::lua::{Kind, Raising, Userdata, compat};
use crate::message::cache::Transfer;
use crate::message::deep::Proxy;
use crate::message::failure::{Owner, Stop};
use crate::message::format;
use crate::message::identity::push_known;
use std::os::raw::c_int;

impl Decoder {
    /// Reads the array part of the table at `index`, which has `array` values, from position `next`
    /// on, up to the first value that needs a frame of its own. The table has the last frame.
    fn array(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
        (index, mut next, array): (c_int, u32, u32),
    ) -> Result<(), Stop> {
        while next <= array {
            let tag = reader.peek()?;
            if tag == format::INTEGERS || tag == format::FLOATS {
                reader.at += 1;
                let count = reader.u32()?;
                if count > array - next + 1 {
                    return Err(Stop);
                }
                let data = reader.take((count as usize).checked_mul(8).ok_or(Stop)?)?;
                for (position, item) in (i64::from(next)..).zip(data.chunks_exact(8)) {
                    let bits = u64::from_le_bytes(item.try_into().map_err(|_| Stop)?);
                    if tag == format::INTEGERS {
                        transfer.push_integer(bits as i64);
                    } else {
                        transfer.push_number(f64::from_bits(bits));
                    }
                    transfer.raw_set_index(index, position);
                }
                next = next.checked_add(count).ok_or(Stop)?;
                continue;
            }
            if !reader.scalar(*transfer, tag)? {
                // The frame must have the position: for the path of an error, and for `deliver`.
                self.set_position(next);
                if !self.value(transfer, reader)? {
                    return Ok(());
                }
            }
            transfer.raw_set_index(index, i64::from(next));
            next += 1;
        }
        self.set_position(next);
        Ok(())
    }

    /// Sets the position in the array part of the table in the last frame.
    fn set_position(&mut self, position: u32) {
        if let Some(Frame::Table(table)) = self.frames.last_mut() {
            table.next = position;
        }
    }

    /// Reads the hash part of the table at `index`, of which `left` entries are left, up to the
    /// first value that needs a frame of its own. The table has the last frame.
    fn entries(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
        (index, mut left): (c_int, u32),
        mut has_key: bool,
    ) -> Result<(), Stop> {
        while left > 0 {
            if !has_key {
                let tag = reader.peek()?;
                if !reader.scalar(*transfer, tag)? {
                    self.set_entry(left, Part::Key);
                    if !self.value(transfer, reader)? {
                        return Ok(());
                    }
                    has_key = true;
                }
            }
            let tag = reader.peek()?;
            if !reader.scalar(*transfer, tag)? {
                self.set_entry(left, Part::Value);
                if !self.value(transfer, reader)? {
                    return Ok(());
                }
            }
            if has_key {
                set_entry(*transfer, index);
            } else {
                transfer.raw_set(index);
            }
            has_key = false;
            left -= 1;
        }
        self.set_entry(0, Part::None);
        Ok(())
    }

    /// Sets, for the table in the last frame, how many entries are left, and which part of the next
    /// one is being built.
    fn set_entry(&mut self, left: u32, part: Part) {
        if let Some(Frame::Table(table)) = self.frames.last_mut() {
            (table.hash, table.part) = (left, part);
        }
    }

    /// Moves the complete value at the stack top into the object of the last frame.
    fn deliver(&mut self, raising: Raising) {
        match self.frames.last_mut() {
            // It is the metatable, which stays on the stack.
            Some(Frame::Table(table)) if table.metatable.is_some() => {}
            Some(Frame::Table(table)) => match table.part {
                Part::Key => table.part = Part::HasKey,
                Part::Value => {
                    set_entry(raising, table.index);
                    table.part = Part::None;
                    table.hash = table.hash.saturating_sub(1);
                }
                Part::None | Part::HasKey => {
                    raising.raw_set_index(table.index, i64::from(table.next));
                    table.next += 1;
                }
            },
            Some(Frame::Numbered(frame)) => {
                match frame.owner {
                    Owner::Function => raising.set_upvalue(frame.index, frame.next),
                    Owner::Userdata
                        if compat::is_user_value(raising.kind(-1))
                            && !keeps_user_value(raising, frame.index, frame.next) =>
                    {
                        raising.set_user_value(frame.index, frame.next);
                    }
                    Owner::Userdata => raising.pop(1),
                }
                frame.next += 1;
            }
            None => {}
        }
    }

    /// Reads contents until there are `floor` frames.
    pub(super) fn drain(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
        floor: usize,
    ) -> Result<(), Stop> {
        while self.frames.len() > floor {
            match self.frames.last().copied() {
                Some(Frame::Table(table)) => self.table_part(transfer, reader, floor, table)?,
                Some(Frame::Numbered(it)) => self.numbered_value(transfer, reader, floor, it)?,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Reads what is next of the table in the last frame: the array part, the hash part, or the
    /// metatable.
    #[inline]
    fn table_part(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
        floor: usize,
        table: TableFrame,
    ) -> Result<(), Stop> {
        let TableFrame { index, flags, .. } = table;
        if table.next <= table.array {
            return self.array(transfer, reader, (index, table.next, table.array));
        }
        if let Some(identity) = table.metatable {
            self.set_metatable(*transfer, index, identity)?;
            self.end_table(*transfer, floor, flags);
            return Ok(());
        }
        if table.hash > 0 {
            let has_key = table.part == Part::HasKey;
            return self.entries(transfer, reader, (index, table.hash), has_key);
        }
        transfer.set_top(index);
        if flags & format::METATABLE_VALUE != 0 {
            return self.begin_metatable(transfer, reader);
        }
        self.metatable(transfer, reader, flags)?;
        self.end_table(*transfer, floor, flags);
        Ok(())
    }

    /// Begins the metatable, which is a value, of the table in the last frame.
    fn begin_metatable(&mut self, transfer: Transfer, reader: &mut Reader) -> Result<(), Stop> {
        let identity = reader.identity()?;
        if let Some(Frame::Table(table)) = self.frames.last_mut() {
            table.metatable = Some(identity);
        }
        match reader.peek()? {
            format::TABLE => {
                self.class(transfer, reader, identity)?;
            }
            format::NAMED_TABLE | format::MODULE | format::GLOBALS => {
                self.value(transfer, reader)?;
                self.prefer(*transfer, identity);
            }
            _ => {
                self.value(transfer, reader)?;
            }
        }
        Ok(())
    }

    /// Takes the complete metatable off the stack top and sets it, or the one that this state has
    /// already, as that of the table at `index`.
    fn set_metatable(&mut self, raising: Raising, index: c_int, identity: u64) -> Result<(), Stop> {
        if raising.kind(-1) != Kind::Table {
            raising.pop(1);
            // A lenient decoding has nil in place of a refused metatable.
            return if self.lenient { Ok(()) } else { Err(Stop) };
        }
        push_known(raising, identity);
        if raising.is_none_or_nil(-1) {
            raising.pop(1);
            self.adopt(raising, identity);
        } else {
            raising.remove(-2);
        }
        raising.set_metatable(index);
        Ok(())
    }

    /// Reads the next upvalue or user value of the object in the last frame, or ends the object.
    #[inline]
    fn numbered_value(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
        floor: usize,
        frame: NumberedFrame,
    ) -> Result<(), Stop> {
        if frame.next > frame.count {
            transfer.set_top(frame.index);
            self.frames.pop();
            self.complete(*transfer, floor);
            return Ok(());
        }
        if frame.owner == Owner::Function && reader.peek()? == format::JOIN {
            return self.join(transfer, reader, frame);
        }
        if self.value(transfer, reader)? {
            self.deliver(*transfer);
        }
        Ok(())
    }

    /// Reads a `JOIN`: makes the next upvalue of the function in the last frame, `frame`, the same
    /// variable as an earlier one.
    fn join(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
        frame: NumberedFrame,
    ) -> Result<(), Stop> {
        reader.at += 1;
        let function = reader.u32()?;
        let upvalue = c_int::from(reader.u8()?);
        self.check_not_refused(*transfer, function);
        self.push_referenced(transfer, reader, function)?;
        let NumberedFrame { index, next, .. } = frame;
        if !has_upvalue(*transfer, index, next) || !has_upvalue(*transfer, transfer.top(), upvalue)
        {
            return Err(Stop);
        }
        transfer.join_upvalues(index, next, transfer.top(), upvalue);
        transfer.pop(1);
        if let Some(Frame::Numbered(frame)) = self.frames.last_mut() {
            frame.next += 1;
        }
        Ok(())
    }

    /// Ends the table in the last frame, which is complete at the stack top.
    fn end_table(&mut self, raising: Raising, floor: usize, flags: u8) {
        self.frames.pop();
        if flags & DISCARD_FLAG != 0 {
            raising.pop(1); // the table to use is below
        }
        self.complete(raising, floor);
    }

    /// Moves the complete object at the stack top, whose frame is gone, into its container, if that
    /// has a frame above `floor`.
    fn complete(&mut self, raising: Raising, floor: usize) {
        if self.frames.len() > floor {
            self.deliver(raising);
        }
    }

    /// Reads the deferred bodies, from number `from` in `self.deferred` on.
    pub(super) fn deferred_bodies(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
        from: usize,
    ) -> Result<(), Stop> {
        let mut done = from;
        let in_deferred = self.in_deferred;
        let floor = self.frames.len();
        while let Some(&deferred) = self.deferred.get(done) {
            done += 1;
            self.in_deferred = true;
            self.deferred_body(transfer, reader, deferred)?;
            self.drain(transfer, reader, floor)?;
            transfer.pop(1);
        }
        self.in_deferred = in_deferred;
        self.deferred.truncate(from);
        Ok(())
    }

    /// Pushes an object whose body was deferred, and begins the body.
    fn deferred_body(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
        deferred: Deferred,
    ) -> Result<(), Stop> {
        if let Some(body) = deferred.body {
            reader.at = body;
            self.objects = deferred.number.wrapping_add(1);
        }
        self.push_shared(*transfer, deferred.number)?;
        let (expected, owner) = match deferred.tag {
            format::TABLE => (Kind::Table, None),
            format::FUNCTION => (Kind::Function, Some(Owner::Function)),
            _ => (Kind::Userdata, Some(Owner::Userdata)),
        };
        if transfer.kind(-1) != expected {
            return Err(Stop);
        }
        if deferred.flags & DISCARD_FLAG != 0 {
            transfer.new_table(0, 0);
        }
        match owner {
            None => {
                let counts = reader.counts()?;
                self.table_body(*transfer, counts, deferred.flags)
            }
            Some(owner) => self.numbered_body(*transfer, reader, owner),
        }
    }

    /// Reads one value of the transfer, with everything that it contains, and pushes it.
    pub(super) fn whole_value(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
    ) -> Result<(), Stop> {
        self.frame_limit = format::NESTING_LIMIT;
        if !self.value(transfer, reader)? {
            self.drain(transfer, reader, 0)?;
        }
        self.deferred_bodies(transfer, reader, 0)
    }
}

/// Whether the value at `index` is a Lua function with an upvalue of number `n`.
fn has_upvalue(raising: Raising, index: c_int, n: c_int) -> bool {
    if raising.kind(index) != Kind::Function
        || raising.is_c_function(index)
        || raising.push_upvalue(index, n).is_none()
    {
        return false;
    }
    raising.pop(1);
    true
}

/// Sets the entry whose key and value are at the stack top, in the table at `index`. A key that a
/// lenient decoding could not build is nil: there is no entry then.
fn set_entry(raising: Raising, index: c_int) {
    if raising.kind(-2) == Kind::Nil {
        raising.pop(2);
    } else {
        raising.raw_set(index);
    }
}

/// Whether the userdata at `index` has user value `n` already, which is to stay.
fn keeps_user_value(raising: Raising, index: c_int, n: c_int) -> bool {
    let keeps = Userdata::<Proxy>::get(&raising, index)
        .is_some_and(|proxy| proxy.object.keeps_user_values());
    if !keeps {
        return false;
    }
    raising.push_user_value(index, n);
    let has_one = !raising.is_none_or_nil(-1);
    raising.pop(1);
    has_one
}
