//! The methods of lindas, as SPEC-3x section 9 describes them.

use super::queues::{Found, Queues, Shortcut, Values, Who};
use super::{Key, KeyRef, Linda, answers, inspect, locks};
use crate::context::{Context, Timeout, Waited, push_function};
use crate::lua::{
    Arguments, Function, Kind, Raise, Raising, State, Userdata, lua_function, new_metatable,
};
use crate::markers::{BATCHED, NULL};
use crate::message::{
    Captured, Deep, Label, Message, Proxy, capture, decode, decode_apart, decode_one, encode_each,
    encode_one, push_proxy,
};
use crate::park::{Deadline, Refusal, Wait};
use std::any::Any;
use std::os::raw::{c_int, c_void};
use std::sync::Arc;

/// Prepares a state for lindas: makes their metatable. `context` is the index of the context's userdata.
pub fn install(raising: Raising, context: c_int) -> Userdata<Proxy> {
    const METHODS: &[(&str, Function)] = &[
        ("send", send),
        ("receive", receive),
        ("set", set),
        ("get", get),
        ("limit", limit),
        ("count", inspect::count),
        ("dump", inspect::dump),
        ("cancel", cancel),
        ("deep", inspect::deep),
        ("__tostring", inspect::to_string),
        ("__concat", inspect::concat),
        ("__towatch", inspect::to_watch),
        ("__lock", locks::lock),
        ("__add", locks::add),
    ];
    const METAMETHODS: [&str; 3] = ["__tostring", "__concat", "__towatch"];
    new_metatable(raising, context, "Linda", &[]);
    raising.push_function(Userdata::<Proxy>::COLLECT, 0);
    raising.raw_set_name(-2, b"__gc");
    raising.new_table(0, METHODS.len() + 4);
    for (name, method) in METHODS {
        push_function(raising, context, *method);
        if METAMETHODS.contains(name) {
            raising.push_copy(-1);
            raising.raw_set_name(-4, name.as_bytes());
        }
        raising.raw_set_name(-2, name.as_bytes());
    }
    for (name, value) in [("null", NULL), ("batched", BATCHED)] {
        raising.push_light(value as *mut c_void);
        raising.raw_set_name(-2, name.as_bytes());
    }
    raising.push_bytes(b"Linda");
    raising.raw_set_name(-2, b"__metatable");
    raising.raw_set_name(-2, b"__index");
    let kind = Userdata::adopt(raising);
    raising.pop(1);
    kind
}

/// Pushes this state's proxy of a new linda.
pub fn new(context: &Context, state: State, name: &[u8]) -> Result<Arc<Linda>, Raise> {
    let linda = Arc::new(Linda::new(name));
    let object: Arc<dyn Deep> = linda.clone();
    push_proxy(&context.local, state, &object)?;
    if let Some(universe) = context.universe_if_any() {
        universe.add_linda(&linda);
    }
    Ok(linda)
}

/// Waits for `deadline` as a receive does that gets nothing: cancellation ends it.
pub fn sleep(context: &Context, state: State, deadline: Deadline) -> Result<c_int, Raise> {
    let nothing: Queues<Key, Message> = Queues::new();
    let refusal = context.wait(state, deadline, |wait| {
        waited(nothing.receive(wait, &[KeyRef::Boolean(false)]))
    })?;
    match refusal {
        Ok(_) => Ok(0),
        Err(refusal) => answers::refused_receive(state, refusal),
    }
}

/// The linda that is the receiver of the method.
#[inline]
pub(super) fn this<'a>(context: &Context, arguments: &Arguments) -> Result<&'a Linda, Raise> {
    context
        .linda
        .get()
        .and_then(|kind| kind.get(arguments.state, 1))
        .and_then(linda_of)
        .ok_or_else(|| {
            arguments.error(
                1,
                format_args!(
                    "expecting a linda object, got {}",
                    arguments.state.type_name(1)
                ),
            )
        })
}

/// The linda that a proxy stands for.
#[inline]
pub fn linda_of(proxy: &Proxy) -> Option<&Linda> {
    (&*proxy.object as &dyn Any).downcast_ref::<Linda>()
}

/// A timeout that stands before the key: a number of seconds (negative: for ever), or nil. Answers it and the index of what
/// follows.
#[inline]
fn timeout(arguments: &Arguments) -> Result<(Timeout, c_int), Raise> {
    match arguments.state.kind(2) {
        Kind::Number => Ok((Timeout::argument(arguments, 2)?, 3)),
        Kind::Nil => Ok((Timeout::Never, 3)),
        _ => Ok((Timeout::Never, 2)),
    }
}

fn is_marker(state: State, index: c_int, marker: usize) -> bool {
    state.kind(index) == Kind::Light && state.userdata(index) as usize == marker
}

/// Whether an operation ended for good.
pub(super) fn waited<T>(outcome: Result<T, Refusal>) -> Waited<Result<T, Refusal>> {
    match outcome {
        Err(Refusal::Interrupted) => Waited::Interrupted,
        outcome => Waited::Ended(outcome),
    }
}

lua_function! {
    /// `linda:send([timeout,] [linda.null,] key, value...)` (SPEC-3x 9.5): true; false at the timeout; `cancel_error`.
    fn send = send_body
}

#[inline]
fn send_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = Arguments::new(state, "send");
    let linda = this(context, &arguments)?;
    let (timeout, mut at) = timeout(&arguments)?;
    let top = state.top();
    let mut kind = state.kind(at);
    let nil_allowed = kind == Kind::Light && top > at && is_marker(state, at, NULL);
    if nil_allowed {
        at += 1;
        kind = state.kind(at);
    }
    let key = KeyRef::argument_of_kind(&arguments, kind, at)?;
    let sent = match top - at {
        1 if !(state.kind(-1) == Kind::Light && is_marker(state, -1, NULL)) => {
            let label = Label::Argument(2);
            let sent = capture(&context.local, state, label, |captured| match captured {
                Captured::Whole(message) => {
                    let values = Values::One(message);
                    linda.queues.send(&context.at_once(), &key, values)
                }
                Captured::Apart(message, bytes) => linda
                    .queues
                    .send_apart(&context.at_once(), &key, message, bytes)
                    .map_err(|(refusal, message)| (refusal, Values::One(message.whole(bytes)))),
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
            linda.queues.send(&context.at_once(), &key, values)
        }
        count => {
            let values = Values::Many(elements(context, state, at + 1, count)?);
            linda.queues.send(&context.at_once(), &key, values)
        }
    };
    let outcome = match sent {
        Err((Refusal::TimedOut, values)) if timeout != Timeout::Zero => {
            send_waiting(context, state, linda, timeout, &key, values)?
        }
        outcome => outcome.map_err(|(refusal, _)| refusal),
    };
    match outcome {
        Ok(()) => {
            state.push_boolean(true);
            Ok(1)
        }
        Err(refusal) => answers::refused_send(state, refusal),
    }
}

/// Waits until the values are sent.
#[cold]
fn send_waiting(
    context: &Context,
    state: State,
    linda: &Linda,
    timeout: Timeout,
    key: &KeyRef,
    values: Values<Message>,
) -> Result<Result<(), Refusal>, Raise> {
    let mut values = Some(values);
    context.wait(state, timeout.deadline(), |wait: &Wait| {
        let Some(sending) = values.take() else {
            return Waited::Ended(Ok(()));
        };
        match linda.queues.send(wait, key, sending) {
            Err((Refusal::Interrupted, back)) => {
                values = Some(back);
                Waited::Interrupted
            }
            outcome => Waited::Ended(outcome.map_err(|(refusal, _)| refusal)),
        }
    })
}

/// Captures the top value as an element of a slot.
#[inline]
fn element(context: &Context, state: State) -> Result<Message, Raise> {
    if state.kind(-1) == Kind::Light && is_marker(state, -1, NULL) {
        return Ok(Message::nil());
    }
    encode_one(&context.local, state, Label::Argument(2))
}

/// Captures the `count` values from index `first` on, which are the top ones, as elements of a slot.
fn elements(
    context: &Context,
    state: State,
    first: c_int,
    count: c_int,
) -> Result<Vec<Message>, Raise> {
    for index in first..first + count {
        if is_marker(state, index, NULL) {
            state.push_nil();
            state.replace(index);
        }
    }
    encode_each(&context.local, state, count, Label::Argument(2))
}

lua_function! {
    /// `linda:receive([timeout,] key...)`: key and value; nothing at the timeout; `cancel_error`.
    /// `linda:receive([timeout,] linda.batched, key, min [, max])`: key and values.
    fn receive = receive_body
}

#[inline]
fn receive_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = Arguments::new(state, "receive");
    let linda = this(context, &arguments)?;
    let (timeout, at) = timeout(&arguments)?;
    let kind = state.kind(at);
    if kind == Kind::Light && is_marker(state, at, BATCHED) {
        return receive_batched(context, &arguments, linda, timeout, at + 1);
    }
    if state.top() > at {
        return receive_any(context, &arguments, linda, timeout, at);
    }
    let key = KeyRef::argument_of_kind(&arguments, kind, at)?;
    let mut scratch = context.local.scratch();
    let apart = &mut scratch.bytes;
    let shortcuts = context.shortcuts.borrow();
    let shortcut = shortcuts.find(linda, &key);
    let found = shortcut.map_or(Found::Unknown, |shortcut| {
        linda.queues.take(&context.waiter, shortcut, apart)
    });
    let outcome = match found {
        Found::Element(message) => Ok((message, None)),
        Found::Nothing => Err(Refusal::TimedOut),
        Found::Unknown => linda
            .queues
            .receive_one(&context.at_once(), &key, shortcut, apart),
    };
    let outcome = match outcome {
        Err(Refusal::TimedOut) if timeout != Timeout::Zero => {
            let known = shortcut.cloned();
            drop(shortcuts);
            receive_waiting(context, state, linda, timeout, &key, known.as_ref(), apart)?
        }
        outcome => {
            drop(shortcuts);
            outcome
        }
    };
    match outcome {
        Ok((message, shortcut)) => {
            if let Some(shortcut) = shortcut {
                let mut shortcuts = context.shortcuts.borrow_mut();
                shortcuts.remember(linda, &key, shortcut);
            }
            deliver(context, state, linda, &key, at, message, apart)
        }
        Err(refusal) => answers::refused_receive(state, refusal),
    }
}

/// Answers the key at `at` and the value of a message that was received; `apart` are the bytes that are apart from it. The message
/// goes back where it cannot be read.
#[inline]
fn deliver(
    context: &Context,
    state: State,
    linda: &Linda,
    key: &KeyRef,
    at: c_int,
    message: Message,
    apart: &[u8],
) -> Result<c_int, Raise> {
    state.push_copy(at);
    match decode_apart(&context.local, state, Label::Element, &message, apart) {
        Ok(()) => Ok(2),
        Err(raise) => {
            linda.queues.put_back(key, vec![message.whole(apart)]);
            Err(raise)
        }
    }
}

/// What came of a receive: an element and how to get the next one, if that is news; or why there is none.
type Received = Result<(Message, Option<Shortcut<Message>>), Refusal>;

/// Waits until there is an element.
#[cold]
fn receive_waiting(
    context: &Context,
    state: State,
    linda: &Linda,
    timeout: Timeout,
    key: &KeyRef,
    known: Option<&Shortcut<Message>>,
    apart: &mut Vec<u8>,
) -> Result<Received, Raise> {
    context.wait(state, timeout.deadline(), |wait: &Wait| {
        waited(linda.queues.receive_one(wait, key, known, apart))
    })
}

/// Receives from the first of several keys that has an element.
fn receive_any(
    context: &Context,
    arguments: &Arguments,
    linda: &Linda,
    timeout: Timeout,
    first: c_int,
) -> Result<c_int, Raise> {
    let state = arguments.state;
    let keys: Vec<KeyRef> = (first..=state.top())
        .map(|index| KeyRef::argument(arguments, index))
        .collect::<Result<_, _>>()?;
    let outcome = context.wait(state, timeout.deadline(), |wait: &Wait| {
        waited(linda.queues.receive(wait, &keys))
    })?;
    match outcome {
        Ok((position, message)) => match keys.get(position) {
            Some(key) => deliver(
                context,
                state,
                linda,
                key,
                first + position as c_int,
                message,
                &[],
            ),
            None => Ok(0),
        },
        Err(refusal) => answers::refused_receive(state, refusal),
    }
}

fn receive_batched(
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
    let outcome = context.wait(state, timeout.deadline(), |wait: &Wait| {
        waited(
            linda
                .queues
                .receive_batched(wait, &key, bound(min), bound(max)),
        )
    })?;
    match outcome {
        Ok(messages) => {
            state.push_copy(at);
            match decode(&context.local, state, Label::Element, &messages) {
                Ok(count) => Ok(count + 1),
                Err(raise) => {
                    linda.queues.put_back(&key, messages);
                    Err(raise)
                }
            }
        }
        Err(refusal) => answers::refused_receive(state, refusal),
    }
}

lua_function! {
    /// `linda:set(key [, value...])`: replaces the contents. True when that made room in a full slot, else nothing.
    fn set = set_body
}

fn set_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = Arguments::new(state, "set");
    let linda = this(context, &arguments)?;
    let key = KeyRef::argument(&arguments, 2)?;
    let values = match state.top() - 2 {
        0 => Vec::new(),
        1 => vec![element(context, state)?],
        count => elements(context, state, 3, count)?,
    };
    answers::made_room(state, linda.queues.set(&key, values))
}

lua_function! {
    /// `linda:get(key [, count])`: up to `count` (default 1) first elements, which stay; nothing where there are none.
    fn get = get_body
}

fn get_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = Arguments::new(state, "get");
    let linda = this(context, &arguments)?;
    let key = KeyRef::argument(&arguments, 2)?;
    let count = if state.is_none_or_nil(3) {
        1
    } else {
        arguments.integer(3)?
    };
    if count < 1 {
        return Err(arguments.error(3, format_args!("count should be >= 1, got {count}")));
    }
    arguments.at_most(3)?;
    match linda
        .queues
        .get(&key, usize::try_from(count).unwrap_or(usize::MAX))
    {
        Ok(messages) if messages.is_empty() => Ok(0),
        Ok(messages) if messages.len() == 1 => {
            decode_one(&context.local, state, Label::Element, &messages[0]).map(|()| 1)
        }
        Ok(messages) => decode(&context.local, state, Label::Element, &messages),
        Err(_) => answers::linda_cancelled(state),
    }
}

lua_function! {
    /// `linda:limit(key, n)`: sets how many elements `send` may queue; negative: any number. True when that made room
    /// in a full slot, else nothing.
    fn limit = limit_body
}

fn limit_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = Arguments::new(state, "limit");
    let linda = this(context, &arguments)?;
    if state.top() != 3 {
        return Err(arguments.error(
            2,
            "wrong number of arguments: linda:limit(key, n) takes a key and a limit",
        ));
    }
    let key = KeyRef::argument(&arguments, 2)?;
    let limit = match arguments.number(3)? {
        // A float beyond the integers is no limit in practice.
        limit if limit == f64::INFINITY => None,
        _ => usize::try_from(arguments.integer(3)?).ok(),
    };
    answers::made_room(state, linda.queues.limit(&key, limit))
}

lua_function! {
    /// `linda:cancel([who])`: marks the linda cancelled and wakes those who wait to "read", to "write", or "both"
    /// (default); "none" takes the mark away.
    fn cancel = cancel_body
}

fn cancel_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = Arguments::new(state, "cancel");
    let linda = this(context, &arguments)?;
    if state.top() > 2 {
        return Err(arguments.error(3, "wrong number of arguments"));
    }
    let who = if state.is_none_or_nil(2) {
        Who::Both
    } else {
        match arguments.bytes(2)? {
            b"none" => Who::None,
            b"read" => Who::Read,
            b"write" => Who::Write,
            b"both" => Who::Both,
            other => {
                return Err(arguments.error(
                    2,
                    format_args!(
                        "unknown wake hint '{}', should be \"none\", \"read\", \"write\" or \"both\"",
                        String::from_utf8_lossy(other)
                    ),
                ));
            }
        }
    };
    linda.queues.cancel(who);
    Ok(0)
}
