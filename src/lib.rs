//! Lanes: native threads for Lua.
//!
//! The crate is a house of floors; a floor uses those below it, and all of them the engine (`lanes_engine`), which knows no Lua:
//! 1. [`lua`] (the language border), [`facts`], [`markers`]
//! 2. [`message`] (captured values)
//! 3. [`state`] (Lua states for lanes)
//! 4. [`universe`] (what lanes have in common), [`context`] (what our functions know in one state)
//! 5. [`linda`] (their methods), [`lane`], [`timer`]
//! 6. [`module`] (the table that Lua sees), `capi` (the C interface), and the loader below

#![deny(unsafe_code)]

mod capi;
mod context;
mod facts;
#[cfg(feature = "hooks")]
mod hooks;
mod lane;
mod linda;
mod loading;
mod lua;
mod markers;
mod message;
mod module;
mod state;
mod timer;
mod universe;

use context::Context;
use lua::compat::lua_State;
use lua::{Raise, Raising, State, enter, install};
use message::KEYS;
use std::os::raw::{c_int, c_void};
use std::sync::Once;

/// The loader of `require "lanes_core"`: answers the module's table.
///
/// # Safety
/// Called by Lua, with a state of the version that this library was built for.
#[allow(
    unsafe_code,
    reason = "an exported symbol, which Lua calls with its state"
)]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_lanes_core(l: *mut lua_State) -> usize {
    // SAFETY: called by Lua; until `enter` this frame owns nothing, so what raises in it skips no destructor.
    unsafe {
        attach(l);
        enter(l, open)
    }
}

/// Gives a state its context, where it has none.
///
/// Errors: the Lua that runs is not the one that this library was built for; out of memory.
///
/// # Safety
/// The state is alive and used by this thread, and no frame up to its running function owns anything.
#[allow(
    unsafe_code,
    reason = "called before a state has its context, by exported symbols alone"
)]
unsafe fn attach(l: *mut lua_State) {
    // SAFETY: until `enter` this frame owns nothing, so what raises in it skips no destructor.
    unsafe {
        let raising = Raising::unprotected(l);
        raising.reserve(20);
        // A state of ours has been made by the right Lua.
        if Context::in_registry(*raising).is_some() {
            return;
        }
        module::guard::check(raising);
        install(raising);
        enter(l, |state| {
            static PINNED: Once = Once::new();
            PINNED.call_once(|| lanes_engine::pin::pin(luaopen_lanes_core as *const c_void));
            let kinds = Context::prepare(state)?;
            let main = lua::protect(state, 0, |raising| raising.main_coroutine())?;
            Context::install(state, kinds, Context::new("main", None));
            if let Some(context) = Context::in_registry(state) {
                context.main.set(Some(main));
            }
            Ok(0)
        });
    }
}

fn open(state: State) -> Result<c_int, Raise> {
    lua::protect(state, 0, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        module::push(raising, 1);
        raising.remove(1);
    })?;
    Ok(1)
}
