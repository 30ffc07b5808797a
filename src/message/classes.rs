//! Building metatables: those that a state has already are used again, others are made and remembered.

use super::decoder::Decoder;
use super::local::Local;
use super::reader::{Outcome, Reader, Stop};
use super::{Ref, format, metatables};
use crate::lua::{Kind, Raising};

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

    /// Pushes this state's table for a metatable, which is made if this state does not have it.
    pub(super) fn known_or_new(
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
    pub(super) fn contents(
        &mut self,
        raising: Raising,
        local: &Local,
        metatable: &metatables::Metatable,
    ) -> Outcome {
        raising.reserve(format::ROOM);
        let reader = &mut Reader::new(&metatable.contents.bytes, &metatable.contents.refs);
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
        self.adopt(raising, metatable.identity);
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
