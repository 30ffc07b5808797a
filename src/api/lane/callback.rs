//! Whether a lane is in a callback: Lua code that a C library has called. It is not known what such
//! a library does with an error, and some end the process. So a request raises nothing there,
//! unless code of the lane catches the error.

use super::coroutines;
use crate::context::Context;
use crate::lua::core_file;
use crate::lua::{KEYS, Raising, State};
use lanes_engine::origin;
use std::os::raw::{c_int, c_void};
use std::sync::OnceLock;

/// How many functions are looked at: finding the n-th takes Lua n steps. In a deeper call, a lane
/// counts as outside of a callback.
const DEEPEST_LEVEL: c_int = 1000;

/// Remembers in the registry the functions that catch errors.
pub fn prepare(raising: Raising) {
    raising.push_globals();
    for (name, key) in [(&b"pcall"[..], KEYS.pcall), (b"xpcall", KEYS.xpcall)] {
        raising.raw_get_name(-1, name);
        raising.raw_set_index(State::REGISTRY, key);
    }
    raising.pop(1);
}

/// Whether an error that is raised in `state`, which is running, would end a callback.
///
/// With `unless_caught`, not if the lane catches the error before, or a library that has resumed
/// one of its coroutines.
pub fn is_within(context: &Context, state: State, unless_caught: bool) -> bool {
    let Some(record) = &context.record else {
        return false;
    };
    let found = look(state, 1, unless_caught);
    found.unwrap_or_else(|| {
        // From the innermost on, the coroutines that wait for one that they have resumed.
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

/// Looks at the functions that run in one coroutine, from `level` on outwards. Returns whether an
/// error would end a callback there; none if it would pass on to the function that has resumed the
/// coroutine.
fn look(state: State, level: c_int, unless_caught: bool) -> Option<bool> {
    let mut found = None;
    let mut at = level;
    while found.is_none() && at < DEEPEST_LEVEL && state.push_function_at(at) {
        if state.is_c_function(-1) {
            if is(state, KEYS.pcall) || is(state, KEYS.xpcall) {
                found = unless_caught.then_some(false);
            } else if coroutines::is_resuming(state, -1) {
                // A function that resumes calls nothing in its own coroutine, so a library calls
                // back here.
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

/// Whether the function at the top of the stack is the one with this key in the registry.
fn is(state: State, key: i64) -> bool {
    state.raw_get_index(State::REGISTRY, key);
    let same = state.raw_equal(-1, -2);
    state.pop(1);
    same
}

/// The files that Lua and this library are loaded from. They stay the same while the process lives.
fn native() -> &'static [Option<usize>; 2] {
    static NATIVE_FILES: OnceLock<[Option<usize>; 2]> = OnceLock::new();
    NATIVE_FILES.get_or_init(|| [core_file::file(), origin::of(is_within as *const c_void)])
}

/// Whether the C function at the top of the stack is neither Lua's nor ours, both of which pass
/// errors on.
fn is_foreign(state: State) -> bool {
    let Some(function) = state.c_function(-1) else {
        return false;
    };
    let from = origin::of(function as *const c_void);
    from.is_some() && !native().contains(&from)
}
