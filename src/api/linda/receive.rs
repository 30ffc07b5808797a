//! `linda:receive` (docs/manual/lindas.md): from one slot, from the first of several, and many
//! elements at once.

use super::arguments::{is_marker, this, timeout, waited};
use super::results;
use crate::api::waiting::{Timeout, wait_in_periods};
use crate::api::what::{Slots, What};
use crate::context::Context;
use crate::linda::{Key, KeyRef, Linda};
use crate::lua::sentinels::BATCHED;
use crate::lua::{Arguments, Kind, Raise, State, lua_function};
use crate::message::{Label, Message, decode, decode_one};
use lanes_engine::memory::grow;
use lanes_engine::park::{Deadline, Refusal, Wait};
use lanes_engine::queues::{Found, Queues, Received, Shortcut, Who};
use std::os::raw::c_int;

lua_function! {
    /// `linda:receive([timeout,] key...)`: returns key and value; nothing at the timeout;
    /// `cancel_error`. `linda:receive([timeout,] linda.batched, key, min [, max])`: returns key and
    /// values.
    always pub fn receive = receive_body
}

/// The body of `receive`.
#[inline(always)]
pub fn receive_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "receive");
    let linda = this(&arguments, Who::Write)?;
    let (timeout, at, kind) = timeout(&arguments, 2)?;
    if kind == Kind::Light && is_marker(state, at, BATCHED) {
        return receive_batched(context, &arguments, linda, timeout, at + 1);
    }
    if state.top() > at {
        return receive_any(context, &arguments, linda, timeout, at);
    }
    let key = KeyRef::argument_of_kind(&arguments, kind, at)?;
    let mut scratch = context.coders.scratch();
    let mut received = Received::new(&mut scratch.bytes);
    let mut outcome = at_once(context, linda, &key, &mut received);
    if let Err(refusal) = outcome
        && results::may_change(refusal, timeout)
    {
        outcome = receive_waiting(context, state, linda, timeout, (&key, at), &mut received)?;
    }
    match outcome {
        Ok(()) => deliver(context, state, linda, (&key, at), &received),
        Err(refusal) => results::refused_receive(state, refusal),
    }
}

/// Moves the first element of a slot to `into`, if that needs no wait.
#[inline(always)]
pub fn at_once(
    context: &Context,
    linda: &Linda,
    key: &KeyRef,
    into: &mut Received<Message>,
) -> Result<(), Refusal> {
    let shortcuts = context.shortcuts.borrow();
    let shortcut = shortcuts.find(linda, key);
    let found = shortcut.map_or(Found::Unknown, |shortcut| {
        linda.queues.take(&context.waiter, shortcut, into)
    });
    match found {
        Found::Element => Ok(()),
        Found::Nothing => Err(Refusal::TimedOut),
        Found::Unknown => {
            let queues = &linda.queues;
            let new = queues.receive_one(&context.at_once(), key, shortcut, into)?;
            drop(shortcuts);
            remember(context, linda, key, new);
            Ok(())
        }
    }
}

/// Remembers the shortcut to a slot, if it is new.
#[inline]
fn remember(context: &Context, linda: &Linda, key: &KeyRef, new: Option<Shortcut<Message>>) {
    if let Some(shortcut) = new {
        let mut shortcuts = context.shortcuts.borrow_mut();
        shortcuts.remember(linda, key, shortcut);
    }
}

/// Pushes the key, which is at `at`, and the value of the message that was received. A message that
/// cannot be read goes back to its slot.
#[inline(always)]
pub fn deliver(
    context: &Context,
    state: State,
    linda: &Linda,
    (key, at): (&KeyRef, c_int),
    received: &Received<Message>,
) -> Result<c_int, Raise> {
    let Some(message) = &received.element else {
        return Ok(0);
    };
    let detached = &received.bytes[..];
    state.push_copy(at);
    match decode_one(&context.coders, state, Label::Element, message, detached) {
        Ok(()) => Ok(2),
        Err(raise) => {
            let whole = message.clone().attach(detached);
            linda.queues.put_back(key, vec![whole]);
            Err(raise)
        }
    }
}

/// As [`deliver`], for a message that has no detached bytes.
pub fn deliver_whole(
    context: &Context,
    state: State,
    linda: &Linda,
    key: (&KeyRef, c_int),
    message: Message,
) -> Result<c_int, Raise> {
    let received = Received {
        element: Some(message),
        bytes: &mut Vec::new(),
    };
    deliver(context, state, linda, key, &received)
}

/// What a receive waits for: `count` keys from stack index `first` on.
fn receiving(linda: &Linda, first: c_int, count: c_int) -> What<'_> {
    What::Slots(
        "receive",
        Slots {
            linda,
            first,
            count,
        },
    )
}

/// Waits until there is an element, and moves it to `into`.
#[cold]
fn receive_waiting(
    context: &Context,
    state: State,
    linda: &Linda,
    timeout: Timeout,
    (key, at): (&KeyRef, c_int),
    into: &mut Received<Message>,
) -> Result<Result<(), Refusal>, Raise> {
    // Functions that run during the wait may use the shortcuts.
    let known = context.shortcuts.borrow().find(linda, key).cloned();
    let what = receiving(linda, at, 1);
    let outcome = wait_in_periods(
        context,
        state,
        timeout.deadline(),
        linda.wake_period,
        &what,
        |wait: &Wait| waited(linda.queues.receive_one(wait, key, known.as_ref(), into)),
    )?;
    Ok(outcome.map(|new| remember(context, linda, key, new)))
}

/// Receives from the first of several keys, those from `first` on, that has an element. Without a
/// key nothing is received: the wait lasts until the timeout, a request, or a cancelled linda.
pub fn receive_any(
    context: &Context,
    arguments: &Arguments,
    linda: &Linda,
    timeout: Timeout,
    first: c_int,
) -> Result<c_int, Raise> {
    let state = arguments.state;
    let mut keys = grow::list((state.top() - first + 1) as usize);
    for index in first..=state.top() {
        keys.push(KeyRef::argument(arguments, index)?);
    }
    let what = receiving(linda, first, keys.len() as c_int);
    let outcome = wait_in_periods(
        context,
        state,
        timeout.deadline(),
        linda.wake_period,
        &what,
        |wait: &Wait| waited(linda.queues.receive(wait, &keys)),
    )?;
    match outcome {
        Ok((position, message)) => match keys.get(position) {
            Some(key) => {
                let at = first + position as c_int;
                deliver_whole(context, state, linda, (key, at), message)
            }
            None => Ok(0),
        },
        Err(refusal) => results::refused_receive(state, refusal),
    }
}

/// Receives from the slot whose key is at `at`; `min` and `max` follow it.
pub fn receive_batched(
    context: &Context,
    arguments: &Arguments,
    linda: &Linda,
    timeout: Timeout,
    at: c_int,
) -> Result<c_int, Raise> {
    let state = arguments.state;
    let key = KeyRef::argument(arguments, at)?;
    let min = arguments.integer(at + 1)?;
    let max = if state.is_none_or_nil(at + 2) {
        min
    } else {
        arguments.integer(at + 2)?
    };
    if min < 1 {
        return Err(arguments.error(at + 1, format_args!("min count should be >= 1, got {min}")));
    }
    if max < min {
        return Err(arguments.error(
            at + 2,
            format_args!("batched min/max error: max {max} is below min {min}"),
        ));
    }
    let bound = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
    let what = receiving(linda, at, 1);
    let outcome = wait_in_periods(
        context,
        state,
        timeout.deadline(),
        linda.wake_period,
        &what,
        |wait: &Wait| {
            waited(
                linda
                    .queues
                    .receive_batched(wait, &key, bound(min), bound(max)),
            )
        },
    )?;
    match outcome {
        Ok(messages) => {
            state.push_copy(at);
            match decode(&context.coders, state, Label::Element, &messages) {
                Ok(count) => Ok(count + 1),
                Err(raise) => {
                    linda.queues.put_back(&key, messages);
                    Err(raise)
                }
            }
        }
        Err(refusal) => results::refused_receive(state, refusal),
    }
}

/// Waits until `deadline`, as a receive does that gets no element: a request ends the wait. Returns
/// how it ended. `period` is that of [`wait_in_periods`].
pub fn refusal_by(
    context: &Context,
    state: State,
    deadline: Deadline,
    period: Option<f64>,
    what: &What,
) -> Result<Refusal, Raise> {
    let nothing: Queues<Key, Message> = Queues::new();
    let outcome = wait_in_periods(context, state, deadline, period, what, |wait| {
        waited(nothing.receive(wait, &[KeyRef::Boolean(false)]))
    })?;
    Ok(outcome.err().unwrap_or(Refusal::TimedOut))
}

/// As [`refusal_by`]; returns the results of a receive that ends so.
pub fn sleep(
    context: &Context,
    state: State,
    deadline: Deadline,
    what: &What,
) -> Result<c_int, Raise> {
    let refusal = refusal_by(context, state, deadline, context.wake_period(), what)?;
    results::refused_receive(state, refusal)
}
