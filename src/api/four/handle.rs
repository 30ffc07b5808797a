//! The methods of lane handles in the 4.x interface (docs/manual/v4.md#lanes).

use super::arguments::check_duration;
use super::cancel;
use super::linda::CLOSES_VARIABLES;
use crate::api::lane::fetched::values;
use crate::api::lane::monitor;
use crate::api::lane::receiver::{push_text, this};
use crate::api::lane::suspension::{self, wait_or_close};
use crate::api::linda::results;
use crate::api::notifier::lane_notifier;
use crate::context::{Context, push_function, push_function_of_four};
use crate::lane::Handle;
use crate::lane::outcome::Outcome;
use crate::lua::compat::{HAS_INTEGERS, USER_VALUE_IS_ENVIRONMENT};
use crate::lua::{
    Arguments, Function, Kind, Raise, Raising, State, lua_function, protect, suggestion, text,
    upvalue,
};
use lanes_engine::park::Deadline;
use std::os::raw::c_int;

/// Before Lua 5.2 errors are raised as their text.
const ERRORS_ARE_TEXT: bool = USER_VALUE_IS_ENVIRONMENT;

/// The names that a handle has, for suggestions.
const FIELDS: &[u8] =
    b"status error_trace_level join cancel resume get_threadname monitor notifier";

/// Fills the metatable of handles, which is at the top of the stack. `context` is the index of the
/// context's userdata.
pub fn install(raising: Raising, context: c_int) {
    const METHODS: &[(&str, Function)] = &[
        ("join", join),
        ("cancel", cancel_method),
        ("resume", resume),
        ("get_threadname", get_threadname),
        ("monitor", monitor_method),
        ("notifier", lane_notifier),
    ];
    raising.push_copy(context);
    raising.new_table(0, METHODS.len());
    for (name, method) in METHODS {
        push_function_of_four(raising, context, *method);
        raising.raw_set_name(-2, name.as_bytes());
    }
    raising.push_function(index, 2);
    raising.raw_set_name(-2, b"__index");
    if CLOSES_VARIABLES {
        push_function(raising, context, close);
        raising.raw_set_name(-2, b"__close");
    }
}

lua_function! {
    /// `lane:join([timeout])`: returns true and the results; nil, the error and its trace; nil and
    /// `cancel_error`; nil and "timeout".
    fn join = join_body
}

fn join_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "join");
    let handle = this(&arguments)?;
    let deadline = match state.kind(2) {
        Kind::None | Kind::Nil => Deadline::Never,
        Kind::Number => Deadline::after_seconds(check_duration(&arguments, 2)?),
        _ => {
            return Err(arguments.error(
                2,
                format_args!(
                    "incorrect duration type: number expected, got {}",
                    state.type_name(2)
                ),
            ));
        }
    };
    if !wait_or_close(context, state, &handle.record, deadline)? {
        return results::nil_and(state, "timeout");
    }
    state.set_top(1);
    match handle.record.outcome.get() {
        Some(Outcome::Error(_)) => {
            handle.record.note_read();
            state.push_nil();
            Ok(1 + values(context, state, handle, None)?)
        }
        Some(Outcome::Done(_)) => {
            state.push_boolean(true);
            Ok(1 + values(context, state, handle, None)?)
        }
        _ => {
            state.push_nil();
            results::push_cancel_error(state)?;
            Ok(2)
        }
    }
}

lua_function! {
    /// `lane:cancel([mode [, count]] [, timeout] [, wake_lane])`
    always fn cancel_method = cancel::cancel
}

lua_function! {
    /// `lane:monitor(linda, slot)`
    fn monitor_method = monitor::monitor
}

lua_function! {
    /// `lane:resume(...)`: resumes a lane that is a coroutine, once it is suspended. Returns what
    /// it has yielded.
    fn resume = |state| {
        let context = Context::of(&state)?;
        let arguments = Arguments::new(state, "resume");
        suspension::resume(context, state, &this(&arguments)?.record)
    }
}

lua_function! {
    /// `lane:get_threadname()`
    fn get_threadname = |state| {
        Context::of(&state)?;
        let arguments = Arguments::new(state, "get_threadname");
        let name = this(&arguments)?.record.name();
        arguments.at_most(1)?;
        let name = &name[..];
        protect(state, 0, |raising| raising.push_bytes(name))?;
        Ok(1)
    }
}

lua_function! {
    /// `__close` of a handle: waits for the end of the lane.
    always fn close = |state| {
        let context = Context::of(&state)?;
        let arguments = Arguments::new(state, "close");
        let handle = this(&arguments)?;
        wait_or_close(context, state, &handle.record, Deadline::Never)?;
        Ok(0)
    }
}

lua_function! {
    /// `lane[key]`. The second upvalue is the table of methods.
    fn index = index_body
}

fn index_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "index");
    let handle = this(&arguments)?;
    match state.kind(2) {
        Kind::Number => {
            let number = state.number(2);
            state.set_top(1);
            result(context, state, handle, whole(number))
        }
        Kind::String => {
            state.push_copy(2);
            state.raw_get(upvalue(2));
            if !state.is_none_or_nil(-1) {
                return Ok(1);
            }
            let text = match state.string(2) {
                b"status" => handle.record.status(),
                b"error_trace_level" => handle.traces.name(),
                b"get_debug_threadname" => {
                    return Err(Raise::message(
                        "unknown field 'get_debug_threadname': it is of the 3.x interface; here it is \
                         lane:get_threadname()",
                    ));
                }
                name => {
                    return Err(Raise::message(text![
                        "unknown field '",
                        name,
                        "'",
                        suggestion(name, FIELDS)
                    ]));
                }
            };
            push_text(state, text)?;
            Ok(1)
        }
        _ => {
            protect(state, 1, |raising| raising.push_display(1))?;
            Err(Raise::message(text!["Unknown key: ", state.string(-1)]))
        }
    }
}

/// The index that a number stands for, as Lua converts it.
fn whole(number: f64) -> i64 {
    if HAS_INTEGERS && number.fract() != 0.0 {
        0
    } else {
        number as i64
    }
}

/// `lane[n]`: waits for the end. Returns result `n`, or their number at 0. Of a failed lane, the
/// error value at negative indices; other indices raise it.
fn result(context: &Context, state: State, handle: &Handle, n: i64) -> Result<c_int, Raise> {
    wait_or_close(context, state, &handle.record, Deadline::Never)?;
    match handle.record.outcome.get() {
        Some(Outcome::Error(_)) => {
            handle.record.note_read();
            let count = values(context, state, handle, Some(1))?;
            state.set_top(state.top() - count + 1);
            if n < 0 {
                return Ok(1);
            }
            // As `error` does, strings get the position of the line that reads.
            match state.kind(-1) {
                Kind::String => {}
                _ if ERRORS_ARE_TEXT => {
                    protect(state, 1, |raising| raising.push_display(1))?;
                }
                _ => return Err(Raise::Value),
            }
            Err(Raise::message(state.text(-1).unwrap_or_default()))
        }
        Some(Outcome::Done(_)) => {
            let wanted = c_int::try_from(n).unwrap_or(-1);
            if wanted < 0 {
                state.push_nil();
                return Ok(1);
            }
            let count = values(context, state, handle, Some(wanted))?;
            if wanted == 0 {
                state.push_integer(i64::from(count));
            } else if wanted <= count {
                state.push_copy(state.top() - count + wanted);
            } else {
                state.push_nil();
            }
            Ok(1)
        }
        _ => {
            match n {
                0 => state.push_integer(2),
                2 => results::push_cancel_error(state)?,
                _ => state.push_nil(),
            }
            Ok(1)
        }
    }
}
