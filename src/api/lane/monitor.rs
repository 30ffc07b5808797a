//! `lane:monitor`: a message to a linda at the end of a lane (docs/manual/failures.md#monitors).

use super::event::message;
use super::fetched::values;
use super::receiver::{this, wait};
use crate::api::linda::arguments::{check_restriction, shared_linda};
use crate::api::linda::results;
use crate::context::Context;
use crate::lane::monitors::{Spare, send};
use crate::lane::outcome::{Outcome, Stage};
use crate::linda::{KeyRef, Restriction};
use crate::lua::{Arguments, NOT_ENOUGH_MEMORY, Raise, State, protect};
use lanes_engine::park::Deadline;
use std::os::raw::c_int;

/// `lane:monitor(linda, key)`: sends `{name, status, err, trace}` to the slot at the end of the
/// lane, or now if it has ended. Returns true; false if it has ended and the slot is full;
/// `cancel_error` if it has ended and the linda is cancelled.
pub fn monitor(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "monitor");
    let handle = this(&arguments)?;
    let linda = shared_linda(&arguments, 2)?;
    let key = KeyRef::argument(&arguments, 3)?;
    check_restriction(&linda, &key, Restriction::SetGet)?;
    let key = key.to_key();
    arguments.at_most(3)?;
    let record = &handle.record;
    if !record.has_ended() {
        let failed = text(state, NOT_ENOUGH_MEMORY)
            .and_then(|()| message(context, state, record, Stage::Error, 1))?;
        let spare = Spare {
            failed,
            done: message(context, state, record, Stage::Done, 0)?,
            cancelled: message(context, state, record, Stage::Cancelled, 0)?,
        };
        if record.monitors.add(&linda, &key, spare) {
            state.push_boolean(true);
            return Ok(1);
        }
        // The lane is about to end.
        wait(context, state, record, Deadline::Never)?;
    }
    state.set_top(1);
    let stage = record.stage();
    let count = if stage == Stage::Error {
        match values(context, state, handle, Some(1)) {
            Ok(count) => count,
            // The error value cannot be transferred, or cannot be built here.
            Err(Raise::Message(reason) | Raise::Bare(reason)) if !reason.is_out_of_memory() => {
                let shown = match record.outcome.get() {
                    Some(Outcome::Error(captured)) => captured.shown.as_ref(),
                    _ => None,
                };
                let reason = shown.unwrap_or(&reason).bytes();
                protect(state, 0, |raising| raising.push_bytes(reason))?;
                1
            }
            Err(raise) => return Err(raise),
        }
    } else {
        0
    };
    let event = message(context, state, record, stage, count)?;
    match send(&linda, &key, event) {
        Ok(()) => {
            state.push_boolean(true);
            Ok(1)
        }
        Err(refusal) => results::refused_send(state, refusal),
    }
}

fn text(state: State, text: &'static str) -> Result<(), Raise> {
    protect(state, 0, move |raising| raising.push_bytes(text.as_bytes()))
}
