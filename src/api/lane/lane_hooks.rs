//! The debug hooks that a lane has set itself, stored so that the hook of a cancellation can
//! restore them.

use crate::lua::compat::{HOOKS_ARE_GLOBAL, hook_from};
use crate::lua::{Hook, KEYS, Kind, Raising, State};
use std::os::raw::{c_int, c_void};

/// The index, in the table of hooks, of the address of the function that the library `debug` sets
/// as the hook.
const LIBRARY_INDEX: i64 = 1;

/// The key, in the table of hooks, of the hook that all coroutines share.
const COMMON_KEY: i64 = 2;

/// Masks are below this number. A value in the table of hooks is the count times it, plus the mask.
const MASK_BASE: c_int = 16;

/// Makes the table of the hooks.
pub fn prepare(raising: Raising) {
    raising.new_weak_table(b"k");
    raising.raw_set_index(State::REGISTRY, KEYS.hooks);
}

/// Pushes the key of the coroutine at index 1, or of the running one.
pub fn push_key(state: State) {
    if HOOKS_ARE_GLOBAL {
        state.push_integer(COMMON_KEY);
    } else if state.kind(1) == Kind::Thread {
        state.push_copy(1);
    } else {
        state.push_self();
    }
}

/// Stores the hook that the lane has set in the coroutine of [`push_key`], if any, with its mask
/// and count.
pub fn remember(raising: Raising, hook: Option<Hook>, (mask, count): (c_int, c_int)) {
    raising.raw_get_index(State::REGISTRY, KEYS.hooks);
    if let Some(hook) = hook {
        raising.push_light(hook as *mut c_void);
        raising.raw_set_index(-2, LIBRARY_INDEX);
        push_key(*raising);
        raising.push_number(f64::from(count) * f64::from(MASK_BASE) + f64::from(mask));
    } else {
        push_key(*raising);
        raising.push_nil();
    }
    raising.raw_set(-3);
    raising.pop(1);
}

/// Pops the key of the coroutine `co`, and sets the hook that the lane had set in it.
pub fn restore_known(state: State, co: State) {
    if state.raw_get_index(State::REGISTRY, KEYS.hooks) != Kind::Table {
        state.pop(2);
        co.set_hook(None, 0, 0);
        return;
    }
    state.insert(-2);
    state.raw_get(-2);
    let known = state.number(-1);
    state.pop(1);
    state.raw_get_index(-1, LIBRARY_INDEX);
    let hook = hook_from(state.userdata(-1) as usize);
    state.pop(2);
    if known == 0.0 {
        co.set_hook(None, 0, 0);
    } else {
        let mask = known % f64::from(MASK_BASE);
        let count = (known - mask) / f64::from(MASK_BASE);
        co.set_hook(hook, mask as c_int, count as c_int);
    }
}

/// Replaces the hook of a cancellation by the one that the lane had set in the running coroutine,
/// if any.
pub fn restore(state: State) {
    restore_in(state, state);
}

/// As [`restore`], in a coroutine that is about to be resumed from `state`.
pub fn restore_in(state: State, co: State) {
    if HOOKS_ARE_GLOBAL {
        state.push_integer(COMMON_KEY);
    } else {
        co.push_self();
        co.move_to(state, 1);
    }
    restore_known(state, co);
}
