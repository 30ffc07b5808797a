//! `lane:cancel(...)`: asking a lane to stop (docs/manual/cancellation.md). A lane is never killed.

use super::receiver;
use crate::api::choice::OF_FOUR;
use crate::context::Context;
use crate::lane::{ALL_HOOKS, Record};
use crate::lua::compat::{LUA_MASKCALL, LUA_MASKCOUNT, LUA_MASKRET, LUAJIT};
use crate::lua::{Arguments, Kind, Raise, State, text};
use lanes_engine::park::{Deadline, Request};
use std::os::raw::c_int;
use std::sync::Arc;

/// The part of the mask that is always set: in compiled loops LuaJIT looks at hooks only when a
/// function is called.
pub const ALWAYS_MASK: c_int = if LUAJIT { LUA_MASKCALL } else { 0 };

/// What a call of `lane:cancel` asks for.
pub struct Asked {
    /// Which request.
    pub request: Request,
    /// Hook mask and count.
    pub hook: Option<(c_int, c_int)>,
    /// How long the call waits for the end, in seconds.
    pub timeout: f64,
    /// Whether a wait of the lane ends.
    pub wake: bool,
    /// If the time is up: set every hook, and wait so many seconds more.
    pub force: Option<f64>,
}

/// The count of a hook for the number that a program gave.
pub fn hook_count(given: f64, every_line: bool) -> c_int {
    if every_line {
        1
    } else {
        given.min(f64::from(c_int::MAX)) as c_int
    }
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
            wake: true,
            force: None,
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
                            if other == b"all" { "; " } else { "" },
                            if other == b"all" { OF_FOUR } else { "" },
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
                asked.hook = Some((mask | ALWAYS_MASK, hook_count(count, every_line)));
                at += 1;
            }
        }
        if state.kind(at) == Kind::Number {
            asked.timeout = seconds(arguments, at, state.number(at))?;
            at += 1;
        }
        // The flag: after a soft request, wake the lane; after any other, set every hook.
        let flag = state.top() >= at && state.truth(at);
        at += 1;
        let force_timeout = if state.top() >= at {
            seconds(arguments, at, arguments.number(at)?)?
        } else {
            0.0
        };
        if asked.request == Request::Soft {
            asked.wake = flag;
        } else if flag {
            asked.force = Some(force_timeout);
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
    ask(state, Asked::read)
}

/// Asks the lane that is the receiver to stop, as `read` has read the arguments, and waits for its
/// end. Returns the number of results: true and the status, or false and "timeout".
pub fn ask(
    state: State,
    read: impl FnOnce(&Arguments) -> Result<Asked, Raise>,
) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "cancel");
    let record = Arc::clone(&receiver::this(&arguments)?.record);
    let asked = read(&arguments)?;
    if record.has_ended() {
        return answer(state, &record, true);
    }
    record.waiter.cancel(asked.request, asked.wake);
    if asked.wake {
        record.end_service();
    } else {
        record.note_soft_request();
    }
    if let Some((mask, count)) = asked.hook {
        record.set_hooks(mask, count);
    }
    let deadline = Deadline::after_seconds(asked.timeout);
    let mut ended = receiver::wait(context, state, &record, deadline)?;
    if let (false, Some(force)) = (ended, asked.force) {
        record.set_hooks(ALL_HOOKS.0, ALL_HOOKS.1);
        let deadline = Deadline::after_seconds(force);
        ended = receiver::wait(context, state, &record, deadline)?;
    }
    answer(state, &record, ended)
}

fn answer(state: State, record: &Record, ended: bool) -> Result<c_int, Raise> {
    state.push_boolean(ended);
    receiver::push_text(state, if ended { record.status() } else { "timeout" })?;
    Ok(2)
}
