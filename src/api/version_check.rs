//! The check at load time: the Lua that loads this library must be the one that it was built for.

use crate::build_info::LUA_NAME;
use crate::lua::Raising;
use crate::lua::compat::{LUAJIT, VERSION};

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
