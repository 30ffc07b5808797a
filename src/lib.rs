//! Lanes: native threads for Lua.
//!
//! The crate is a house of floors; a floor uses those below it:
//! 1. [`lua`] (the language border), [`park`] (waiting), [`sync`], [`facts`], [`markers`]
//! 2. [`message`] (captured values), `threads` (cached threads), `timer::service`
//! 3. `linda::queues` (what lindas do, without Lua), [`state`] (Lua states for lanes)
//! 4. [`universe`] (what lanes have in common), [`context`] (what our functions know in one state)
//! 5. [`linda`] (their methods), [`lane`], [`timer`]
//! 6. [`module`] (the table that Lua sees), and the exported symbols below

mod context;
mod facts;
#[cfg(feature = "hooks")]
mod hooks;
mod lane;
mod linda;
mod lua;
mod markers;
mod message;
mod module;
mod park;
mod state;
mod sync;
mod threads;
mod timer;
mod universe;

use context::Context;
use lua::compat::lua_State;
use lua::{Raise, Raising, State, enter, install};
use message::KEYS;
use std::os::raw::c_int;

/// The loader of `require "lanes_core"`: answers the module's table.
///
/// # Safety
/// Called by Lua, with a state of the version that this library was built for.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_lanes_core(l: *mut lua_State) -> usize {
    // SAFETY: called by Lua; until `enter` this frame owns nothing, so what raises in it skips no destructor.
    unsafe {
        // A state of ours has been made by the right Lua.
        if Context::in_registry(State::new(l)).is_none() {
            module::guard::check(Raising::unprotected(l));
        }
        install(Raising::unprotected(l));
        enter(l, open)
    }
}

fn open(state: State) -> Result<c_int, Raise> {
    if Context::in_registry(state).is_none() {
        let kinds = Context::prepare(state)?;
        Context::install(state, kinds, Context::new("main", None));
    }
    lua::protect(state, 0, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        module::push(raising, 1);
        raising.remove(1);
    })?;
    Ok(1)
}
