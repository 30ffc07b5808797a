//! `linda:notifier`, `lane:notifier` and the methods of notifiers (docs/manual/loops.md).

use super::lane::receiver;
use super::linda::arguments::{shared_linda, waited};
use super::linda::results;
use super::waiting::wait;
use super::what::What;
use crate::context::{Context, push_function, push_function_of_four};
use crate::lane::Handle;
use crate::linda::{KeyRef, soft_requests};
use crate::lua::{
    Arguments, Function, KEYS, Raise, State, Userdata, lua_function, new_metatable, protect, text,
};
use crate::message::{Label, Message, decode_one};
use crate::notifier::{Notifier, Shows, Source};
use crate::universe::Interface;
use lanes_engine::memory::grow::{self, OutOfMemory, out_of_memory};
use lanes_engine::park::{Deadline, Refusal, Request, Wait, Watcher};
use lanes_engine::queues::{WatchFor, Who};
use std::io::ErrorKind;
use std::os::raw::c_int;
use std::sync::Arc;

lua_function! {
    /// `linda:notifier(key...)`: returns a notifier of elements in these slots.
    pub fn linda_notifier = linda_notifier_body
}

fn linda_notifier_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "notifier");
    let linda = shared_linda(&arguments, 1)?;
    let last = state.top();
    if last < 2 {
        return Err(arguments.error(2, "a key expected, got no value"));
    }
    let notifier = new(context, Shows::Elements)?;
    for index in 2..=last {
        let key = KeyRef::argument(&arguments, index)?.to_key();
        watch(
            &notifier,
            Source::Slot(Arc::clone(&linda), key, WatchFor::Elements),
        );
    }
    push(context, state, notifier, 2, last)
}

lua_function! {
    /// `lane:notifier()`: returns a notifier of the end of the lane.
    pub fn lane_notifier = lane_notifier_body
}

fn lane_notifier_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "notifier");
    let record = Arc::clone(&receiver::this(&arguments)?.record);
    arguments.at_most(1)?;
    let notifier = new(context, Shows::End)?;
    watch(&notifier, Source::End(record));
    push(context, state, notifier, 1, 1)
}

lua_function! {
    /// `notifier(source...)`: returns a notifier of several sources, each a lane, or three
    /// arguments: linda, key, and whether room is watched for, or else elements. Its `receive`
    /// clears it and returns nothing: to be called before the sources are looked at.
    pub fn notifier_of = notifier_of_body
}

fn notifier_of_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "notifier");
    let notifier = new(context, Shows::Nothing)?;
    watch_sources(&arguments, &notifier, 1)?;
    push(context, state, notifier, 1, 0)
}

lua_function! {
    /// `watch(notifier, source...)`: one that `notifier` has made watches more.
    pub fn watch_more = watch_more_body
}

fn watch_more_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "watch");
    let notifier = this(&arguments)?;
    if !notifier.is_closed() {
        watch_sources(&arguments, notifier, 2)?;
    }
    Ok(0)
}

/// Watches the sources that are arguments from index `index` on.
fn watch_sources(
    arguments: &Arguments,
    notifier: &Notifier,
    mut index: c_int,
) -> Result<(), Raise> {
    let state = arguments.state;
    while index <= state.top() {
        if let Some(handle) = Userdata::<Handle>::get(&state, index) {
            watch(notifier, Source::End(Arc::clone(&handle.record)));
            index += 1;
            continue;
        }
        let linda = shared_linda(arguments, index)?;
        let key = KeyRef::argument(arguments, index + 1)?.to_key();
        let what = if state.truth(index + 2) {
            WatchFor::Room
        } else {
            WatchFor::Elements
        };
        watch(notifier, Source::Slot(linda, key, what));
        index += 3;
    }
    Ok(())
}

lua_function! {
    /// `tell(notifier)`: makes it readable. Does nothing for one that has been finalized, which a
    /// weak table may still hold.
    always pub fn tell = tell_body
}

fn tell_body(state: State) -> Result<c_int, Raise> {
    if let Some(notifier) = Userdata::<Notifier>::get(&state, 1) {
        notifier.signal().tell();
    }
    Ok(0)
}

/// What `receive` would wait for, if it waited.
const RECEIVE: What = What::Nothing("receive");

fn new(context: &Context, shows: Shows) -> Result<Notifier, Raise> {
    let open = &context.universe()?.deadlocks.notifiers;
    Notifier::new(&context.waiter, shows, open).map_err(|error| no_descriptor(&error))
}

fn no_descriptor(error: &std::io::Error) -> Raise {
    if error.kind() == ErrorKind::OutOfMemory {
        return Raise::out_of_memory();
    }
    Raise::message(format!("notifier: the system gives no descriptor: {error}"))
}

fn watch(notifier: &Notifier, source: Source) {
    notifier
        .watch(source)
        .unwrap_or_else(|OutOfMemory| out_of_memory());
}

/// Pushes the userdata of a notifier, which keeps the values from index `first` to `last`: those
/// that `receive` returns.
fn push(
    context: &Context,
    state: State,
    notifier: Notifier,
    first: c_int,
    last: c_int,
) -> Result<c_int, Raise> {
    let kind = kind(context, state)?;
    let count = last - first + 1;
    if !state.try_reserve(count + 8) {
        return Err(Raise::message("notifier: no room on the stack"));
    }
    for index in first..=last {
        state.push_copy(index);
    }
    protect(state, count, move |raising| {
        kind.push_empty(raising, 1);
        raising.new_table(count as usize, 0);
        for index in 1..=count {
            raising.push_copy(index);
            raising.raw_set_index(-2, i64::from(index));
        }
        raising.set_user_value(-2, 1);
        raising.insert(1);
        raising.set_top(1);
    })?;
    Userdata::put(state, -1, Box::new(notifier));
    Ok(1)
}

/// The kind of the userdata of notifiers, whose metatable is made when it is first needed: few
/// lanes have any.
fn kind(context: &Context, state: State) -> Result<Userdata<Notifier>, Raise> {
    const METHODS: [(&str, Function); 8] = [
        ("receive", receive),
        ("close", close),
        ("fd", fd),
        ("getfd", fd),
        ("pollfd", fd),
        ("dirty", dirty),
        ("events", events),
        ("timeout", nothing),
    ];
    if let Some(kind) = context.notifier.get() {
        return Ok(kind);
    }
    let push_method = match context.interface() {
        Interface::Three => push_function,
        Interface::Four => push_function_of_four,
    };
    let kind = protect(state, 0, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        let holder = raising.top();
        new_metatable(raising, holder, "Notifier", &[("__close", close)]);
        raising.push_function(Userdata::<Notifier>::COLLECT, 0);
        raising.raw_set_name(-2, b"__gc");
        raising.new_table(0, METHODS.len());
        for (name, method) in METHODS {
            push_method(raising, holder, method);
            raising.raw_set_name(-2, name.as_bytes());
        }
        raising.raw_set_name(-2, b"__index");
        let kind = Userdata::adopt(raising);
        raising.set_top(holder - 1);
        kind
    })?;
    context.notifier.set(Some(kind));
    Ok(kind)
}

/// The notifier that is the receiver of a method, closed or not.
fn this(arguments: &Arguments) -> Result<&Notifier, Raise> {
    Userdata::get(&arguments.state, 1).ok_or_else(|| arguments.type_error(1, "Notifier"))
}

/// The notifier that is the receiver of a method.
fn open(arguments: &Arguments) -> Result<&Notifier, Raise> {
    let notifier = this(arguments)?;
    if notifier.is_closed() {
        return Err(Raise::message(text![
            arguments.function,
            ": the notifier is closed"
        ]));
    }
    Ok(notifier)
}

lua_function! {
    /// `notifier:fd()`: returns the number of the descriptor.
    fn fd = fd_body
}

fn fd_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "fd");
    let number = open(&arguments)?.signal().number();
    state.push_integer(number.map_err(|error| no_descriptor(&error))?);
    Ok(1)
}

lua_function! {
    /// `notifier:dirty()`: returns false: nothing is read ahead.
    fn dirty = |state| {
        state.push_boolean(false);
        Ok(1)
    }
}

lua_function! {
    /// `notifier:events()`: returns "r": the descriptor is read only.
    fn events = |state| {
        receiver::push_text(state, "r")?;
        Ok(1)
    }
}

lua_function! {
    /// `notifier:timeout()`: returns nothing: there is no time limit.
    fn nothing = |_| Ok(0)
}

lua_function! {
    /// `notifier:close()`
    always fn close = close_body
}

fn close_body(state: State) -> Result<c_int, Raise> {
    this(&Arguments::new(state, "close"))?.close();
    Ok(0)
}

lua_function! {
    /// `notifier:receive()`: returns key and value of a linda, or handle and status of a lane that
    /// has ended; nothing; `cancel_error`.
    always fn receive = receive_body
}

fn receive_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "receive");
    let notifier = open(&arguments)?;
    arguments.at_most(1)?;
    match notifier.shows {
        Shows::Elements => receive_element(context, &arguments, notifier),
        Shows::End => receive_end(context, &arguments, notifier),
        Shows::Nothing => {
            notifier.signal().clear();
            Ok(0)
        }
    }
}

/// An element and the number of its source.
fn receive_element(
    context: &Context,
    arguments: &Arguments,
    notifier: &Notifier,
) -> Result<c_int, Raise> {
    let state = arguments.state;
    let attempt = || -> Result<(usize, Message), Refusal> {
        let sources = notifier.sources.borrow();
        let Some(Source::Slot(linda, first, _)) = sources.first() else {
            return Err(Refusal::TimedOut);
        };
        soft_requests::before(linda, Who::Write);
        let (queues, signal) = (&linda.queues, notifier.signal());
        if sources.len() == 1 {
            return queues.receive_or_clear(&context.waiter, &[first.borrowed()], signal);
        }
        let keys = sources.iter().filter_map(|source| match source {
            Source::Slot(_, key, _) => Some(key.borrowed()),
            Source::End(_) => None,
        });
        queues.receive_or_clear(&context.waiter, &grow::collect(keys), signal)
    };
    let mut outcome = attempt();
    if let Err(Refusal::Request(Request::Hard)) = outcome {
        outcome = wait(context, state, Deadline::Now, &RECEIVE, |_| {
            waited(attempt())
        })?;
    }
    let (position, message) = match outcome {
        Ok(received) => received,
        Err(refusal) => return results::refused_receive(state, refusal),
    };
    // Kept apart from the notifier, which a finalizer may close while the value is built.
    let slot = match notifier.sources.borrow().get(position) {
        Some(Source::Slot(linda, _, _)) => Arc::clone(linda),
        _ => return Ok(0),
    };
    push_kept(state, position);
    let key = state.top();
    match decode_one(&context.coders, state, Label::Element, &message, &[]) {
        Ok(()) => Ok(2),
        Err(raise) => {
            if let Some(key) = KeyRef::at(&state, key) {
                slot.queues.put_back(&key, vec![message]);
            }
            Err(raise)
        }
    }
}

/// Pushes the value that the notifier keeps for source number `position`, counted from 0.
fn push_kept(state: State, position: usize) {
    state.push_user_value(1, 1);
    state.raw_get_index(-1, position as i64 + 1);
}

/// The end of the lane.
fn receive_end(
    context: &Context,
    arguments: &Arguments,
    notifier: &Notifier,
) -> Result<c_int, Raise> {
    let state = arguments.state;
    let record = match notifier.sources.borrow().first() {
        Some(Source::End(record)) => Arc::clone(record),
        _ => return Ok(0),
    };
    let ended = wait(context, state, Deadline::Now, &RECEIVE, |wait: &Wait| {
        waited(wait.until(|| record.has_ended()))
    })?;
    match ended {
        Ok(()) => {
            push_kept(state, 0);
            receiver::push_text(state, record.status())?;
            Ok(2)
        }
        Err(Refusal::TimedOut) => {
            notifier.signal().clear();
            // Neither the end nor a request waits for the lock of the notifier.
            if record.has_ended() || context.waiter.request() != Request::None {
                notifier.signal().tell();
            }
            results::refused_receive(state, Refusal::TimedOut)
        }
        Err(refusal) => results::refused_receive(state, refusal),
    }
}
