//! `decode`: from messages to values on a state's stack.
//!
//! Runs inside `protect` with a stack of frames of its own, like its counterpart; what it owns is in the `Decoder`,
//! which belongs to a frame outside. A message that cannot be read is an error, never a panic.

use super::failure::{Failure, Label, Step, path};
use super::local::Local;
use super::{Body, Full, INLINE, Message, Packet, Ref, deep, format, metatables, names};
use crate::lua::{Kind, Raise, Raising, State, protect, protect_with};
use std::os::raw::c_int;
use std::sync::Arc;

/// The transfer cannot go on; why is in the decoder.
#[derive(Clone, Copy)]
pub(super) struct Stop;

type Outcome<T = ()> = Result<T, Stop>;

/// Where a message is being read.
#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
    refs: &'a [Ref],
    at: usize,
}

impl<'a> Reader<'a> {
    #[inline]
    fn take(&mut self, len: usize) -> Outcome<&'a [u8]> {
        let end = self.at.checked_add(len).ok_or(Stop)?;
        let bytes = self.bytes.get(self.at..end).ok_or(Stop)?;
        self.at = end;
        Ok(bytes)
    }

    #[inline]
    fn u8(&mut self) -> Outcome<u8> {
        let byte = *self.bytes.get(self.at).ok_or(Stop)?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    fn u32(&mut self) -> Outcome<u32> {
        Ok(u32::from_le_bytes(
            self.take(4)?.try_into().map_err(|_| Stop)?,
        ))
    }

    #[inline]
    fn u64(&mut self) -> Outcome<u64> {
        Ok(u64::from_le_bytes(
            self.take(8)?.try_into().map_err(|_| Stop)?,
        ))
    }

    fn reference(&mut self) -> Outcome<&'a Ref> {
        let number = self.u32()? as usize;
        self.refs.get(number).ok_or(Stop)
    }
}

/// An object whose contents are being read.
#[derive(Clone, Copy)]
enum Frame {
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

/// Bookkeeping of one decoding.
#[derive(Default)]
pub(super) struct Decoder {
    frames: Vec<Frame>,
    objects: u32,
    /// Objects whose bodies come later: number, tag and flags.
    later: Vec<(u32, u8, u8)>,
    /// Stack index of the table of shared objects by number (nil until the first).
    shared: c_int,
    value: usize,
    label: Option<Label>,
    failure: Option<Failure>,
    /// Stack index of the table of clones that have moved and their metatables (nil until the first).
    moved: c_int,
    /// Nobody else will read the message: the blocks of its clones can be moved.
    moves: bool,
    /// The next table stands in for one that is here already, below it on the stack.
    stand_in: bool,
}

/// Flag of a table, here only: it is read and thrown away.
const DISCARD: u8 = 0x80;

impl Decoder {
    pub(super) fn reset(&mut self) {
        self.frames.clear();
        self.objects = 0;
        self.later.clear();
        self.value = 0;
        self.label = None;
        self.failure = None;
        self.stand_in = false;
    }

    fn path(&self, raising: Raising) -> String {
        let steps = self.frames.iter().map(|frame| match frame {
            Frame::Table {
                metatable: Some(_), ..
            } => Step::Metatable,
            Frame::Table {
                index, key: true, ..
            } => Step::Key(index + 1),
            Frame::Table { next, .. } => Step::Position(i64::from(*next)),
            Frame::Function { index, next, .. } => Step::Upvalue(*index, *next),
            Frame::Userdata { next, .. } => Step::UserValue(*next),
        });
        path(
            *raising,
            self.label.unwrap_or(Label::Element),
            self.value,
            steps,
        )
    }

    /// Keeps the object on the top (left there) under its number.
    fn share(&mut self, raising: Raising, number: u32) {
        if raising.is_none_or_nil(self.shared) {
            raising.new_table(8, 0);
            raising.replace(self.shared);
        }
        raising.push_copy(-1);
        raising.raw_set_index(self.shared, i64::from(number) + 1);
    }

    /// Takes the number of a new object, and keeps the object if it is referred to again.
    fn number(&mut self, raising: Raising, flags: u8, tag: u8) -> bool {
        let number = self.objects;
        self.objects += 1;
        if flags & format::SHARED != 0 {
            self.share(raising, number);
        }
        if flags & format::LATER != 0 {
            self.later.push((number, tag, flags));
            return false;
        }
        true
    }

    /// Reads one value. Answers whether it is complete on the top; otherwise its frame is on record.
    fn value(&mut self, raising: Raising, local: &Local, reader: &mut Reader) -> Outcome<bool> {
        let tag = reader.u8()?;
        match tag {
            format::NIL => raising.push_nil(),
            format::FALSE => raising.push_boolean(false),
            format::TRUE => raising.push_boolean(true),
            format::INTEGER => raising.push_integer(reader.u64()? as i64),
            format::FLOAT => raising.push_number(f64::from_bits(reader.u64()?)),
            format::SHORT => {
                let len = usize::from(reader.u8()?);
                raising.push_bytes(reader.take(len)?);
            }
            format::LONG => {
                let len = usize::try_from(reader.u64()?).map_err(|_| Stop)?;
                raising.push_bytes(reader.take(len)?);
            }
            format::LIGHT => {
                raising.push_light(reader.u64()? as usize as *mut std::os::raw::c_void)
            }
            format::GLOBALS => raising.push_globals(),
            format::REF => {
                let number = reader.u32()?;
                raising.raw_get_index(self.shared, i64::from(number) + 1);
            }
            format::TABLE => {
                let flags = reader.u8()?;
                let stand_in = std::mem::take(&mut self.stand_in);
                let now = flags & format::LATER == 0;
                let (array, hash) = if now {
                    (reader.u32()?, reader.u32()?)
                } else {
                    (0, 0)
                };
                raising.new_table(array as usize, hash as usize);
                self.number(raising, flags | if stand_in { DISCARD } else { 0 }, tag);
                if stand_in && flags & format::SHARED != 0 {
                    raising.push_copy(-2);
                    raising.raw_set_index(self.shared, i64::from(self.objects));
                }
                if now {
                    let index = raising.top();
                    let flags = flags | if stand_in { DISCARD } else { 0 };
                    self.frames.push(Frame::Table {
                        index,
                        next: 1,
                        array,
                        hash,
                        flags,
                        key: false,
                        metatable: None,
                    });
                    return Ok(false);
                }
            }
            format::FUNCTION => {
                let flags = reader.u8()?;
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
            format::CLASS => {
                let identity = reader.u64()?;
                return self.class(raising, local, reader, identity);
            }
            format::DEEP => {
                let flags = reader.u8()?;
                let Ref::Deep(object) = reader.reference()? else {
                    return Err(Stop);
                };
                if !object.arrive(local, raising)
                    || !deep::push_proxy_raising(local, raising, object)
                {
                    let reason = raising.text(-1).unwrap_or_default();
                    raising.pop(1);
                    self.failure = Some(Failure::Deep {
                        path: self.path(raising),
                        reason,
                    });
                    return Err(Stop);
                }
                if self.number(raising, flags, tag) {
                    self.userdata_body(raising, reader)?;
                    return Ok(false);
                }
            }
            format::CLONE => {
                let flags = reader.u8()?;
                let user_values = c_int::from(reader.u8()?);
                self.named(raising, local, reader, Kind::Table)?;
                let Ref::Block(block) = reader.reference()? else {
                    return Err(Stop);
                };
                let len = usize::try_from(reader.u64()?).map_err(|_| Stop)?;
                self.clone(raising, block, len, user_values)?;
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
    fn clone(
        &mut self,
        raising: Raising,
        block: &[u64],
        len: usize,
        user_values: c_int,
    ) -> Outcome {
        let metatable = raising.top();
        let copy = raising.new_userdata(len, user_values);
        if self.moves {
            raising.fill_block(-1, block);
            if raising.is_none_or_nil(self.moved) {
                raising.new_table(2, 0);
                raising.replace(self.moved);
            }
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
    fn begin(&mut self, raising: Raising) {
        raising.push_nil();
        self.moved = raising.top();
    }

    /// Ends a transfer that succeeded. Only now have blocks moved, so their userdata get their metatables, and with them
    /// the finalizers; until then they belonged to the message, which may be put back.
    fn end(&mut self, raising: Raising) {
        if !raising.is_none_or_nil(self.moved) {
            for n in (1..=raising.raw_len(self.moved) as i64).step_by(2) {
                raising.raw_get_index(self.moved, n);
                raising.raw_get_index(self.moved, n + 1);
                raising.set_metatable(-2);
                raising.pop(1);
            }
        }
        raising.remove(self.moved);
    }

    fn function_body(&mut self, raising: Raising, reader: &mut Reader) -> Outcome {
        let count = c_int::from(reader.u8()?);
        self.frames.push(Frame::Function {
            index: raising.top(),
            next: 1,
            count,
        });
        Ok(())
    }

    fn userdata_body(&mut self, raising: Raising, reader: &mut Reader) -> Outcome {
        let count = c_int::from(reader.u8()?);
        self.frames.push(Frame::Userdata {
            index: raising.top(),
            next: 1,
            count,
        });
        Ok(())
    }

    /// Pushes the object that a name stands for.
    fn named(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
        kind: Kind,
    ) -> Outcome {
        let (module_len, path_len) = (reader.u32()? as usize, reader.u32()? as usize);
        let module = reader.take(module_len)?;
        let path = reader.take(path_len)?;
        if names::push_object(local, raising, module, path, kind) {
            return Ok(());
        }
        let reason = raising.text(-1).unwrap_or_default();
        raising.pop(1);
        self.failure = Some(Failure::Unknown {
            what: if kind == Kind::Table {
                "table"
            } else {
                "function"
            },
            name: names::display(module, path),
            module: String::from_utf8_lossy(module).into_owned(),
            path: self.path(raising),
            state: local.name.borrow().clone(),
            reason,
        });
        Err(Stop)
    }

    /// Reads the runs and values of a table's array part, as far as they need no frame of their own.
    fn array(&mut self, raising: Raising, local: &Local, reader: &mut Reader) -> Outcome {
        while let Some(Frame::Table {
            index,
            next,
            array,
            key: false,
            ..
        }) = self.frames.last().copied()
        {
            if next > array {
                return Ok(());
            }
            let tag = *reader.bytes.get(reader.at).ok_or(Stop)?;
            if tag == format::INTEGERS || tag == format::FLOATS {
                reader.at += 1;
                let count = reader.u32()?;
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
                if let Some(Frame::Table { next, .. }) = self.frames.last_mut() {
                    *next += count;
                }
                continue;
            }
            if !self.value(raising, local, reader)? {
                return Ok(());
            }
            raising.raw_set_index(index, i64::from(next));
            if let Some(Frame::Table { next, .. }) = self.frames.last_mut() {
                *next += 1;
            }
        }
        Ok(())
    }

    /// Gives the complete value on the top to the object that contains it.
    fn deliver(&mut self, raising: Raising) {
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
                if crate::lua::compat::USER_VALUE_IS_ENVIRONMENT && raising.kind(-1) != Kind::Table
                {
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
    fn drain(
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
                        self.array(raising, local, reader)?;
                        continue;
                    }
                    if let Some(identity) = metatable {
                        // The metatable, a value of its own, is complete on the top.
                        metatables::push_known(raising, identity);
                        if raising.is_none_or_nil(-1) {
                            raising.pop(1);
                            metatables::adopt(raising, identity);
                        } else {
                            raising.remove(-2);
                        }
                        raising.set_metatable(index);
                        self.end_table(raising, floor, flags);
                        continue;
                    }
                    if hash > 0 {
                        self.value(raising, local, reader)?; // the key, a scalar
                        if let Some(Frame::Table { key, .. }) = self.frames.last_mut() {
                            *key = true;
                        }
                        self.value(raising, local, reader)?
                    } else {
                        raising.set_top(index);
                        if flags & format::METATABLE_VALUE != 0 {
                            let identity = reader.u64()?;
                            if let Some(Frame::Table { metatable, .. }) = self.frames.last_mut() {
                                *metatable = Some(identity);
                            }
                            if reader.bytes.get(reader.at) == Some(&format::TABLE) {
                                self.class(raising, local, reader, identity)?;
                            } else {
                                self.value(raising, local, reader)?;
                            }
                            continue;
                        }
                        self.metatable(raising, local, reader, flags)?;
                        self.end_table(raising, floor, flags);
                        continue;
                    }
                }
                Some(Frame::Function { index, next, count }) => {
                    if next > count {
                        raising.set_top(index);
                        self.frames.pop();
                        self.complete(raising, floor);
                        continue;
                    }
                    if reader.bytes.get(reader.at) == Some(&format::JOIN) {
                        reader.at += 1;
                        let function = reader.u32()?;
                        let upvalue = c_int::from(reader.u8()?);
                        raising.raw_get_index(self.shared, i64::from(function) + 1);
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
    fn end_table(&mut self, raising: Raising, floor: usize, flags: u8) {
        self.frames.pop();
        if flags & DISCARD != 0 {
            raising.pop(1); // the one that is here already is below
        }
        self.complete(raising, floor);
    }

    /// An object whose frame has been taken off is complete on the top: its container gets it, if it has one here.
    fn complete(&mut self, raising: Raising, floor: usize) {
        if self.frames.len() > floor {
            self.deliver(raising);
        }
    }

    /// Gives the table on the top its metatable.
    fn metatable(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
        flags: u8,
    ) -> Outcome {
        if flags & format::METATABLE == 0 {
            return Ok(());
        }
        let Ref::Metatable(metatable) = reader.reference()? else {
            return Err(Stop);
        };
        self.known_or_new(raising, local, metatable)?;
        if raising.kind(-1) == Kind::Table {
            raising.set_metatable(-2);
        } else {
            raising.pop(1);
        }
        Ok(())
    }

    /// Reads the table of a class. Where this state has it already, what is read is thrown away.
    fn class(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
        identity: u64,
    ) -> Outcome<bool> {
        metatables::push_known(raising, identity);
        if raising.is_none_or_nil(-1) {
            raising.pop(1);
            let complete = self.value(raising, local, reader)?;
            metatables::adopt(raising, identity);
            return Ok(complete);
        }
        // What refers to the object gets the table that is here, which stays on the stack; the contents go into a table
        // above it that nobody keeps.
        self.stand_in = true;
        let complete = self.value(raising, local, reader)?;
        if complete {
            raising.pop(1); // the contents come later
        }
        Ok(complete)
    }

    /// Pushes this state's table for a metatable, which is made if this state does not have it.
    fn known_or_new(
        &mut self,
        raising: Raising,
        local: &Local,
        metatable: &metatables::Metatable,
    ) -> Outcome {
        metatables::push_known(raising, metatable.identity);
        if raising.is_none_or_nil(-1) {
            raising.pop(1);
            self.contents(raising, local, metatable)?;
        }
        Ok(())
    }

    /// Builds a metatable that this state does not have yet, on the top.
    fn contents(
        &mut self,
        raising: Raising,
        local: &Local,
        metatable: &metatables::Metatable,
    ) -> Outcome {
        raising.reserve(format::STACK);
        let reader = &mut Reader {
            bytes: &metatable.contents.bytes,
            refs: &metatable.contents.refs,
            at: 0,
        };
        // Its objects are numbered on their own; its frames come above the present ones.
        let (objects, shared, later) = (self.objects, self.shared, self.later.len());
        // Other states read the same description.
        let moves = std::mem::take(&mut self.moves);
        let floor = self.frames.len();
        raising.push_nil();
        self.shared = raising.top();
        self.objects = 0;
        let complete = self.value(raising, local, reader)?;
        // Known from here on: what it contains may have it as metatable.
        metatables::adopt(raising, metatable.identity);
        if !complete {
            self.drain(raising, local, reader, floor)?;
        }
        self.bodies(raising, local, reader, later)?;
        raising.remove(self.shared);
        self.objects = objects;
        self.shared = shared;
        self.moves = moves;
        Ok(())
    }

    /// Reads the bodies that were put off, from the waiting object number `from` on.
    fn bodies(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
        from: usize,
    ) -> Outcome {
        let mut done = from;
        let floor = self.frames.len();
        while let Some(&(number, tag, _)) = self.later.get(done) {
            done += 1;
            let discard = self
                .later
                .get(done - 1)
                .is_some_and(|later| later.2 & DISCARD != 0);
            raising.raw_get_index(self.shared, i64::from(number) + 1);
            if discard {
                raising.new_table(0, 0);
            }
            let index = raising.top();
            match tag {
                format::TABLE => {
                    let (array, hash) = (reader.u32()?, reader.u32()?);
                    // Whether there is a metatable is known only at the end of the body, from the header's flags.
                    let flags = self.later.get(done - 1).map_or(0, |later| later.2);
                    self.frames.push(Frame::Table {
                        index,
                        next: 1,
                        array,
                        hash,
                        flags,
                        key: false,
                        metatable: None,
                    });
                }
                format::FUNCTION => self.function_body(raising, reader)?,
                _ => self.userdata_body(raising, reader)?,
            }
            self.drain(raising, local, reader, floor)?;
            raising.pop(1);
        }
        self.later.truncate(from);
        Ok(())
    }

    /// Reads one value of the transfer onto the top.
    fn root(&mut self, raising: Raising, local: &Local, reader: &mut Reader) -> Outcome {
        if !self.value(raising, local, reader)? {
            self.drain(raising, local, reader, 0)?;
        }
        self.bodies(raising, local, reader, 0)
    }

    /// Reads all values of a buffer; the stack holds them and nothing else afterwards.
    fn packet(&mut self, raising: Raising, local: &Local, full: &Full) -> Outcome {
        raising.reserve(format::STACK.saturating_add(full.values as c_int));
        let base = raising.top();
        raising.push_nil();
        self.shared = base + 1;
        self.objects = 0;
        let mut reader = Reader {
            bytes: &full.bytes,
            refs: &full.refs,
            at: 0,
        };
        for i in 0..full.values as usize {
            self.value = i;
            self.root(raising, local, &mut reader)?;
        }
        raising.remove(self.shared);
        Ok(())
    }

    /// Reads a message that is one value by itself.
    fn single(&mut self, raising: Raising, local: &Local, bytes: &[u8], refs: &[Ref]) -> Outcome {
        raising.push_nil();
        self.shared = raising.top();
        self.objects = 0;
        self.root(raising, local, &mut Reader { bytes, refs, at: 0 })?;
        raising.remove(self.shared);
        Ok(())
    }

    /// Reads messages in order; what several of them share is built once.
    fn messages(&mut self, raising: Raising, local: &Local, messages: &[Message]) -> Outcome {
        raising.reserve(format::STACK.saturating_add(messages.len() as c_int));
        let mut group: Option<*const Full> = None;
        raising.push_nil(); // the values of the group
        let values = raising.top();
        for (i, message) in messages.iter().enumerate() {
            self.value = i;
            self.moves = is_last(messages, i);
            match &message.0 {
                Body::Small { len, bytes } => {
                    self.single(
                        raising,
                        local,
                        bytes.get(..usize::from(*len)).ok_or(Stop)?,
                        &[],
                    )?;
                }
                Body::Plain(bytes) => self.single(raising, local, bytes, &[])?,
                Body::Full(full) => self.single(raising, local, &full.bytes, &full.refs)?,
                Body::Joint(full, n) => {
                    if group != Some(Arc::as_ptr(full)) {
                        group = Some(Arc::as_ptr(full));
                        let first = raising.top();
                        self.packet(raising, local, full)?;
                        raising.new_table(full.values as usize, 0);
                        raising.insert(first + 1);
                        for k in (1..=i64::from(full.values)).rev() {
                            raising.raw_set_index(first + 1, k);
                        }
                        raising.replace(values);
                    }
                    raising.raw_get_index(values, i64::from(*n) + 1);
                }
            }
        }
        raising.remove(values);
        Ok(())
    }
}

/// Whether nobody has message number `i` but the caller.
fn is_last(messages: &[Message], i: usize) -> bool {
    let joint = |message: Option<&Message>, full: &Arc<Full>| matches!(message, Some(Message(Body::Joint(other, _))) if Arc::ptr_eq(other, full));
    match messages.get(i).map(|message| &message.0) {
        Some(Body::Full(full)) => Arc::strong_count(full) == 1,
        // Those that were sent together are read together.
        Some(Body::Joint(full, _)) => {
            let together = (i..).take_while(|&n| joint(messages.get(n), full)).count();
            Arc::strong_count(full) == together
        }
        _ => false,
    }
}

/// Pushes a value that can be pushed without an error; false where it cannot.
#[inline]
fn push_scalar(state: State, message: &Message) -> bool {
    let Body::Small { len, bytes } = &message.0 else {
        return false;
    };
    debug_assert!(usize::from(*len) <= INLINE);
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

fn run<'a, T: Copy + 'a>(
    local: &Local,
    state: State,
    label: Label,
    data: T,
    read: impl Fn(&mut Decoder, Raising, &Local, T) -> Outcome + Copy,
) -> Result<c_int, Raise> {
    let before = state.top();
    let mut decoder = local.take_decoder();
    decoder.label = Some(label);
    let outcome = protect_with(state, 0, &mut *decoder, |raising, decoder| {
        read(decoder, raising, local, data).is_ok()
    });
    let result = match outcome {
        Ok(true) => Ok(state.top() - before),
        Ok(false) => {
            state.set_top(before);
            Err(Raise::message(
                decoder
                    .failure
                    .take()
                    .unwrap_or(Failure::Broken)
                    .to_string(),
            ))
        }
        Err(raise) => Err(raise),
    };
    local.give_decoder(decoder);
    result
}

/// Pushes the values of messages, in order, and answers how many. The caller has room for one, and for as many more
/// as there are messages beyond the first.
///
/// Errors: a name that this state does not have; out of memory. Nothing but the error is pushed then.
#[inline]
pub fn decode(
    local: &Local,
    state: State,
    label: Label,
    messages: &[Message],
) -> Result<c_int, Raise> {
    run(
        local,
        state,
        label,
        messages,
        |decoder, raising, local, messages| {
            decoder.begin(raising);
            decoder.messages(raising, local, messages)?;
            decoder.end(raising);
            Ok(())
        },
    )
}

/// Pushes the value of one message.
#[inline]
pub fn decode_one(
    local: &Local,
    state: State,
    label: Label,
    message: &Message,
) -> Result<(), Raise> {
    if push_scalar(state, message) {
        return Ok(());
    }
    let text = match &message.0 {
        Body::Small { len, bytes } if bytes[0] == format::SHORT => bytes.get(2..usize::from(*len)),
        Body::Plain(bytes) => plain_string(bytes),
        Body::Full(full) => plain_string(&full.bytes),
        _ => None,
    };
    if let Some(text) = text {
        return protect(state, 0, move |raising| raising.push_bytes(text));
    }
    decode(local, state, label, std::slice::from_ref(message)).map(|_| ())
}

/// The text of a message that is nothing but a string.
fn plain_string(bytes: &[u8]) -> Option<&[u8]> {
    match *bytes.first()? {
        format::SHORT => bytes.get(2..),
        format::LONG => bytes.get(9..),
        _ => None,
    }
}

/// Pushes the values of a packet and answers how many.
pub fn decode_packet(
    local: &Local,
    state: State,
    label: Label,
    packet: &Packet,
) -> Result<c_int, Raise> {
    run(
        local,
        state,
        label,
        &packet.0,
        |decoder, raising, local, full| {
            // A packet has one reader.
            decoder.moves = true;
            decoder.begin(raising);
            decoder.packet(raising, local, full)?;
            decoder.end(raising);
            Ok(())
        },
    )
}
