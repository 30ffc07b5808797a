//! Building metatables and tables that have names: those that a state has already are used again, others are made and remembered.

use super::decoder::Decoder;
use super::failure::Failure;
use super::local::Local;
use super::reader::{Outcome, Reader, Stop};
use super::{Ref, format, found, metatables, names};
use crate::lua::{Kind, Raising, Text};

impl Decoder {
    /// Gives the table on the top its metatable.
    pub(super) fn metatable(
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
    pub(super) fn class(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
        identity: u64,
    ) -> Outcome<bool> {
        if reader.peek()? != format::TABLE {
            return Err(Stop);
        }
        metatables::push_known(raising, identity);
        if raising.is_none_or_nil(-1) {
            raising.pop(1);
            let complete = self.value(raising, local, reader)?;
            self.adopt(raising, identity);
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

    /// Makes the table on the top (left there) this state's metatable with a number, for as long as the decoding succeeds.
    pub(super) fn adopt(&mut self, raising: Raising, identity: u64) {
        raising.room(&mut self.adopted, 1);
        metatables::adopt(raising, identity);
        self.adopted.push(identity);
    }

    /// Makes the table on the top (left there), which was found by name, this state's metatable with a number, in place of a
    /// copy that may have come before.
    pub(super) fn prefer(&mut self, raising: Raising, identity: u64) {
        if raising.kind(-1) != Kind::Table {
            return; // it was refused
        }
        metatables::push_known(raising, identity);
        let same = raising.raw_equal(-1, -2);
        raising.pop(1);
        if !same {
            self.adopt(raising, identity);
        }
    }

    /// Pushes the module's table, or the metatable, of a description, and returns its identity.
    pub(super) fn described(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &mut Reader,
    ) -> Outcome<u64> {
        let Ref::Metatable(description) = reader.reference()? else {
            return Err(Stop);
        };
        self.known_or_new(raising, local, description)?;
        Ok(description.identity)
    }

    /// Pushes this state's table for a metatable, which is made if this state does not have it.
    pub(super) fn known_or_new(
        &mut self,
        raising: Raising,
        local: &Local,
        metatable: &metatables::Metatable,
    ) -> Outcome {
        if metatable.named {
            return self.named_or_new(raising, local, metatable);
        }
        metatables::push_known(raising, metatable.identity);
        if raising.is_none_or_nil(-1) {
            raising.pop(1);
            let reader = Reader::new(&metatable.contents.bytes, &metatable.contents.refs);
            self.contents(raising, local, metatable.identity, reader)?;
        }
        Ok(())
    }

    /// As `known_or_new`, for a table that has a name: the one of that name, if this state has it or can require it; else the copy
    /// that it has, or a new one.
    fn named_or_new(
        &mut self,
        raising: Raising,
        local: &Local,
        metatable: &metatables::Metatable,
    ) -> Outcome {
        raising.reserve(format::ROOM);
        let identity = metatable.identity;
        metatables::push_named(raising, identity);
        if !raising.is_none_or_nil(-1) {
            return Ok(());
        }
        raising.pop(1);
        let mut reader = Reader::new(&metatable.contents.bytes, &metatable.contents.refs);
        let (module, path) = match reader.u8()? {
            format::GLOBALS => (&b"_G"[..], &b""[..]),
            format::NAMED_TABLE => reader.name()?,
            _ => return Err(Stop),
        };
        if found::push_object(local, raising, module, path, Kind::Table) {
            metatables::remember_named(raising, identity);
            self.prefer(raising, identity);
            return Ok(());
        }
        // The reason is on the top.
        metatables::push_known(raising, identity);
        if !raising.is_none_or_nil(-1) {
            raising.remove(-2);
            return Ok(());
        }
        raising.pop(1);
        if reader.is_at_end() {
            let mut reason = raising.text(-1).unwrap_or_default();
            raising.pop(1);
            if let Some(other) = &metatable.reason {
                reason.add("\n(and a copy cannot be made: ");
                reason.add(other);
                reason.add(")");
            }
            let failure = self.unknown(raising, local, module, path, Kind::Table, reason);
            return self.refuse(raising, failure);
        }
        let failed = self.failure.is_some();
        let at = raising.top();
        let built = self.contents(raising, local, identity, reader);
        if !failed && let Some(failure) = self.failure.take() {
            self.failure = Some(Failure::Copy {
                name: names::display(module, path),
                reason: raising.text(at).unwrap_or_default(),
                failure: failure.text(),
            });
        }
        built?;
        raising.remove(at);
        Ok(())
    }

    /// The failure of a name that this state does not have.
    pub(super) fn unknown(
        &self,
        raising: Raising,
        local: &Local,
        module: &[u8],
        path: &[u8],
        kind: Kind,
        reason: Text,
    ) -> Failure {
        Failure::Unknown {
            what: match kind {
                Kind::Table if module == names::REGISTERED => "metatable",
                Kind::Table => "table",
                _ => "function",
            },
            name: names::display(module, path),
            module: Text::from(module),
            path: self.path(raising),
            state: Text::from(&local.name.borrow()[..]),
            reason,
        }
    }

    /// Builds a metatable that this state does not have yet, on the top.
    pub(super) fn contents(
        &mut self,
        raising: Raising,
        local: &Local,
        identity: u64,
        mut reader: Reader,
    ) -> Outcome {
        raising.reserve(format::ROOM);
        let reader = &mut reader;
        // Its objects are numbered on their own; its frames come above the present ones.
        let (objects, shared, later) = (self.objects, self.shared, self.later.len());
        // Other states read the same description.
        let moves = std::mem::take(&mut self.moves);
        let apart = std::mem::replace(&mut self.apart, true);
        let floor = self.frames.len();
        let deepest = std::mem::replace(&mut self.deepest, floor + format::DEPTH);
        raising.push_nil();
        self.shared = raising.top();
        self.objects = 0;
        let complete = self.value(raising, local, reader)?;
        if raising.kind(-1) != Kind::Table {
            return Err(Stop);
        }
        // Known from here on: what it contains may have it as metatable.
        self.adopt(raising, identity);
        if !complete {
            self.drain(raising, local, reader, floor)?;
        }
        self.bodies(raising, local, reader, later)?;
        raising.remove(self.shared);
        self.objects = objects;
        self.shared = shared;
        self.moves = moves;
        self.apart = apart;
        self.deepest = deepest;
        Ok(())
    }
}
