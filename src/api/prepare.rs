//! Prepares states for our functions, and ends what belongs to a state when it is closed.

use super::lane::{failures, shutdown::shut_down};
use super::{lane, linda};
use crate::context::Context;
use crate::lane::Kinds;
use crate::lua::{Raise, State, lua_function, protect};
use crate::message::TransferCache;
use std::os::raw::c_int;

/// Prepares a state for contexts: registry tables, metatables of lindas and lane handles. Returns
/// what contexts of this state have in common.
pub fn prepare(state: State) -> Result<Kinds, Raise> {
    protect(state, 0, |raising| {
        raising.reserve(16);
        TransferCache::install(raising);
        Context::prepare(raising, close);
        let holder = raising.top();
        let linda = linda::methods::install(raising, holder);
        let handle = lane::methods::install(raising, holder);
        raising.set_top(0);
        Kinds { linda, handle }
    })
}

lua_function! {
    /// `__gc` of the context: the state is being closed. A master ends its universe.
    always fn close = close_body
}

fn close_body(state: State) -> Result<c_int, Raise> {
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
    Ok(0)
}
