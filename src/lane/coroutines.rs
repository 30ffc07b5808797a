//! Coroutines of a lane: `coroutine.resume` and `coroutine.wrap` that tell the lane's record which coroutine runs, so
//! that the hook of a cancellation reaches it. Otherwise they do what the originals do.
//!
//! On LuaJIT a hook is set for all coroutines at once, and the originals stay.

use crate::context::Context;
use crate::lua::compat::{HOOKS_ARE_GLOBAL, NOT_SUSPENDED};
use crate::lua::{
    Arguments, Kind, Raise, Raising, State, is_function, lua_function, protect, upvalue,
};
use std::os::raw::c_int;

/// Replaces the two functions in the library `coroutine`, if the state has it.
pub fn prepare(raising: Raising, context: c_int) {
    if HOOKS_ARE_GLOBAL {
        return;
    }
    raising.raw_get_name(State::REGISTRY, b"_LOADED");
    if raising.kind(-1) == Kind::Table {
        raising.raw_get_name(-1, b"coroutine");
        if raising.kind(-1) == Kind::Table {
            for (name, original, function) in [
                (
                    &b"resume"[..],
                    &b"resume"[..],
                    resume as crate::lua::Function,
                ),
                (b"wrap", b"create", wrap),
            ] {
                raising.push_copy(context);
                raising.raw_get_name(-2, original);
                raising.push_function(function, 2);
                raising.raw_set_name(-2, name);
            }
        }
        raising.pop(1);
    }
    raising.pop(1);
}

/// Whether the C function at `index`, which is neither `pcall` nor `xpcall`, resumes coroutines.
pub fn is_resuming(state: State, index: c_int) -> bool {
    // Among LuaJIT's own functions that have no address these are the only ones that wait for others.
    is_function(state, index, resume)
        || is_function(state, index, call_wrapped)
        || state.c_function(index).is_none()
}

lua_function! {
    /// `coroutine.resume(co, ...)`; the original is the second upvalue.
    always fn resume = resume_body
}

fn resume_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = state.top() - 1;
    match state.thread(1) {
        Some(co) if co.is_resumable() && co.try_reserve(arguments + 1) => {
            state.move_to(co, arguments);
            state.set_top(1);
            let outcome = run(context, state, co, arguments);
            state.push_boolean(outcome.is_ok());
            let results = outcome.unwrap_or(1);
            take(state, co, results)?;
            Ok(results + 1)
        }
        // The original knows what to say.
        _ => {
            state.push_copy(upvalue(2));
            state.insert(1);
            state
                .call_protected(arguments + 1, None, 0)
                .map_err(|_| Raise::Value)?;
            Ok(state.top())
        }
    }
}

/// Resumes a coroutine while the record knows of it.
fn run(context: &Context, state: State, co: State, arguments: c_int) -> Result<c_int, ()> {
    let Some(record) = &context.record else {
        return co.resume(state, arguments);
    };
    if context.finalizing.get() {
        record.spare(co);
        return co.resume(state, arguments);
    }
    record.enter(co);
    let outcome = co.resume(state, arguments);
    record.leave();
    outcome
}

/// Moves what the coroutine left to the top.
fn take(state: State, co: State, results: c_int) -> Result<(), Raise> {
    if results <= 8 {
        co.move_to(state, results);
        return Ok(());
    }
    protect(state, 0, move |raising| {
        raising.reserve(results + 1);
        co.move_to(*raising, results);
    })
}

lua_function! {
    /// `coroutine.wrap(f)`; `coroutine.create` is the second upvalue.
    fn wrap = wrap_body
}

fn wrap_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "wrap");
    arguments.function(1)?;
    state.set_top(1);
    state.push_copy(upvalue(1));
    state.push_copy(upvalue(2));
    state.push_copy(1);
    state
        .call_protected(1, Some(1), 0)
        .map_err(|_| Raise::Value)?;
    protect(state, 2, |raising| raising.push_function(call_wrapped, 2))?;
    Ok(1)
}

lua_function! {
    /// What `coroutine.wrap` answers: the coroutine is the second upvalue.
    always fn call_wrapped = call_wrapped_body
}

fn call_wrapped_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = state.top();
    let Some(co) = state.thread(upvalue(2)) else {
        return Err(Raise::message("cannot resume dead coroutine"));
    };
    if !co.is_resumable() {
        let own = if co.is_dead() {
            "dead"
        } else if co.raw() == state.raw() {
            NOT_SUSPENDED.0
        } else {
            NOT_SUSPENDED.1
        };
        return Err(Raise::message(format!("cannot resume {own} coroutine")));
    }
    if !co.try_reserve(arguments + 1) {
        return Err(Raise::message("too many arguments to resume"));
    }
    state.move_to(co, arguments);
    match run(context, state, co, arguments) {
        Ok(results) => {
            take(state, co, results)?;
            Ok(results)
        }
        Err(()) => {
            co.close_failed(state);
            co.move_to(state, 1);
            if state.kind(-1) == Kind::String {
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
