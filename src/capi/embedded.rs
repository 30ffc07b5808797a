//! Embedding: `luaopen_lanes_embedded` makes both halves of Lanes loaded modules of a host's state
//! (docs/manual/embedding.md).
//!
//! `unsafe` because it is an exported symbol, which a host calls with its state.

#![allow(
    unsafe_code,
    reason = "an exported symbol, which a host calls with its state"
)]

use crate::api::attach::attach;
use crate::api::loaded;
use crate::lua::compat::{lua_CFunction, lua_State};
use crate::lua::{KEYS, Kind, Raise, State, enter, protect};
use std::os::raw::c_int;

/// The Lua half, if the host gives no loader: a file in the current directory.
const FILE: &std::ffi::CStr = c"lanes.lua";

/// Enters Lanes in `package.loaded`, as `lanes_core`, `lanes.core` and `lanes`, and leaves the
/// table of `lanes` on the stack. `loader` runs the Lua half and returns its table; without a
/// loader, `lanes.lua` in the current directory is run.
///
/// Errors: no library `package`; what the loader raises; a file that cannot be run.
///
/// # Safety
/// Called with a live state of the version that this library was built for.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_lanes_embedded(
    l: *mut lua_State,
    loader: Option<lua_CFunction>,
) {
    // SAFETY: this frame owns nothing until `enter`, which drops all that it owns before it raises.
    unsafe {
        attach(l);
        enter(l, move |state| open(state, loader));
    }
}

fn open(state: State, loader: Option<lua_CFunction>) -> Result<c_int, Raise> {
    let loaded = protect(state, 0, move |raising| {
        raising.raw_get_name(State::REGISTRY, b"_LOADED");
        if raising.kind(1) != Kind::Table {
            raising.push_bytes(
                b"luaopen_lanes_embedded needs the library 'package', which this state does not have",
            );
            return false;
        }
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        loaded::preload(raising, 2);
        raising.raw_get_name(1, b"lanes");
        if !raising.truth(-1) {
            match loader {
                Some(loader) => {
                    raising.push_c_function(loader, 0);
                    raising.push_bytes(b"lanes");
                    raising.call(1, Some(1));
                }
                None => {
                    if !raising.load_file(FILE) || raising.call_protected(0, Some(1), 0).is_err() {
                        raising.push_bytes(b"failed to initialize embedded Lanes: ");
                        raising.push_display(-2);
                        raising.concat(2);
                        return false;
                    }
                }
            }
            raising.push_copy(-1);
            raising.raw_set_name(1, b"lanes");
        }
        raising.insert(1);
        raising.set_top(1);
        true
    })?;
    if loaded {
        return Ok(1);
    }
    let reason = state.text(-1).unwrap_or_default();
    Err(Raise::message(reason))
}
