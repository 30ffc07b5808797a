//! How a state gets the module `lanes_core`: as a loaded module, or through a loader in
//! `package.preload`.

use crate::context::push_function;
use crate::lua::{Function, KEYS, Kind, Raising, State};
use std::os::raw::c_int;
use std::sync::OnceLock;

/// The functions through which a state gets the module. A file above sets them, since they use this
/// file through the states of lanes.
pub struct Entrances {
    /// The loader, as `require` calls it.
    pub open: Function,
    /// `__index` of the module's table until it is filled.
    pub fill: Function,
}

/// Set when the library is loaded.
pub static ENTRANCES: OnceLock<Entrances> = OnceLock::new();

/// Pushes the module's table, which may still be empty.
pub fn push_table(raising: Raising) {
    if raising.raw_get_index(State::REGISTRY, KEYS.core) == Kind::Table {
        return;
    }
    raising.pop(1);
    raising.new_table(0, 0);
    raising.push_copy(-1);
    raising.raw_set_index(State::REGISTRY, KEYS.core);
}

/// Makes the module a loaded one, in a lane that has it among its libraries. Its table is filled
/// when it is first indexed: few lanes do so, and it would be a sixth of the memory of their
/// states.
pub fn preload(raising: Raising, context: c_int) {
    raising.raw_get_name(State::REGISTRY, b"_LOADED");
    if raising.kind(-1) == Kind::Table {
        push_table(raising);
        raising.new_table(0, 1);
        if let Some(entrances) = ENTRANCES.get() {
            push_function(raising, context, entrances.fill);
            raising.raw_set_name(-2, b"__index");
        }
        raising.set_metatable(-2);
        for name in [&b"lanes_core"[..], b"lanes.core"] {
            raising.push_copy(-1);
            raising.raw_set_name(-3, name);
        }
        raising.pop(1);
    }
    raising.pop(1);
}

/// Lets `require` find the module in a lane whose libraries do not include it, wherever the host
/// has loaded it from.
pub fn offer(raising: Raising) {
    let before = raising.top();
    raising.raw_get_name(State::REGISTRY, b"_LOADED");
    if raising.kind(-1) == Kind::Table {
        raising.raw_get_name(-1, b"package");
    }
    if raising.kind(-1) == Kind::Table {
        raising.raw_get_name(-1, b"preload");
    }
    if raising.kind(-1) == Kind::Table
        && raising.top() == before + 3
        && let Some(entrances) = ENTRANCES.get()
    {
        raising.push_function(entrances.open, 0);
        for name in [&b"lanes_core"[..], b"lanes.core"] {
            raising.push_copy(-1);
            raising.raw_set_name(-3, name);
        }
    }
    raising.set_top(before);
}
