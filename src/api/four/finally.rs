//! `lanes.finally`: a function that is called when the master state is being closed, after its
//! lanes have been asked to stop (docs/manual/v4.md#shutdown).

use crate::api::lane::shutdown::{stop_in_stages, unclosed};
use crate::context::Context;
use crate::lua::{Arguments, KEYS, Kind, Raise, State, lua_function, protect};
use crate::universe::{Interface, Universe};
use std::os::raw::c_int;
use std::sync::Arc;

lua_function! {
    /// `lanes.finally([f])`: sets the function; nil takes it away.
    pub fn finally = finally_body
}

fn finally_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    context.universe()?;
    let arguments = Arguments::new(state, "finally");
    if !context.master.get() {
        return Err(Raise::message(
            "lanes.finally called from inside a lane: the main state alone ends a program",
        ));
    }
    arguments.at_most(1)?;
    if !matches!(state.kind(1), Kind::None | Kind::Nil | Kind::Function) {
        return Err(arguments.error(
            1,
            format_args!("finalizer should be a function, got {}", state.type_name(1)),
        ));
    }
    state.set_top(1);
    protect(state, 1, |raising| {
        raising.raw_set_index(State::REGISTRY, KEYS.finally)
    })?;
    Ok(0)
}

/// Called when a state is being closed, while its context is still in place. If it is a master with
/// the 4.x interface, asks its lanes to stop and calls the function.
///
/// Errors: the function has failed; lanes still run, and it has returned a value other than
/// "freeze", which is the error; lanes still run, and there is no such value. They are raised when
/// all else has been closed: the value of `Raise::Value` is at index 2 of the stack, the topmost.
pub fn run(context: &Context, state: State) -> Result<(), Raise> {
    let four = context.master.get() && context.interface() == Interface::Four;
    let Some(universe) = context.universe_if_any().filter(|_| four) else {
        return Ok(());
    };
    state.set_top(1);
    let ended = stop_in_stages(universe);
    if state.raw_get_index(State::REGISTRY, KEYS.finally) != Kind::Function {
        state.pop(1);
        return judge(universe, state, ended);
    }
    state.push_boolean(ended);
    state
        .call_protected(1, Some(1), 0)
        .map_err(|_| Raise::Value)?;
    judge(universe, state, ended)
}

/// What follows from the result of the function, which is at index 2 if it was called.
fn judge(universe: &Arc<Universe>, state: State, ended: bool) -> Result<(), Raise> {
    if ended || unclosed(universe).is_empty() {
        return Ok(());
    }
    if state.bytes(2) == Some(b"freeze") {
        loop {
            std::thread::park();
        }
    }
    if state.is_none_or_nil(2) {
        return Err(Raise::Bare(
            "uncooperative lanes detected at shutdown".into(),
        ));
    }
    Err(Raise::Value)
}
