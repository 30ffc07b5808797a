//! Deep objects of C modules: `luaG_newdeepuserdata` and `luaG_todeep`
//! (docs/manual/embedding.md#objects-of-c-modules).

#![allow(
    unsafe_code,
    reason = "calls the modules' identity functions and writes the head of their objects, on the terms that include/lanes.h states"
)]

use super::foreign::{
    DELETE, Foreign, Identify, NEW, Prelude, WRONG_VERSION, enter_object, foreign_of, is_magic,
};
use crate::api::attach::attach;
use crate::context::Context;
use crate::lua::compat::lua_State;
use crate::lua::{Raise, Raising, State, Userdata, enter_always};
use crate::message::{Deep, Proxy, push_proxy};
use std::os::raw::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::AtomicI32;

/// Calls the identity function to make an object from the arguments on the stack. Raises if the
/// object is not as it should be.
///
/// # Safety
/// Called by a C function that Lua called, through frames that own nothing.
unsafe fn make(raising: Raising, identify: Identify, user_values: c_int) -> *mut Prelude {
    let fail = |text: &[u8]| -> ! {
        raising.push_where(1);
        raising.push_bytes(text);
        raising.concat(2);
        raising.raise()
    };
    if !(0..=255).contains(&user_values) {
        fail(b"luaG_newdeepuserdata: the number of user values must be from 0 to 255");
    }
    let before = raising.top();
    // SAFETY: the function is called as include/lanes.h says.
    let object = unsafe { identify(raising.raw(), NEW) }.cast::<Prelude>();
    if object.is_null() {
        fail(b"idfunc(eDO_new) failed to create deep userdata (out of memory)");
    }
    // SAFETY: every object begins with a prelude, whose first word the module has set.
    let built_for_this = is_magic(unsafe { (*object).magic });
    if built_for_this && raising.top() == before {
        // SAFETY: the new object is known only here.
        unsafe {
            (*object).identify = Some(identify);
            (*object).proxies = AtomicI32::new(0);
        }
        return object;
    }
    raising.set_top(0);
    raising.push_light(object.cast());
    // SAFETY: as above; the object is the only thing on the stack.
    unsafe { identify(raising.raw(), DELETE) };
    if built_for_this {
        fail(b"Bad idfunc(eDO_new): should not push anything on the stack")
    } else {
        fail(WRONG_VERSION.as_bytes())
    }
}

/// Pushes a proxy of a new object.
fn push_new(state: State, foreign: Foreign) -> Result<c_int, Raise> {
    let address = foreign.object;
    let foreign = Arc::new(foreign);
    enter_object(address, &foreign);
    let object: Arc<dyn Deep> = Arc::clone(&foreign) as Arc<dyn Deep>;
    let outcome = Context::in_registry(&state)
        .ok_or_else(|| {
            Raise::message("lanes cannot be used any more: this Lua state is being closed")
        })
        .and_then(|context| push_proxy(&context.coders.cache.kinds, state, &object));
    drop(object);
    if let Some(foreign) = Arc::into_inner(foreign) {
        // There is no proxy. The error value stays at the top of the stack.
        if foreign.delete(state).is_err() {
            state.pop(1);
        }
    }
    outcome.map(|()| 1)
}

/// Pushes a proxy of a new object that `identify` makes from the arguments on the stack, with
/// `user_values` user values. Returns 1.
///
/// Errors: what `identify` raises; a violation of the rules by `identify`.
///
/// # Safety
/// Called by a C function that Lua called, with an identity function that follows include/lanes.h.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaG_newdeepuserdata(
    l: *mut lua_State,
    identify: Identify,
    user_values: c_int,
) -> usize {
    // SAFETY: this frame owns nothing until `enter`, which drops all that it owns before it raises.
    unsafe {
        attach(l);
        let object = make(Raising::unprotected(l), identify, user_values);
        let user_values = user_values as u8;
        enter_always(l, move |state| {
            push_new(
                state,
                Foreign {
                    object,
                    identify,
                    user_values,
                },
            )
        })
    }
}

/// The object whose proxy is at `index`. Returns null if the value there is no proxy of an object
/// of `identify`.
///
/// # Safety
/// Called with a live state and an acceptable index.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaG_todeep(
    l: *mut lua_State,
    identify: Identify,
    index: c_int,
) -> *mut c_void {
    // SAFETY: this frame owns nothing.
    unsafe { Raising::unprotected(l) }.reserve(4);
    // SAFETY: by the contract of this function.
    let state = unsafe { State::new(l) };
    let index = state.absolute(index);
    Context::in_registry(&state)
        .and_then(|_| Userdata::<Proxy>::get(&state, index))
        .and_then(foreign_of)
        .filter(|foreign| foreign.identify as usize == identify as usize)
        .map_or(std::ptr::null_mut(), |foreign| foreign.object.cast())
}
