//! What Lanes 3.x exports besides its C interface, for modules that use it: `push_deep_proxy` and
//! `free_deep_prelude`.

#![allow(
    unsafe_code,
    reason = "exported symbols, and the object that a module names is its own memory"
)]

use super::foreign::{
    Foreign, Prelude, WRONG_VERSION, enter_object, find_object, forget_object, is_magic,
};
use crate::api::attach::attach;
use crate::context::Context;
use crate::lua::compat::lua_State;
use crate::lua::{Kind, Raise, State, enter_always, protect};
use crate::message::{Arrival, Deep, push_proxy_raising};
use std::mem::ManuallyDrop;
use std::os::raw::{c_char, c_int};
use std::sync::Arc;

/// Pushes this state's proxy of an object and returns null; or pushes the reason why there is none
/// and returns its text. From its first proxy on, the object belongs to Lanes.
///
/// # Safety
/// Called by a C function that Lua called, with an object that lives and begins with a filled
/// prelude.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn push_deep_proxy(
    l: *mut lua_State,
    object: *mut Prelude,
    user_values: c_int,
    _mode: c_int,
) -> *const c_char {
    // SAFETY: this frame owns nothing until `enter`, which drops all that it owns before it raises.
    unsafe {
        attach(l);
        enter_always(l, move |state| push_object(state, object, user_values));
    }
    // SAFETY: called with a live state.
    let state = unsafe { State::new(l) };
    if state.kind(-1) == Kind::String {
        state.string(-1).as_ptr().cast()
    } else {
        std::ptr::null()
    }
}

fn push_object(state: State, object: *mut Prelude, user_values: c_int) -> Result<c_int, Raise> {
    let context = Context::in_registry(&state).ok_or_else(|| {
        Raise::message("lanes cannot be used any more: this Lua state is being closed")
    })?;
    // SAFETY: the caller has a live object.
    let (magic, identify) = unsafe { ((*object).magic, (*object).identify) };
    let identify = identify
        .filter(|_| is_magic(magic))
        .ok_or_else(|| Raise::message(WRONG_VERSION))?;
    let foreign = find_object(object).unwrap_or_else(|| {
        let foreign = Arc::new(Foreign {
            object,
            identify,
            user_values: user_values.clamp(0, 255) as u8,
        });
        enter_object(object, &foreign);
        foreign
    });
    let shared: Arc<dyn Deep> = Arc::clone(&foreign) as Arc<dyn Deep>;
    let cache = &context.coders.cache;
    let pushed = protect(state, 0, |raising| {
        let arrival = shared.arrive(&cache.kinds, raising);
        if arrival == Arrival::ModuleLoaded {
            cache.modules_changed();
        }
        arrival != Arrival::Refused && push_proxy_raising(&cache.kinds, raising, &shared)
    });
    drop(shared);
    if !matches!(pushed, Ok(true))
        && let Some(foreign) = Arc::into_inner(foreign)
    {
        // It has no proxy, so it is still the module's.
        forget_object(object);
        let _ = ManuallyDrop::new(foreign);
    }
    pushed.map(|_| 1)
}

/// Has the module free an object that has no proxies.
///
/// # Safety
/// Called by a C function that Lua called, with an object that lives and begins with a filled
/// prelude.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn free_deep_prelude(l: *mut lua_State, object: *mut Prelude) {
    // SAFETY: this frame owns nothing until `enter`, which drops all that it owns before it raises.
    unsafe {
        attach(l);
        enter_always(l, move |state| free_object(state, object));
    }
}

fn free_object(state: State, object: *mut Prelude) -> Result<c_int, Raise> {
    if find_object(object).is_some() {
        return Err(Raise::message(
            "free_deep_prelude: the object still has proxies, the last of which frees it",
        ));
    }
    // SAFETY: the caller has a live object.
    let identify = unsafe { (*object).identify }
        .ok_or_else(|| Raise::message("free_deep_prelude: the object has no identity function"))?;
    let foreign = ManuallyDrop::new(Foreign {
        object,
        identify,
        user_values: 0,
    });
    foreign.free(state, &mut false)?;
    Ok(0)
}
