//! The floor of the benchmarks: the cost of threads, Lua states and C calls without Lanes.
//! A Lua module, so that it runs in the same interpreter as the workloads.
//!
//! No function here owns anything while it calls a Lua function that can raise, except for
//! benchmarks' buffers, which are leaked on purpose.

mod calls;
mod states;
mod threads;
mod values;

use mlua_sys::{lua_State, lua_createtable, lua_pushcclosure, lua_pushnumber, lua_setfield};
use std::ffi::{CStr, c_int};
use std::time::Instant;

/// Microseconds per turn of `work(turns)`.
fn microseconds_each(turns: u64, work: impl FnOnce(u64)) -> f64 {
    let begun = Instant::now();
    work(turns);
    begun.elapsed().as_secs_f64() * 1e6 / turns as f64
}

/// Resident memory of this process in KiB; 0 if there is no /proc.
fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok())
        .unwrap_or(0.0)
}

/// now() -> seconds of the monotonic clock.
unsafe extern "C-unwind" fn now(l: *mut lua_State) -> c_int {
    static ORIGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let seconds = ORIGIN.get_or_init(Instant::now).elapsed().as_secs_f64();
    // SAFETY: `l` is the state that calls us.
    unsafe { lua_pushnumber(l, seconds) };
    1
}

type Function = unsafe extern "C-unwind" fn(*mut lua_State) -> c_int;

/// Sets `functions` as fields of the table on top of the stack.
unsafe fn set_functions(l: *mut lua_State, functions: &[(&CStr, Function)]) {
    for (name, function) in functions {
        // SAFETY: the caller's table is at the top; the stack has room for one more value.
        unsafe {
            lua_pushcclosure(l, *function, 0);
            lua_setfield(l, -2, name.as_ptr());
        }
    }
}

/// The loader of the module `lanes_floor`.
///
/// # Safety
/// Called by Lua's `require`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_lanes_floor(l: *mut lua_State) -> c_int {
    // SAFETY: Lua gives a loader room for 20 values.
    unsafe {
        lua_createtable(l, 0, 16);
        set_functions(l, &[(c"now", now)]);
        set_functions(l, &threads::FUNCTIONS);
        set_functions(l, &states::FUNCTIONS);
        set_functions(l, &values::FUNCTIONS);
        set_functions(l, &calls::FUNCTIONS);
    }
    1
}
