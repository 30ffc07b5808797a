//! Lanes that are coroutines (docs/manual/v4.md#coroutine-lanes): the body runs in a coroutine of
//! the lane's state; when it yields the lane's thread waits, until somebody resumes or ends it.

use super::receiver::wait_for;
use super::{capture, receiver, trace};
use crate::api::deadlock::Sleeping;
use crate::api::what::What;
use crate::context::Context;
use crate::lane::Record;
use crate::lane::outcome::{Answer, Captured, LaneTurns, Suspension};
use crate::lua::{Raise, State, Text, compat, protect, text};
use crate::message::{Destination, Label, decode_packet, encode_packet};
use lanes_engine::park::{Deadline, Wait};
use std::os::raw::c_int;

/// What is raised by `resume` of a lane that is not suspended and never will be.
const NOT_SUSPENDED: &str = "cannot resume non-suspended coroutine Lane";

/// Runs the body, which is at the bottom of the stack with its arguments, on the lane's own thread.
/// Stack afterwards: the coroutine, then the results or the error value. A lane that is ended while
/// it is suspended has as its results what it has yielded last.
pub fn run(
    context: &Context,
    record: &Record,
    turns: &LaneTurns,
    state: State,
) -> Result<(), c_int> {
    let mut arguments = state.top() - 1;
    let made = protect(state, 0, move |raising| {
        raising.reserve(8);
        raising.new_coroutine()
    });
    let Ok(co) = made else {
        return Err(compat::LUA_ERRMEM);
    };
    state.insert(1);
    if !transfer(state, state, co, arguments + 1) {
        return Err(compat::LUA_ERRMEM);
    }
    // A request has woken the lane: from then on it is not suspended any more.
    let mut asked = false;
    loop {
        record.enter(co);
        let outcome = co.resume(state, arguments);
        record.leave();
        let Ok(results) = outcome else {
            let status = co.status();
            trace::of_failed(context, state, co);
            close(record, state, co);
            co.move_to(state, 1);
            return Err(status);
        };
        if !transfer(state, co, state, results) {
            return Err(compat::LUA_ERRMEM);
        }
        if co.status() != compat::LUA_YIELD {
            return Ok(());
        }
        arguments = 0;
        if !asked {
            let sleeping = Sleeping::new(context, co, &What::Nothing("yield"));
            let wait = Wait {
                waiter: &context.waiter,
                deadline: Deadline::Never,
                interrupted: None,
                sleeps: Some(&sleeping),
            };
            let given = capture::yielded(context, state, results);
            let answer = turns.stop(&wait, given, || {
                record.set_suspension(Suspension::Suspended)
            });
            record.set_suspension(Suspension::None);
            match answer {
                Err(_) => match sleeping.verdict() {
                    Some(text) => return fail(context, record, state, co, Raise::message(text)),
                    None => asked = true,
                },
                Ok(Answer::Close) => {
                    let status = close(record, state, co);
                    if status != compat::LUA_OK {
                        co.move_to(state, 1);
                        return Err(status);
                    }
                    return Ok(());
                }
                Ok(Answer::Resume(packet)) => {
                    state.set_top(1);
                    match decode_packet(&context.coders, state, Label::Resumed, &packet) {
                        Ok(count) => arguments = count,
                        Err(raise) => return fail(context, record, state, co, raise),
                    }
                }
            }
        }
        if arguments == 0 {
            state.set_top(1);
        }
        if !transfer(state, state, co, arguments) {
            return Err(compat::LUA_ERRMEM);
        }
    }
}

/// Moves the top `count` values to another coroutine. If there is no room for them, pushes an error
/// value in `state`, the lane's first coroutine, and returns false.
fn transfer(state: State, from: State, to: State, count: c_int) -> bool {
    if to.try_reserve(count + 8) {
        from.move_to(to, count);
        return true;
    }
    from.pop(count);
    state.push_nil();
    false
}

/// Closes what the coroutine has left open. Returns the status of the error, whose value is at the
/// top of its stack.
fn close(record: &Record, state: State, co: State) -> c_int {
    record.enter(co);
    let status = co.close_failed(state);
    record.leave();
    if status == compat::LUA_YIELD {
        // This Lua closes nothing.
        compat::LUA_OK
    } else {
        status
    }
}

/// Closes the coroutine, and pushes an error as the one with which the lane ends, unless closing
/// raises another.
fn fail(
    context: &Context,
    record: &Record,
    state: State,
    co: State,
    raise: Raise,
) -> Result<(), c_int> {
    trace::of_suspended(context, state, co);
    let status = close(record, state, co);
    if status != compat::LUA_OK {
        co.move_to(state, 1);
        return Err(status);
    }
    match raise {
        Raise::Value => {}
        raise => {
            let text = words(state, raise);
            let text = text.bytes();
            // A failure leaves another error value there.
            let _ = protect(state, 0, |raising| raising.push_bytes(text));
        }
    }
    Err(compat::LUA_ERRRUN)
}

/// The text of an error.
fn words(state: State, raise: Raise) -> Text {
    match raise {
        Raise::Bare(text) | Raise::Message(text) | Raise::Level(text, _) => text,
        Raise::Value => state.text(-1).unwrap_or_default(),
        Raise::Light(_) => Text::default(),
    }
}

/// The body of `lane:resume(...)`; the handle is at 1, the arguments follow. Waits until the lane
/// is suspended, resumes it, and returns the number of values that it has yielded, which it pushes.
///
/// Errors: the lane has ended; the values cannot be built here, or the arguments cannot travel.
/// Then the lane stays suspended.
pub fn resume(context: &Context, state: State, record: &Record) -> Result<c_int, Raise> {
    let Some(turns) = record.turns.get() else {
        receiver::wait(context, state, record, Deadline::Never)?;
        return Err(Raise::message(NOT_SUSPENDED));
    };
    let count = state.top() - 1;
    loop {
        let turn = turns.current();
        wait_for(context, state, record, &turn.stopped, Deadline::Never)?;
        let Some(given) = turn.given() else {
            return Err(Raise::message(NOT_SUSPENDED));
        };
        let before = state.top();
        let values = read(context, state, &given).map_err(|raise| {
            Raise::message(text![
                "Failed to retrieve yielded values: ",
                words(state, raise)
            ])
        })?;
        protect(state, 0, move |raising| raising.reserve(count + 8))?;
        for index in 2..2 + count {
            state.push_copy(index);
        }
        let packet = encode_packet(
            &context.coders,
            state,
            count,
            Label::Resumed,
            Destination::Anywhere,
        )
        .map_err(|raise| match raise {
            Raise::Value => Raise::Value,
            raise => Raise::message(text![
                "Failed to send resumed values: ",
                words(state, raise)
            ]),
        })?;
        record.leave_suspension(Suspension::Resuming);
        if turns.answer(&turn, Answer::Resume(packet)).is_ok() {
            return Ok(values);
        }
        // Somebody else has answered.
        state.set_top(before);
    }
}

/// Pushes captured values and returns how many.
fn read(context: &Context, state: State, captured: &Captured) -> Result<c_int, Raise> {
    match (&captured.packet, captured.reason(None)) {
        (Ok(packet), None) => decode_packet(&context.coders, state, Label::Result, packet),
        (_, reason) => Err(Raise::message(reason.cloned().unwrap_or_default())),
    }
}

/// As [`receiver::wait`]; a lane that is suspended, or becomes so, is ended.
pub fn wait_or_close(
    context: &Context,
    state: State,
    record: &Record,
    deadline: Deadline,
) -> Result<bool, Raise> {
    if let Some(turns) = record.turns.get() {
        while !record.has_ended() {
            let turn = turns.current();
            if !wait_for(context, state, record, &turn.stopped, deadline)? {
                return Ok(false);
            }
            if turn.given().is_none() {
                break;
            }
            record.leave_suspension(Suspension::Closing);
            // If somebody else has answered, the lane is waited for again.
            let _ = turns.answer(&turn, Answer::Close);
        }
    }
    receiver::wait(context, state, record, deadline)
}
