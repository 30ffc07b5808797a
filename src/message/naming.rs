//! Writing names: how a module's table, a C function or the metatable of clones travels.
//!
//! By name, where the receiving state has it or can require it; what a table contains is written only where that fails.
//! For a state that is at hand this is found out now. Others find it out when they read: for them what the table contains
//! goes along as a description, as that of a metatable does, which is made once and read only where the name fails.

use super::encode::Destination;
use super::encoder::{Copied, Encoder, Stop};
use super::failure::{Failure, Label};
use super::found::{Missing, find};
use super::local::{KEYS, Local};
use super::names::{self, OURS, REGISTERED, is_built_in, split};
use super::{format, metatables};
use crate::lua::{Kind, Raising, State, Text};
use std::os::raw::c_int;

fn write(encoder: &mut Encoder, module: &[u8], path: &[u8]) {
    encoder.u32(module.len() as u32);
    encoder.u32(path.len() as u32);
    encoder.out.extend_from_slice(module);
    encoder.out.extend_from_slice(path);
}

/// Writes nothing but the name on the top (left there) of a table.
pub(super) fn write_known(encoder: &mut Encoder, raising: Raising) {
    let (module, path) = split(raising.bytes(-1).unwrap_or_default());
    if module == b"_G" && path.is_empty() {
        encoder.tag(format::GLOBALS);
    } else {
        encoder.tag(format::NAMED_TABLE);
        write(encoder, module, path);
    }
}

/// Writes the module's table below its name, which is on the top (both left there). Returns false where it is to be
/// written by its contents: the receiving state is at hand, and cannot have it.
pub(super) fn write_table(
    encoder: &mut Encoder,
    raising: Raising,
    local: &Local,
    to: Destination,
) -> Result<bool, Stop> {
    let (module, path) = split(raising.bytes(-1).unwrap_or_default());
    let table = raising.top() - 1;
    if encoder.describes() && described_module(&encoder.out) == Some(module) {
        return Ok(false); // the description is read only where the name fails
    }
    if encoder.describes() || !can_be_copied(local, raising, table) {
        write_known(encoder, raising);
        return Ok(true);
    }
    let Destination::State(state, there) = to else {
        raising.push_copy(-1);
        raising.push_copy(table);
        let number = metatables::write(encoder, raising, local, true)?;
        raising.pop(2);
        encoder.tag(format::MODULE);
        encoder.u32(number);
        return Ok(true);
    };
    let address = raising.pointer(table) as usize;
    let has = match encoder.there.get(&address) {
        Some(&has) => has,
        None => {
            encoder.there.make_room(raising);
            raising.room(&mut encoder.copied, 1);
            let reason = match find(state, there, module, path, Kind::Table) {
                Ok(()) => None,
                Err(missing) => Some(in_words(encoder, missing)?),
            };
            encoder.there.insert(address, reason.is_none());
            let has = reason.is_none();
            if let Some(reason) = reason {
                encoder.copied.push(Copied {
                    object: encoder.objects,
                    name: names::display(module, path),
                    reason,
                });
            }
            has
        }
    };
    if has {
        write_known(encoder, raising);
    }
    Ok(has)
}

/// The module of the name with which a description begins.
fn described_module(description: &[u8]) -> Option<&[u8]> {
    let [format::NAMED_TABLE, a, b, c, d, _, _, _, _, names @ ..] = description else {
        return None;
    };
    names.get(..u32::from_le_bytes([*a, *b, *c, *d]) as usize)
}

/// The reason why something is missing; other ends are put into the encoder.
fn in_words(encoder: &mut Encoder, missing: Missing) -> Result<Text, Stop> {
    encoder.failure = Some(match missing {
        Missing::Reason(reason) => return Ok(reason),
        Missing::Cancelled => Failure::Cancelled,
        Missing::Memory => Failure::Memory,
    });
    Err(Stop)
}

/// Whether a copy of the module's table at `table`, whose name is on the top, makes sense: not of a library, and not of a module that
/// is written in C itself.
fn can_be_copied(local: &Local, raising: Raising, table: c_int) -> bool {
    let name = raising.top();
    let module = split(raising.bytes(name).unwrap_or_default()).0;
    if module == b"_G" || is_built_in(module) || OURS.contains(&module) {
        return false;
    }
    if local.modules_changed.get() {
        names::scan_modules(local, raising);
    }
    raising.raw_get_index(State::REGISTRY, KEYS.names);
    let names = raising.top();
    raising.push_nil();
    while raising.next(table) {
        if raising.is_c_function(-1) {
            raising.push_copy(-1);
            raising.raw_get(names);
            let own = raising.bytes(-1).is_none_or(|name| split(name).0 == module);
            if own {
                raising.set_top(name);
                return false;
            }
            raising.pop(1);
        }
        raising.pop(1);
    }
    raising.set_top(name);
    true
}

/// Writes the name of the C function (or clonable's metatable) on the top, after `tag`; false where no module exports it.
pub(super) fn write_name(
    encoder: &mut Encoder,
    local: &Local,
    raising: Raising,
    tag: u8,
    to: Destination,
) -> Result<bool, Stop> {
    for again in [false, true] {
        if again || local.modules_changed.get() {
            names::scan_modules(local, raising);
        }
        raising.raw_get_index(State::REGISTRY, KEYS.names);
        raising.push_copy(-2);
        raising.raw_get(-2);
        let found = raising.bytes(-1);
        if let Some(name) = found {
            let (module, path) = split(name);
            if let (Destination::State(state, there), false) = (to, encoder.copied.is_empty()) {
                expect(encoder, raising, (state, there), module, path)?;
            }
            encoder.tag(tag);
            write(encoder, module, path);
        }
        raising.pop(2);
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Fails here, and not when the message is read, where the receiving state cannot have a C function: it may be in a module that
/// is copied, and the error then tells why.
fn expect(
    encoder: &mut Encoder,
    raising: Raising,
    (state, there): (State, &Local),
    module: &[u8],
    path: &[u8],
) -> Result<(), Stop> {
    let Err(missing) = find(state, there, module, path, Kind::Function) else {
        return Ok(());
    };
    let reason = in_words(encoder, missing)?;
    let failure = Failure::Unknown {
        what: "function",
        name: names::display(module, path),
        module: Text::from(module),
        path: encoder.path(raising),
        state: Text::from(&there.name.borrow()[..]),
        reason,
    };
    encoder.fail(failure)
}

/// Whether the registry has the metatable on the top (left there) under a key, as `luaL_newmetatable` makes it: pushes its
/// name then.
pub(super) fn registered(raising: Raising) -> bool {
    let metatable = raising.top();
    raising.raw_get_name(metatable, b"__name");
    if raising.kind(-1) == Kind::String {
        raising.push_copy(-1);
        raising.raw_get(State::REGISTRY);
        let found = raising.raw_equal(-1, metatable);
        raising.pop(1);
        if found {
            push_registered_name(raising);
            return true;
        }
    }
    raising.pop(1);
    raising.push_nil();
    while raising.next(State::REGISTRY) {
        if raising.kind(-2) == Kind::String && raising.raw_equal(-1, metatable) {
            raising.pop(1);
            push_registered_name(raising);
            return true;
        }
        raising.pop(1);
    }
    false
}

/// Replaces the key on the top, a string, by the name of what the registry has there.
fn push_registered_name(raising: Raising) {
    debug_assert!(REGISTERED.is_empty());
    names::make_part(raising);
    raising.push_bytes(b"0:");
    raising.insert(-2);
    raising.concat(2);
}

/// Writes what the named table on the top, below which its name is, contains: the name, and where it can be copied its contents.
/// Returns the reason where it cannot.
pub(super) fn describe(
    encoder: &mut Encoder,
    raising: Raising,
    local: &Local,
) -> Result<Option<Text>, Stop> {
    let table = raising.top();
    encoder.label = Some(Label::Module);
    let name = |encoder: &mut Encoder| {
        raising.push_copy(table - 1);
        write_known(encoder, raising);
        raising.pop(1);
    };
    name(encoder);
    raising.push_copy(table - 1);
    let copies = can_be_copied(local, raising, table);
    raising.pop(1);
    if !copies || encoder.metatable(raising, local).is_ok() {
        return Ok(None);
    }
    raising.set_top(table);
    let reason = match encoder.failure.take().unwrap_or(Failure::Broken) {
        failure @ (Failure::Memory | Failure::Cancelled) => {
            encoder.failure = Some(failure);
            return Err(Stop);
        }
        failure => failure.reason(),
    };
    encoder.reset();
    name(encoder);
    Ok(Some(reason))
}
