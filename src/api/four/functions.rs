//! Functions of the module in the 4.x interface (docs/manual/v4.md).

use super::arguments::check_duration;
use crate::api::linda::receive;
use crate::api::what::What;
use crate::context::Context;
use crate::lua::{Arguments, Kind, Raise, State, lua_function};
use lanes_engine::park::Deadline;
use lanes_engine::threads::priority;
use std::os::raw::c_int;

lua_function! {
    /// `lanes.sleep([seconds])`: waits as a receive does, for ever without an argument. Returns nil
    /// and "timeout", or nil and `cancel_error`.
    pub fn sleep = sleep_body
}

fn sleep_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    context.universe()?;
    let arguments = Arguments::new(state, "sleep");
    let deadline = match state.kind(1) {
        Kind::None | Kind::Nil => Deadline::Never,
        Kind::Number => Deadline::after_seconds(check_duration(&arguments, 1).map_err(|_| {
            arguments.error(
                1,
                format_args!("duration must be >= 0, got {}", state.number(1)),
            )
        })?),
        _ => {
            return Err(arguments.error(
                1,
                format_args!(
                    "duration must be a number, got {} (0 does not wait; without one, it is for ever)",
                    state.type_name(1)
                ),
            ));
        }
    };
    receive::sleep(context, state, deadline, &What::Nothing("sleep"))
}

lua_function! {
    /// `lanes.collectgarbage()`: has nothing to do, because elements are memory of no Lua state.
    pub fn collectgarbage = |state| {
        Context::of(&state)?.universe()?;
        Ok(0)
    }
}

lua_function! {
    /// `lanes.thread_priority_range([kind])`: returns the lowest and the highest priority; of the
    /// kind "native", those of the system.
    pub fn thread_priority_range = |state| {
        Context::of(&state)?;
        let (low, high) = if state.bytes(1) == Some(b"native") {
            priority::native_range()
        } else {
            priority::RANGE
        };
        state.push_integer(i64::from(low));
        state.push_integer(i64::from(high));
        Ok(2)
    }
}
