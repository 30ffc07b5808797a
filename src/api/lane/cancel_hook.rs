//! The debug hook that ends a lane which is asked to stop.
//!
//! `unsafe`: the debug hook is called by Lua and raises from its own frame.

#![allow(
    unsafe_code,
    reason = "Lua calls the debug hook, which raises from its own frame"
)]

use super::lane_hooks;
use crate::api::waiting::{is_called_back, is_left_alone};
use crate::context::Context;
use crate::lua::compat::{lua_Debug, lua_State};
use crate::lua::sentinels::CANCEL_ERROR;
use crate::lua::{Hook, KEYS, Raising, State, is_trampoline};
use lanes_engine::park::Request;
use std::os::raw::c_void;

/// Ends a lane that is asked to stop: restores the hook that the lane had set, and raises
/// `cancel_error`.
pub const HOOK: Hook = hook;

unsafe extern "C-unwind" fn hook(l: *mut lua_State, _: *mut lua_Debug) {
    // SAFETY: called by Lua.
    let state = unsafe { State::new(l) };
    let Some(context) = Context::in_registry(&state) else {
        return;
    };
    if context.waiter.request() != Request::None {
        // During a callback the hook stays set and has no effect; it acts when the callback has
        // ended.
        if is_to_end(state) || is_left_alone(context, state) || is_called_back(context, state) {
            return;
        }
        // If a message handler is running, this error is replaced by another one. The hook stays
        // set and raises its error again when the handler has ended.
        if !state.replaces_errors() {
            lane_hooks::restore(state);
            if let Some(record) = &context.record {
                record.hook_raised();
            }
        }
        // SAFETY: called by Lua at a hook point; this frame owns nothing.
        let raising = unsafe { Raising::unprotected(l) };
        raising.push_light(CANCEL_ERROR as *mut c_void);
        raising.raise();
    }
}

/// Whether the running function must not be interrupted. It is one of: the function that handles
/// the lane's error, since an error there would replace both; a message handler in C, for the same
/// reason; a C function of the library, since a receive that has taken an element would put it back
/// after others have received the next one.
fn is_to_end(state: State) -> bool {
    if !state.push_running() {
        return false;
    }
    state.raw_get_index(State::REGISTRY, KEYS.handler);
    let to_end = state.raw_equal(-1, -2)
        || is_trampoline(state, -2)
        || state.replaces_errors() && state.is_c_function(-2);
    state.pop(2);
    to_end
}
