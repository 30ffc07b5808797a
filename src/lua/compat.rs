//! The differences between the Lua versions, in one place: no other file has a `cfg` for them.
//!
//! Everything here is `unsafe` as the C API is: the state must be alive and used by this thread
//! only, indices must be valid, and the stack must have room.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each is the body of an unsafe function and relies on what is said above"
)]

use super::kind::Kind;
use std::os::raw::{c_char, c_int, c_void};

pub use mlua_sys::*;

/// The Lua release line that this build is for, as in `_VERSION`.
pub const VERSION: &str = if cfg!(feature = "lua55") {
    "Lua 5.5"
} else if cfg!(feature = "lua54") {
    "Lua 5.4"
} else if cfg!(feature = "lua53") {
    "Lua 5.3"
} else if cfg!(feature = "lua52") {
    "Lua 5.2"
} else {
    "Lua 5.1"
};

/// Whether this build is for LuaJIT.
pub const LUAJIT: bool = cfg!(feature = "luajit");

/// Whether numbers have an integer subtype (5.3 and later).
pub const HAS_INTEGERS: bool = cfg!(any(feature = "lua53", feature = "lua54", feature = "lua55"));

/// Whether a C function without upvalues is pushed without allocating (5.2 and later).
pub const LIGHT_FUNCTIONS: bool = !cfg!(any(feature = "lua51", feature = "luajit"));

/// Whether memory may run out while a state is made: LuaJIT's `lua_newstate` can crash then, and
/// `luaopen_io` of 5.1 closes the standard streams.
#[cfg(feature = "hooks")]
pub const SURVIVES_BIRTH: bool = !cfg!(any(feature = "lua51", feature = "luajit"));

/// The number of user values that a userdata can have: several (5.4 and later), else one.
pub const MANY_USER_VALUES: bool = cfg!(any(feature = "lua54", feature = "lua55"));

/// Whether `math.random` is seeded at random in every new state (5.4 and later).
pub const SEEDS_ITSELF: bool = cfg!(any(feature = "lua54", feature = "lua55"));

/// The user value of 5.1 and LuaJIT is the environment: a table, and never nil.
pub const USER_VALUE_IS_ENVIRONMENT: bool = cfg!(any(feature = "lua51", feature = "luajit"));

/// Where the source of a function came from, or the source itself; versions before 5.4 cut it at a
/// zero byte.
pub unsafe fn source(debug: &lua_Debug) -> &[u8] {
    if debug.source.is_null() {
        return &[];
    }
    #[cfg(any(feature = "lua54", feature = "lua55"))]
    unsafe {
        std::slice::from_raw_parts(debug.source.cast(), debug.srclen)
    }
    #[cfg(not(any(feature = "lua54", feature = "lua55")))]
    unsafe {
        std::ffi::CStr::from_ptr(debug.source).to_bytes()
    }
}

/// Whether a value of this kind can be the user value of a userdata: 5.2 knows tables and nil.
#[inline]
pub fn is_user_value(kind: Kind) -> bool {
    match kind {
        Kind::Table => true,
        Kind::Nil => !USER_VALUE_IS_ENVIRONMENT,
        _ => !USER_VALUE_IS_ENVIRONMENT && !cfg!(feature = "lua52"),
    }
}

#[cfg(feature = "luajit")]
#[cfg_attr(all(windows, raw_dylib), link(name = "lua51", kind = "raw-dylib"))]
unsafe extern "C-unwind" {
    fn lua_upvalueid(l: *mut lua_State, function: c_int, n: c_int) -> *mut c_void;
    fn lua_upvaluejoin(l: *mut lua_State, f1: c_int, n1: c_int, f2: c_int, n2: c_int);
}

/// Whether `lua_rawgeti` and `lua_rawseti` take any integer; before 5.3 they take a C `int`.
const WIDE_INDICES: bool = cfg!(any(feature = "lua53", feature = "lua54", feature = "lua55"));

/// Pushes `table[n]` without metamethods and returns its type.
#[inline]
pub unsafe fn raw_get_index(l: *mut lua_State, table: c_int, n: i64) -> c_int {
    if WIDE_INDICES || c_int::try_from(n).is_ok() {
        unsafe { lua_rawgeti(l, table, n as lua_Integer) }
    } else {
        unsafe {
            let table = lua_absindex(l, table);
            lua_pushnumber(l, n as lua_Number);
            lua_rawget(l, table)
        }
    }
}

/// `table[n] = value` without metamethods; takes the value off the stack. Raises.
#[inline]
pub unsafe fn raw_set_index(l: *mut lua_State, table: c_int, n: i64) {
    if WIDE_INDICES || c_int::try_from(n).is_ok() {
        unsafe { lua_rawseti(l, table, n as lua_Integer) };
    } else {
        unsafe {
            let table = lua_absindex(l, table);
            lua_pushnumber(l, n as lua_Number);
            lua_insert(l, -2);
            lua_rawset(l, table);
        }
    }
}

/// The identity of upvalue `n` of the Lua function at `index`; null where the version has none.
#[inline]
pub unsafe fn upvalue_id(l: *mut lua_State, index: c_int, n: c_int) -> *mut c_void {
    #[cfg(feature = "lua51")]
    {
        let _ = (l, index, n);
        std::ptr::null_mut()
    }
    #[cfg(not(feature = "lua51"))]
    unsafe {
        lua_upvalueid(l, index, n)
    }
}

/// Makes upvalue `n1` of the function at `f1` the same variable as upvalue `n2` of the function at
/// `f2`.
#[inline]
pub unsafe fn upvalue_join(l: *mut lua_State, f1: c_int, n1: c_int, f2: c_int, n2: c_int) {
    #[cfg(feature = "lua51")]
    {
        let _ = (l, f1, n1, f2, n2);
    }
    #[cfg(not(feature = "lua51"))]
    unsafe {
        lua_upvaluejoin(l, f1, n1, f2, n2)
    }
}

/// The first coroutine of a state, whichever of its coroutines runs now. 5.1 and LuaJIT cannot tell
/// which it is: there the running one is returned, and kept alive. Raises.
pub unsafe fn main_coroutine(l: *mut lua_State) -> *mut lua_State {
    #[cfg(any(feature = "lua51", feature = "luajit"))]
    unsafe {
        lua_pushthread(l);
        lua_pushboolean(l, 1);
        lua_rawset(l, LUA_REGISTRYINDEX);
        l
    }
    #[cfg(not(any(feature = "lua51", feature = "luajit")))]
    unsafe {
        lua_rawgeti(l, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
        let main = lua_tothread(l, -1);
        lua_settop(l, -2);
        main
    }
}

/// A new userdata of `size` bytes with `user_values` user values (ignored where a userdata has
/// exactly one). Raises.
#[inline]
pub unsafe fn new_userdata(l: *mut lua_State, size: usize, user_values: c_int) -> *mut c_void {
    #[cfg(any(feature = "lua54", feature = "lua55"))]
    unsafe {
        lua_newuserdatauv(l, size, user_values)
    }
    #[cfg(not(any(feature = "lua54", feature = "lua55")))]
    unsafe {
        let _ = user_values;
        lua_newuserdata(l, size)
    }
}

/// Pushes user value `n` (from 1) of the userdata at `index` and returns true; pushes nil and
/// returns false if it has none.
#[inline]
pub unsafe fn get_user_value(l: *mut lua_State, index: c_int, n: c_int) -> bool {
    #[cfg(any(feature = "lua54", feature = "lua55"))]
    unsafe {
        lua_getiuservalue(l, index, n) != LUA_TNONE
    }
    #[cfg(not(any(feature = "lua54", feature = "lua55")))]
    unsafe {
        if n > 1 {
            lua_pushnil(l);
            return false;
        }
        lua_getuservalue(l, index);
        true
    }
}

/// Pops a value and makes it user value `n` of the userdata at `index`. On 5.1 and LuaJIT it must
/// be a table.
#[inline]
pub unsafe fn set_user_value(l: *mut lua_State, index: c_int, n: c_int) {
    #[cfg(any(feature = "lua54", feature = "lua55"))]
    unsafe {
        lua_setiuservalue(l, index, n);
    }
    #[cfg(not(any(feature = "lua54", feature = "lua55")))]
    unsafe {
        let _ = n;
        lua_setuservalue(l, index);
    }
}

/// Whether the number at `index` has the integer subtype.
#[inline]
pub unsafe fn is_integer(l: *mut lua_State, index: c_int) -> bool {
    HAS_INTEGERS && unsafe { lua_isinteger(l, index) != 0 }
}

/// Writes the bytecode of the Lua function at the top of the stack, with debug information unless
/// it is to be stripped, which Lua can from 5.3 on. Raises on 5.5.
#[inline]
pub unsafe fn dump(l: *mut lua_State, writer: lua_Writer, data: *mut c_void, strip: bool) -> c_int {
    unsafe { lua_dump(l, writer, data, c_int::from(strip && HAS_INTEGERS)) }
}

/// Makes a new state that uses this allocator. Returns null if memory runs out.
#[inline]
pub unsafe fn new_state(allocator: lua_Alloc, data: *mut c_void) -> *mut lua_State {
    #[cfg(feature = "lua55")]
    unsafe {
        lua_newstate(allocator, data, new_seed())
    }
    #[cfg(not(feature = "lua55"))]
    unsafe {
        lua_newstate(allocator, data)
    }
}

/// A random seed for a state's string hashes, from the source with which the standard library seeds
/// its maps.
#[cfg(feature = "lua55")]
fn new_seed() -> std::os::raw::c_uint {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish() as std::os::raw::c_uint
}

/// Stops the collector.
#[inline]
pub unsafe fn gc_stop(l: *mut lua_State) {
    unsafe { lua_gc(l, LUA_GCSTOP, 0) };
}

/// Restarts the collector.
#[inline]
pub unsafe fn gc_restart(l: *mut lua_State) {
    unsafe { lua_gc(l, LUA_GCRESTART, 0) };
}

/// Runs a whole collection. Raises what finalizers raise.
#[inline]
pub unsafe fn gc_collect(l: *mut lua_State) {
    unsafe { lua_gc(l, LUA_GCCOLLECT, 0) };
}

/// Loads bytecode, and nothing else, under `name`. Returns the status of `lua_load`. Never raises.
#[inline]
pub unsafe fn load_bytecode(
    l: *mut lua_State,
    code: *const c_char,
    len: usize,
    name: *const c_char,
) -> c_int {
    unsafe { luaL_loadbufferx(l, code, len, name, c"b".as_ptr()) }
}

/// Loads source text, and nothing else, under `name`. Returns the status of `lua_load`.
#[inline]
pub unsafe fn load_text(
    l: *mut lua_State,
    text: *const c_char,
    len: usize,
    name: *const c_char,
) -> c_int {
    unsafe { luaL_loadbufferx(l, text, len, name, c"t".as_ptr()) }
}

/// A library that the interpreter can have: its name and what opens it.
pub struct Library {
    /// Name in `package.loaded`, and of the global.
    pub name: &'static std::ffi::CStr,
    /// Its loader.
    pub open: lua_CFunction,
}

/// The standard libraries of this Lua, in the order in which the interpreter opens them; the base
/// library first.
pub const LIBRARIES: &[Library] = &[
    Library {
        name: c"_G",
        open: luaopen_base,
    },
    Library {
        name: c"package",
        open: luaopen_package,
    },
    #[cfg(not(any(feature = "lua51", feature = "luajit")))]
    Library {
        name: c"coroutine",
        open: luaopen_coroutine,
    },
    Library {
        name: c"table",
        open: luaopen_table,
    },
    Library {
        name: c"io",
        open: luaopen_io,
    },
    Library {
        name: c"os",
        open: luaopen_os,
    },
    Library {
        name: c"string",
        open: luaopen_string,
    },
    Library {
        name: c"math",
        open: luaopen_math,
    },
    #[cfg(any(feature = "lua53", feature = "lua54", feature = "lua55"))]
    Library {
        name: c"utf8",
        open: luaopen_utf8,
    },
    Library {
        name: c"debug",
        open: luaopen_debug,
    },
    #[cfg(feature = "lua52")]
    Library {
        name: c"bit32",
        open: luaopen_bit32,
    },
    #[cfg(feature = "luajit")]
    Library {
        name: c"bit",
        open: luaopen_bit,
    },
    #[cfg(feature = "luajit")]
    Library {
        name: c"jit",
        open: luaopen_jit,
    },
    #[cfg(feature = "luajit")]
    Library {
        name: c"ffi",
        open: luaopen_ffi,
    },
];

/// Calls a C function in a state in which nothing has been prepared yet. Returns false if memory
/// runs out.
pub unsafe fn first_call(l: *mut lua_State, function: lua_CFunction) -> bool {
    #[cfg(any(feature = "lua51", feature = "luajit"))]
    unsafe {
        lua_cpcall(l, function, std::ptr::null_mut()) == LUA_OK
    }
    #[cfg(not(any(feature = "lua51", feature = "luajit")))]
    unsafe {
        lua_pushcclosure(l, function, 0);
        lua_pcall(l, 0, 0, 0) == LUA_OK
    }
}

/// Opens a standard library: sets its global and its entry in `package.loaded`. Raises.
pub unsafe fn open_library(l: *mut lua_State, name: &std::ffi::CStr, open: lua_CFunction) {
    #[cfg(not(any(feature = "lua51", feature = "luajit")))]
    unsafe {
        luaL_requiref(l, name.as_ptr(), open, 1);
        lua_settop(l, -2);
    }
    // On these versions every opener but that of `ffi` sets global and entry itself, and does not
    // always return the library.
    #[cfg(any(feature = "lua51", feature = "luajit"))]
    unsafe {
        let by_hand = name == c"ffi";
        lua_pushcclosure(l, open, 0);
        lua_pushstring(
            l,
            if name == c"_G" {
                c"".as_ptr()
            } else {
                name.as_ptr()
            },
        );
        lua_call(l, 1, c_int::from(by_hand));
        if by_hand {
            lua_getfield(l, LUA_REGISTRYINDEX, c"_LOADED".as_ptr());
            lua_pushvalue(l, -2);
            lua_setfield(l, -2, name.as_ptr());
            lua_settop(l, -2);
            lua_setfield(l, LUA_GLOBALSINDEX, name.as_ptr());
        }
    }
}

#[cfg(feature = "lua51")]
#[cfg_attr(all(windows, raw_dylib), link(name = "lua51", kind = "raw-dylib"))]
unsafe extern "C-unwind" {
    fn lua_setlevel(from: *mut lua_State, to: *mut lua_State);
}

/// Resumes a coroutine with `arguments` values. Returns the status and how many values the
/// coroutine left. Nesting that is too deep for the C stack is an error of the coroutine.
pub unsafe fn resume(co: *mut lua_State, from: *mut lua_State, arguments: c_int) -> (c_int, c_int) {
    let mut results = 0;
    // The other versions take the depth of C calls from `from`.
    #[cfg(feature = "lua51")]
    unsafe {
        lua_setlevel(from, co)
    };
    // The declarations for older versions count the results as 5.4 does.
    let status = unsafe { lua_resume(co, from, arguments, &mut results) };
    (status, results)
}

/// Closes what a coroutine that ended with an error left open (5.4 and later); the error value
/// stays at the top of its stack. Returns the status of the error.
pub unsafe fn close_failed(co: *mut lua_State, from: *mut lua_State) -> c_int {
    #[cfg(feature = "lua54")]
    unsafe {
        let _ = from;
        lua_resetthread(co)
    }
    #[cfg(feature = "lua55")]
    unsafe {
        lua_closethread(co, from)
    }
    #[cfg(not(any(feature = "lua54", feature = "lua55")))]
    unsafe {
        let _ = from;
        lua_status(co)
    }
}

/// Whether a function that `coroutine.wrap` made puts its caller's position before an error value
/// of this kind and status.
pub fn wrap_adds_position(kind: Kind, status: c_int) -> bool {
    match kind {
        Kind::String => !cfg!(any(feature = "lua54", feature = "lua55")) || status != LUA_ERRMEM,
        Kind::Number => cfg!(any(feature = "lua51", feature = "lua52")),
        _ => false,
    }
}

/// Whether `coroutine.resume` raises an error if the stack has no room for the results. If not, it
/// returns false and the text.
pub const RESUME_RAISES: bool = cfg!(feature = "lua51");

/// Whether a hook is set for all coroutines of a state at once (LuaJIT) and not for each.
pub const HOOKS_ARE_GLOBAL: bool = cfg!(feature = "luajit");

/// Whether a hook that another thread has set may be there without effect. LuaJIT keeps what its
/// interpreter does at a hook in a table that its thread writes, too. On Windows Ctrl-C runs on a
/// thread of its own.
pub const HOOKS_CAN_BE_LOST: bool = LUAJIT && cfg!(windows);

/// Mask and count of the hook that stock interpreters set at Ctrl-C: calls, returns, and each
/// instruction.
pub const HOST_HOOK: (c_int, c_int) = (1 | 2 | 8, 1);

/// A function of ours that Lua calls.
///
/// Lua declares the result as `int`. LuaJIT's interpreter on x86-64 reads the whole register, whose
/// upper half a C compiler happens to clear and a Rust compiler need not; as `usize` it is always
/// clear.
pub type Function = unsafe extern "C-unwind" fn(*mut lua_State) -> usize;

/// The hook function at an address. Returns none for address 0.
pub fn hook_from(address: usize) -> Option<lua_Hook> {
    // SAFETY: a nullable function pointer has the representation of `Option<lua_Hook>`. The caller
    // of the result must know that a function of this type is there.
    unsafe { std::mem::transmute::<usize, Option<lua_Hook>>(address) }
}

/// The allocator function at an address. Returns none for address 0.
pub fn allocator_from(address: usize) -> Option<lua_Alloc> {
    // SAFETY: a nullable function pointer has the representation of `Option<lua_Alloc>`. The caller
    // of the result must know that a function of this type is there.
    unsafe { std::mem::transmute::<usize, Option<lua_Alloc>>(address) }
}
