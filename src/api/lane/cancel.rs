//! `lane:cancel(...)`: asking a lane to stop (docs/manual/cancellation.md). A lane is never killed.

use super::receiver;
use crate::context::Context;
use crate::lane::{ALL_HOOKS, Record};
use crate::lua::compat::{LUA_MASKCALL, LUA_MASKCOUNT, LUA_MASKRET, LUAJIT};
use crate::lua::{Arguments, Kind, Raise, State, text};
use lanes_engine::park::{Deadline, Request};
use std::os::raw::c_int;
use std::sync::Arc;

/// The part of the mask that is always set: in compiled loops LuaJIT looks at hooks only when a
/// function is called.
const ALWAYS_MASK: c_int = if LUAJIT { LUA_MASKCALL } else { 0 };

/// The arguments of a call.
struct Asked {
    request: Request,
    /// Hook mask and count.
    hook: Option<(c_int, c_int)>,
    timeout: f64,
    /// After a soft request: wake the lane. After any other: set every hook, and wait
    /// `force_timeout` seconds more.
    flag: bool,
    force_timeout: f64,
}

impl Asked {
    /// Reads the arguments, left to right: `[mode [, count]] [, timeout] [, flag [,
    /// force_timeout]]`.
    fn read(arguments: &Arguments) -> Result<Asked, Raise> {
        let state = arguments.state;
        let mut at = 2;
        let mut asked = Asked {
            request: Request::Hard,
            hook: None,
            timeout: 0.0,
            flag: false,
            force_timeout: 0.0,
        };
        if state.kind(at) == Kind::String {
            let mask = match arguments.bytes(at)? {
                b"hard" => 0,
                b"soft" => {
                    asked.request = Request::Soft;
                    0
                }
                b"count" => LUA_MASKCOUNT,
                b"line" => LUA_MASKCOUNT,
                b"call" => LUA_MASKCALL,
                b"ret" => LUA_MASKRET,
                other => {
                    return Err(arguments.error(
                        at,
                        text![
                            "invalid hook option ",
                            other,
                            ", should be \"soft\", \"hard\", \"count\", \"line\", \"call\" or \"ret\"",
                        ],
                    ));
                }
            };
            at += 1;
            if mask != 0 {
                if state.kind(at) != Kind::Number {
                    return Err(arguments.error(
                        at,
                        format_args!(
                            "hook count cannot be < 1: a number expected, got {}",
                            state.type_name(at)
                        ),
                    ));
                }
                let count = state.number(at);
                if count.is_nan() || count < 1.0 {
                    return Err(
                        arguments.error(at, format_args!("hook count cannot be < 1, got {count}"))
                    );
                }
                let every_line = arguments.bytes(at - 1)? == b"line";
                let count = if every_line {
                    1.0
                } else {
                    count.min(f64::from(c_int::MAX))
                };
                asked.hook = Some((mask | ALWAYS_MASK, count as c_int));
                at += 1;
            }
        }
        if state.kind(at) == Kind::Number {
            asked.timeout = seconds(arguments, at, state.number(at))?;
            at += 1;
        }
        if state.top() >= at {
            asked.flag = state.truth(at);
            at += 1;
        }
        if state.top() >= at {
            asked.force_timeout = seconds(arguments, at, arguments.number(at)?)?;
        }
        Ok(asked)
    }
}

/// Checks one of the two timeouts.
fn seconds(arguments: &Arguments, at: c_int, given: f64) -> Result<f64, Raise> {
    if given.is_nan() || given < 0.0 {
        return Err(arguments.error(
            at,
            format_args!("cancel timeout cannot be < 0, got {given}"),
        ));
    }
    Ok(given)
}

/// The body of `lane:cancel(...)`: returns true and the status if the lane has ended, else false
/// and "timeout".
pub fn cancel(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "cancel");
    let record = Arc::clone(&receiver::this(&arguments)?.record);
    let asked = Asked::read(&arguments)?;
    if record.has_ended() {
        return answer(state, &record, true);
    }
    let wake = asked.request == Request::Hard || asked.flag;
    record.waiter.cancel(asked.request, wake);
    if wake {
        record.end_service();
    } else {
        record.note_soft_request();
    }
    if let Some((mask, count)) = asked.hook {
        record.set_hooks(mask, count);
    }
    let mut ended = receiver::wait(
        context,
        state,
        &record,
        Deadline::after_seconds(asked.timeout),
    )?;
    if !ended && asked.flag && asked.request == Request::Hard {
        record.set_hooks(ALL_HOOKS.0, ALL_HOOKS.1);
        ended = receiver::wait(
            context,
            state,
            &record,
            Deadline::after_seconds(asked.force_timeout),
        )?;
    }
    answer(state, &record, ended)
}

fn answer(state: State, record: &Record, ended: bool) -> Result<c_int, Raise> {
    state.push_boolean(ended);
    receiver::push_text(state, if ended { record.status() } else { "timeout" })?;
    Ok(2)
}
