//! Whether a lane is in a callback: Lua code that a C library has called. What such a library does with an error is not known, and some end the
//! process. So a request raises nothing there, unless the lane catches it itself.

use super::coroutines;
use crate::context::Context;
use crate::lua::compat;
use crate::lua::{KEYS, Raising, State};
use lanes_engine::origin;
use std::os::raw::{c_int, c_void};
use std::sync::OnceLock;

/// How many functions are looked at: going to the n-th takes Lua n steps. A lane that is in deeper is taken to be in its own code.
const MOST: c_int = 1000;

/// Remembers in the registry the functions that catch errors.
pub fn prepare(raising: Raising) {
    raising.push_globals();
    for (name, key) in [(&b"pcall"[..], KEYS.pcall), (b"xpcall", KEYS.xpcall)] {
        raising.raw_get_name(-1, name);
        raising.raw_set_index(State::REGISTRY, key);
    }
    raising.pop(1);
}

/// Whether an error that is raised in `state`, which runs, would end a callback.
///
/// `unless_caught`: not where the lane catches it before, or a library that has resumed one of its coroutines.
pub fn is_within(context: &Context, state: State, unless_caught: bool) -> bool {
    let Some(record) = &context.record else {
        return false;
    };
    let found = look(state, 1, unless_caught);
    found.unwrap_or_else(|| {
        // From the innermost on, those that wait for a coroutine that they have resumed.
        record
            .find_running(|other| {
                if other.raw() == state.raw() {
                    return None;
                }
                look(other, 0, unless_caught)
            })
            .unwrap_or(false)
    })
}

/// Looks at what runs in one coroutine, from `level` on outwards. Answers whether a callback ends there; none where no function there
/// keeps an error from going on to what has resumed the coroutine.
fn look(state: State, level: c_int, unless_caught: bool) -> Option<bool> {
    let mut found = None;
    let mut at = level;
    while found.is_none() && at < MOST && state.push_function_at(at) {
        if state.is_c_function(-1) {
            if is(state, KEYS.pcall) || is(state, KEYS.xpcall) {
                found = unless_caught.then_some(false);
            } else if coroutines::is_resuming(state, -1) {
                // It has called nothing in its own coroutine: a library calls back there, whichever one runs.
                found = (at > 0).then_some(true);
            } else if is_foreign(state) {
                // The innermost function of a coroutine that has resumed another one.
                found = Some(at > 0 || !unless_caught);
            }
        }
        state.pop(1);
        at += 1;
    }
    found
}

/// Whether the function on the top is the one with this key in the registry.
fn is(state: State, key: i64) -> bool {
    state.raw_get_index(State::REGISTRY, key);
    let same = state.raw_equal(-1, -2);
    state.pop(1);
    same
}

/// Where Lua and we are from: the same for as long as the process lives.
fn native() -> &'static [Option<usize>; 2] {
    static NATIVE: OnceLock<[Option<usize>; 2]> = OnceLock::new();
    NATIVE.get_or_init(|| {
        [
            origin::of(compat::lua_getstack as *const c_void),
            origin::of(is_within as *const c_void),
        ]
    })
}

/// Whether the C function on the top is neither Lua's nor ours: those pass errors on.
fn is_foreign(state: State) -> bool {
    let Some(function) = state.c_function(-1) else {
        return false;
    };
    let from = origin::of(function as *const c_void);
    from.is_some() && !native().contains(&from)
}
