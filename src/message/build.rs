//! Building what objects contain, in the order in which it was written; the values of a whole message.
//!
//! Runs inside `protect` with a stack of frames of its own, as the walk of an encoder does.

use super::decoder::{DISCARD, Decoder, Frame, Later};
use super::local::Local;
use super::reader::{Outcome, Reader, Stop};
use super::{Body, Full, Joint, Message, Ref, format, metatables};
use crate::lua::{Kind, Raising, compat};
use std::os::raw::c_int;
use std::sync::Arc;

impl Decoder {
    /// Reads a table's array part, from position `next` on, as far as its values need no frame of their own. The table, at `index`, has the
    /// last frame.
    fn array(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
        (index, mut next, array): (c_int, u32, u32),
    ) -> Outcome {
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
                        raising.push_integer(bits as i64);
                    } else {
                        raising.push_number(f64::from_bits(bits));
                    }
                    raising.raw_set_index(index, position);
                }
                next = next.checked_add(count).ok_or(Stop)?;
                continue;
            }
            if !reader.scalar(raising, tag)? {
                // The frame tells where the value goes, now for messages about it, or when it is complete.
                self.at_position(next);
                if !self.value(raising, local, reader)? {
                    return Ok(());
                }
            }
            raising.raw_set_index(index, i64::from(next));
            next += 1;
        }
        self.at_position(next);
        Ok(())
    }

    /// Puts on record at which position of its array part the table of the last frame is.
    fn at_position(&mut self, position: u32) {
        if let Some(Frame::Table { next, .. }) = self.frames.last_mut() {
            *next = position;
        }
    }

    /// Reads a table's hash part, of which `left` entries are left, as far as its values need no frame of their own. The table, at `index`,
    /// has the last frame.
    fn entries(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
        (index, mut left): (c_int, u32),
    ) -> Outcome {
        while left > 0 {
            let tag = reader.peek()?;
            if !reader.scalar(raising, tag)? {
                return Err(Stop); // keys are scalars
            }
            let tag = reader.peek()?;
            if !reader.scalar(raising, tag)? {
                self.at_entry(left, true);
                if !self.value(raising, local, reader)? {
                    return Ok(());
                }
                self.at_entry(left, false);
            }
            raising.raw_set(index);
            left -= 1;
        }
        self.at_entry(0, false);
        Ok(())
    }

    /// Puts on record how many entries the table of the last frame has left, and whether the key of the next is on the stack.
    fn at_entry(&mut self, left: u32, on_stack: bool) {
        if let Some(Frame::Table { hash, key, .. }) = self.frames.last_mut() {
            (*hash, *key) = (left, on_stack);
        }
    }

    /// Gives the complete value on the top to the object that contains it.
    pub(super) fn deliver(&mut self, raising: Raising) {
        match self.frames.last_mut() {
            // It is the metatable, which stays on the stack for its table.
            Some(Frame::Table {
                metatable: Some(_), ..
            }) => {}
            Some(Frame::Table {
                index,
                next,
                key,
                hash,
                ..
            }) => {
                if *key {
                    raising.raw_set(*index);
                    *key = false;
                    *hash = hash.saturating_sub(1);
                } else {
                    raising.raw_set_index(*index, i64::from(*next));
                    *next += 1;
                }
            }
            Some(Frame::Function { index, next, .. }) => {
                raising.set_upvalue(*index, *next);
                *next += 1;
            }
            Some(Frame::Userdata { index, next, .. }) => {
                if !compat::is_user_value(raising.kind(-1)) {
                    raising.pop(1);
                } else {
                    raising.set_user_value(*index, *next);
                }
                *next += 1;
            }
            None => {}
        }
    }

    /// Reads contents until no frame is open above `floor`.
    pub(super) fn drain(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
        floor: usize,
    ) -> Outcome {
        while self.frames.len() > floor {
            let complete = match self.frames.last().copied() {
                Some(Frame::Table {
                    index,
                    next,
                    array,
                    hash,
                    flags,
                    metatable,
                    ..
                }) => {
                    if next <= array {
                        self.array(raising, local, reader, (index, next, array))?;
                        continue;
                    }
                    if let Some(identity) = metatable {
                        // The metatable, a value of its own, is complete on the top.
                        if raising.kind(-1) == Kind::Table {
                            metatables::push_known(raising, identity);
                            if raising.is_none_or_nil(-1) {
                                raising.pop(1);
                                self.adopt(raising, identity);
                            } else {
                                raising.remove(-2);
                            }
                            raising.set_metatable(index);
                        } else if self.lenient {
                            raising.pop(1); // it was refused
                        } else {
                            return Err(Stop);
                        }
                        self.end_table(raising, floor, flags);
                        continue;
                    }
                    if hash > 0 {
                        self.entries(raising, local, reader, (index, hash))?;
                        continue;
                    }
                    raising.set_top(index);
                    if flags & format::METATABLE_VALUE != 0 {
                        let identity = reader.identity()?;
                        if let Some(Frame::Table { metatable, .. }) = self.frames.last_mut() {
                            *metatable = Some(identity);
                        }
                        match reader.peek()? {
                            format::TABLE => {
                                self.class(raising, local, reader, identity)?;
                            }
                            format::NAMED_TABLE | format::MODULE | format::GLOBALS => {
                                self.value(raising, local, reader)?;
                                self.prefer(raising, identity);
                            }
                            _ => {
                                self.value(raising, local, reader)?;
                            }
                        }
                        continue;
                    }
                    self.metatable(raising, local, reader, flags)?;
                    self.end_table(raising, floor, flags);
                    continue;
                }
                Some(Frame::Function { index, next, count }) => {
                    if next > count {
                        raising.set_top(index);
                        self.frames.pop();
                        self.complete(raising, floor);
                        continue;
                    }
                    if reader.peek()? == format::JOIN {
                        reader.at += 1;
                        let function = reader.u32()?;
                        let upvalue = c_int::from(reader.u8()?);
                        self.check_present(raising, function);
                        self.referred(raising, local, reader, function)?;
                        if !has_upvalue(raising, index, next)
                            || !has_upvalue(raising, raising.top(), upvalue)
                        {
                            return Err(Stop);
                        }
                        raising.join_upvalues(index, next, raising.top(), upvalue);
                        raising.pop(1);
                        if let Some(Frame::Function { next, .. }) = self.frames.last_mut() {
                            *next += 1;
                        }
                        continue;
                    }
                    self.value(raising, local, reader)?
                }
                Some(Frame::Userdata { index, next, count }) => {
                    if next > count {
                        raising.set_top(index);
                        self.frames.pop();
                        self.complete(raising, floor);
                        continue;
                    }
                    self.value(raising, local, reader)?
                }
                None => return Ok(()),
            };
            if complete {
                self.deliver(raising);
            }
        }
        Ok(())
    }

    /// The table on the top is complete.
    pub(super) fn end_table(&mut self, raising: Raising, floor: usize, flags: u8) {
        self.frames.pop();
        if flags & DISCARD != 0 {
            raising.pop(1); // the one that is here already is below
        }
        self.complete(raising, floor);
    }

    /// An object whose frame has been taken off is complete on the top: its container gets it, if it has one here.
    pub(super) fn complete(&mut self, raising: Raising, floor: usize) {
        if self.frames.len() > floor {
            self.deliver(raising);
        }
    }

    /// Reads the bodies that were put off, from the waiting object number `from` on.
    pub(super) fn bodies(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
        from: usize,
    ) -> Outcome {
        let mut done = from;
        let put_off = self.put_off;
        let floor = self.frames.len();
        while let Some(&later) = self.later.get(done) {
            let Later { number, tag, .. } = later;
            done += 1;
            let discard = later.flags & DISCARD != 0;
            self.put_off = true;
            if let Some(body) = later.body {
                reader.at = body;
                self.objects = number.wrapping_add(1);
            }
            self.known(raising, number)?;
            let expected = match tag {
                format::TABLE => raising.kind(-1) == Kind::Table,
                format::FUNCTION => raising.kind(-1) == Kind::Function,
                _ => raising.kind(-1) == Kind::Userdata,
            };
            if !expected {
                return Err(Stop);
            }
            if discard {
                raising.new_table(0, 0);
            }
            match tag {
                format::TABLE => {
                    let counts = reader.counts()?;
                    // Whether there is a metatable is known only at the end of the body, from the header's flags.
                    self.table_body(raising, counts, later.flags)?;
                }
                format::FUNCTION => self.function_body(raising, reader)?,
                _ => self.userdata_body(raising, reader)?,
            }
            self.drain(raising, local, reader, floor)?;
            raising.pop(1);
        }
        self.put_off = put_off;
        self.later.truncate(from);
        Ok(())
    }

    /// Reads one value of the transfer onto the top.
    pub(super) fn root(&mut self, raising: Raising, local: &Local, reader: &mut Reader) -> Outcome {
        self.deepest = format::DEPTH;
        if !self.value(raising, local, reader)? {
            self.drain(raising, local, reader, 0)?;
        }
        self.bodies(raising, local, reader, 0)
    }

    /// Reads all values of a buffer; the stack holds them and nothing else afterwards.
    pub(super) fn packet(&mut self, raising: Raising, local: &Local, full: &Full) -> Outcome {
        raising.reserve(format::ROOM.saturating_add(full.values as c_int));
        let base = raising.top();
        raising.push_nil();
        self.shared = base + 1;
        self.objects = 0;
        let mut reader = Reader::new(&full.bytes, &full.refs);
        for i in 0..full.values as usize {
            self.value = i;
            let (objects, adopted) = (self.objects, self.adopted.len());
            self.root(raising, local, &mut reader)?;
            if self.lenient {
                self.settle(raising, objects, adopted);
            }
        }
        raising.remove(self.shared);
        Ok(())
    }

    /// Reads a message that is one value by itself.
    pub(super) fn single(
        &mut self,
        raising: Raising,
        local: &Local,
        bytes: &[u8],
        refs: &[Ref],
    ) -> Outcome {
        raising.push_nil();
        self.shared = raising.top();
        self.objects = 0;
        self.root(raising, local, &mut Reader::new(bytes, refs))?;
        raising.remove(self.shared);
        Ok(())
    }

    /// Reads messages in order; what several of them share is built once.
    pub(super) fn messages(
        &mut self,
        raising: Raising,
        local: &Local,
        messages: &[Message],
    ) -> Outcome {
        raising.reserve(format::ROOM.saturating_add(messages.len() as c_int));
        let mut group: Option<*const Joint> = None;
        raising.push_nil(); // the values of the group, or the objects that they share
        let values = raising.top();
        for (i, message) in messages.iter().enumerate() {
            self.value = i;
            match &message.0 {
                Body::Small { len, bytes } => {
                    self.single(
                        raising,
                        local,
                        bytes.get(..usize::from(*len)).ok_or(Stop)?,
                        &[],
                    )?;
                }
                Body::Text(text) => raising.push_bytes(text),
                Body::Plain(bytes) => self.single(raising, local, bytes, &[])?,
                Body::Full(full) => {
                    self.moves = Arc::strong_count(full) == 1;
                    self.single(raising, local, &full.bytes, &full.refs)?;
                }
                Body::TextApart(_) | Body::PlainApart(_) => return Err(Stop),
                Body::Joint(joint, n) => {
                    let apart = !joint.starts.is_empty();
                    if group != Some(Arc::as_ptr(joint)) {
                        group = Some(Arc::as_ptr(joint));
                        if apart {
                            raising.push_nil();
                        } else {
                            self.moves = are_last(messages, i, joint);
                            self.all(raising, local, &joint.full)?;
                        }
                        raising.replace(values);
                    }
                    if apart {
                        self.part(raising, local, joint, *n, values)?;
                    } else {
                        raising.raw_get_index(values, i64::from(*n) + 1);
                    }
                }
            }
        }
        raising.remove(values);
        Ok(())
    }

    /// Reads all values of a buffer into a table.
    fn all(&mut self, raising: Raising, local: &Local, full: &Full) -> Outcome {
        let first = raising.top() + 1;
        self.packet(raising, local, full)?;
        raising.new_table(full.values as usize, 0);
        raising.insert(first);
        for k in (1..=i64::from(full.values)).rev() {
            raising.raw_set_index(first, k);
        }
        Ok(())
    }
}

/// Whether the value at `index` is a Lua function with an upvalue of this number.
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

/// Whether nobody has any of the values of `joint` but the caller, who reads those that begin with message number `i` together.
fn are_last(messages: &[Message], i: usize, joint: &Arc<Joint>) -> bool {
    let is_one = |message: &&Message| matches!(&message.0, Body::Joint(other, _) if Arc::ptr_eq(other, joint));
    let rest = messages.get(i..).unwrap_or_default();
    Arc::strong_count(joint) == rest.iter().take_while(is_one).count()
}
