//! The message that monitors of a lane get at its end (docs/manual/failures.md#monitors).

use super::failures::shown;
use crate::context::Context;
use crate::lane::Record;
use crate::lane::outcome::Stage;
use crate::lua::{Kind, NOT_ENOUGH_MEMORY, Raise, State, protect};
use crate::message::{Label, Message, encode_one, keep_unconverted};
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
    // The error may come from a finalizer that the collector called; the second attempt does not
    // meet it again.
    for _ in 0..2 {
        let made = catch_unwind(AssertUnwindSafe(|| {
            message(context, state, record, stage, count)
        }));
        state.set_top(top);
        if let Ok(Ok(message)) = made {
            record.monitors.prepare(message);
            return;
        }
    }
    // Out of memory: the prepared message is sent.
}

/// Captures a message `{name, status, err, trace}`. The top `count` values are the error value and
/// its trace; they stay there. An error value that cannot be transferred is replaced by its text.
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
    let first = state.top() - count + 1;
    push_table(context, state, record, stage, count)?;
    let table = state.top();
    // The second failure shows that the value cannot be transferred.
    for _ in 0..2 {
        state.push_copy(table);
        let captured = encode_one(&context.coders, state, Label::Error);
        match &captured {
            Err(raise) if count > 0 && !is_out_of_memory(state, raise) => state.set_top(table),
            _ => return captured,
        }
    }
    let shown = shown(state, first);
    state.set_top(table);
    let shown = shown.bytes();
    protect(state, 0, |raising| raising.push_bytes(shown))?;
    protect(state, 2, |raising| raising.raw_set_name(1, b"err"))?;
    encode_one(&context.coders, state, Label::Error)
}

/// Whether an error means out of memory. Its value, if any, is at the stack top.
fn is_out_of_memory(state: State, raise: &Raise) -> bool {
    match raise {
        Raise::Bare(text) | Raise::Message(text) => text.is_out_of_memory(),
        Raise::Value => state.bytes(-1) == Some(NOT_ENOUGH_MEMORY.as_bytes()),
        _ => false,
    }
}

/// Pushes the table of the message. The top `count` values are the error value and its trace.
fn push_table(
    context: &Context,
    state: State,
    record: &Record,
    stage: Stage,
    count: c_int,
) -> Result<(), Raise> {
    let marks = context.coders.cache.has_fallback();
    let name = record.name();
    let name = &name[..];
    let status: &[u8] = match stage {
        Stage::Error => b"error",
        Stage::Cancelled => b"cancelled",
        _ => b"done",
    };
    for _ in 0..count {
        state.push_copy(-count);
    }
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
                if marks && index == 2 && raising.kind(-1) == Kind::Table {
                    keep_unconverted(raising);
                }
                raising.raw_set_name(-2, field);
            }
        }
        if marks {
            keep_unconverted(raising);
        }
        raising.insert(1);
        raising.set_top(1);
    })
}
