//! The check at load time: the Lua that loads this library must be the one that it was built for, and the one that it calls.

use crate::build_info::LUA_NAME;
use crate::lua::compat::{LUAJIT, VERSION};
use crate::lua::{Raising, core_file};
use lanes_engine::origin;
use std::os::raw::c_void;

/// Raises an error that names both if the running Lua is of another version or kind.
pub fn check(raising: Raising) {
    raising.push_globals();
    raising.raw_get_name(-1, b"_VERSION");
    raising.raw_get_name(-2, b"jit");
    let jit = !raising.is_none_or_nil(-1);
    let other = raising
        .bytes(-2)
        .is_some_and(|version| version != VERSION.as_bytes());
    // A state without libraries does not tell its version.
    let silent = !jit && raising.is_none_or_nil(-2);
    raising.pop(1);
    if silent || (!other && jit == LUAJIT) {
        raising.pop(2);
        check_core(raising);
        return;
    }
    raising.push_where(1);
    if jit != LUAJIT && !other {
        raising.push_bytes(if LUAJIT {
            b"Lanes is built for LuaJIT, don't run from PUC-Lua"
        } else {
            b"Lanes is built for PUC-Lua, don't run from LuaJIT"
        });
        raising.concat(2);
    } else {
        raising.push_bytes(b"this build of Lanes is for ");
        raising.push_bytes(LUA_NAME.as_bytes());
        raising.push_bytes(b", but this interpreter is ");
        raising.push_copy(-5);
        raising.concat(5);
    }
    raising.raise();
}

/// Functions of the base library that are written in C on every Lua; a program may have replaced some.
const IN_C: [&[u8]; 4] = [b"collectgarbage", b"dofile", b"load", b"loadfile"];

/// Raises an error that names both files if the state belongs to another copy of Lua than the one
/// that this library calls: all of the state's own functions are from another file then.
fn check_core(raising: Raising) {
    let Some(core) = core_file::file() else {
        return;
    };
    let mut other: Option<(usize, *const c_void)> = None;
    let mut count = 0;
    raising.push_globals();
    for name in IN_C {
        raising.raw_get_name(-1, name);
        let function = raising.c_function(-1);
        raising.pop(1);
        let Some(function) = function else { continue };
        let Some(file) = origin::of(function as *const c_void) else {
            return;
        };
        if file == core || other.is_some_and(|(other, _)| other != file) {
            raising.pop(1);
            return;
        }
        other = Some((file, function as *const c_void));
        count += 1;
    }
    raising.pop(1);
    let Some((_, function)) = other else { return };
    // A single one may be the program's own.
    if count < 2 {
        return;
    }
    raising.push_where(1);
    raising.push_bytes(b"this process has two Luas: this state belongs to the one in ");
    push_path(raising, function);
    raising.push_bytes(b", but Lanes calls the one in ");
    push_path(raising, core_file::address());
    raising.push_bytes(
        b"; build Lanes for the former, or let the program load the latter (docs/manual/troubleshooting.md)",
    );
    raising.concat(6);
    raising.raise();
}

/// Pushes the path of the file with this address. Nothing that Rust has to free is alive when Lua
/// allocates: an error would skip it.
fn push_path(raising: Raising, address: *const c_void) {
    let mut buffer = [0u8; 512];
    let length = origin::path(address).map_or(0, |path| {
        let length = path.len().min(buffer.len());
        buffer[..length].copy_from_slice(&path[..length]);
        length
    });
    raising.push_bytes(&buffer[..length]);
}
