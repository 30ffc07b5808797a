//! The message that monitors of a lane get at its end (docs/manual/failures.md#monitors).

use crate::context::Context;
use crate::lane::Record;
use crate::lane::outcome::Stage;
use crate::lua::{Raise, State, protect, text};
use crate::message::{Label, Message, encode_one};
use std::os::raw::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Prepares the message of the end, on the lane's own thread, if there are monitors. The top
/// `count` values are the error value and its trace; they stay there. From now on no monitor can be
/// added.
#[inline]
pub fn prepare(context: &Context, state: State, stage: Stage, count: c_int) {
    if let Some(record) = &context.record
        && record.monitors.seal()
    {
        prepare_for_some(context, state, record, stage, count);
    }
}

#[cold]
fn prepare_for_some(context: &Context, state: State, record: &Record, stage: Stage, count: c_int) {
    let top = state.top();
    let made = catch_unwind(AssertUnwindSafe(|| {
        message(context, state, record, stage, count)
    }));
    state.set_top(top);
    // Where there is no memory for it, the spare message is sent.
    if let Ok(Ok(message)) = made {
        record.monitors.prepare(message);
    }
}

/// Captures a message `{name, status, err, trace}`. The top `count` values are the error value and
/// its trace; they stay there. An error value that cannot travel becomes its text.
///
/// Errors: out of memory.
pub fn message(
    context: &Context,
    state: State,
    record: &Record,
    stage: Stage,
    count: c_int,
) -> Result<Message, Raise> {
    if !state.try_reserve(12) {
        return Err(Raise::out_of_memory());
    }
    let top = state.top();
    let first = top - count + 1;
    for index in first..=top {
        state.push_copy(index);
    }
    let captured = capture(context, state, record, stage, count);
    if captured.is_ok() || count == 0 {
        return captured;
    }
    state.set_top(top);
    state.push_copy(first);
    let shown = protect(state, 1, |raising| {
        raising.push_display(1);
        raising.remove(1);
    });
    if shown.is_err() {
        // Its `__tostring` has failed.
        state.set_top(top);
        let shown = text!["(error object is a ", state.type_name(first), " value)"];
        let shown = shown.bytes();
        protect(state, 0, |raising| raising.push_bytes(shown))?;
    }
    for index in first + 1..=top {
        state.push_copy(index);
    }
    capture(context, state, record, stage, count)
}

/// Captures the message with the top `count` values, which are taken off unless there is an error.
fn capture(
    context: &Context,
    state: State,
    record: &Record,
    stage: Stage,
    count: c_int,
) -> Result<Message, Raise> {
    let name = record.name();
    let name = &name[..];
    let status: &[u8] = match stage {
        Stage::Error => b"error",
        Stage::Cancelled => b"cancelled",
        _ => b"done",
    };
    protect(state, count, move |raising| {
        raising.reserve(8);
        raising.new_table(0, 4);
        raising.push_bytes(name);
        raising.raw_set_name(-2, b"name");
        raising.push_bytes(status);
        raising.raw_set_name(-2, b"status");
        for (index, field) in [(1, &b"err"[..]), (2, b"trace")] {
            if index <= count {
                raising.push_copy(index);
                raising.raw_set_name(-2, field);
            }
        }
        raising.insert(1);
        raising.set_top(1);
    })?;
    encode_one(&context.coders, state, Label::Error)
}
