//! What a state remembers of the debug hooks that its lane has set itself, so that one of a cancellation can give its place back.

use crate::lua::compat::{HOOKS_ARE_GLOBAL, hook_from};
use crate::lua::{Hook, KEYS, Kind, Raising, State};
use std::os::raw::{c_int, c_void};

/// The place of the address of the function that the library `debug` makes the hook, in the table of what hooks listen to.
const LIBRARY: i64 = 1;

/// The place of what the hook listens to where all coroutines have one in common.
const COMMON: i64 = 2;

/// The bits of a mask; what hooks listen to is one number, the count and the mask.
const MASKS: c_int = 16;

/// Makes the table of the hooks.
pub fn prepare(raising: Raising) {
    raising.new_table(0, 0);
    raising.new_table(0, 1);
    raising.push_bytes(b"k");
    raising.raw_set_name(-2, b"__mode");
    raising.set_metatable(-2);
    raising.raw_set_index(State::REGISTRY, KEYS.hooks);
}

/// Pushes the key of the coroutine at index 1, or of the running one.
pub fn push_key(state: State) {
    if HOOKS_ARE_GLOBAL {
        state.push_integer(COMMON);
    } else if state.kind(1) == Kind::Thread {
        state.push_copy(1);
    } else {
        state.push_self();
    }
}

/// Remembers the hook that the lane has set in the coroutine that [`push_key`] means, if any, and its mask and count.
pub fn remember(raising: Raising, hook: Option<Hook>, (mask, count): (c_int, c_int)) {
    raising.raw_get_index(State::REGISTRY, KEYS.hooks);
    if let Some(hook) = hook {
        raising.push_light(hook as *mut c_void);
        raising.raw_set_index(-2, LIBRARY);
        push_key(*raising);
        raising.push_number(f64::from(count) * f64::from(MASKS) + f64::from(mask));
    } else {
        push_key(*raising);
        raising.push_nil();
    }
    raising.raw_set(-3);
    raising.pop(1);
}

/// Sets the hook, of the coroutine whose key is on the top, that the lane had set there. Takes the key.
pub fn restore_known(state: State, co: State) {
    state.raw_get_index(State::REGISTRY, KEYS.hooks);
    if state.kind(-1) != Kind::Table {
        state.pop(2);
        co.set_hook(None, 0, 0);
        return;
    }
    state.insert(-2);
    state.raw_get(-2);
    let known = state.number(-1);
    state.pop(1);
    state.raw_get_index(-1, LIBRARY);
    let hook = hook_from(state.userdata(-1) as usize);
    state.pop(2);
    if known == 0.0 {
        co.set_hook(None, 0, 0);
    } else {
        let mask = known % f64::from(MASKS);
        let count = (known - mask) / f64::from(MASKS);
        co.set_hook(hook, mask as c_int, count as c_int);
    }
}

/// Gives the place of a cancellation's hook to the one that the lane had set in the running coroutine, if any.
pub fn restore(state: State) {
    restore_in(state, state);
}

/// As [`restore`], in a coroutine that is about to be resumed from `state`.
pub fn restore_in(state: State, co: State) {
    if HOOKS_ARE_GLOBAL {
        state.push_integer(COMMON);
    } else {
        co.push_self();
        co.move_to(state, 1);
    }
    restore_known(state, co);
}
