//! `protect`: the only way to calls that can raise.
//!
//! The closure runs under `lua_pcall`, inside another C function, with the top `arguments` values
//! of the caller as its stack. A Lua error skips the closure's frames without running destructors
//! (PUC) or unwinds them (LuaJIT), so neither the closure nor what it calls may own anything. Owned
//! values stay with the caller of `protect`, whose frame is never skipped. For the same reason code
//! in a closure must not panic.

use super::compat::Function;
use super::compat::{self as c, lua_State};
use super::raise::Raise;
use super::state::State;
use super::text::NOT_ENOUGH_MEMORY;
use lanes_engine::memory::grow::{self, Grow};
use std::cell::Cell;
use std::ops::Deref;
use std::os::raw::{c_char, c_int, c_void};

/// What `lua_dump` returns for a function that it cannot dump.
const DUMP_REFUSED: c_int = 1;

/// The key of the trampoline in the registry, for versions in which pushing a C function allocates.
const TRAMPOLINE: i64 = -0x4c61_6e65;

thread_local! {
    /// The call that the next trampoline on this thread runs. Saved and restored around every use,
    /// because a debug hook may run in between.
    static CALL: Cell<*mut c_void> = const { Cell::new(std::ptr::null_mut()) };
}

struct Call<F, R> {
    closure: F,
    result: Option<R>,
    run: unsafe fn(*mut c_void, Raising),
}

/// The trampoline does not know the type of the `Call`, so it gets the function that runs it as
/// well.
struct ProtectedCall {
    call: *mut c_void,
    run: unsafe fn(*mut c_void, Raising),
}

unsafe fn run<F: FnOnce(Raising) -> R + Copy, R: Copy>(call: *mut c_void, raising: Raising) {
    // SAFETY: `protect` gave a pointer to a live `Call<F, R>` with the runner of the same types.
    let call = unsafe { &mut *call.cast::<Call<F, R>>() };
    call.result = Some((call.closure)(raising));
}

unsafe extern "C-unwind" fn trampoline(l: *mut lua_State) -> usize {
    let entry = CALL.get().cast::<ProtectedCall>();
    // SAFETY: `protect` set the pointer to an entry in its own frame, which lives until lua_pcall
    // returns.
    unsafe {
        ((*entry).run)((*entry).call, Raising(State::new(l)));
        c::lua_gettop(l) as usize
    }
}

/// The function as Lua declares it.
const fn as_c_function(function: Function) -> c::lua_CFunction {
    // SAFETY: the two types differ in the width of an integer result only: the caller looks at its
    // lower half, which is the same in every calling convention that returns integers in a
    // register.
    unsafe { std::mem::transmute::<Function, c::lua_CFunction>(function) }
}

/// Prepares a state for [`protect`]. May raise (out of memory), so the caller's frames must own
/// nothing.
pub fn install(raising: Raising) {
    if !c::LIGHT_FUNCTIONS {
        raising.push_function(trampoline, 0);
        raising.raw_set_index(State::REGISTRY, TRAMPOLINE);
    }
}

/// Runs `closure` with the top `arguments` values of the stack as its arguments. What it leaves on
/// its stack replaces them. If it raises an error, the arguments are gone and the error value is at
/// the top of the stack: `Raise::Value`.
#[inline]
pub fn protect<F, R>(state: State, arguments: c_int, closure: F) -> Result<R, Raise>
where
    F: FnOnce(Raising) -> R + Copy,
    R: Copy,
{
    let mut call = Call {
        closure,
        result: None,
        run: run::<F, R>,
    };
    let run = call.run;
    let mut entry = ProtectedCall {
        call: (&raw mut call).cast(),
        run,
    };
    let l = state.raw();
    // SAFETY: pushing needs one free place, which every C function has; lua_pcall does not raise;
    // `call` and `entry` outlive it. On versions without light C functions the trampoline was put
    // into the registry by `install`.
    let status = unsafe {
        if c::LIGHT_FUNCTIONS {
            c::lua_pushcclosure(l, as_c_function(trampoline), 0);
        } else {
            state.raw_get_index(State::REGISTRY, TRAMPOLINE);
        }
        if arguments > 0 {
            c::lua_insert(l, -(arguments + 1));
        }
        let before = CALL.replace((&raw mut entry).cast());
        let status = c::lua_pcall(l, arguments, c::LUA_MULTRET, 0);
        CALL.set(before);
        status
    };
    match call.result {
        Some(result) if status == c::LUA_OK => Ok(result),
        _ => Err(Raise::Value),
    }
}

/// Whether the value at `index` is the C function in which `protect` runs closures.
pub fn is_trampoline(state: State, index: c_int) -> bool {
    is_function(state, index, trampoline)
}

/// Whether the value at `index` is this function of ours.
pub fn is_function(state: State, index: c_int, ours: Function) -> bool {
    state
        .c_function(index)
        .is_some_and(|function| std::ptr::fn_addr_eq(function, as_c_function(ours)))
}

/// As [`protect`], with data that the closure may change. The caller owns the data, so an error
/// loses none of it.
#[inline]
pub fn protect_with<T, F, R>(
    state: State,
    arguments: c_int,
    data: &mut T,
    closure: F,
) -> Result<R, Raise>
where
    F: FnOnce(Raising, &mut T) -> R + Copy,
    R: Copy,
{
    let data: *mut T = data;
    protect(state, arguments, move |raising| {
        // SAFETY: `data` is borrowed mutably for the whole call, and only this closure uses it.
        closure(raising, unsafe { &mut *data })
    })
}

/// Takes bytecode. Writing to it does not panic.
pub trait Sink {
    fn write(&mut self, bytes: &[u8]);
}

/// A state inside [`protect`], where calls may raise.
#[derive(Clone, Copy)]
pub struct Raising(State);

impl Deref for Raising {
    type Target = State;
    #[inline]
    fn deref(&self) -> &State {
        &self.0
    }
}

impl Raising {
    /// For a function that Lua calls and that owns nothing, so that it may raise through its own
    /// frame.
    ///
    /// # Safety
    /// No frame between the caller and the C function that Lua called owns anything.
    pub unsafe fn unprotected(l: *mut lua_State) -> Raising {
        // SAFETY: called by Lua with its state.
        Raising(unsafe { State::new(l) })
    }

    fn l(self) -> *mut lua_State {
        self.0.raw()
    }

    /// Makes room in a collection for `more` elements. Raises "not enough memory" if there is none.
    #[inline]
    pub fn room(self, list: &mut impl Grow, count: usize) {
        if !grow::has_room(list, count) {
            self.out_of_memory();
        }
    }

    /// Raises "not enough memory" if the system could not give this many bytes now. For small
    /// allocations that cannot fail by themselves, of which one call can need many.
    pub fn demand(self, bytes: usize) {
        if !grow::is_there(bytes) {
            self.out_of_memory();
        }
    }

    /// Raises "not enough memory".
    #[cold]
    pub fn out_of_memory(self) -> ! {
        self.push_bytes(NOT_ENOUGH_MEMORY.as_bytes());
        // SAFETY: inside protect.
        unsafe { c::lua_error(self.l()) }
    }

    /// Makes room for `n` more values. Raises an error if memory runs out or the stack would be too
    /// large.
    #[inline]
    pub fn reserve(self, n: c_int) {
        // SAFETY: inside protect.
        unsafe {
            c::luaL_checkstack(
                self.l(),
                n,
                c"not enough memory, or too many values for a transfer between lanes".as_ptr(),
            )
        }
    }

    /// Pushes a string.
    #[inline]
    pub fn push_bytes(self, bytes: &[u8]) {
        // SAFETY: inside protect; the bytes are copied.
        unsafe {
            c::lua_pushlstring(self.l(), bytes.as_ptr().cast(), bytes.len());
        }
    }

    /// Pushes a light userdata.
    #[inline]
    pub fn push_light(self, value: *mut c_void) {
        self.push_seen_light(value);
    }

    /// Pushes a function of ours with the top `upvalues` values as its upvalues.
    pub fn push_function(self, function: Function, upvalues: c_int) {
        self.push_c_function(as_c_function(function), upvalues);
    }

    /// Pushes a C function with the top `upvalues` values as its upvalues.
    pub fn push_c_function(self, function: c::lua_CFunction, upvalues: c_int) {
        // SAFETY: inside protect.
        unsafe { c::lua_pushcclosure(self.l(), function, upvalues) }
    }

    /// Pushes a new table with room for `array` and `hash` entries.
    #[inline]
    pub fn new_table(self, array: usize, hash: usize) {
        let limit = |n: usize| n.min(c_int::MAX as usize) as c_int;
        // SAFETY: inside protect.
        unsafe { c::lua_createtable(self.l(), limit(array), limit(hash)) }
    }

    /// Pushes a new table whose keys ("k") or values ("v") are weak.
    pub fn new_weak_table(self, mode: &[u8]) {
        self.new_table(0, 0);
        self.new_table(0, 1);
        self.push_bytes(mode);
        self.raw_set_name(-2, b"__mode");
        self.set_metatable(-2);
    }

    /// Pushes a new userdata of `size` bytes and returns its address.
    #[inline]
    pub fn new_userdata(self, size: usize, user_values: c_int) -> *mut c_void {
        // SAFETY: inside protect.
        unsafe { c::new_userdata(self.l(), size, user_values) }
    }

    /// Fills the block of the full userdata at `index` with as much of `words` as it has room for.
    pub fn fill_block(self, index: c_int, words: &[u64]) {
        let len = self.raw_len(index).min(std::mem::size_of_val(words));
        // SAFETY: both have that many bytes; the userdata has just been made, so nobody else uses
        // its block.
        unsafe {
            std::ptr::copy_nonoverlapping(
                words.as_ptr().cast::<u8>(),
                self.userdata(index).cast::<u8>(),
                len,
            )
        };
    }

    /// `table[key] = value` without metamethods; takes key and value off the stack.
    #[inline]
    pub fn raw_set(self, table: c_int) {
        // SAFETY: inside protect; the key is neither nil nor NaN (the caller's duty).
        unsafe { c::lua_rawset(self.l(), table) }
    }

    /// `table[n] = value` without metamethods; takes the value off the stack.
    #[inline]
    pub fn raw_set_index(self, table: c_int, n: i64) {
        // SAFETY: inside protect.
        unsafe { c::raw_set_index(self.l(), table, n) }
    }

    /// `table[name] = value` without metamethods; takes the value off the stack.
    pub fn raw_set_name(self, table: c_int, name: &[u8]) {
        let table = self.absolute(table);
        self.push_bytes(name);
        self.insert(-2);
        self.raw_set(table);
    }

    /// Pushes `table[name]` without metamethods.
    pub fn raw_get_name(self, table: c_int, name: &[u8]) {
        let table = self.absolute(table);
        self.push_bytes(name);
        self.raw_get(table);
    }

    /// Pushes `value[name]`, metamethods included.
    pub fn get_field(self, index: c_int, name: &std::ffi::CStr) {
        // SAFETY: inside protect.
        unsafe {
            c::lua_getfield(self.l(), index, name.as_ptr());
        }
    }

    /// `_G[name] = top`; takes the value off the stack.
    pub fn set_global(self, name: &std::ffi::CStr) {
        self.push_globals();
        self.insert(-2);
        self.push_bytes(name.to_bytes());
        self.insert(-2);
        self.raw_set(-3);
        self.pop(1);
    }

    /// Takes a value off the stack and makes it user value `n` of the userdata at `index`.
    pub fn set_user_value(self, index: c_int, n: c_int) {
        // SAFETY: inside protect.
        unsafe { c::set_user_value(self.l(), index, n) }
    }

    /// Takes a value off the stack and makes it upvalue `n` of the function at `index`.
    #[inline]
    pub fn set_upvalue(self, index: c_int, n: c_int) {
        // SAFETY: the function has that upvalue (the caller's duty).
        unsafe {
            if c::lua_setupvalue(self.l(), index, n).is_null() {
                self.pop(1);
            }
        }
    }

    /// Makes upvalue `n1` of the function at `f1` the same variable as upvalue `n2` of the function
    /// at `f2`.
    pub fn join_upvalues(self, f1: c_int, n1: c_int, f2: c_int, n2: c_int) {
        // SAFETY: both are Lua functions with those upvalues (the caller's duty).
        unsafe { c::upvalue_join(self.l(), f1, n1, f2, n2) }
    }

    /// As [`State::next`], for a table that code of a program may have changed meanwhile.
    #[inline]
    pub fn next(self, index: c_int) -> bool {
        // SAFETY: inside protect: an unknown key raises.
        unsafe { c::lua_next(self.l(), index) != 0 }
    }

    /// Calls the function below its `arguments`, leaving `results` values (`None`: all).
    pub fn call(self, arguments: c_int, results: Option<c_int>) {
        // SAFETY: inside protect.
        unsafe { c::lua_call(self.l(), arguments, results.unwrap_or(c::LUA_MULTRET)) }
    }

    /// Pushes what `tostring` returns for the value at `index`.
    pub fn push_display(self, index: c_int) {
        let mut len = 0;
        // SAFETY: inside protect; __tostring may run.
        unsafe {
            c::luaL_tolstring(self.l(), index, &mut len);
        }
    }

    /// Opens a standard library: sets its global and its entry in `package.loaded`. Leaves nothing
    /// on the stack.
    pub fn open_library(self, name: &std::ffi::CStr, open: c::lua_CFunction) {
        // SAFETY: inside protect.
        unsafe { c::open_library(self.l(), name, open) }
    }

    /// Opens every standard library, as the stock interpreter does.
    pub fn open_all_libraries(self) {
        // SAFETY: inside protect.
        unsafe { c::luaL_openlibs(self.l()) }
    }

    /// Appends the bytecode of the function at the top of the stack to `out`; with `strip`, from
    /// Lua 5.3 on without what debuggers read. Returns false if the function cannot be dumped.
    /// Raises if memory runs out.
    pub fn dump<S: Sink>(self, out: *mut S, strip: bool) -> bool {
        unsafe extern "C-unwind" fn write<S: Sink>(
            _: *mut lua_State,
            data: *const c_void,
            len: usize,
            out: *mut c_void,
        ) -> c_int {
            // SAFETY: `out` is the sink given to lua_dump below, alive and not otherwise used
            // during the call.
            unsafe {
                let out = &mut *out.cast::<S>();
                if len > 0 {
                    out.write(std::slice::from_raw_parts(data.cast(), len));
                }
            }
            0
        }
        // SAFETY: inside protect; the sink belongs to a frame outside of it.
        let status = unsafe { c::dump(self.l(), write::<S>, out.cast(), strip) };
        // LuaJIT returns this status, with the error value at the top of the stack.
        self.loaded(status)
    }

    /// Loads bytecode and pushes the function. Pushes an error message and returns false if it is
    /// not accepted. Raises if memory runs out.
    pub fn load_bytecode(self, code: &[u8]) -> bool {
        // SAFETY: the bytecode comes from `dump` of the same Lua version in this process.
        let status = unsafe {
            c::load_bytecode(
                self.l(),
                code.as_ptr().cast::<c_char>(),
                code.len(),
                c"=(transferred)".as_ptr(),
            )
        };
        self.loaded(status)
    }

    /// Whether a dump or a load succeeded. Raises the error if it failed for another reason than
    /// the function or the text itself: memory ran out, or a finalizer raised an error.
    fn loaded(self, status: c_int) -> bool {
        match status {
            c::LUA_OK => true,
            DUMP_REFUSED | c::LUA_ERRSYNTAX => false,
            _ => self.raise(),
        }
    }

    /// Compiles source text and pushes the function. Pushes an error message and returns false if
    /// it does not compile. Raises if memory runs out.
    pub fn load_text(self, text: &[u8], name: &std::ffi::CStr) -> bool {
        // SAFETY: inside protect.
        let status = unsafe {
            c::load_text(
                self.l(),
                text.as_ptr().cast::<c_char>(),
                text.len(),
                name.as_ptr(),
            )
        };
        self.loaded(status)
    }

    /// Runs a whole collection.
    pub fn collect(self) {
        // SAFETY: inside protect.
        unsafe { c::gc_collect(self.l()) }
    }

    /// Pushes a new coroutine.
    pub fn new_coroutine(self) -> State {
        // SAFETY: inside protect.
        unsafe { State::new(c::lua_newthread(self.l())) }
    }

    /// The first coroutine of this state. On 5.1 and LuaJIT, which cannot tell, the running one,
    /// which is kept alive.
    pub fn main_coroutine(self) -> State {
        // SAFETY: inside protect; it lives as long as the state does.
        unsafe { State::new(c::main_coroutine(self.l())) }
    }

    /// Compiles a file and pushes the function. Pushes an error message and returns false if that
    /// fails.
    pub fn load_file(self, path: &std::ffi::CStr) -> bool {
        // SAFETY: inside protect.
        unsafe { c::luaL_loadfile(self.l(), path.as_ptr()) == c::LUA_OK }
    }

    /// Pushes `file:line: ` of the function at `level` (0: the running C function), or an empty
    /// string.
    pub fn push_where(self, level: c_int) {
        // SAFETY: inside protect.
        unsafe { c::luaL_where(self.l(), level) }
    }

    /// Joins the top `n` strings.
    pub fn concat(self, n: c_int) {
        // SAFETY: inside protect.
        unsafe { c::lua_concat(self.l(), n) }
    }

    /// Raises the value at the top of the stack.
    pub fn raise(self) -> ! {
        // SAFETY: inside protect, in frames that own nothing.
        unsafe { c::lua_error(self.l()) }
    }
}
