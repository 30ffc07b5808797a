//! `require`, which loads a module of one name in one lane at a time, and `lanes.require`.

use super::waiting::{Waited, is_called_back, wait};
use super::what::What;
use crate::context::Context;
use crate::loading::{self, Loading, Waiting};
use crate::lua::sentinels::CANCEL_ERROR;
use crate::lua::{
    Arguments, KEYS, Kind, ORIGINAL, Raise, Raising, State, lua_function, protect, text, upvalue,
};
use crate::message::{name_as, register};
use crate::universe::Universe;
use lanes_engine::memory::grow;
use lanes_engine::park::named::Refused;
use lanes_engine::park::{Deadline, Refusal, Wait, Waiter};
use std::os::raw::c_int;

/// Replaces the global `require` by a function that calls it while it holds the lock of the
/// module's name. Does nothing if there is no such global.
pub fn wrap(raising: Raising, context: c_int) {
    let wrapped = raising.raw_get_index(State::REGISTRY, KEYS.require) == Kind::Function;
    raising.pop(1);
    if wrapped {
        return;
    }
    raising.push_globals();
    raising.raw_get_name(-1, b"require");
    if raising.kind(-1) == Kind::Function {
        // For code that has kept the original in a local variable.
        name_as(raising, b"2:_G7:require");
        raising.raw_get_name(State::REGISTRY, b"_LOADED");
        raising.push_copy(-1);
        raising.raw_set_index(State::REGISTRY, KEYS.loaded);
        if raising.kind(-1) == Kind::Table {
            raising.raw_get_name(-1, b"package");
            raising.raw_set_index(State::REGISTRY, KEYS.package);
        }
        raising.pop(1);
        raising.push_copy(context);
        raising.push_copy(-2);
        raising.push_function(place_error, 2);
        raising.push_copy(context);
        raising.insert(-3);
        raising.push_function(serialised, 3);
        raising.push_copy(-1);
        raising.raw_set_index(State::REGISTRY, KEYS.require);
        raising.raw_set_name(-2, b"require");
        raising.pop(1);
    } else {
        raising.pop(2);
    }
}

lua_function! {
    /// The global `require`: calls the original, its second upvalue, under the lock of the module's
    /// name.
    fn serialised = serialised_body
}

fn serialised_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = state.top();
    if !matches!(state.kind(1), Kind::String | Kind::Number) && refuses_by_itself(state) {
        return Ok(ORIGINAL);
    }
    // A loaded module needs no lock, which another lane may hold for long.
    if state.kind(1) == Kind::String {
        if state.raw_get_index(State::REGISTRY, KEYS.loaded) == Kind::Table {
            state.push_copy(1);
            state.raw_get(-2);
            // A light userdata (5.1) or a number (LuaJIT) stands for a module that is being loaded,
            // or has failed. The original raises the error about that.
            if state.truth(-1) && !matches!(state.kind(-1), Kind::Light | Kind::Number) {
                return Ok(1);
            }
        }
        state.set_top(arguments);
    }
    // Modules that are loaded before the lane runs are loaded on its thread.
    match &*context.home.borrow() {
        Some(home) => {
            let _launching = Waiting::for_launch(home.creator(), context);
            home.call(state, load)
        }
        None => load(state),
    }
}

/// Calls the original `require` with the arguments of the running function.
fn load(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = state.top();
    let name = name(state)?;
    // The original raises the error about a value that is no name.
    let loading = match (context.universe_if_any(), &name) {
        (Some(universe), Some(name)) => Some(begin(context, state, universe, name)?),
        _ => None,
    };
    protect(state, 0, |raising| raising.reserve(2))?;
    state.push_copy(upvalue(2));
    state.insert(1);
    state.push_copy(upvalue(3));
    state.insert(1);
    let outcome = state.call_protected(arguments, None, 1);
    if loading.is_some() {
        drop(loading);
        context.coders.cache.modules_changed();
    }
    outcome.map_err(|_| Raise::Value)?;
    Ok(state.top() - 1)
}

lua_function! {
    /// The message handler for a call of the original `require`, its second upvalue. An error that
    /// the original itself raises (and not a module or a searcher) gets the position of our caller,
    /// because the original takes our function for its caller, which has no position.
    always fn place_error = place_error_body
}

fn place_error_body(state: State) -> Result<c_int, Raise> {
    // 0 is this function, 1 what raised the error, 2 ours in the original's place, 3 its caller.
    let raised_by_original = state.kind(1) == Kind::String
        && state.is_c_function(upvalue(2))
        && state.push_function_at(1)
        && state.raw_equal(-1, upvalue(2));
    state.set_top(1);
    if raised_by_original {
        protect(state, 1, |raising| {
            // One level more: the protected closure runs in a C function of its own.
            raising.push_where(4);
            raising.insert(-2);
            raising.concat(2);
        })?;
    }
    Ok(1)
}

/// Whether the original checks its argument as Lua's own `require` does, so that it can raise the
/// error about it in our place: it is a C function without upvalues, or with the table `package` as
/// the first.
fn refuses_by_itself(state: State) -> bool {
    let top = state.top();
    state.push_copy(upvalue(2));
    let mut standard = state.is_c_function(-1);
    if standard && state.push_upvalue(-1, 1).is_some() {
        standard = state.raw_get_index(State::REGISTRY, KEYS.package) == Kind::Table
            && state.raw_equal(-1, -2);
    }
    state.set_top(top);
    standard
}

/// The name of the requested module, if the first argument is a name.
fn name(state: State) -> Result<Option<Vec<u8>>, Raise> {
    if !matches!(state.kind(1), Kind::String | Kind::Number) {
        return Ok(None);
    }
    // A number that is converted becomes a string on the stack.
    state.push_copy(1);
    protect(state, 1, |raising| {
        raising.string(1);
    })?;
    let name = state.bytes(-1).map(grow::copy);
    state.pop(1);
    Ok(name)
}

/// Waits until nobody else loads the module `name`.
///
/// Errors: the wait would never end; a hard request.
fn begin<'a>(
    context: &Context,
    state: State,
    universe: &'a Universe,
    name: &'a [u8],
) -> Result<Loading<'a>, Raise> {
    // The request that ended the lane does not end its finalizers.
    let mut deaf = context.finalizing.get().then(Waiter::new);
    let begun = loop {
        let outcome = wait(
            context,
            state,
            Deadline::Never,
            &What::Module(name),
            |wait| {
                let waiter = deaf.as_ref().unwrap_or(wait.waiter);
                match Loading::begin(universe, context, name, &Wait { waiter, ..*wait }) {
                    Err(Refused::Wait(Refusal::Interrupted)) => Waited::Interrupted,
                    Err(Refused::Wait(refusal)) => Waited::Asked(Err(Refused::Wait(refusal))),
                    outcome => Waited::Ended(outcome),
                }
            },
        )?;
        match outcome {
            // `require` cannot return without the module, and an error cannot be raised here: wait
            // without requests.
            Err(Refused::Wait(_)) if is_called_back(context, state) => deaf = Some(Waiter::new()),
            outcome => break outcome,
        }
    };
    begun.map_err(
        |refused| match loading::explain(universe, context, name, &refused) {
            Some(text) => Raise::message(text),
            None => Raise::Light(CANCEL_ERROR),
        },
    )
}

lua_function! {
    /// `lanes.require(name)`: requires a module and makes its functions known by name
    /// (docs/manual/transfer.md#functions).
    pub fn lanes_require = lanes_require_body
}

fn lanes_require_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "require");
    let name = arguments.bytes(1)?;
    state.set_top(1);
    if state.raw_get_index(State::REGISTRY, KEYS.require) != Kind::Function {
        return Err(Raise::message(
            "lanes.require needs the library 'package', which this state does not have",
        ));
    }
    state.push_copy(1);
    state
        .call_protected(1, Some(1), 0)
        .map_err(|_| Raise::Value)?;
    if !matches!(state.kind(-1), Kind::Table | Kind::Function) {
        return Err(Raise::message(text![
            "unsupported module type ",
            state.type_name(-1),
            ": module '",
            name,
            "' should be a table or a function",
        ]));
    }
    let cache = &context.coders.cache;
    protect(state, 1, move |raising| register(cache, raising, name))?;
    Ok(1)
}
