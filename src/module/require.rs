//! `require`, one at a time in a universe (SPEC-3x 1.7), and `lanes.require`.

use crate::context::{Context, Waited};
use crate::lua::{Arguments, Kind, Raise, Raising, State, brief, lua_function, protect, upvalue};
use crate::markers::CANCEL_ERROR;
use crate::message::{KEYS, name_as, register};
use crate::park::{Deadline, Refusal, Wait, Waiter};
use std::os::raw::c_int;

/// Replaces the global `require` by one that holds the universe's lock meanwhile. Without the global: nothing.
pub fn wrap(raising: Raising, context: c_int) {
    raising.raw_get_index(State::REGISTRY, KEYS.require);
    let wrapped = raising.kind(-1) == Kind::Function;
    raising.pop(1);
    if wrapped {
        return;
    }
    raising.push_globals();
    raising.raw_get_name(-1, b"require");
    if raising.kind(-1) == Kind::Function {
        // Whoever kept the original in a local variable means the same.
        name_as(raising, b"_G\x007:require");
        raising.raw_get_name(State::REGISTRY, b"_LOADED");
        raising.raw_set_index(State::REGISTRY, KEYS.loaded);
        raising.push_copy(context);
        raising.insert(-2);
        raising.push_function(serialised, 2);
        raising.push_copy(-1);
        raising.raw_set_index(State::REGISTRY, KEYS.require);
        raising.raw_set_name(-2, b"require");
        raising.pop(1);
    } else {
        raising.pop(2);
    }
}

lua_function! {
    /// The global `require`: calls the original, its second upvalue, under the lock.
    fn serialised = serialised_body
}

fn serialised_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = state.top();
    // A module that is there needs no lock, which another lane may hold for long.
    if state.kind(1) == Kind::String {
        state.raw_get_index(State::REGISTRY, KEYS.loaded);
        if state.kind(-1) == Kind::Table {
            state.push_copy(1);
            state.raw_get(-2);
            // A light userdata stands for a module that is being loaded (5.1): the original has words for that.
            if state.truth(-1) && state.kind(-1) != Kind::Light {
                return Ok(1);
            }
        }
        state.set_top(arguments);
    }
    // What is loaded before the lane runs is loaded on its thread.
    match &*context.home.borrow() {
        Some(home) => home.call(state, load),
        None => load(state),
    }
}

/// Calls the original `require` with the arguments of the running function.
fn load(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = state.top();
    state.push_copy(upvalue(2));
    state.insert(1);
    let Some(universe) = context.universe_if_any() else {
        state
            .call_protected(arguments, None, 0)
            .map_err(|_| Raise::Value)?;
        return Ok(state.top());
    };
    // A finalizer that was reached by a request is not ended by the same request.
    let deaf = context.finalizing.get().then(Waiter::new);
    context.wait(state, Deadline::Never, |wait| {
        let waiter = deaf.as_ref().unwrap_or(wait.waiter);
        match universe.require.lock(&Wait { waiter, ..*wait }) {
            Err(Refusal::Interrupted) => Waited::Interrupted,
            Err(_) => Waited::Ended(Err(Raise::Light(CANCEL_ERROR))),
            Ok(()) => Waited::Ended(Ok(())),
        }
    })??;
    let outcome = state.call_protected(arguments, None, 0);
    universe.require.unlock();
    context.local.modules_changed();
    outcome.map_err(|_| Raise::Value)?;
    Ok(state.top())
}

lua_function! {
    /// `lanes.require(name)`: requires a module and makes its functions known by name (SPEC-3x section 12).
    pub fn lanes_require = lanes_require_body
}

fn lanes_require_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(state)?;
    let arguments = Arguments::new(state, "require");
    let name = arguments.bytes(1)?;
    state.set_top(1);
    state.raw_get_index(State::REGISTRY, KEYS.require);
    if state.kind(-1) != Kind::Function {
        return Err(Raise::message(
            "lanes.require needs the library 'package', which this state does not have",
        ));
    }
    state.push_copy(1);
    state
        .call_protected(1, Some(1), 0)
        .map_err(|_| Raise::Value)?;
    if !matches!(state.kind(-1), Kind::Table | Kind::Function) {
        return Err(Raise::message(format!(
            "unsupported module type {}: module '{}' should be a table or a function",
            state.type_name(-1),
            brief(name)
        )));
    }
    let local = &context.local;
    protect(state, 1, move |raising| register(local, raising, name))?;
    Ok(1)
}
