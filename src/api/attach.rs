//! The loader of the module, and how a state gets its context.

use super::loaded::{ENTRANCES, Entrances};
use super::prepare::prepare;
use super::{table, version_check};
use crate::context::Context;
use crate::lua::compat::lua_State;
use crate::lua::{self, KEYS, Raise, Raising, State, enter, install};
use crate::universe::Interface;
use std::os::raw::{c_int, c_void};

/// The loader of `require "lanes_core"`: returns the module's table.
///
/// # Safety
/// Called by Lua, with a state of the version that this library was built for.
#[allow(
    unsafe_code,
    reason = "an exported symbol, which Lua calls with its state"
)]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_lanes_core(l: *mut lua_State) -> usize {
    // SAFETY: called by Lua; until `enter` this frame owns nothing, so what raises in it skips no
    // destructor.
    unsafe {
        attach(l);
        enter(l, open)
    }
}

/// Gives a state a context, if it has none.
///
/// Errors: the Lua that runs is not the one that this library was built for; out of memory.
///
/// # Safety
/// The state is alive and used by this thread, and no frame up to its running function owns
/// anything.
#[allow(
    unsafe_code,
    reason = "called before a state has its context, by exported symbols alone"
)]
pub unsafe fn attach(l: *mut lua_State) {
    // SAFETY: until `enter` this frame owns nothing, so what raises in it skips no destructor.
    unsafe {
        let raising = Raising::unprotected(l);
        raising.reserve(20);
        // The state of a lane was made by the right Lua.
        if Context::in_registry(&raising).is_some() {
            return;
        }
        version_check::check(raising);
        install(raising);
        enter(l, |state| {
            ENTRANCES.get_or_init(|| {
                lanes_engine::pin::pin(luaopen_lanes_core as *const c_void);
                Entrances {
                    open: luaopen_lanes_core,
                    fill: table::fill_now,
                }
            });
            let kinds = prepare(state, Interface::Three)?;
            let main = lua::protect(state, 0, |raising| raising.main_coroutine())?;
            Context::install(state, kinds, Context::new("main", None));
            if let Some(context) = Context::in_registry(&state) {
                context.main.set(Some(main));
            }
            Ok(0)
        });
    }
}

fn open(state: State) -> Result<c_int, Raise> {
    lua::protect(state, 0, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        table::push(raising, 1);
        raising.remove(1);
    })?;
    Ok(1)
}
