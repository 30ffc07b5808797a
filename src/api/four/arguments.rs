//! How methods of the 4.x interface read timeouts and slots.

use crate::linda::KeyRef;
use crate::lua::sentinels::{CANCEL_ERROR, NULL};
use crate::lua::{Arguments, Kind, Raise};
use std::os::raw::c_int;

/// Checks a number of seconds at `at`.
///
/// Errors: it is negative, or NaN.
pub fn check_duration(arguments: &Arguments, at: c_int) -> Result<f64, Raise> {
    let seconds = arguments.state.number(at);
    if seconds.is_nan() || seconds < 0.0 {
        return Err(arguments.error(
            at,
            format_args!(
                "duration cannot be < 0, got {seconds} (without one, or nil, it is for ever)"
            ),
        ));
    }
    Ok(seconds)
}

/// Checks the timeout that may be argument `at`, before all others: a number of seconds, or nil for
/// no timeout. Returns the index of the next argument.
pub fn check_timeout(arguments: &Arguments, at: c_int) -> Result<c_int, Raise> {
    match arguments.state.kind(at) {
        Kind::Number => check_duration(arguments, at).map(|_| at + 1),
        Kind::Nil => Ok(at + 1),
        _ => Ok(at),
    }
}

/// The key of a slot that is argument `at`.
///
/// Errors: a value that cannot be one, among them `lanes.null` and `lanes.cancel_error`.
pub fn slot<'a>(arguments: &'a Arguments, at: c_int) -> Result<KeyRef<'a>, Raise> {
    let state = &arguments.state;
    if state.kind(at) == Kind::Light {
        let sentinel = match state.userdata(at) as usize {
            NULL => "lanes.null",
            CANCEL_ERROR => "lanes.cancel_error",
            value => return Ok(KeyRef::Light(value)),
        };
        let hint = if sentinel == "lanes.null" {
            ": linda:send(slot, nil) sends a nil"
        } else {
            ""
        };
        return Err(arguments.error(at, format_args!("can't use {sentinel} as a slot{hint}")));
    }
    KeyRef::at(state, at).ok_or_else(|| {
        if state.kind(at) == Kind::Userdata {
            return arguments.error(at, "can't use userdata as a slot");
        }
        let given = if state.kind(at) == Kind::Number {
            "NaN, which is not equal to itself"
        } else {
            state.type_name(at)
        };
        arguments.error(
            at,
            format_args!(
                "invalid slot type (not a boolean, string, number or light userdata), got {given}"
            ),
        )
    })
}
