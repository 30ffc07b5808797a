//! Error traces: where in a lane's body an error was raised (docs/manual/errors.md#the-trace).
//!
//! The interpreter finds a level by walking to it, so the time for a whole trace would grow with
//! the square of the depth. A trace has the innermost levels and the outermost ones; a mark stands
//! for those in between.

use crate::context::Context;
use crate::lane::Traces;
use crate::lua::sentinels::is_cancel_error;
use crate::lua::{FrameInfo, KEYS, Raise, Raising, State, lua_function, protect};
use std::os::raw::c_int;

/// How many of the innermost levels a trace has.
const INNERMOST_LEVELS: c_int = 10_000;
/// How many of the outermost levels a trace of a deeper recursion has in addition.
const OUTERMOST_LEVELS: c_int = 100;

lua_function! {
    /// The message handler of a lane's body: puts the trace into the registry and leaves the error
    /// value unchanged.
    always pub fn handler = handle
}

fn handle(state: State) -> Result<c_int, Raise> {
    state.set_top(1);
    if is_cancel_error(state, 1) {
        return Ok(1);
    }
    let context = Context::of(&state)?;
    let extended = match context.traces.get() {
        Traces::Minimal => return Ok(1),
        traces => traces == Traces::Extended,
    };
    // If there is no memory for the trace, the error itself still arrives.
    // The message handler and the closure that it protects are no part of it.
    let _ = protect(state, 0, move |raising| {
        push(raising, *raising, 2, extended)
    });
    state.set_top(1);
    Ok(1)
}

/// Puts the trace of a coroutine that has failed into the registry.
pub fn of_failed(context: &Context, state: State, co: State) {
    if !is_cancel_error(co, -1) {
        of_suspended(context, state, co);
    }
}

/// Puts the trace of a coroutine into the registry that fails where it is suspended.
pub fn of_suspended(context: &Context, state: State, co: State) {
    let traces = context.traces.get();
    if traces == Traces::Minimal {
        return;
    }
    let extended = traces == Traces::Extended;
    // If there is no memory for the trace, the error itself still arrives.
    if protect(state, 0, move |raising| push(raising, co, 0, extended)).is_err() {
        state.pop(1);
    }
}

/// Puts the trace of the running functions of a coroutine into the registry, without the innermost
/// `own` ones.
fn push(raising: Raising, of: State, own: c_int, extended: bool) {
    let depth = of.depth();
    raising.new_table(
        (depth.min(INNERMOST_LEVELS + OUTERMOST_LEVELS) - own).max(0) as usize,
        0,
    );
    let mut n = 0;
    let mut level = own;
    while level < depth {
        if let Some(frame) = of.frame_info(level) {
            n += 1;
            if extended {
                push_extended(raising, &frame);
            } else {
                push_basic(raising, &frame);
            }
            raising.raw_set_index(-2, n);
        }
        level += 1;
        if level - own == INNERMOST_LEVELS - 1 && depth - own > INNERMOST_LEVELS + OUTERMOST_LEVELS
        {
            let skipped = depth - OUTERMOST_LEVELS - level;
            n += 1;
            push_skipped(raising, skipped, extended);
            raising.raw_set_index(-2, n);
            level += skipped;
        }
    }
    raising.raw_set_index(State::REGISTRY, KEYS.trace);
}

fn push_basic(raising: Raising, frame: &FrameInfo) {
    raising.push_bytes(frame.short_source());
    if frame.line() > 0 {
        raising.push_bytes(b":");
        raising.push_integer(i64::from(frame.line()));
        raising.push_display(-1);
        raising.remove(-2);
        raising.concat(3);
    } else {
        raising.push_bytes(b":?");
        raising.concat(2);
    }
}

/// Pushes the mark that stands for levels that are left out.
fn push_skipped(raising: Raising, skipped: c_int, extended: bool) {
    raising.push_bytes(b"...\t(skipping ");
    raising.push_integer(i64::from(skipped));
    raising.push_display(-1);
    raising.remove(-2);
    raising.push_bytes(b" levels)");
    raising.concat(3);
    if extended {
        raising.new_table(0, 4);
        raising.insert(-2);
        raising.raw_set_name(-2, b"source");
        raising.push_integer(-1);
        raising.raw_set_name(-2, b"currentline");
        raising.push_bytes(b"");
        raising.raw_set_name(-2, b"namewhat");
        raising.push_bytes(b"...");
        raising.raw_set_name(-2, b"what");
    }
}

fn push_extended(raising: Raising, frame: &FrameInfo) {
    raising.new_table(0, 5);
    raising.push_bytes(frame.source());
    raising.raw_set_name(-2, b"source");
    raising.push_integer(i64::from(frame.line()));
    raising.raw_set_name(-2, b"currentline");
    if let Some(name) = frame.name() {
        raising.push_bytes(name);
        raising.raw_set_name(-2, b"name");
    }
    raising.push_bytes(frame.name_what());
    raising.raw_set_name(-2, b"namewhat");
    raising.push_bytes(frame.what());
    raising.raw_set_name(-2, b"what");
}

/// Forgets the trace of an earlier error.
pub fn forget(state: State) {
    // The key exists, so nothing is allocated; or nil is stored under a new key, which fails only
    // if memory is short.
    if protect(state, 0, |raising| {
        raising.push_nil();
        raising.raw_set_index(State::REGISTRY, KEYS.trace);
    })
    .is_err()
    {
        state.pop(1);
    }
}
