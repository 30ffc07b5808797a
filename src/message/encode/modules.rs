//! Tables of modules: they travel by name if the receiving state has them or can require them. Only
//! if that fails their contents are needed.
//!
//! If the receiving state is at hand, the encoder looks there. Otherwise the decoder does: a
//! description goes along, as that of a metatable, and is read if the name fails there.

use super::encoder::{CopiedModule, Encoder};
use super::names::{can_be_copied, described_module, reason};
use crate::lua::Kind;
use crate::message::cache::{Destination, Transfer};
use crate::message::failure::Stop;
use crate::message::format;
use crate::message::lookup::find;
use crate::message::names::{display, split};

impl Encoder {
    /// Writes the module's table below its name, which is at the stack top (both left there).
    /// Returns false, with nothing written, if the contents of the table are to be written: the
    /// receiving state is at hand and cannot have it by name.
    pub(super) fn write_module(
        &mut self,
        transfer: Transfer,
        to: Destination,
    ) -> Result<bool, Stop> {
        let (module, path) = split(transfer.bytes(-1).unwrap_or_default());
        let table = transfer.top() - 1;
        if self.is_description() && described_module(&self.out) == Some(module) {
            // This is the module's own description, which is read only if the name fails.
            return Ok(false);
        }
        if self.is_description() || !can_be_copied(transfer, table) {
            self.write_table_name(*transfer);
            return Ok(true);
        }
        let Destination::State(state, cache) = to else {
            transfer.push_copy(-1);
            transfer.push_copy(table);
            let number = self.write_metatable(transfer, true)?;
            transfer.pop(2);
            self.out.tag(format::MODULE);
            self.out.u32(number);
            return Ok(true);
        };
        let address = transfer.pointer(table) as usize;
        let has = match self.receiver_has.get(&address) {
            Some(&has) => has,
            None => {
                self.receiver_has.make_room(*transfer);
                transfer.room(&mut self.copied, 1);
                let found = find(state, cache, module, path, Kind::Table);
                let missing = found.map_err(|missing| reason(*transfer, missing)).err();
                let has = missing.is_none();
                self.receiver_has.insert(address, has);
                if let Some(reason) = missing {
                    self.copied.push(CopiedModule {
                        object: self.objects,
                        name: display(module, path),
                        reason,
                    });
                }
                has
            }
        };
        if has {
            self.write_table_name(*transfer);
        }
        Ok(has)
    }
}
