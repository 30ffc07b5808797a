//! Error traces: where in a lane's body an error was raised (docs/manual/errors.md#the-trace).
//!
//! The interpreter finds a level by walking to it, so a whole trace of a very deep recursion would cost the square of
//! its depth. A trace has the innermost levels and the outermost ones; a mark stands for those in between.

use crate::context::Context;
use crate::lua::{FrameInfo, Raise, Raising, State, lua_function, protect, protect_with};
use crate::message::KEYS;
use std::os::raw::c_int;

/// How many of the innermost levels a trace has.
const INNERMOST: c_int = 10_000;
/// How many of the outermost levels a trace of a deeper recursion has besides.
const OUTERMOST: c_int = 100;

lua_function! {
    /// The message handler of a lane's body: leaves the trace in the registry and the error value as it is.
    always pub fn handler = handle
}

fn handle(state: State) -> Result<c_int, Raise> {
    state.set_top(1);
    if super::outcome::is_cancel_error(state, 1) {
        return Ok(1);
    }
    let context = Context::of(state)?;
    let extended = context.extended_traces.get();
    let depth = state.depth();
    let mut frames: Vec<(FrameInfo, c_int)> = Vec::new();
    let mut level = 1;
    while level < depth {
        if let Some(frame) = state.frame_info(level) {
            frames.push((frame, 0));
        }
        level += 1;
        if level == INNERMOST && depth > INNERMOST + OUTERMOST + 1 {
            let skipped = depth - OUTERMOST - level;
            if let Some(last) = frames.last_mut() {
                last.1 = skipped;
            }
            level += skipped;
        }
    }
    // Where there is no memory for the trace, the error itself still arrives.
    if protect_with(state, 0, &mut frames, |raising, frames| {
        push(raising, frames, extended)
    })
    .is_err()
    {
        state.set_top(1);
    }
    state.set_top(1);
    Ok(1)
}

fn push(raising: Raising, frames: &[(FrameInfo, c_int)], extended: bool) {
    raising.new_table(frames.len(), 0);
    let mut n = 0;
    for (frame, skipped) in frames {
        n += 1;
        if extended {
            push_extended(raising, frame);
        } else if frame.line > 0 {
            raising.push_bytes(frame.short_source.as_bytes());
            raising.push_bytes(b":");
            raising.push_integer(i64::from(frame.line));
            raising.push_display(-1);
            raising.remove(-2);
            raising.concat(3);
        } else {
            raising.push_bytes(frame.short_source.as_bytes());
            raising.push_bytes(b":?");
            raising.concat(2);
        }
        raising.raw_set_index(-2, n);
        if *skipped > 0 {
            n += 1;
            raising.push_bytes(b"...\t(skipping ");
            raising.push_integer(i64::from(*skipped));
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
            raising.raw_set_index(-2, n);
        }
    }
    raising.raw_set_index(State::REGISTRY, KEYS.trace);
}

fn push_extended(raising: Raising, frame: &FrameInfo) {
    raising.new_table(0, 5);
    raising.push_bytes(frame.source.as_bytes());
    raising.raw_set_name(-2, b"source");
    raising.push_integer(i64::from(frame.line));
    raising.raw_set_name(-2, b"currentline");
    if let Some(name) = &frame.name {
        raising.push_bytes(name.as_bytes());
        raising.raw_set_name(-2, b"name");
    }
    raising.push_bytes(frame.name_what.as_bytes());
    raising.raw_set_name(-2, b"namewhat");
    raising.push_bytes(frame.what.as_bytes());
    raising.raw_set_name(-2, b"what");
}

/// Forgets the trace of an earlier error.
pub fn forget(state: State) {
    // Nothing is allocated: the key is there, or nil is stored under a new one, which can fail only when memory is
    // short; then an old trace, if there is one, stays.
    if protect(state, 0, |raising| {
        raising.push_nil();
        raising.raw_set_index(State::REGISTRY, KEYS.trace);
    })
    .is_err()
    {
        state.pop(1);
    }
}
