//! `enter`: how a function that Lua calls runs its body, and how an error or a panic of the body
//! reaches Lua.

use super::compat::{self as c, lua_State};
use super::protect::{Raising, protect};
use super::raise::Raise;
use super::state::State;
use lanes_engine::memory::grow::OutOfMemory;
use lanes_engine::memory::reserve;
use std::any::Any;
use std::os::raw::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Makes the error value the only value on the stack. If memory runs out meanwhile, that value is
/// Lua's own error for it.
fn push(raise: Raise, state: State) {
    let (text, level) = match &raise {
        Raise::Value => return,
        Raise::Light(value) => {
            let value = *value;
            state.set_top(0);
            let _ = protect(state, 0, move |raising| {
                raising.push_light(value as *mut c_void)
            });
            return;
        }
        Raise::Bare(text) => (text, 0),
        Raise::Message(text) => (text, 1),
        Raise::Level(text, level) => (text, *level),
    };
    let bytes = text.bytes() as *const [u8];
    // A failure leaves another error value at the top of the stack, which is raised instead.
    let _ = protect(state, 0, move |raising| {
        if level > 0 {
            // One level more: the protected closure runs in a C function of its own.
            raising.push_where(level + 1);
        }
        // SAFETY: `text` is owned by the frame outside of `protect`.
        raising.push_bytes(unsafe { &*bytes });
        if level > 0 {
            raising.concat(2);
        }
    });
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "no message"
    }
}

/// Tells the frame that owns nothing to raise the value at the top of the stack.
const RAISE: c_int = -1;

/// A body returns this in place of a number of results to have the original, the second upvalue,
/// run within the same call. Texts and positions of errors are then those of the original. The
/// stack must be as Lua passed it.
pub const ORIGINAL: c_int = -2;

/// The index of the original among the upvalues of its replacement.
const ORIGINAL_AT: c_int = c::lua_upvalueindex(2);

/// Calls the C function that the running function replaces, within the same call: the original sees
/// the same arguments, name and caller.
///
/// # Safety
/// Called from frames that own nothing, in a function whose second upvalue is a C function that
/// either has no upvalues or finds its own in the same places.
unsafe fn original(l: *mut lua_State) -> c_int {
    // SAFETY: by the contract of this function.
    unsafe {
        match c::lua_tocfunction(l, ORIGINAL_AT) {
            Some(function) => function(l),
            None => {
                c::lua_pushvalue(l, ORIGINAL_AT);
                c::lua_insert(l, 1);
                c::lua_call(l, c::lua_gettop(l) - 1, c::LUA_MULTRET);
                c::lua_gettop(l)
            }
        }
    }
}

/// Does what the body could not do itself because its frame owned something: raises the error, or
/// calls the original.
///
/// # Safety
/// Called from frames that own nothing.
#[cold]
#[inline(never)]
unsafe extern "C-unwind" fn rest(l: *mut lua_State, results: c_int) -> usize {
    // SAFETY: by the contract of this function.
    unsafe {
        if results == ORIGINAL {
            return original(l) as usize;
        }
        c::lua_error(l)
    }
}

/// Runs `before`, then the original of a replacement within the same call, then `after` with what
/// `before` returned and the number of the original's results, which are at the top of the stack.
/// `after` returns the number of results. Both own nothing, and `after` may raise.
///
/// # Safety
/// As for [`enter`]; the second upvalue of the function is the original.
#[inline(always)]
pub unsafe fn enter_around<T: Copy>(
    l: *mut lua_State,
    before: fn(State) -> T,
    after: fn(Raising, T, c_int) -> c_int,
) -> usize {
    // SAFETY: Lua calls the caller; neither it nor this frame owns anything.
    unsafe {
        let noted = before(State::new(l));
        let results = original(l);
        after(Raising::unprotected(l), noted, results) as usize
    }
}

#[cold]
#[inline(never)]
fn push_error(state: State, raise: Raise) -> c_int {
    push(raise, state);
    RAISE
}

#[cold]
#[inline(never)]
fn push_panic(state: State, panic: Box<dyn Any + Send>) -> c_int {
    if panic.is::<OutOfMemory>() {
        return push_error(state, Raise::out_of_memory());
    }
    let text = format!("internal error in lanes: {}", panic_text(&*panic));
    push_error(state, Raise::message(text))
}

/// Checks that memory is not short, for a call that keeps something.
///
/// Errors: memory is short.
#[inline]
pub fn check_memory() -> Result<(), Raise> {
    if reserve::is_short() {
        return Err(Raise::out_of_memory());
    }
    Ok(())
}

/// As [`enter_always`], but if memory is short the body does not run, and that is the error.
///
/// # Safety
/// As for [`enter_always`].
#[inline(always)]
pub unsafe fn enter(l: *mut lua_State, body: impl FnOnce(State) -> Result<c_int, Raise>) -> usize {
    // SAFETY: passed on from the caller.
    unsafe {
        enter_always(l, |state| {
            check_memory()?;
            body(state)
        })
    }
}

/// Runs the body of a function that Lua calls. The body returns the number of results, which are at
/// the top of the stack. An error, or a panic, is raised after everything that the body owned has
/// been dropped.
///
/// # Safety
/// Called by Lua with a live state, directly from an `extern "C-unwind"` function that owns
/// nothing.
#[inline(always)]
pub unsafe fn enter_always(
    l: *mut lua_State,
    body: impl FnOnce(State) -> Result<c_int, Raise>,
) -> usize {
    // SAFETY: by the contract of this function.
    let state = unsafe { State::new(l) };
    let results = match catch_unwind(AssertUnwindSafe(|| body(state))) {
        Ok(Ok(results)) => results,
        Ok(Err(raise)) => push_error(state, raise),
        Err(panic) => push_panic(state, panic),
    };
    if results < 0 {
        // SAFETY: this frame and its caller own nothing: `results` is a number, the body's locals
        // are gone.
        return unsafe { rest(l, results) };
    }
    results as usize
}

/// Defines a function that Lua can call from a body of type `fn(State) -> Result<c_int, Raise>`. If
/// memory is short the function raises an error and the body does not run. With `always` it runs
/// all the same: for finalizers, for functions that end, take out or give back something, and for
/// those that Lua does not expect to fail.
macro_rules! lua_function {
    ($(#[$meta:meta])* always $visibility:vis fn $name:ident = $body:expr) => {
        $(#[$meta])*
        #[allow(unsafe_code, reason = "Lua calls it with its state")]
        $visibility unsafe extern "C-unwind" fn $name(l: *mut $crate::lua::compat::lua_State) -> usize {
            // SAFETY: Lua calls this function, and it owns nothing.
            unsafe { $crate::lua::enter_always(l, $body) }
        }
    };
    ($(#[$meta:meta])* $visibility:vis fn $name:ident = $body:expr) => {
        $(#[$meta])*
        #[allow(unsafe_code, reason = "Lua calls it with its state")]
        $visibility unsafe extern "C-unwind" fn $name(l: *mut $crate::lua::compat::lua_State) -> usize {
            // SAFETY: Lua calls this function, and it owns nothing.
            unsafe { $crate::lua::enter(l, $body) }
        }
    };
}
pub(crate) use lua_function;

/// Defines a function that runs something before and after the original, its second upvalue: see
/// [`enter_around`].
macro_rules! lua_around_original {
    ($(#[$meta:meta])* fn $name:ident = $before:expr, $after:expr) => {
        $(#[$meta])*
        #[allow(unsafe_code, reason = "Lua calls it with its state")]
        unsafe extern "C-unwind" fn $name(l: *mut $crate::lua::compat::lua_State) -> usize {
            // SAFETY: Lua calls this function, and it owns nothing.
            unsafe { $crate::lua::enter_around(l, $before, $after) }
        }
    };
}
pub(crate) use lua_around_original;
