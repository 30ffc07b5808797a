//! The cost of Lua states: making and closing them, with and without libraries, also on a new
//! thread; and their memory.

use crate::threads::measured;
use crate::{Function, resident_kib};
use mlua_sys::{
    lua_State, lua_close, lua_pushnumber, luaL_checkinteger, luaL_newstate, luaL_openlibs,
};
use std::ffi::{CStr, c_int};
use std::sync::Barrier;
use std::thread;

pub const FUNCTIONS: [(&CStr, Function); 5] = [
    (c"state", state),
    (c"state_all", state_all),
    (c"thread_state", thread_state),
    (c"thread_state_all", thread_state_all),
    (c"memory", memory),
];

/// A new state with all libraries or none.
fn new_state(libraries: bool) -> *mut lua_State {
    // SAFETY: a new state belongs to nobody else; opening libraries is what its opener may do
    // first.
    unsafe {
        let state = luaL_newstate();
        assert!(!state.is_null(), "no memory for a Lua state");
        if libraries {
            luaL_openlibs(state);
        }
        state
    }
}

fn make_and_close(libraries: bool) {
    // SAFETY: the state was made here and nobody else has it.
    unsafe { lua_close(new_state(libraries)) };
}

/// state(n) -> microseconds to make and close a state without libraries.
unsafe extern "C-unwind" fn state(l: *mut lua_State) -> c_int {
    measured(l, |turns| (0..turns).for_each(|_| make_and_close(false)))
}

/// state_all(n) -> microseconds to make and close a state with all libraries.
unsafe extern "C-unwind" fn state_all(l: *mut lua_State) -> c_int {
    measured(l, |turns| (0..turns).for_each(|_| make_and_close(true)))
}

/// thread_state(n) -> microseconds to start a thread that makes and closes a state, and join it.
unsafe extern "C-unwind" fn thread_state(l: *mut lua_State) -> c_int {
    measured(l, |turns| {
        for _ in 0..turns {
            let _ = thread::spawn(|| make_and_close(false)).join();
        }
    })
}

/// thread_state_all(n) -> the same with all libraries.
unsafe extern "C-unwind" fn thread_state_all(l: *mut lua_State) -> c_int {
    measured(l, |turns| {
        for _ in 0..turns {
            let _ = thread::spawn(|| make_and_close(true)).join();
        }
    })
}

/// memory(n) -> KiB of memory per thread, for n waiting threads that each have a state with all
/// libraries.
unsafe extern "C-unwind" fn memory(l: *mut lua_State) -> c_int {
    // SAFETY: nothing is owned yet.
    let count = unsafe { luaL_checkinteger(l, 1) } as usize;
    let each = {
        let (ready, done) = (Barrier::new(count + 1), Barrier::new(count + 1));
        let before = resident_kib();
        thread::scope(|scope| {
            for _ in 0..count {
                scope.spawn(|| {
                    let state = new_state(true);
                    ready.wait();
                    done.wait();
                    // SAFETY: made above by this thread.
                    unsafe { lua_close(state) };
                });
            }
            ready.wait();
            let occupied = resident_kib() - before;
            done.wait();
            occupied / count as f64
        })
    };
    // SAFETY: one value fits.
    unsafe { lua_pushnumber(l, each) };
    1
}
