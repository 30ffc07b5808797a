//! `debug.sethook` and `debug.gethook` of a lane: a hook that the lane sets does not replace the
//! one of a cancellation, and `gethook` returns what the lane has set itself. In all else they do
//! what the originals do.

use super::cancel_hook::HOOK;
use super::lane_hooks::{self, push_key, remember, restore_known};
use crate::context::Context;
use crate::lua::{Function, Hook, Kind, Raise, Raising, State};
use crate::lua::{lua_around_original, lua_function, protect, upvalue};
use std::os::raw::c_int;

/// Replaces the two functions in the library `debug`, if the state has it.
pub fn prepare(raising: Raising, context: c_int) {
    raising.raw_get_name(State::REGISTRY, b"_LOADED");
    if raising.kind(-1) == Kind::Table {
        raising.raw_get_name(-1, b"debug");
        if raising.kind(-1) == Kind::Table {
            lane_hooks::prepare(raising);
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

lua_around_original! {
    /// `debug.sethook([co,] f, mask [, count])`; the original is the second upvalue.
    fn set_hook = |state| is_ours(meant(state).hook_function()), after_set_hook
}

fn after_set_hook(raising: Raising, was_there: bool, results: c_int) -> c_int {
    let co = meant(*raising);
    let events = co.hook_events();
    let hook = co.hook_function().filter(|hook| !is_ours(Some(*hook)));
    if let Some(context) = Context::at(&raising, upvalue(1))
        && let Some(record) = &context.record
        && !context.finalizing.get()
    {
        record.put_back(co, was_there);
    }
    remember(raising, hook, events);
    results
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
        if was_there && let Some(record) = &Context::of(&state)?.record {
            record.put_back(co, true);
        }
        outcome.map_err(|_| Raise::Value)?;
        if !set_meanwhile {
            return Ok(state.top() - arguments);
        }
        // A cancellation has set its hook meanwhile, and the results may be about that hook.
        state.set_top(arguments);
    }
}
