//! `lanes_register`: a C function that hosts and modules push, to make functions known by name
//! (docs/manual/embedding.md).

#![allow(unsafe_code, reason = "an exported symbol, which Lua calls")]

use crate::api::attach::attach;
use crate::api::names::register_in;
use crate::context::Context;
use crate::lua::compat::lua_State;
use crate::lua::{Raise, State, enter};
use std::os::raw::c_int;

/// `lanes.register(name, module)` as a C function without upvalues.
///
/// Errors: those of `lanes.register`; Lanes has not been configured in this state.
///
/// # Safety
/// Called by Lua.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn lanes_register(l: *mut lua_State) -> usize {
    // SAFETY: this frame owns nothing until `enter`, which drops all that it owns before it raises.
    unsafe {
        attach(l);
        enter(l, register)
    }
}

fn register(state: State) -> Result<c_int, Raise> {
    let context = Context::in_registry(&state)
        .filter(|context| context.universe_if_any().is_some())
        .ok_or_else(|| {
            Raise::message("Lanes is not ready: require \"lanes\".configure() comes first")
        })?;
    register_in(context, state)
}
