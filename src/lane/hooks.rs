//! `debug.sethook` and `debug.gethook` of a lane: a hook that the lane sets does not take the place of the one that a cancellation has set, and
//! what the lane asks for is what it has set itself. Otherwise they do what the originals do.

use super::cancel::HOOK;
use crate::context::Context;
use crate::lua::compat::{HOOKS_ARE_GLOBAL, hook_from};
use crate::lua::{Function, Hook, Kind, Raise, Raising, State};
use crate::lua::{lua_around_original, lua_function, protect, upvalue};
use crate::message::KEYS;
use std::os::raw::{c_int, c_void};

/// The place of the address of the function that the library `debug` makes the hook, in the table of what hooks listen to.
const LIBRARY: i64 = 1;

/// The place of what the hook listens to where all coroutines have one in common.
const COMMON: i64 = 2;

/// The bits of a mask; what hooks listen to is one number, the count and the mask.
const MASKS: c_int = 16;

/// Replaces the two functions in the library `debug`, if the state has it.
pub fn prepare(raising: Raising, context: c_int) {
    raising.raw_get_name(State::REGISTRY, b"_LOADED");
    if raising.kind(-1) == Kind::Table {
        raising.raw_get_name(-1, b"debug");
        if raising.kind(-1) == Kind::Table {
            raising.new_table(0, 0);
            raising.new_table(0, 1);
            raising.push_bytes(b"k");
            raising.raw_set_name(-2, b"__mode");
            raising.set_metatable(-2);
            raising.raw_set_index(State::REGISTRY, KEYS.hooks);
            for (name, function) in [
                (&b"sethook"[..], set_hook as Function),
                (b"gethook", get_hook),
            ] {
                raising.push_copy(context);
                raising.raw_get_name(-2, name);
                raising.push_function(function, 2);
                raising.raw_set_name(-2, name);
            }
        }
        raising.pop(1);
    }
    raising.pop(1);
}

/// The coroutine that a call is about: its first argument, or the running one.
fn meant(state: State) -> State {
    state.thread(1).unwrap_or(state)
}

fn is_ours(hook: Option<Hook>) -> bool {
    hook.is_some_and(|hook| std::ptr::fn_addr_eq(hook, HOOK))
}

/// Pushes the key of the coroutine at index 1, or of the running one.
fn push_key(state: State) {
    if HOOKS_ARE_GLOBAL {
        state.push_integer(COMMON);
    } else if state.kind(1) == Kind::Thread {
        state.push_copy(1);
    } else {
        state.push_self();
    }
}

lua_around_original! {
    /// `debug.sethook([co,] f, mask [, count])`; the original is the second upvalue.
    fn set_hook = |state| is_ours(meant(state).hook_function()), after_set_hook
}

fn after_set_hook(raising: Raising, was_there: bool, results: c_int) -> c_int {
    let co = meant(*raising);
    let hook = co.hook_function().filter(|hook| !is_ours(Some(*hook)));
    let (mask, count) = co.hook_events();
    if let Some(context) = Context::at(*raising, upvalue(1))
        && let Some(record) = &context.record
        && !context.finalizing.get()
    {
        record.put_back(co, was_there);
    }
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
    results
}

/// Sets the hook, of the coroutine whose key is on the top, that the lane had set there. Takes the key.
fn restore_known(state: State, co: State) {
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

lua_function! {
    /// `debug.gethook([co])`; the original is the second upvalue.
    always fn get_hook = get_hook_body
}

fn get_hook_body(state: State) -> Result<c_int, Raise> {
    let arguments = state.top();
    let co = meant(state);
    loop {
        let was_there = is_ours(co.hook_function());
        if was_there {
            push_key(state);
            restore_known(state, co);
        }
        protect(state, 0, |raising| raising.reserve(arguments + 2))?;
        state.push_copy(upvalue(2));
        for n in 1..=arguments {
            state.push_copy(n);
        }
        let outcome = state.call_protected(arguments, None, 0);
        let set_meanwhile = is_ours(co.hook_function());
        if was_there && let Some(record) = &Context::of(state)?.record {
            record.put_back(co, true);
        }
        outcome.map_err(|_| Raise::Value)?;
        if !set_meanwhile {
            return Ok(state.top() - arguments);
        }
        // A cancellation has come in between, and what was answered may be about its hook.
        state.set_top(arguments);
    }
}
