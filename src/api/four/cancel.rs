//! `lane:cancel(...)` of the 4.x interface (docs/manual/v4.md#cancellation).

use super::arguments::check_duration;
use crate::api::lane::cancel::{ALWAYS_MASK, Asked, ask, hook_count};
use crate::lua::compat::{LUA_MASKCALL, LUA_MASKCOUNT, LUA_MASKRET};
use crate::lua::{Arguments, Kind, Raise, State, text};
use lanes_engine::park::Request;
use std::os::raw::c_int;

/// The body of `lane:cancel([mode [, count]] [, timeout] [, wake_lane])`: returns true and the
/// status if the lane has ended, else false and "timeout". The timeout is infinite if it is not
/// given.
pub fn cancel(state: State) -> Result<c_int, Raise> {
    ask(state, read)
}

fn read(arguments: &Arguments) -> Result<Asked, Raise> {
    let state = arguments.state;
    let mut at = 2;
    let mut asked = Asked {
        request: Request::Hard,
        hook: None,
        timeout: f64::INFINITY,
        wake: true,
        force: None,
    };
    if state.kind(at) == Kind::String {
        let mask = match arguments.bytes(at)? {
            b"hard" => 0,
            b"soft" => {
                asked.request = Request::Soft;
                asked.wake = false;
                0
            }
            b"count" | b"line" => LUA_MASKCOUNT,
            b"call" => LUA_MASKCALL,
            b"ret" => LUA_MASKRET,
            b"all" => LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT,
            other => {
                return Err(arguments.error(
                    at,
                    text![
                        "Invalid cancel operation '",
                        other,
                        "', should be \"soft\", \"hard\", \"count\", \"line\", \"call\", \"ret\" or \"all\"",
                    ],
                ));
            }
        };
        at += 1;
        if mask != 0 {
            if state.kind(at) != Kind::Number {
                return Err(arguments.error(
                    at,
                    format_args!("Hook count expected, got {}", state.type_name(at)),
                ));
            }
            let given = state.number(at);
            if given.is_nan() || given < 1.0 {
                return Err(
                    arguments.error(at, format_args!("Hook count cannot be < 1, got {given}"))
                );
            }
            let every_line = state.bytes(at - 1) == Some(b"line");
            asked.hook = Some((mask | ALWAYS_MASK, hook_count(given, every_line)));
            at += 1;
        }
    }
    match state.kind(at) {
        Kind::Number => {
            asked.timeout = check_duration(arguments, at)?;
            at += 1;
        }
        Kind::Nil => at += 1,
        _ => {}
    }
    match state.kind(at) {
        Kind::None => {}
        Kind::Boolean => {
            asked.wake = state.truth(at);
            at += 1;
        }
        _ => {
            return Err(arguments.error(
                at,
                format_args!(
                    "Boolean expected for wake_lane argument, got {}",
                    state.type_name(at)
                ),
            ));
        }
    }
    if state.top() >= at {
        return Err(arguments.error(
            at,
            "Too many arguments: lane:cancel([mode [, count]] [, timeout] [, wake_lane])",
        ));
    }
    Ok(asked)
}
