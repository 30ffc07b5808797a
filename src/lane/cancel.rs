//! `lane:cancel(...)`: asking a lane to stop (docs/manual/cancellation.md). A lane is never killed.
//!
//! `unsafe`: the debug hook is called by Lua and raises from its own frame.

#![allow(
    unsafe_code,
    reason = "Lua calls the debug hook, which raises from its own frame"
)]

use super::handle;
use super::record::Record;
use crate::context::Context;
use crate::lua::compat::{LUA_MASKCALL, LUA_MASKCOUNT, LUA_MASKRET, LUAJIT, lua_Debug, lua_State};
use crate::lua::{Arguments, Hook, Kind, Raise, Raising, State, is_trampoline, text};
use crate::markers::CANCEL_ERROR;
use crate::message::KEYS;
use lanes_engine::park::{Deadline, Request};
use std::os::raw::{c_int, c_void};
use std::sync::Arc;

/// The hook that ends a lane which is asked to stop: it gives its place to the one that the lane had set and raises `cancel_error`.
pub const HOOK: Hook = hook;

unsafe extern "C-unwind" fn hook(l: *mut lua_State, _: *mut lua_Debug) {
    let state = State::new(l);
    let Some(context) = Context::in_registry(state) else {
        return;
    };
    if context.waiter.request() != Request::None {
        // In a callback the hook stays, for when it has come to its end.
        if is_to_end(state) || context.is_left_alone(state) || context.is_called_back(state) {
            return;
        }
        // Where another error will take the place of this one the hook stays, too, and ends the handler first.
        if !state.error_is_handled() {
            super::hooks::restore(state);
            if let Some(record) = &context.record {
                record.hook_raised();
            }
        }
        // SAFETY: called by Lua at a hook point; this frame owns nothing.
        let raising = unsafe { Raising::unprotected(l) };
        raising.push_light(CANCEL_ERROR as *mut c_void);
        raising.raise();
    }
}

/// Whether what runs is not to be cut short. That is the function that handles the lane's error: an error raised there would take the
/// place of both. So would one in any handler in C, ours of `require` included. And it is the inner half of a function of ours: a receive that has taken an element would put it back, when others may have
/// received the one behind it.
fn is_to_end(state: State) -> bool {
    if !state.push_running() {
        return false;
    }
    state.raw_get_index(State::REGISTRY, KEYS.handler);
    let to_end = state.raw_equal(-1, -2)
        || is_trampoline(state, -2)
        || state.error_is_handled() && state.is_c_function(-2);
    state.pop(2);
    to_end
}

/// How many instructions pass between looks at the request where a hook counts them.
const EVERY: c_int = 1000;

/// Every hook that can be set in a state that is running on another thread. A line hook cannot: on 5.2 and 5.3 the
/// place that it compares lines with is noted when it is set, and belongs to another function by the time it is used.
/// A hook that counts to 1 comes at least as often.
pub const ALL_HOOKS: (c_int, c_int) = (LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, EVERY);

/// What is always part of a hook: LuaJIT goes from one compiled piece of a loop to the next, and looks at hooks only
/// where a function is called in between.
const ALWAYS: c_int = if LUAJIT { LUA_MASKCALL } else { 0 };

/// What a call asks for.
struct Asked {
    request: Request,
    /// Hook mask and count.
    hook: Option<(c_int, c_int)>,
    timeout: f64,
    /// For a soft request: wake the lane. For the others: do all that can be done, and wait `force_timeout` more.
    flag: bool,
    force_timeout: f64,
}

impl Asked {
    /// Reads the arguments, left to right: `[mode [, count]] [, timeout] [, flag [, force_timeout]]`.
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
                asked.hook = Some((mask | ALWAYS, count as c_int));
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

/// The body of `lane:cancel(...)`: true and the status when the lane has ended, else false and "timeout".
pub fn cancel(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = Arguments::new(state, "cancel");
    let record = Arc::clone(&handle::this(context, &arguments)?.record);
    let asked = Asked::read(&arguments)?;
    if record.has_ended() {
        return answer(state, &record, true);
    }
    let wake = asked.request == Request::Hard || asked.flag;
    record.waiter.cancel(asked.request, wake);
    if wake {
        record.end_timers();
    } else {
        record.asked_unnoticed();
    }
    if let Some((mask, count)) = asked.hook {
        record.set_hooks(mask, count);
    }
    let mut ended = handle::wait(
        context,
        state,
        &record,
        Deadline::after_seconds(asked.timeout),
    )?;
    if !ended && asked.flag && asked.request == Request::Hard {
        record.set_hooks(ALL_HOOKS.0, ALL_HOOKS.1);
        ended = handle::wait(
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
    handle::push_text(state, if ended { record.status() } else { "timeout" })?;
    Ok(2)
}
