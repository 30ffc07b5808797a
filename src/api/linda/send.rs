//! `linda:send` (docs/manual/lindas.md), and how values become elements of slots.

use super::arguments::{is_marker, this, timeout};
use super::results;
use crate::api::waiting::{Timeout, Waited, wait_in_periods};
use crate::api::what::{Slots, What};
use crate::context::Context;
use crate::linda::{KeyRef, Linda};
use crate::lua::sentinels::NULL;
use crate::lua::{Arguments, Kind, Raise, State, lua_function};
use crate::message::{Label, Message, encode_detached, encode_each, encode_one};
use lanes_engine::park::{Refusal, Request, Wait};
use lanes_engine::queues::{Values, Who};
use std::os::raw::c_int;

lua_function! {
    /// `linda:send([timeout,] [linda.null,] key, value...)`: returns true; false at the timeout;
    /// `cancel_error`.
    pub fn send = send_body
}

/// The body of `send`.
#[inline(always)]
pub fn send_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "send");
    let linda = this(&arguments, Who::Read)?;
    let (timeout, mut at, mut kind) = timeout(&arguments, 2)?;
    let top = state.top();
    let nil_allowed = kind == Kind::Light && top > at && is_marker(state, at, NULL);
    if nil_allowed {
        at += 1;
        kind = state.kind(at);
    }
    let key = KeyRef::argument_of_kind(&arguments, kind, at)?;
    let sent = match top - at {
        1 if !(state.kind(-1) == Kind::Light && is_marker(state, -1, NULL)) => {
            let label = Label::Argument(2);
            let sent = encode_detached(&context.coders, state, label, |message, bytes| {
                let values = Values::One(message);
                linda.queues.send(&context.at_once(), &key, values, bytes)
            });
            sent?
        }
        0 if !nil_allowed => {
            return Err(Raise::message(
                "no data to send: linda:send([timeout,] key, value...) needs a value",
            ));
        }
        0 | 1 => {
            let values = Values::One(Message::nil());
            linda.queues.send(&context.at_once(), &key, values, &[])
        }
        count => {
            let values = Values::Many(elements(context, state, at + 1, count, Label::Argument(2))?);
            linda.queues.send(&context.at_once(), &key, values, &[])
        }
    };
    let outcome = match sent {
        Err((refusal, values)) if results::may_change(refusal, timeout) => {
            send_waiting(context, state, linda, timeout, (&key, at), values)?
        }
        outcome => outcome.map_err(|(refusal, _)| refusal),
    };
    match outcome {
        Ok(()) => {
            state.push_boolean(true);
            Ok(1)
        }
        Err(refusal) => results::refused_send(state, refusal),
    }
}

/// Waits until the values are sent.
#[cold]
fn send_waiting(
    context: &Context,
    state: State,
    linda: &Linda,
    timeout: Timeout,
    (key, at): (&KeyRef, c_int),
    values: Values<Message>,
) -> Result<Result<(), Refusal>, Raise> {
    let mut values = Some(values);
    let slots = Slots {
        linda,
        first: at,
        count: 1,
    };
    let what = What::Slots("send", slots);
    wait_in_periods(
        context,
        state,
        timeout.deadline(),
        linda.wake_period,
        &what,
        |wait: &Wait| {
            let Some(sending) = values.take() else {
                return Waited::Ended(Ok(()));
            };
            match linda.queues.send(wait, key, sending, &[]) {
                Err((Refusal::Interrupted, back)) => {
                    values = Some(back);
                    Waited::Interrupted
                }
                Err((refusal @ Refusal::Request(Request::Hard), back)) => {
                    values = Some(back);
                    Waited::Asked(Err(refusal))
                }
                Err((refusal @ Refusal::TimedOut, back)) => {
                    values = Some(back);
                    Waited::TimedOut(Err(refusal))
                }
                outcome => Waited::Ended(outcome.map_err(|(refusal, _)| refusal)),
            }
        },
    )
}

/// Captures the top value, which errors call by this label, as an element of a slot.
#[inline]
pub fn element(context: &Context, state: State, label: Label) -> Result<Message, Raise> {
    if state.kind(-1) == Kind::Light && is_marker(state, -1, NULL) {
        return Ok(Message::nil());
    }
    encode_one(&context.coders, state, label)
}

/// Captures the `count` values from index `first` on, which are the top ones, as elements of a
/// slot. Errors call them by this label.
pub fn elements(
    context: &Context,
    state: State,
    first: c_int,
    count: c_int,
    label: Label,
) -> Result<Vec<Message>, Raise> {
    for index in first..first + count {
        if is_marker(state, index, NULL) {
            state.push_nil();
            state.replace(index);
        }
    }
    encode_each(&context.coders, state, count, label)
}
