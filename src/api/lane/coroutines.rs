//! Coroutines of a lane: `coroutine.resume`, `wrap` and `close` that tell the lane's record which
//! coroutine runs, so that the hook of a cancellation reaches it. In all else they do what the
//! originals do, which raise all errors about arguments.
//!
//! On LuaJIT a hook is set for all coroutines at once, and the originals stay.

use super::lane_hooks;
use crate::context::Context;
use crate::lua::compat::{HOOKS_ARE_GLOBAL, RESUME_RAISES, wrap_adds_position};
use crate::lua::{Function, Kind, ORIGINAL, Raise, Raising, State, is_function};
use crate::lua::{lua_around_original, lua_function, protect, upvalue};
use std::os::raw::c_int;

const TOO_MANY_RESULTS: &str = "too many results to resume";

/// Replaces the functions in the library `coroutine`, if the state has it.
pub fn prepare(raising: Raising, context: c_int) {
    if HOOKS_ARE_GLOBAL {
        return;
    }
    raising.raw_get_name(State::REGISTRY, b"_LOADED");
    if raising.kind(-1) == Kind::Table {
        raising.raw_get_name(-1, b"coroutine");
        if raising.kind(-1) == Kind::Table {
            for (name, function) in [
                (&b"resume"[..], resume as Function),
                (b"wrap", wrap),
                (b"close", close),
            ] {
                raising.push_copy(context);
                raising.raw_get_name(-2, name);
                if raising.kind(-1) == Kind::Function {
                    raising.push_function(function, 2);
                    raising.raw_set_name(-2, name);
                } else {
                    raising.pop(2);
                }
            }
        }
        raising.pop(1);
    }
    raising.pop(1);
}

/// Whether the C function at `index`, which is neither `pcall` nor `xpcall`, resumes coroutines.
pub fn is_resuming(state: State, index: c_int) -> bool {
    // Built-in functions of LuaJIT have no address; of these only the functions that resume call
    // others.
    is_function(state, index, resume)
        || is_function(state, index, call_wrapped)
        || state.c_function(index).is_none()
}

lua_function! {
    /// `coroutine.resume(co, ...)`; the original is the second upvalue.
    always fn resume = resume_body
}

fn resume_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = state.top() - 1;
    let Some(co) = state.thread(1) else {
        return Ok(ORIGINAL);
    };
    if !co.is_resumable() || !co.try_reserve(arguments + 1) {
        return Ok(ORIGINAL);
    }
    state.move_to(co, arguments);
    state.set_top(1);
    match run(context, state, co, arguments) {
        Ok(results) => {
            state.push_boolean(true);
            if take(state, co, results)? {
                return Ok(results + 1);
            }
            if RESUME_RAISES {
                return Err(Raise::message(TOO_MANY_RESULTS));
            }
            co.pop(results);
            state.push_boolean(false);
            protect(state, 0, |raising| {
                raising.push_bytes(TOO_MANY_RESULTS.as_bytes())
            })?;
        }
        Err(()) => {
            state.push_boolean(false);
            co.move_to(state, 1);
        }
    }
    Ok(2)
}

/// Resumes a coroutine while the record knows of it.
fn run(context: &Context, state: State, co: State, arguments: c_int) -> Result<c_int, ()> {
    let Some(record) = &context.record else {
        return co.resume(state, arguments);
    };
    if context.finalizing.get() {
        // No cancellation ends a finalizer, so its hook is removed.
        if record.has_hook() {
            lane_hooks::restore_in(state, co);
        }
        return co.resume(state, arguments);
    }
    record.enter(co);
    let outcome = co.resume(state, arguments);
    record.leave();
    outcome
}

/// Moves the values that the coroutine left to the top of the stack. Moves nothing and returns
/// false if there is no room for them.
fn take(state: State, co: State, results: c_int) -> Result<bool, Raise> {
    if results <= 8 {
        co.move_to(state, results);
        return Ok(true);
    }
    protect(state, 0, move |raising| {
        let room = raising.try_reserve(results + 1);
        if room {
            co.move_to(*raising, results);
        }
        room
    })
}

lua_around_original! {
    /// `coroutine.wrap(f)`; the original is the second upvalue.
    fn wrap = |_| (), after_wrap
}

/// The function that the original returned, at the top of the stack, has its coroutine as its first
/// upvalue.
fn after_wrap(raising: Raising, (): (), results: c_int) -> c_int {
    if raising.push_upvalue(-1, 1).is_some() {
        raising.insert(-2);
        raising.push_copy(upvalue(1));
        raising.push_function(call_wrapped, 3);
    }
    results
}

lua_function! {
    /// The function that `coroutine.wrap` returns. Upvalues: the coroutine, at the index at which
    /// the original expects it; the original; the context.
    always fn call_wrapped = call_wrapped_body
}

fn call_wrapped_body(state: State) -> Result<c_int, Raise> {
    let arguments = state.top();
    let (Some(co), Some(context)) = (state.thread(upvalue(1)), Context::at(&state, upvalue(3)))
    else {
        return Ok(ORIGINAL);
    };
    if !co.is_resumable() || !co.try_reserve(arguments + 1) {
        return Ok(ORIGINAL);
    }
    state.move_to(co, arguments);
    match run(context, state, co, arguments) {
        Ok(results) => {
            if take(state, co, results)? {
                return Ok(results);
            }
            co.pop(results);
            Err(Raise::message(TOO_MANY_RESULTS))
        }
        Err(()) => {
            let status = close_failed(context, state, co);
            co.move_to(state, 1);
            if wrap_adds_position(state.kind(-1), status) {
                protect(state, 1, |raising| {
                    raising.push_where(2);
                    raising.insert(-2);
                    raising.concat(2);
                })?;
            }
            Err(Raise::Value)
        }
    }
}

/// Closes what a coroutine that has failed left open, while the record knows of it. Returns the
/// status of its error.
fn close_failed(context: &Context, state: State, co: State) -> c_int {
    match &context.record {
        Some(record) if !context.finalizing.get() => {
            record.enter(co);
            let status = co.close_failed(state);
            record.leave();
            status
        }
        _ => co.close_failed(state),
    }
}

lua_around_original! {
    /// `coroutine.close(co)` (5.4 and later); the original is the second upvalue.
    fn close = before_close, after_close
}

/// Enters the coroutine if the original will accept it, because only then does the call return
/// here. Returns whether it has entered it.
fn before_close(state: State) -> bool {
    if let Some(co) = state.thread(1)
        && co.is_closable()
        && let Some(context) = Context::at(&state, upvalue(1))
        && let Some(record) = &context.record
        && !context.finalizing.get()
    {
        record.enter(co);
        return true;
    }
    false
}

fn after_close(raising: Raising, entered: bool, results: c_int) -> c_int {
    if entered
        && let Some(context) = Context::at(&raising, upvalue(1))
        && let Some(record) = &context.record
    {
        record.leave();
    }
    results
}
