//! `State`: a Lua state and the calls on it that cannot raise.
//!
//! The methods are safe to call under one convention that C's Lua API has too: an index names a
//! value that is there, and a push has room (a C function has room for 20 values;
//! [`super::Raising::reserve`] makes more).

use super::compat::{self as c, lua_State};
use super::kind::Kind;
use super::text::Text;
use std::os::raw::{c_int, c_void};

/// A Lua state, used by one thread at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct State(*mut lua_State);

/// The pseudo-index of upvalue `n` (from 1) of the running C function.
#[inline]
pub const fn upvalue(n: c_int) -> c_int {
    c::lua_upvalueindex(n)
}

impl State {
    /// The pseudo-index of the registry.
    pub const REGISTRY: c_int = c::LUA_REGISTRYINDEX;

    /// Wraps a state.
    ///
    /// # Safety
    /// It is alive and used by no other thread for as long as the wrapper is used.
    #[inline]
    pub const unsafe fn new(l: *mut lua_State) -> State {
        State(l)
    }

    /// The C pointer.
    #[inline]
    pub const fn raw(self) -> *mut lua_State {
        self.0
    }

    /// The type of the value at `index`.
    #[inline]
    pub fn kind(self, index: c_int) -> Kind {
        // SAFETY: any acceptable index may be asked for its type.
        Kind::numbered(unsafe { c::lua_type(self.0, index) })
    }

    /// The name of the type of the value at `index`, as Lua writes it ("no value" if there is
    /// none).
    pub fn type_name(self, index: c_int) -> &'static str {
        // SAFETY: lua_typename returns a static string for every type that lua_type returns.
        unsafe {
            let name = c::lua_typename(self.0, c::lua_type(self.0, index));
            std::ffi::CStr::from_ptr(name).to_str().unwrap_or("?")
        }
    }

    /// Whether there is no value, or nil, at `index`.
    #[inline]
    pub fn is_none_or_nil(self, index: c_int) -> bool {
        matches!(self.kind(index), Kind::None | Kind::Nil)
    }

    /// The number of values on the stack of the running function.
    #[inline]
    pub fn top(self) -> c_int {
        // SAFETY: always allowed.
        unsafe { c::lua_gettop(self.0) }
    }

    /// Sets the number of values on the stack; missing ones become nil.
    #[inline]
    pub fn set_top(self, top: c_int) {
        // SAFETY: lowering is always allowed, raising within the reserved room (module convention).
        unsafe { c::lua_settop(self.0, top) }
    }

    /// Takes `n` values off the stack.
    #[inline]
    pub fn pop(self, n: c_int) {
        self.set_top(-n - 1)
    }

    /// `index` counted from the bottom.
    #[inline]
    pub fn absolute(self, index: c_int) -> c_int {
        // SAFETY: any acceptable index.
        unsafe { c::lua_absindex(self.0, index) }
    }

    /// Pushes nil.
    #[inline]
    pub fn push_nil(self) {
        // SAFETY: room by the module convention.
        unsafe { c::lua_pushnil(self.0) }
    }

    /// Pushes a boolean.
    #[inline]
    pub fn push_boolean(self, value: bool) {
        // SAFETY: room by the module convention.
        unsafe { c::lua_pushboolean(self.0, c_int::from(value)) }
    }

    /// Pushes a number, as a float if numbers have subtypes.
    #[inline]
    pub fn push_number(self, value: f64) {
        // SAFETY: room by the module convention.
        unsafe { c::lua_pushnumber(self.0, value) }
    }

    /// Pushes an integer, as a plain number if numbers have no subtypes.
    #[inline]
    pub fn push_integer(self, value: i64) {
        // SAFETY: room by the module convention. The cast is exact: lua_Integer has 64 bits if
        // numbers have subtypes; if not, a number is pushed.
        unsafe {
            if c::HAS_INTEGERS {
                c::lua_pushinteger(self.0, value as c::lua_Integer)
            } else {
                c::lua_pushnumber(self.0, value as f64)
            }
        }
    }

    /// Pushes a light userdata. Use [`super::Raising::push_light`] for a pointer that this state
    /// may not have seen: LuaJIT may have to allocate for it.
    #[inline]
    pub fn push_seen_light(self, value: *mut c_void) {
        // SAFETY: room by the module convention.
        unsafe { c::lua_pushlightuserdata(self.0, value) }
    }

    /// Pushes a copy of the value at `index`.
    #[inline]
    pub fn push_copy(self, index: c_int) {
        // SAFETY: room by the module convention.
        unsafe { c::lua_pushvalue(self.0, index) }
    }

    /// Pushes the table of globals.
    #[inline]
    pub fn push_globals(self) {
        // SAFETY: room by the module convention; reads the registry or a pseudo-index, allocates
        // nothing.
        unsafe {
            c::lua_pushglobaltable(self.0);
        }
    }

    /// Moves the top value to `index`; the values from there on move up.
    #[inline]
    pub fn insert(self, index: c_int) {
        // SAFETY: valid index by the module convention.
        unsafe { c::lua_insert(self.0, index) }
    }

    /// Removes the value at `index`; the values above it move down.
    #[inline]
    pub fn remove(self, index: c_int) {
        // SAFETY: valid index by the module convention.
        unsafe { c::lua_remove(self.0, index) }
    }

    /// Replaces the value at `index` by the top value, which it pops.
    #[inline]
    pub fn replace(self, index: c_int) {
        // SAFETY: valid index by the module convention.
        unsafe { c::lua_replace(self.0, index) }
    }

    /// The truth of the value at `index`.
    #[inline]
    pub fn truth(self, index: c_int) -> bool {
        // SAFETY: any acceptable index.
        unsafe { c::lua_toboolean(self.0, index) != 0 }
    }

    /// The number at `index`; strings are converted, anything else is 0.
    #[inline]
    pub fn number(self, index: c_int) -> f64 {
        // SAFETY: any acceptable index; converts without changing the value.
        unsafe { c::lua_tonumber(self.0, index) }
    }

    /// The number at `index`, or the number that the string there spells.
    #[inline]
    pub fn to_number(self, index: c_int) -> Option<f64> {
        let mut ok = 0;
        // SAFETY: any acceptable index; converts without changing the value.
        let value = unsafe { c::lua_tonumberx(self.0, index, &mut ok) };
        (ok != 0).then_some(value)
    }

    /// Whether the value at `index` is a number of the integer subtype.
    #[inline]
    pub fn is_integer(self, index: c_int) -> bool {
        // SAFETY: any acceptable index.
        unsafe { c::is_integer(self.0, index) }
    }

    /// The integer at `index`, which must have the integer subtype.
    #[inline]
    pub fn integer(self, index: c_int) -> i64 {
        // SAFETY: any acceptable index.
        #[allow(clippy::unnecessary_cast, reason = "32 bits in some Luas")]
        unsafe {
            c::lua_tointeger(self.0, index) as i64
        }
    }

    /// The bytes of the string at `index`, if it is one. They are valid while the value stays on
    /// the stack.
    #[inline]
    pub fn bytes(&self, index: c_int) -> Option<&[u8]> {
        (self.kind(index) == Kind::String).then(|| self.string(index))
    }

    /// The bytes of the value at `index`, which is a string. They are valid while the value stays
    /// on the stack.
    #[inline]
    pub fn string(&self, index: c_int) -> &[u8] {
        let mut len = 0;
        // SAFETY: on a string lua_tolstring converts nothing; the slice lives as long as the string
        // is referenced from the stack, which the caller keeps for as long as it uses the slice.
        // Anything but a string or a number gives null.
        unsafe {
            let start = c::lua_tolstring(self.0, index, &mut len);
            if start.is_null() {
                &[]
            } else {
                std::slice::from_raw_parts(start.cast(), len)
            }
        }
    }

    /// The string at `index` as text for a message. Returns none if it is no string.
    pub fn text(self, index: c_int) -> Option<Text> {
        self.bytes(index).map(Text::from)
    }

    /// The address of a userdata's block, or a light userdata's value; null for anything else.
    #[inline]
    pub fn userdata(self, index: c_int) -> *mut c_void {
        // SAFETY: any acceptable index.
        unsafe { c::lua_touserdata(self.0, index) }
    }

    /// The block of the full userdata at `index`; empty if it is none. The userdata must stay on
    /// the stack, and nothing may write to it, for as long as the block is used.
    pub fn block(&self, index: c_int) -> &[u8] {
        if self.kind(index) != Kind::Userdata {
            return &[];
        }
        // SAFETY: a full userdata has a block of that many bytes, initialised by whoever made it.
        unsafe { std::slice::from_raw_parts(self.userdata(index).cast(), self.raw_len(index)) }
    }

    /// The identity of a table, function, userdata or coroutine; null for anything else.
    #[inline]
    pub fn pointer(self, index: c_int) -> *const c_void {
        // SAFETY: any acceptable index.
        unsafe { c::lua_topointer(self.0, index) }
    }

    /// The state of the coroutine at `index`, if it is one.
    pub fn thread(self, index: c_int) -> Option<State> {
        // SAFETY: any acceptable index.
        let thread = unsafe { c::lua_tothread(self.0, index) };
        (!thread.is_null()).then_some(State(thread))
    }

    /// Whether the function at `index` is written in C (or is one of LuaJIT's built-in functions).
    #[inline]
    pub fn is_c_function(self, index: c_int) -> bool {
        // SAFETY: any acceptable index.
        unsafe { c::lua_iscfunction(self.0, index) != 0 }
    }

    /// The C function at `index`, if it is one that has an address (LuaJIT's built-in functions
    /// have none).
    pub fn c_function(self, index: c_int) -> Option<c::lua_CFunction> {
        // SAFETY: any acceptable index.
        unsafe { c::lua_tocfunction(self.0, index) }
    }

    /// Whether two values are the same without asking metamethods.
    #[inline]
    pub fn raw_equal(self, a: c_int, b: c_int) -> bool {
        // SAFETY: any acceptable indices.
        unsafe { c::lua_rawequal(self.0, a, b) != 0 }
    }

    /// The length of a string, of a table's sequence or of a userdata's block, without metamethods.
    #[inline]
    pub fn raw_len(self, index: c_int) -> usize {
        // SAFETY: any acceptable index.
        unsafe { c::lua_rawlen(self.0, index) }
    }

    /// Pushes the metatable of the value at `index` and returns true. Pushes nothing and returns
    /// false if it has none.
    #[inline]
    pub fn push_metatable(self, index: c_int) -> bool {
        // SAFETY: room by the module convention.
        unsafe { c::lua_getmetatable(self.0, index) != 0 }
    }

    /// Replaces the key at the top of the stack by its value in the table at `index`, without
    /// metamethods.
    #[inline]
    pub fn raw_get(self, index: c_int) {
        // SAFETY: the caller gives the index of a table. Nothing is allocated.
        unsafe {
            c::lua_rawget(self.0, index);
        }
    }

    /// Pushes element `n` of the table at `index`, without metamethods, and returns its type.
    #[inline]
    pub fn raw_get_index(self, index: c_int, n: i64) -> Kind {
        // SAFETY: the caller gives the index of a table. Nothing is allocated.
        Kind::numbered(unsafe { c::raw_get_index(self.0, index, n) })
    }

    /// Takes a table (or nil) off the stack and makes it the metatable of the value at `index`.
    #[inline]
    pub fn set_metatable(self, index: c_int) {
        // SAFETY: valid index by the module convention. Nothing is allocated.
        unsafe {
            c::lua_setmetatable(self.0, index);
        }
    }

    /// Pops a key and pushes the next key and value of the table at `index`; at the end pushes
    /// nothing and returns false. The key must be in the table, and nothing may have been added to
    /// the table since the traversal began: if code of a program may run in between, use
    /// [`super::Raising::next`].
    #[inline]
    pub fn next(self, index: c_int) -> bool {
        // SAFETY: the key came from this traversal, so lua_next finds it and cannot raise.
        unsafe { c::lua_next(self.0, index) != 0 }
    }

    /// Pushes upvalue `n` of the function at `index` and returns its name. Pushes nothing and
    /// returns none if there is no such upvalue.
    #[inline]
    pub fn push_upvalue(&self, index: c_int, n: c_int) -> Option<&std::ffi::CStr> {
        // SAFETY: room by the module convention; the name lives as long as the function.
        unsafe {
            let name = c::lua_getupvalue(self.0, index, n);
            (!name.is_null()).then(|| std::ffi::CStr::from_ptr(name))
        }
    }

    /// The identity of upvalue variable `n` of the Lua function at `index`; null where the version
    /// has none.
    #[inline]
    pub fn upvalue_id(self, index: c_int, n: c_int) -> *const c_void {
        // SAFETY: the caller gives a Lua function and an upvalue that it has.
        unsafe { c::upvalue_id(self.0, index, n) }
    }

    /// Pushes user value `n` of the userdata at `index`, or nil. Returns whether it has one.
    #[inline]
    pub fn push_user_value(self, index: c_int, n: c_int) -> bool {
        // SAFETY: the caller gives a full userdata.
        unsafe { c::get_user_value(self.0, index, n) }
    }

    /// Calls the function below its `arguments` on the stack. Leaves its results, or one error
    /// value. Returns the status if it failed. If `handler` is not 0, the function at that index
    /// sees the error first.
    pub fn call_protected(
        self,
        arguments: c_int,
        results: Option<c_int>,
        handler: c_int,
    ) -> Result<(), c_int> {
        // SAFETY: lua_pcall itself does not raise.
        let status = unsafe {
            c::lua_pcall(
                self.0,
                arguments,
                results.unwrap_or(c::LUA_MULTRET),
                handler,
            )
        };
        if status == c::LUA_OK {
            Ok(())
        } else {
            Err(status)
        }
    }

    /// Moves the top `n` values to another coroutine of the same state.
    pub fn move_to(self, to: State, n: c_int) {
        // SAFETY: both are coroutines of one state, with room in `to`.
        unsafe { c::lua_xmove(self.0, to.0, n) }
    }

    /// Makes room for `n` more values. Returns false if there is none. Never raises.
    pub fn try_reserve(self, n: c_int) -> bool {
        // SAFETY: lua_checkstack returns 0 if there is no room (on 5.1 and LuaJIT only while memory
        // lasts).
        unsafe { c::lua_checkstack(self.0, n) != 0 }
    }

    /// Closes what this coroutine, which ended with an error, left open. Returns the status of the
    /// error, whose value is at the top of its stack.
    pub fn close_failed(self, from: State) -> c_int {
        // SAFETY: the coroutine is not running.
        unsafe { c::close_failed(self.0, from.0) }
    }

    /// Its status: `LUA_YIELD` if it has yielded, that of an error if it has failed.
    pub fn status(self) -> c_int {
        // SAFETY: reads the coroutine's fields.
        unsafe { c::lua_status(self.0) }
    }

    /// Whether this coroutine can be resumed: it has yielded, or has a function and has not begun.
    pub fn is_resumable(self) -> bool {
        // SAFETY: reads the coroutine's fields.
        match unsafe { c::lua_status(self.0) } {
            c::LUA_YIELD => true,
            c::LUA_OK => self.top() > 0 && !self.has_level(0),
            _ => false,
        }
    }

    /// Whether an error that is raised now is replaced by "error in error handling": on LuaJIT,
    /// while a message handler is running in this coroutine.
    pub fn replaces_errors(self) -> bool {
        // SAFETY: reads the coroutine's fields.
        c::LUAJIT && unsafe { c::lua_status(self.0) == c::LUA_ERRERR }
    }

    /// Whether this coroutine is suspended or dead: what it has left open can be closed.
    pub fn is_closable(self) -> bool {
        // SAFETY: reads the coroutine's fields.
        unsafe { c::lua_status(self.0) != c::LUA_OK || !self.has_level(0) }
    }

    /// Resumes this coroutine from `from` with the top `arguments` values of its stack. Returns how
    /// many values it yielded or returned, or an error, whose value is at the top of its stack.
    pub fn resume(self, from: State, arguments: c_int) -> Result<c_int, ()> {
        // SAFETY: the coroutine is resumable; lua_resume itself does not raise.
        let (status, results) = unsafe { c::resume(self.0, from.0, arguments) };
        if status == c::LUA_OK || status == c::LUA_YIELD {
            Ok(results)
        } else {
            Err(())
        }
    }

    /// Pushes this coroutine.
    pub fn push_self(self) {
        // SAFETY: room by the module convention. Nothing is allocated.
        unsafe {
            c::lua_pushthread(self.0);
        }
    }

    /// Stops or restarts the collector.
    pub fn run_collector(self, run: bool) {
        // SAFETY: neither call collects.
        unsafe {
            if run {
                c::gc_restart(self.0)
            } else {
                c::gc_stop(self.0)
            }
        }
    }
}
