//! The functions that lanes have as globals in the 4.x interface (docs/manual/v4.md#inside-a-lane).

use crate::api::waiting::{is_called_back, is_left_alone};
use crate::context::Context;
use crate::lua::sentinels::CANCEL_ERROR;
use crate::lua::{Arguments, Kind, Raise, State, lua_function, protect};
use lanes_engine::memory::grow;
use lanes_engine::park::Request;
use lanes_engine::threads;
use std::os::raw::c_int;

lua_function! {
    /// `cancel_test([no_error])`: returns false, or "soft" if there is a soft request. A hard one
    /// raises `cancel_error`; with `no_error`, and in a callback of a C library, it returns "hard".
    always pub fn cancel_test = cancel_test_body
}

fn cancel_test_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let text: &[u8] = match context.waiter.request() {
        Request::None => {
            state.push_boolean(false);
            return Ok(1);
        }
        Request::Soft => b"soft",
        Request::Hard
            if state.truth(1)
                || is_called_back(context, state)
                || is_left_alone(context, state) =>
        {
            b"hard"
        }
        Request::Hard => return Err(Raise::Light(CANCEL_ERROR)),
    };
    protect(state, 0, move |raising| raising.push_bytes(text))?;
    Ok(1)
}

lua_function! {
    /// `lane_threadname([name])`: names the lane, and its thread for the system's tools; without an
    /// argument, returns the name.
    pub fn lane_threadname = lane_threadname_body
}

fn lane_threadname_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    if state.top() > 1 {
        return Err(Arguments::new(state, "lane_threadname").error(
            2,
            "Wrong number of arguments: lane_threadname([name]) takes one at most",
        ));
    }
    let Some(record) = &context.record else {
        return Ok(0);
    };
    if state.top() == 0 {
        let name = record.name();
        let name = &name[..];
        protect(state, 0, |raising| raising.push_bytes(name))?;
        return Ok(1);
    }
    if state.kind(1) == Kind::Number {
        protect(state, 1, |raising| raising.push_display(1))?;
        state.replace(1);
    }
    let name = state.bytes(1).unwrap_or_default();
    let kept = grow::copy(name);
    record.set_name(name);
    threads::name::set(name);
    *context.coders.cache.name.borrow_mut() = kept;
    Ok(0)
}

lua_function! {
    /// What a lane has in place of `set_debug_threadname`.
    pub fn no_debug_threadname = |state| {
        Context::of(&state)?;
        Err(Raise::message(
            "set_debug_threadname is of the 3.x interface; here it is lane_threadname(name)",
        ))
    }
}

lua_function! {
    /// What a lane has in place of `set_error_reporting`.
    pub fn no_error_reporting = |state| {
        Context::of(&state)?;
        Err(Raise::message(
            "set_error_reporting is of the 3.x interface; here it is the option error_trace_level of lanes.gen",
        ))
    }
}
