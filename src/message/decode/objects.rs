//! Making objects from their headers: tables, functions and userdata, each new, found by name, or
//! read before.

use super::decoder::{DISCARD_FLAG, Decoder, Frame, NumberedFrame, Part, TableFrame};
use super::reader::Reader;
use crate::lua::{Kind, Raising, Text};
use crate::message::cache::Transfer;
use crate::message::deep::{Arrival, push_proxy_raising};
use crate::message::failure::{Failure, Owner, Stop};
use crate::message::format;
use crate::message::lookup::push_object;
use crate::message::names::{REGISTRY_MODULE, display, mark};
use crate::message::value::{Block, Ref};
use std::os::raw::c_int;

impl Decoder {
    /// Reads one value. Returns true if it is complete at the stack top, false if its contents
    /// follow: its frame is then the last one.
    pub(super) fn value(&mut self, transfer: Transfer, reader: &mut Reader) -> Result<bool, Stop> {
        let tag = reader.peek()?;
        if reader.scalar(*transfer, tag)? {
            return Ok(true);
        }
        if !reader.spans.is_empty() && self.skip_existing(*transfer, reader)? {
            return Ok(true);
        }
        reader.at += 1;
        match tag {
            format::GLOBALS => transfer.push_globals(),
            format::REF => {
                let number = reader.u32()?;
                self.check_not_refused(*transfer, number);
                self.push_referenced(transfer, reader, number)?;
            }
            format::TABLE => return self.table(transfer, reader),
            format::FUNCTION => return self.function(transfer, reader),
            format::NAMED_FUNCTION => self.named(transfer, reader, Kind::Function)?,
            format::NAMED_TABLE => self.named(transfer, reader, Kind::Table)?,
            format::NAMED_USERDATA => self.named(transfer, reader, Kind::Userdata)?,
            format::MODULE => {
                self.described(transfer, reader)?;
            }
            format::CLASS => {
                let identity = reader.identity()?;
                return self.class(transfer, reader, identity);
            }
            format::DEEP => return self.deep(transfer, reader),
            format::CLONE => return self.clone(transfer, reader),
            _ => return Err(Stop),
        }
        Ok(true)
    }

    fn table(&mut self, transfer: Transfer, reader: &mut Reader) -> Result<bool, Stop> {
        let header = reader.flags()?;
        let discards = std::mem::take(&mut self.discards_next);
        let flags = header | if discards { DISCARD_FLAG } else { 0 };
        let follows = header & format::DEFERRED == 0;
        let counts = if follows { reader.counts()? } else { (0, 0) };
        transfer.new_table(counts.0 as usize, counts.1 as usize);
        self.new_object(*transfer, flags, format::TABLE);
        if discards && header & format::SHARED != 0 {
            // References get the table below, which is to be used in place of this one.
            transfer.push_copy(-2);
            transfer.raw_set_index(self.shared, i64::from(self.objects));
        }
        if follows {
            self.table_body(*transfer, counts, flags)?;
        }
        Ok(!follows)
    }

    fn function(&mut self, transfer: Transfer, reader: &mut Reader) -> Result<bool, Stop> {
        let flags = reader.flags()?;
        let len = reader.u32()? as usize;
        let code = reader.take(len)?;
        if !transfer.load_bytecode(code) {
            self.failure = Some(Failure::Code {
                path: self.path(*transfer),
            });
            return Err(Stop);
        }
        let follows = self.new_object(*transfer, flags, format::FUNCTION);
        if follows {
            self.numbered_body(*transfer, reader, Owner::Function)?;
        }
        Ok(!follows)
    }

    fn deep(&mut self, transfer: Transfer, reader: &mut Reader) -> Result<bool, Stop> {
        let flags = reader.flags()?;
        let Ref::Deep(object) = reader.reference()? else {
            return Err(Stop);
        };
        let kinds = &transfer.cache.kinds;
        let arrival = object.arrive(kinds, *transfer);
        if arrival == Arrival::ModuleLoaded {
            transfer.cache.modules_changed();
        }
        if arrival == Arrival::Refused || !push_proxy_raising(kinds, *transfer, object) {
            let reason = transfer.text(-1).unwrap_or_default();
            transfer.pop(1);
            let path = self.path(*transfer);
            self.refuse(*transfer, Failure::Deep { path, reason })?;
            replace_by_placeholder(*transfer, c_int::from(object.user_values()));
        }
        let follows = self.new_object(*transfer, flags, format::DEEP);
        if follows {
            self.numbered_body(*transfer, reader, Owner::Userdata)?;
        }
        Ok(!follows)
    }

    fn clone(&mut self, transfer: Transfer, reader: &mut Reader) -> Result<bool, Stop> {
        let flags = reader.flags()?;
        let user_values = c_int::from(reader.u8()?);
        let begin = reader.at;
        let mark = match reader.u8()? {
            format::NAMED_TABLE => {
                self.named(transfer, reader, Kind::Table)?;
                mark(reader.bytes.get(begin..reader.at).ok_or(Stop)?)
            }
            format::MODULE => self.described(transfer, reader)?,
            _ => return Err(Stop),
        };
        let Ref::Block(block) = reader.reference()? else {
            return Err(Stop);
        };
        if block.mark != mark {
            return Err(Stop);
        }
        if transfer.is_none_or_nil(-1) {
            replace_by_placeholder(*transfer, user_values);
        } else {
            self.replace_by_clone(*transfer, block, user_values)?;
        }
        let follows = self.new_object(*transfer, flags, format::CLONE);
        if follows {
            self.numbered_body(*transfer, reader, Owner::Userdata)?;
        }
        Ok(!follows)
    }

    /// Replaces the metatable at the stack top by a clone with it. The block moves into the clone
    /// if nobody else reads the message; otherwise `__lanesclone` makes another copy.
    fn replace_by_clone(
        &mut self,
        raising: Raising,
        block: &Block,
        user_values: c_int,
    ) -> Result<(), Stop> {
        let metatable = raising.top();
        raising.raw_get_name(metatable, b"__lanesclone");
        if raising.kind(-1) != Kind::Function {
            return Err(Stop);
        }
        raising.pop(1);
        let copy = raising.new_userdata(block.len, user_values);
        let address = block.words.as_ptr().cast_mut().cast();
        if self.moves {
            raising.fill_block(-1, &block.words);
            if raising.is_none_or_nil(self.moved) {
                raising.new_table(2, 0);
                raising.replace(self.moved);
            }
            // A block moves once.
            raising.push_light(address);
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
            raising.push_light(address);
            raising.push_integer(block.len as i64);
            raising.call(3, Some(0));
            raising.push_copy(metatable);
            raising.set_metatable(-2);
        }
        raising.remove(metatable);
        Ok(())
    }

    /// Begins the contents of the table at the stack top, with the counts of its two parts.
    pub(super) fn table_body(
        &mut self,
        raising: Raising,
        (array, hash): (u32, u32),
        flags: u8,
    ) -> Result<(), Stop> {
        let table = TableFrame {
            index: raising.top(),
            next: 1,
            array,
            hash,
            flags,
            part: Part::None,
            metatable: None,
        };
        self.open(raising, Frame::Table(table))
    }

    /// Begins the contents of the function or userdata at the stack top.
    pub(super) fn numbered_body(
        &mut self,
        raising: Raising,
        reader: &mut Reader,
        owner: Owner,
    ) -> Result<(), Stop> {
        let numbered = NumberedFrame {
            owner,
            index: raising.top(),
            next: 1,
            count: c_int::from(reader.u8()?),
        };
        self.open(raising, Frame::Numbered(numbered))
    }

    /// Reads a name and pushes the object that it stands for.
    fn named(&mut self, transfer: Transfer, reader: &mut Reader, kind: Kind) -> Result<(), Stop> {
        let (module, path) = reader.name()?;
        if push_object(transfer, module, path, kind) {
            return Ok(());
        }
        let reason = transfer.text(-1).unwrap_or_default();
        transfer.pop(1);
        let failure = self.unknown_name(transfer, module, path, kind, reason);
        self.refuse(*transfer, failure)
    }

    /// The failure of a name that this state does not have.
    pub(super) fn unknown_name(
        &self,
        transfer: Transfer,
        module: &[u8],
        path: &[u8],
        kind: Kind,
        reason: Text,
    ) -> Failure {
        Failure::Unknown {
            what: match kind {
                Kind::Table if module == REGISTRY_MODULE => "metatable",
                Kind::Table => "table",
                Kind::Userdata => "userdata",
                _ => "function",
            },
            name: display(module, path),
            module: Text::from(module),
            path: self.path(*transfer),
            state: Text::from(&transfer.cache.name.borrow()[..]),
            reason,
        }
    }
}

/// Replaces the nil at the stack top by a userdata that can take the user values which follow.
fn replace_by_placeholder(raising: Raising, user_values: c_int) {
    raising.pop(1);
    raising.new_userdata(0, user_values);
}
