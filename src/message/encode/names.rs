//! Writing names: how C functions, the tables of modules and the metatables of clones travel.

use super::encoder::Encoder;
use crate::lua::sentinels::CANCEL_ERROR;
use crate::lua::{KEYS, Kind, Raising, State, Text};
use crate::message::cache::{Destination, Transfer, TransferCache};
use crate::message::failure::{Failure, Stop};
use crate::message::format;
use crate::message::lookup::{Missing, find};
use crate::message::names::{
    OWN_MODULES, REGISTRY_MODULE, display, is_built_in, make_part, scan_modules, split,
};
use std::os::raw::{c_int, c_void};

impl Encoder {
    fn name(&mut self, module: &[u8], path: &[u8]) {
        self.out.u32(module.len() as u32);
        self.out.u32(path.len() as u32);
        self.out.extend(module);
        self.out.extend(path);
    }

    /// Writes the name of a table, which is at the stack top (left there).
    pub(super) fn write_table_name(&mut self, raising: Raising) {
        let (module, path) = split(raising.bytes(-1).unwrap_or_default());
        if module == b"_G" && path.is_empty() {
            self.out.tag(format::GLOBALS);
        } else {
            self.out.tag(format::NAMED_TABLE);
            self.name(module, path);
        }
    }

    /// Writes `tag` and the name of the C function, the userdata, or the metatable of clones, at
    /// the stack top (left there). Returns false, with nothing written, if no module exports it.
    pub(super) fn write_name(
        &mut self,
        transfer: Transfer,
        tag: u8,
        to: Destination,
    ) -> Result<bool, Stop> {
        for again in [false, true] {
            if again || transfer.cache.modules_changed.get() {
                scan_modules(transfer);
            }
            transfer.raw_get_index(State::REGISTRY, KEYS.names);
            transfer.push_copy(-2);
            transfer.raw_get(-2);
            let found = transfer.bytes(-1);
            if let Some(name) = found {
                let (module, path) = split(name);
                if let (Destination::State(state, cache), false) = (to, self.copied.is_empty()) {
                    let kind = if tag == format::NAMED_USERDATA {
                        Kind::Userdata
                    } else {
                        Kind::Function
                    };
                    self.expect(transfer, (state, cache), (module, path), kind)?;
                }
                self.out.tag(tag);
                self.name(module, path);
            }
            transfer.pop(2);
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stops the encoding if the receiving state cannot have a C function, or a userdata. Without
    /// this the decoder would fail, which does not know the reason: the function may be in a module
    /// that is copied.
    fn expect(
        &mut self,
        transfer: Transfer,
        (state, cache): (State, &TransferCache),
        (module, path): (&[u8], &[u8]),
        kind: Kind,
    ) -> Result<(), Stop> {
        let Err(missing) = find(state, cache, module, path, kind) else {
            return Ok(());
        };
        let reason = reason(*transfer, missing);
        let failure = Failure::Unknown {
            what: if kind == Kind::Userdata {
                "userdata"
            } else {
                "function"
            },
            name: display(module, path),
            module: Text::from(module),
            path: self.path(*transfer),
            state: Text::from(&cache.name.borrow()[..]),
            reason,
        };
        self.fail(failure)
    }
}

/// Why an object is missing. Raises if the lane was cancelled or memory ran out.
pub(super) fn reason(raising: Raising, missing: Missing) -> Text {
    match missing {
        Missing::Reason(reason) => reason,
        Missing::Cancelled => {
            raising.push_light(CANCEL_ERROR as *mut c_void);
            raising.raise()
        }
        Missing::OutOfMemory => raising.out_of_memory(),
    }
}

/// The module of the name with which a description begins.
pub(super) fn described_module(description: &[u8]) -> Option<&[u8]> {
    let [format::NAMED_TABLE, a, b, c, d, _, _, _, _, names @ ..] = description else {
        return None;
    };
    names.get(..u32::from_le_bytes([*a, *b, *c, *d]) as usize)
}

/// Whether a copy of the module's table at `table`, whose name is at the stack top, makes sense: it
/// does not for a library, nor for a module that is written in C itself.
pub(super) fn can_be_copied(transfer: Transfer, table: c_int) -> bool {
    let name = transfer.top();
    let module = split(transfer.bytes(name).unwrap_or_default()).0;
    if module == b"_G" || is_built_in(module) || OWN_MODULES.contains(&module) {
        return false;
    }
    if transfer.cache.modules_changed.get() {
        scan_modules(transfer);
    }
    transfer.raw_get_index(State::REGISTRY, KEYS.names);
    let names = transfer.top();
    transfer.push_nil();
    while transfer.next(table) {
        if transfer.is_c_function(-1) {
            transfer.push_copy(-1);
            transfer.raw_get(names);
            let own = transfer
                .bytes(-1)
                .is_none_or(|name| split(name).0 == module);
            if own {
                transfer.set_top(name);
                return false;
            }
            transfer.pop(1);
        }
        transfer.pop(1);
    }
    transfer.set_top(name);
    true
}

/// Pushes the name of the metatable at the stack top if the registry has it under a key, as
/// `luaL_newmetatable` makes it. Returns false, with nothing pushed, if the registry does not.
pub(super) fn push_registry_name(raising: Raising) -> bool {
    let metatable = raising.top();
    raising.raw_get_name(metatable, b"__name");
    if raising.kind(-1) == Kind::String {
        raising.push_copy(-1);
        raising.raw_get(State::REGISTRY);
        let found = raising.raw_equal(-1, metatable);
        raising.pop(1);
        if found {
            make_registry_name(raising);
            return true;
        }
    }
    raising.pop(1);
    raising.push_nil();
    while raising.next(State::REGISTRY) {
        if raising.kind(-2) == Kind::String && raising.raw_equal(-1, metatable) {
            raising.pop(1);
            make_registry_name(raising);
            return true;
        }
        raising.pop(1);
    }
    false
}

/// Replaces the key at the stack top, a string, by the name of what the registry has there.
fn make_registry_name(raising: Raising) {
    debug_assert!(REGISTRY_MODULE.is_empty());
    make_part(raising);
    raising.push_bytes(b"0:");
    raising.insert(-2);
    raising.concat(2);
}
