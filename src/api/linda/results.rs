//! What the methods of lindas return in each outcome: the one place that shapes results, for both
//! interfaces (docs/manual/lindas.md, docs/manual/v4.md).

use crate::api::waiting::{Timeout, is_called_back};
use crate::context::{Context, interface_of_function};
use crate::lua::sentinels::CANCEL_ERROR;
use crate::lua::{Raise, State, protect};
use crate::universe::Interface;
use lanes_engine::park::{Refusal, Request};
use lanes_engine::queues::{Changed, Fill, LindaCancelled};
use std::os::raw::{c_int, c_void};

/// Whether an operation that was refused at once may have another outcome if it waits: it has a
/// timeout, or its lane was asked to stop.
pub fn may_change(refusal: Refusal, timeout: Timeout) -> bool {
    match refusal {
        Refusal::TimedOut => timeout != Timeout::Zero,
        refusal => refusal == Refusal::Request(Request::Hard),
    }
}

/// A hard request and lack of memory raise an error; not a hard request in a callback.
fn raise_for(state: State, refusal: Refusal) -> Result<(), Raise> {
    match refusal {
        Refusal::Request(Request::Hard) if !is_called_back(Context::of(&state)?, state) => {
            Err(Raise::Light(CANCEL_ERROR))
        }
        Refusal::OutOfMemory => Err(Raise::out_of_memory()),
        _ => Ok(()),
    }
}

/// The results after a soft request, on a cancelled linda, and after a hard request in a callback:
/// `cancel_error`; in the 4.x interface `nil, cancel_error`.
fn cancelled(state: State, refusal: Refusal) -> Result<c_int, Raise> {
    raise_for(state, refusal)?;
    let four = interface_of_function(state) == Interface::Four;
    if four {
        state.push_nil();
    }
    push_cancel_error(state)?;
    Ok(1 + c_int::from(four))
}

/// Pushes `cancel_error`.
pub fn push_cancel_error(state: State) -> Result<(), Raise> {
    protect(state, 0, |raising| {
        raising.push_light(CANCEL_ERROR as *mut c_void)
    })
}

/// Pushes nil and a text.
pub fn nil_and(state: State, text: &'static str) -> Result<c_int, Raise> {
    state.push_nil();
    protect(state, 0, move |raising| raising.push_bytes(text.as_bytes()))?;
    Ok(2)
}

/// The results of a send that has not sent.
#[cold]
pub fn refused_send(state: State, refusal: Refusal) -> Result<c_int, Raise> {
    if refusal != Refusal::TimedOut {
        return cancelled(state, refusal);
    }
    match interface_of_function(state) {
        Interface::Three => {
            state.push_boolean(false);
            Ok(1)
        }
        Interface::Four => nil_and(state, "timeout"),
    }
}

/// The results of a receive that has received nothing.
#[cold]
pub fn refused_receive(state: State, refusal: Refusal) -> Result<c_int, Raise> {
    if refusal != Refusal::TimedOut {
        return cancelled(state, refusal);
    }
    match interface_of_function(state) {
        Interface::Three => Ok(0),
        Interface::Four => nil_and(state, "timeout"),
    }
}

/// The result of a lock or an atomic number that was refused, the same in both interfaces: false at
/// the timeout, else `cancel_error`.
#[cold]
pub fn refused_lock(state: State, refusal: Refusal) -> Result<c_int, Raise> {
    if refusal == Refusal::TimedOut {
        state.push_boolean(false);
        return Ok(1);
    }
    raise_for(state, refusal)?;
    push_cancel_error(state)?;
    Ok(1)
}

/// The results of an operation that never waits, on a cancelled linda.
#[cold]
pub fn linda_cancelled(state: State) -> Result<c_int, Raise> {
    cancelled(state, Refusal::LindaCancelled)
}

/// The results of `set` and `limit` in the 3.x interface: true if a full slot has room now, else
/// nothing.
pub fn made_room(state: State, outcome: Result<Changed, LindaCancelled>) -> Result<c_int, Raise> {
    match outcome {
        Ok(Changed {
            made_room: false, ..
        }) => Ok(0),
        Ok(_) => {
            state.push_boolean(true);
            Ok(1)
        }
        Err(LindaCancelled) => linda_cancelled(state),
    }
}

/// The results of `set` and `limit` in the 4.x interface: whether a full slot has room now, and how
/// full it is.
pub fn changed(state: State, outcome: Result<Changed, LindaCancelled>) -> Result<c_int, Raise> {
    match outcome {
        Ok(changed) => {
            state.push_boolean(changed.made_room);
            push_fill(state, changed.fill)?;
            Ok(2)
        }
        Err(LindaCancelled) => linda_cancelled(state),
    }
}

/// Pushes the text for how full a slot is.
pub fn push_fill(state: State, fill: Fill) -> Result<(), Raise> {
    let text = match fill {
        Fill::Under => "under",
        Fill::Exact => "exact",
        Fill::Over => "over",
    };
    protect(state, 0, move |raising| raising.push_bytes(text.as_bytes()))
}
