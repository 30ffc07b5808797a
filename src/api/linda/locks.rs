//! Locks and atomic numbers in slots of lindas (docs/manual/locks.md): what `lanes.genlock` and
//! `lanes.genatomic` build on. Both check their arguments before they touch the slot.

use super::arguments::{check_unrestricted, this, waited};
use super::results;
use crate::api::deadlock::{note_lock, note_units};
use crate::api::waiting::{Waited, wait_in_periods};
use crate::api::what::{Slots, What};
use crate::context::Context;
use crate::linda::{KeyRef, Linda};
use crate::lua::{Arguments, Kind, Raise, State, compat, lua_function};
use crate::message::{Label, Message, decode_one, encode_one};
use lanes_engine::memory::grow;
use lanes_engine::park::{Deadline, Refusal, Request, Wait};
use lanes_engine::queues::{Values, Who};
use std::os::raw::c_int;

lua_function! {
    /// `prepare_lock(linda, key, count)`: empties the slot and limits it. Returns nothing, or
    /// `cancel_error`.
    pub fn prepare_lock = |state| prepare_lock_body(state).map_err(Raise::for_caller)
}

fn prepare_lock_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "genlock");
    let linda = this(&arguments, Who::Both)?;
    let key = KeyRef::argument(&arguments, 2)?;
    let count = arguments.integer(3)?;
    if count < 1 {
        return Err(arguments.error(
            3,
            format_args!("number of units should be >= 1, got {count}"),
        ));
    }
    check_unrestricted(linda, &key)?;
    let limit = usize::try_from(count).ok();
    if linda.queues.set(&key, Vec::new()).is_err() || linda.queues.limit(&key, limit).is_err() {
        return results::refused_lock(state, Refusal::LindaCancelled);
    }
    note_lock(context, linda, &key);
    Ok(0)
}

lua_function! {
    /// `linda:__lock(key, count, units, mode)`: takes units (a positive number), or gives them back
    /// (a negative one).
    always pub fn lock = |state| lock_body(state).map_err(Raise::for_caller)
}

fn lock_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "lock");
    let linda = this(&arguments, Who::Both)?;
    let key = KeyRef::argument(&arguments, 2)?;
    check_unrestricted(linda, &key)?;
    let single = state.number(3) == 1.0;
    let Some(units) = state.to_number(4).filter(|units| units.is_finite()) else {
        let given = state.to_number(4).map_or_else(
            || state.type_name(4).to_owned(),
            |number| number.to_string(),
        );
        return Err(Arguments::new(state, "lock")
            .error(1, format_args!("number of units expected, got {given}")));
    };
    let count = |units: f64| if single { 1 } else { units.ceil() as usize };
    if units > 0.0 {
        let deadline = if state.bytes(5) == Some(b"try") {
            Deadline::Now
        } else {
            Deadline::Never
        };
        if !single && units > state.number(3) {
            // More units than the lock has will never be free.
            return match deadline {
                Deadline::Now => results::refused_lock(state, Refusal::TimedOut),
                _ => {
                    let what = locking(linda);
                    let period = linda.wake_period;
                    let refusal =
                        super::receive::refusal_by(context, state, deadline, period, &what)?;
                    results::refused_lock(state, refusal)
                }
            };
        }
        let mut tokens = grow::list(count(units));
        tokens.resize(count(units), Message::nil());
        let mut tokens = Some(tokens);
        let what = locking(linda);
        let period = linda.wake_period;
        let outcome = wait_in_periods(context, state, deadline, period, &what, |wait: &Wait| {
            let Some(sending) = tokens.take() else {
                return Waited::Ended(Ok(()));
            };
            match linda.queues.send(wait, &key, Values::Many(sending), &[]) {
                Err((Refusal::Interrupted, Values::Many(back))) => {
                    tokens = Some(back);
                    Waited::Interrupted
                }
                Err((refusal @ Refusal::Request(Request::Hard), Values::Many(back))) => {
                    tokens = Some(back);
                    Waited::Asked(Err(refusal))
                }
                Err((refusal @ Refusal::TimedOut, Values::Many(back))) => {
                    tokens = Some(back);
                    Waited::TimedOut(Err(refusal))
                }
                outcome => Waited::Ended(outcome.map_err(|(refusal, _)| refusal)),
            }
        })?;
        return match outcome {
            Ok(()) => {
                note_units(context, linda, &key, count(units) as isize);
                done(state)
            }
            Err(refusal) => results::refused_lock(state, refusal),
        };
    }
    let count = count(-units);
    if count == 0 {
        return done(state);
    }
    let what = waiting_in(linda, "unlock");
    let (deadline, period) = (Deadline::Never, linda.wake_period);
    let outcome = wait_in_periods(context, state, deadline, period, &what, |wait: &Wait| {
        waited(linda.queues.receive_batched(wait, &key, count, count))
    })?;
    match outcome {
        Ok(_) => {
            note_units(context, linda, &key, -(count as isize));
            done(state)
        }
        Err(refusal) => results::refused_lock(state, refusal),
    }
}

/// What an operation on the key at stack index 2 waits for.
fn waiting_in<'a>(linda: &'a Linda, op: &'static str) -> What<'a> {
    let (first, count) = (2, 1);
    What::Slots(
        op,
        Slots {
            linda,
            first,
            count,
        },
    )
}

fn locking(linda: &Linda) -> What<'_> {
    waiting_in(linda, "lock")
}

fn done(state: State) -> Result<c_int, Raise> {
    state.push_boolean(true);
    Ok(1)
}

/// Converts the value at `index` to a number.
fn to_number(arguments: &Arguments, index: c_int, position: c_int) -> Result<(), Raise> {
    let state = arguments.state;
    match state.kind(index) {
        Kind::Number => Ok(()),
        Kind::String if state.to_number(index).is_some() => {
            let number = state.number(index);
            let whole = compat::HAS_INTEGERS
                && !state
                    .bytes(index)
                    .is_some_and(|text| text.iter().any(|&b| b"xX.eEnN".contains(&b)));
            if whole && number.abs() < 9e15 {
                state.push_integer(number as i64)
            } else {
                state.push_number(number)
            }
            state.replace(index);
            Ok(())
        }
        _ => Err(arguments.error(
            position,
            format_args!("number expected, got {}", state.type_name(index)),
        )),
    }
}

lua_function! {
    /// `prepare_atomic(linda, key, initial)`: limits the slot and sets the number. Returns nothing,
    /// or `cancel_error`.
    pub fn prepare_atomic = |state| prepare_atomic_body(state).map_err(Raise::for_caller)
}

fn prepare_atomic_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "genatomic");
    let linda = this(&arguments, Who::Both)?;
    let key = KeyRef::argument(&arguments, 2)?;
    state.set_top(3);
    to_number(&arguments, 3, 3)?;
    check_unrestricted(linda, &key)?;
    let value = encode_one(&context.coders, state, Label::Argument(2))?;
    // The second place is the lock of `__add`: it is free for one at a time.
    if linda.queues.limit(&key, Some(2)).is_err() || linda.queues.set(&key, vec![value]).is_err() {
        return results::refused_lock(state, Refusal::LindaCancelled);
    }
    Ok(0)
}

lua_function! {
    /// `linda:__add(key, difference)`: adds to the number in the slot and returns the sum.
    pub fn add = |state| add_body(state).map_err(Raise::for_caller)
}

fn add_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "atomic");
    let linda = this(&arguments, Who::Both)?;
    let key = KeyRef::argument(&arguments, 2)?;
    state.set_top(3);
    to_number(&arguments, 3, 1)?;
    check_unrestricted(linda, &key)?;
    let what = waiting_in(linda, "add");
    let (deadline, period) = (Deadline::Never, linda.wake_period);
    let outcome = wait_in_periods(context, state, deadline, period, &what, |wait: &Wait| {
        waited(
            linda
                .queues
                .send(wait, &key, Values::One(Message::nil()), &[])
                .map_err(|(refusal, _)| refusal),
        )
    })?;
    if let Err(refusal) = outcome {
        return results::refused_lock(state, refusal);
    }
    let Ok(values) = linda.queues.get(&key, 1) else {
        return results::refused_lock(state, Refusal::LindaCancelled);
    };
    let sum = sum(context, state, values.first());
    let message = match sum {
        Ok(message) => message,
        Err(raise) => {
            // Puts the number back, which also frees the lock.
            let _ = linda.queues.set(&key, values);
            return Err(raise);
        }
    };
    if linda.queues.set(&key, vec![message]).is_err() {
        return results::refused_lock(state, Refusal::LindaCancelled);
    }
    Ok(1)
}

/// Adds the captured number to the one at the top of the stack. Leaves the sum there, and captures
/// it.
fn sum(context: &Context, state: State, value: Option<&Message>) -> Result<Message, Raise> {
    let value = value.cloned().unwrap_or_else(|| Message::float(0.0));
    decode_one(&context.coders, state, Label::Element, &value, &[])?;
    if state.kind(-1) != Kind::Number {
        return Err(Raise::message(format!(
            "the slot of this atomic number holds a {} now: something else has written to it",
            state.type_name(-1)
        )));
    }
    if state.is_integer(-1) && state.is_integer(-2) {
        let sum = state.integer(-1).wrapping_add(state.integer(-2));
        state.push_integer(sum);
    } else {
        let sum = state.number(-1) + state.number(-2);
        state.push_number(sum);
    }
    state.push_copy(-1);
    encode_one(&context.coders, state, Label::Argument(2))
}
