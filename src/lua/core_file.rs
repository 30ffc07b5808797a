//! Which file Lua's core is from: the Lua whose functions this library calls.

use super::compat;
use lanes_engine::origin;
use std::os::raw::c_void;
use std::sync::OnceLock;

/// The address of a function of Lua's core.
pub fn address() -> *const c_void {
    origin::imported(compat::lua_getstack as *const c_void, c"lua_getstack")
}

/// The beginning of the file of Lua's core in memory; none where the system does not tell. It stays the same while the process lives.
pub fn file() -> Option<usize> {
    static FILE: OnceLock<Option<usize>> = OnceLock::new();
    *FILE.get_or_init(|| origin::of(address()))
}
