//! Prepares states for our functions, and ends what belongs to a state when it is closed.

use super::lane::{failures, shutdown::shut_down};
use super::{four, lane, linda};
use crate::context::Context;
use crate::lane::Kinds;
use crate::lua::{Raise, State, lua_function, protect};
use crate::message::TransferCache;
use crate::universe::Interface;
use std::os::raw::c_int;

/// Prepares a state for contexts: registry tables, metatables of lindas and lane handles. Returns
/// what contexts of this state have in common. A state that is to be a master gets the methods of
/// another interface later, by `configure`.
pub fn prepare(state: State, interface: Interface) -> Result<Kinds, Raise> {
    protect(state, 0, |raising| {
        raising.reserve(16);
        TransferCache::install(raising);
        Context::prepare(raising, close);
        let holder = raising.top();
        let linda = linda::methods::install(raising, holder);
        let handle = lane::methods::install(raising, holder);
        let kinds = Kinds { linda, handle };
        if interface == Interface::Four {
            four::install(raising, holder, kinds);
        }
        raising.set_top(0);
        kinds
    })
}

lua_function! {
    /// `__gc` of the context: the state is being closed. A master ends its universe.
    always fn close = close_body
}

fn close_body(state: State) -> Result<c_int, Raise> {
    let finished = match Context::at(&state, 1) {
        Some(context) => four::finally::run(context, state),
        None => return Ok(0),
    };
    let Some(context) = Context::take(state, 1) else {
        return Ok(0);
    };
    if !context.master.get() {
        drop(context);
        crate::state::allocator::ending(state.raw());
    } else if let Some(universe) = context.universe_if_any() {
        let all_ended = shut_down(universe);
        failures::drain(&context, state);
        // Lanes that still run use the host's allocator behind the same lock as this state.
        if let Some(shared) = universe.settings.allocator.as_ref().filter(|_| all_ended) {
            shared.restore(state.raw());
        }
    }
    if finished.is_err() {
        state.set_top(2);
    }
    finished.map(|()| 0)
}
