//! What `lanes.scope` builds on (docs/manual/scopes.md): the userdata of a scope, and waits that no
//! request ends.

use super::lane::{receiver, suspension};
use crate::context::Context;
use crate::lane::{ALL_HOOKS, Handle};
use crate::lua::{
    Arguments, KEYS, Kind, Raise, State, Userdata, lua_function, new_metatable, protect,
};
use crate::scope::Scope;
use lanes_engine::memory::grow;
use lanes_engine::park::{Deadline, Request};
use std::io::ErrorKind;
use std::os::raw::c_int;

/// The kind of userdata that scopes are in this state.
fn kind(context: &Context, state: State) -> Result<Userdata<Scope>, Raise> {
    if let Some(kind) = context.scope.get() {
        return Ok(kind);
    }
    let kind = protect(state, 0, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        let functions = [("__gc", Userdata::<Scope>::COLLECT)];
        new_metatable(raising, -1, "scope", &functions);
        let kind = Userdata::<Scope>::adopt(raising);
        raising.pop(2);
        kind
    })?;
    context.scope.set(Some(kind));
    Ok(kind)
}

fn this(arguments: &Arguments) -> Result<&Scope, Raise> {
    Userdata::get(&arguments.state, 1).ok_or_else(|| arguments.type_error(1, "scope"))
}

fn handle(arguments: &Arguments, index: c_int) -> Result<&Handle, Raise> {
    Userdata::get(&arguments.state, index).ok_or_else(|| arguments.type_error(index, "Lane"))
}

lua_function! {
    /// `scope(timeout, ends_at_failure)`: returns a new scope of this state. At the timeout
    /// (seconds; nil: never), and if one of its lanes fails and the second argument is true, the
    /// state and the lanes are asked to stop.
    pub fn begin = begin_body
}

fn begin_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "scope");
    let timeout = match state.kind(1) {
        Kind::Nil => None,
        _ => Some(arguments.number(1)?),
    };
    let ends_at_failure = state.truth(2);
    let kind = kind(context, state)?;
    protect(state, 0, move |raising| kind.push_empty(raising, 0))?;
    grow::demand(size_of::<Scope>());
    let scope = Scope::new(&context.waiter, context.universe()?, ends_at_failure);
    if let Some(seconds) = timeout {
        scope
            .set_timeout(seconds)
            .map_err(|error| match error.kind() {
                ErrorKind::OutOfMemory => Raise::out_of_memory(),
                _ => Raise::message(format!("cannot start the thread of the timers ({error})")),
            })?;
    }
    Userdata::put(state, -1, Box::new(scope));
    Ok(1)
}

lua_function! {
    /// `scope_add(scope, lane)`: adds a lane.
    pub fn add = add_body
}

fn add_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "scope_add");
    this(&arguments)?.add(&handle(&arguments, 2)?.record);
    Ok(0)
}

lua_function! {
    /// `scope_ring(scope)`: asks the lanes, and before `scope_leave` this state, to stop. Only the
    /// first such request counts.
    always pub fn ring = ring_body
}

fn ring_body(state: State) -> Result<c_int, Raise> {
    this(&Arguments::new(state, "scope_ring"))?.ring();
    Ok(0)
}

lua_function! {
    /// `scope_leave(scope)`: from now on this scope asks only its lanes to stop. Returns whether
    /// there is a hard request to this state.
    always pub fn leave = leave_body
}

fn leave_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    this(&Arguments::new(state, "scope_leave"))?.leave();
    state.push_boolean(context.waiter.request() == Request::Hard);
    Ok(1)
}

lua_function! {
    /// `scope_end(scope)`: ends the timeout. Returns the number (as `end_number`) of the moment at
    /// which it passed; nil if it has not.
    always pub fn end = end_body
}

fn end_body(state: State) -> Result<c_int, Raise> {
    match this(&Arguments::new(state, "scope_end"))?.end() {
        Some(number) => state.push_integer(number as i64),
        None => state.push_nil(),
    }
    Ok(1)
}

lua_function! {
    /// `scope_wait(lane, close)`: waits until the lane has ended, whatever this state is asked.
    /// With `close`, a coroutine lane is ended where it is suspended, and a hard request is raised.
    always pub fn wait_for = wait_body
}

fn wait_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "scope_wait");
    let record = &handle(&arguments, 1)?.record;
    if state.truth(2) && record.turns.get().is_some() {
        suspension::wait_or_close(context, state, record, Deadline::Never)?;
    }
    receiver::wait_anyway(context, state, record)?;
    Ok(0)
}

lua_function! {
    /// `scope_stop(lane, how)`: asks a lane to stop, and wakes it: "soft", "hard", or "hooks", a
    /// hard request that sets all hooks, too.
    always pub fn stop = stop_body
}

fn stop_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "scope_stop");
    let record = &handle(&arguments, 1)?.record;
    let how = arguments.bytes(2)?;
    let request = if how == b"soft" {
        Request::Soft
    } else {
        Request::Hard
    };
    record.waiter.cancel(request, true);
    if how == b"hooks" {
        record.set_hooks(ALL_HOOKS.0, ALL_HOOKS.1);
    }
    Ok(0)
}
