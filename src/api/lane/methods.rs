//! The methods of lane handles: `join`, indexing, `status`, `cancel` (docs/manual/lanes.md).
//!
//! The outcome stays with the lane, so `join` and indexing may be mixed and repeated, and always
//! agree.

use super::fetched::values;
use super::receiver::{push_text, this, wait};
use super::{cancel, failures, monitor};
use crate::api::choice::OF_FOUR;
use crate::api::notifier::lane_notifier;
use crate::api::waiting::deadline;
use crate::context::{Context, push_function};
use crate::lane::Handle;
use crate::lane::outcome::Outcome;
use crate::lua::{
    Arguments, Function, Kind, Raise, Raising, State, Userdata, lua_function, new_metatable,
    protect, suggestion, text, upvalue,
};
use lanes_engine::park::Deadline;
use std::os::raw::c_int;

/// Prepares a state for handles: makes their metatable. `context` is the index of the context's
/// userdata.
pub fn install(raising: Raising, context: c_int) -> Userdata<Handle> {
    new_metatable(
        raising,
        context,
        "Lane",
        &[("__index", index), ("__gc", collect)],
    );
    raising.new_table(0, 3);
    const METHODS: [(&str, Function); 3] = [
        ("join", join),
        ("cancel", cancel_method),
        ("get_debug_threadname", get_debug_threadname),
    ];
    for (name, method) in METHODS {
        push_function(raising, context, method);
        raising.raw_set_name(-2, name.as_bytes());
    }
    // Kept in the metatable under a key that programs cannot reach.
    raising.raw_set_index(-2, 1);
    let kind = Userdata::adopt(raising);
    raising.pop(1);
    kind
}

lua_function! {
    /// `lane:join([timeout])`: returns the results; `nil, error, trace` after an error; nothing if
    /// it was cancelled; `nil, "timeout"`.
    pub fn join = join_body
}

fn join_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "join");
    let handle = this(&arguments)?;
    let deadline = if state.is_none_or_nil(2) {
        Deadline::Never
    } else {
        deadline(&arguments, 2)?
    };
    if !wait(context, state, &handle.record, deadline)? {
        state.push_nil();
        push_text(state, "timeout")?;
        return Ok(2);
    }
    state.set_top(1);
    match handle.record.outcome.get() {
        Some(Outcome::Error(_)) => {
            handle.record.note_read();
            state.push_nil();
            Ok(1 + values(context, state, handle, None)?)
        }
        _ => values(context, state, handle, None),
    }
}

lua_function! {
    /// `lane:cancel([mode [, count]] [, timeout] [, flag [, force_timeout]])`
    always fn cancel_method = cancel::cancel
}

lua_function! {
    /// `lane:monitor(linda, key)`
    fn monitor_method = monitor::monitor
}

lua_function! {
    /// `lane:get_debug_threadname()`
    fn get_debug_threadname = get_debug_threadname_body
}

fn get_debug_threadname_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    let arguments = Arguments::new(state, "get_debug_threadname");
    let name = this(&arguments)?.record.name();
    arguments.at_most(1)?;
    let name = &name[..];
    protect(state, 0, |raising| raising.push_bytes(name))?;
    Ok(1)
}

lua_function! {
    /// `lane[key]`
    fn index = index_body
}

/// The names that a handle has, for suggestions.
const FIELDS: &[u8] = b"status join cancel monitor notifier get_debug_threadname";

fn index_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "index");
    let handle = this(&arguments)?;
    match state.kind(2) {
        Kind::Number => {
            let number = state.number(2);
            state.set_top(1);
            result(context, state, handle, number)
        }
        Kind::String => {
            if state.bytes(2) == Some(b"status") {
                push_text(state, handle.record.status())?;
                return Ok(1);
            }
            state.push_metatable(1);
            state.raw_get_index(-1, 1);
            state.push_copy(2);
            state.raw_get(-2);
            if state.kind(-1) == Kind::Function {
                return Ok(1);
            }
            // Not in the table: what is there is made and closed with the state of every lane.
            let method: Option<Function> = match state.bytes(2) {
                Some(b"monitor") => Some(monitor_method),
                Some(b"notifier") => Some(lane_notifier),
                _ => None,
            };
            if let Some(method) = method {
                state.push_copy(upvalue(1));
                protect(state, 1, move |raising| push_function(raising, 1, method))?;
                return Ok(1);
            }
            if [&b"resume"[..], b"get_threadname", b"error_trace_level"].contains(&state.string(2))
            {
                return Err(Raise::message(text![
                    "can't index a lane with '",
                    state.string(2),
                    "': ",
                    OF_FOUR,
                ]));
            }
            let suggested = suggestion(state.string(2), FIELDS);
            Err(Raise::message(text![
                "can't index a lane with '",
                state.string(2),
                "'",
                &suggested,
                if suggested.is_empty() { ": a" } else { " A" },
                " lane has 'status', 'join', 'cancel', 'monitor', 'notifier', 'get_debug_threadname' and its results by number",
            ]))
        }
        _ => {
            protect(state, 1, |raising| raising.push_display(1))?;
            Err(Raise::message(text!["Unknown key: ", state.string(-1)]))
        }
    }
}

/// `lane[n]`: waits for the end. Returns result `n`; true at 0; the error value at -1. The error of
/// the lane is raised at any other index than -1.
fn result(context: &Context, state: State, handle: &Handle, number: f64) -> Result<c_int, Raise> {
    wait(context, state, &handle.record, Deadline::Never)?;
    let failed = matches!(handle.record.outcome.get(), Some(Outcome::Error(_)));
    if number == 0.0 && !failed {
        state.push_boolean(true);
        return Ok(1);
    }
    if failed {
        handle.record.note_read();
    }
    // A failed lane has one value to be read, at whichever index.
    let wanted = if failed {
        1
    } else if number >= 1.0 && number <= f64::from(c_int::MAX) && number.fract() == 0.0 {
        number as c_int
    } else {
        state.push_nil();
        return Ok(1);
    };
    let count = values(context, state, handle, Some(wanted))?;
    let first = state.top() - count + 1;
    if failed {
        if number == -1.0 {
            state.push_copy(first);
            return Ok(1);
        }
        if !state.is_none_or_nil(first) {
            state.push_copy(first);
            protect(state, 1, |raising| raising.push_display(1))?;
            return Err(Raise::message(state.text(-1).unwrap_or_default()));
        }
    }
    if number == 0.0 {
        state.push_boolean(true);
    } else if !failed && wanted <= count {
        state.push_copy(first + wanted - 1);
    } else {
        state.push_nil();
    }
    Ok(1)
}

lua_function! {
    /// `disregard(lane)`: a failure of the lane is dealt with, and is not reported.
    always pub fn disregard = disregard_body
}

fn disregard_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    this(&Arguments::new(state, "disregard"))?
        .record
        .note_read();
    Ok(0)
}

lua_function! {
    /// `__gc` of a handle: calls the option `gc_cb`, and reports a failure that nobody has read.
    /// The lane goes on by itself.
    always fn collect = collect_body
}

fn collect_body(state: State) -> Result<c_int, Raise> {
    let Some(handle) = Userdata::<Handle>::take(state, 1) else {
        return Ok(0);
    };
    if handle.record.note_abandoned()
        && let Ok(context) = Context::of(&state)
    {
        failures::report(context, state, &handle.record);
    }
    if !handle.has_table.get() {
        return Ok(0);
    }
    state.push_user_value(1, 1);
    if state.kind(-1) != Kind::Table {
        return Ok(0);
    }
    if state.raw_get_index(-1, 0) != Kind::Function {
        return Ok(0);
    }
    let name = handle.record.name();
    let how = if handle.record.has_ended() {
        "closed"
    } else {
        "selfdestruct"
    };
    drop(handle);
    let name = &name[..];
    protect(state, 1, |raising| {
        raising.push_bytes(name);
        raising.push_bytes(how.as_bytes());
        raising.call(2, Some(0));
    })?;
    Ok(0)
}
