//! Building metatables and tables that have names: this state uses those that it has already, makes
//! the others and remembers them.

use super::decoder::Decoder;
use super::reader::Reader;
use crate::lua::{Kind, Raising};
use crate::message::cache::Transfer;
use crate::message::failure::{Failure, Stop};
use crate::message::format;
use crate::message::identity::{push_known, push_named, remember_named};
use crate::message::lookup::push_object;
use crate::message::names::display;
use crate::message::value::{Metatable, Ref};

impl Decoder {
    /// Reads the reference to the metatable of the table at the stack top, if `flags` has one, and
    /// sets it.
    pub(super) fn metatable(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
        flags: u8,
    ) -> Result<(), Stop> {
        if flags & format::METATABLE == 0 {
            return Ok(());
        }
        self.described(transfer, reader)?;
        if transfer.kind(-1) == Kind::Table {
            transfer.set_metatable(-2);
        } else {
            transfer.pop(1);
        }
        Ok(())
    }

    /// Reads a table that has an identity, as `value` does. If this state has the table already,
    /// what is read is thrown away.
    pub(super) fn class(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
        identity: u64,
    ) -> Result<bool, Stop> {
        if reader.peek()? != format::TABLE {
            return Err(Stop);
        }
        push_known(*transfer, identity);
        if transfer.is_none_or_nil(-1) {
            transfer.pop(1);
            let complete = self.value(transfer, reader)?;
            self.adopt(*transfer, identity);
            return Ok(complete);
        }
        // References get the table of this state, which stays on the stack; the contents go into a
        // table above it.
        self.discards_next = true;
        let complete = self.value(transfer, reader)?;
        if complete {
            transfer.pop(1); // the contents are deferred
        }
        Ok(complete)
    }

    /// Makes the table at the stack top (left there), which was found by name, this state's
    /// metatable with a number, in place of a copy that this state may have.
    pub(super) fn prefer(&mut self, raising: Raising, identity: u64) {
        if raising.kind(-1) != Kind::Table {
            return; // it was refused
        }
        push_known(raising, identity);
        let same = raising.raw_equal(-1, -2);
        raising.pop(1);
        if !same {
            self.adopt(raising, identity);
        }
    }

    /// Reads the reference to a description and pushes its metatable or module's table (nil if it
    /// is refused). Returns its identity.
    pub(super) fn described(
        &mut self,
        transfer: Transfer,
        reader: &mut Reader,
    ) -> Result<u64, Stop> {
        let Ref::Metatable(metatable) = reader.reference()? else {
            return Err(Stop);
        };
        let identity = metatable.identity;
        if metatable.named {
            self.push_named_table(transfer, metatable)?;
            return Ok(identity);
        }
        push_known(*transfer, identity);
        if transfer.is_none_or_nil(-1) {
            transfer.pop(1);
            let reader = Reader::new(&metatable.contents.bytes, &metatable.contents.refs);
            self.build_described(transfer, identity, reader)?;
        }
        Ok(identity)
    }

    /// Pushes a table that has a name: the one of that name, if this state has it or can require
    /// it; otherwise the copy that this state has; otherwise a new copy.
    fn push_named_table(&mut self, transfer: Transfer, metatable: &Metatable) -> Result<(), Stop> {
        transfer.reserve(format::RESERVED_SLOTS);
        let identity = metatable.identity;
        push_named(*transfer, identity);
        if !transfer.is_none_or_nil(-1) {
            return Ok(());
        }
        transfer.pop(1);
        let mut reader = Reader::new(&metatable.contents.bytes, &metatable.contents.refs);
        let (module, path) = match reader.u8()? {
            format::GLOBALS => (&b"_G"[..], &b""[..]),
            format::NAMED_TABLE => reader.name()?,
            _ => return Err(Stop),
        };
        if push_object(transfer, module, path, Kind::Table) {
            remember_named(*transfer, identity);
            self.prefer(*transfer, identity);
            return Ok(());
        }
        // The reason is at the stack top.
        push_known(*transfer, identity);
        if !transfer.is_none_or_nil(-1) {
            transfer.remove(-2);
            return Ok(());
        }
        transfer.pop(1);
        if reader.is_at_end() {
            let mut reason = transfer.text(-1).unwrap_or_default();
            transfer.pop(1);
            if let Some(other) = &metatable.reason {
                reason.add("\n(and a copy cannot be made: ");
                reason.add(other);
                reason.add(")");
            }
            let failure = self.unknown_name(transfer, module, path, Kind::Table, reason);
            return self.refuse(*transfer, failure);
        }
        let had_failed = self.failure.is_some();
        let at = transfer.top();
        let built = self.build_described(transfer, identity, reader);
        if !had_failed && let Some(failure) = self.failure.take() {
            self.failure = Some(Failure::Copy {
                name: display(module, path),
                reason: transfer.text(at).unwrap_or_default(),
                failure: failure.text(),
            });
        }
        built?;
        transfer.remove(at);
        Ok(())
    }

    /// Builds the table of a description, which this state does not have yet, and pushes it.
    fn build_described(
        &mut self,
        transfer: Transfer,
        identity: u64,
        mut reader: Reader,
    ) -> Result<(), Stop> {
        transfer.reserve(format::RESERVED_SLOTS);
        let reader = &mut reader;
        // Its objects have numbers of their own; its frames are above the present ones.
        let (objects, shared, deferred) = (self.objects, self.shared, self.deferred.len());
        // Blocks do not move, because other states read the same description.
        let moves = std::mem::take(&mut self.moves);
        let in_description = std::mem::replace(&mut self.in_description, true);
        let floor = self.frames.len();
        let frame_limit = std::mem::replace(&mut self.frame_limit, floor + format::NESTING_LIMIT);
        transfer.push_nil();
        self.shared = transfer.top();
        self.objects = 0;
        let complete = self.value(transfer, reader)?;
        if transfer.kind(-1) != Kind::Table {
            return Err(Stop);
        }
        // Adopted before its contents are read, because they may have it as their metatable.
        self.adopt(*transfer, identity);
        if !complete {
            self.drain(transfer, reader, floor)?;
        }
        self.deferred_bodies(transfer, reader, deferred)?;
        transfer.remove(self.shared);
        self.objects = objects;
        self.shared = shared;
        self.moves = moves;
        self.in_description = in_description;
        self.frame_limit = frame_limit;
        Ok(())
    }
}
