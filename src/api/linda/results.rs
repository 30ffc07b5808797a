//! What the methods of lindas return in each outcome: the one place that shapes results for the 3.x
//! interface (docs/manual/lindas.md).

use crate::api::waiting::{Timeout, is_called_back};
use crate::context::Context;
use crate::lua::sentinels::CANCEL_ERROR;
use crate::lua::{Raise, State, protect};
use lanes_engine::park::{Refusal, Request};
use lanes_engine::queues::LindaCancelled;
use std::os::raw::{c_int, c_void};

/// Whether an operation that was refused at once may have another outcome if it waits: it has a
/// timeout, or its lane was asked to stop.
pub fn may_change(refusal: Refusal, timeout: Timeout) -> bool {
    match refusal {
        Refusal::TimedOut => timeout != Timeout::Zero,
        refusal => refusal == Refusal::Request(Request::Hard),
    }
}

/// A hard request and lack of memory raise an error. After a soft request, on a cancelled linda,
/// and after a hard request in a callback the result is `cancel_error`.
fn cancelled(state: State, refusal: Refusal) -> Result<c_int, Raise> {
    match refusal {
        Refusal::Request(Request::Hard) if !is_called_back(Context::of(&state)?, state) => {
            return Err(Raise::Light(CANCEL_ERROR));
        }
        Refusal::OutOfMemory => return Err(Raise::out_of_memory()),
        _ => {}
    }
    push_cancel_error(state)?;
    Ok(1)
}

/// Pushes `cancel_error`.
pub fn push_cancel_error(state: State) -> Result<(), Raise> {
    protect(state, 0, |raising| {
        raising.push_light(CANCEL_ERROR as *mut c_void)
    })
}

/// The results of a send that has not sent.
#[cold]
pub fn refused_send(state: State, refusal: Refusal) -> Result<c_int, Raise> {
    if refusal == Refusal::TimedOut {
        state.push_boolean(false);
        return Ok(1);
    }
    cancelled(state, refusal)
}

/// The results of a receive that has received nothing.
#[cold]
pub fn refused_receive(state: State, refusal: Refusal) -> Result<c_int, Raise> {
    if refusal == Refusal::TimedOut {
        return Ok(0);
    }
    cancelled(state, refusal)
}

/// The results of an operation that never waits, on a cancelled linda.
#[cold]
pub fn linda_cancelled(state: State) -> Result<c_int, Raise> {
    cancelled(state, Refusal::LindaCancelled)
}

/// The results of `set` and `limit`: true if a full slot has room now, else nothing.
pub fn made_room(state: State, outcome: Result<bool, LindaCancelled>) -> Result<c_int, Raise> {
    match outcome {
        Ok(false) => Ok(0),
        Ok(true) => {
            state.push_boolean(true);
            Ok(1)
        }
        Err(LindaCancelled) => linda_cancelled(state),
    }
}
