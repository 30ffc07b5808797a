//! `now_secs` and `sleep` (docs/manual/timers.md#lanessleepseconds).

use super::linda;
use super::what::What;
use crate::context::Context;
use crate::lua::{Kind, Raise, State, lua_function, protect, text};
use crate::timer;
use lanes_engine::park::Deadline;
use std::os::raw::c_int;

lua_function! {
    /// `lanes.now_secs()`: seconds since the epoch, with the clock's full resolution.
    pub fn now_secs = |state| {
        state.push_number(timer::now());
        Ok(1)
    }
}

lua_function! {
    /// `lanes.sleep([seconds])`: waits as a receive does. Returns `cancel_error` after a soft
    /// request.
    pub fn sleep = sleep_body
}

fn sleep_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    context.universe()?;
    let seconds = match state.kind(1) {
        Kind::None | Kind::Nil => 0.0,
        Kind::Boolean if !state.truth(1) => 0.0,
        Kind::Number if !state.number(1).is_nan() => state.number(1),
        _ => {
            state.push_copy(1);
            protect(state, 1, |raising| raising.push_display(1))?;
            let given = state.text(-1).unwrap_or_default();
            return Err(Raise::message(text![
                "invalid duration \"",
                given,
                "\": sleep takes a number of seconds",
            ]));
        }
    };
    linda::receive::sleep(
        context,
        state,
        Deadline::after_seconds(seconds),
        &What::Nothing("sleep"),
    )
}
