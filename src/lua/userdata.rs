//! Typed userdata: a full userdata that holds one Rust value behind a pointer, checked by the type
//! that its block begins with. The check takes two calls of the C API (a look at the metatable
//! takes four), and a program cannot deceive it by giving one of our metatables to another
//! userdata.

use super::compat::Function;
use super::compat::lua_State;
use super::entry::enter_always;
use super::protect::Raising;
use super::state::State;
use std::any::TypeId;
use std::marker::PhantomData;
use std::os::raw::{c_int, c_void};

/// What the block of a userdata holds.
#[repr(C)]
struct Cell<T> {
    /// The type of the value: 128 bits with which no block of another library begins.
    kind: TypeId,
    /// Null before a value is put in, and after it has been taken out.
    value: *mut T,
}

/// A kind of userdata in one state: the identity of its metatable, and where the metatable is kept.
pub struct Userdata<T> {
    /// Its address, as an identity only.
    metatable: usize,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Userdata<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Userdata<T> {}

impl<T: 'static> Userdata<T> {
    /// Makes the table at the top of the stack the metatable of this kind, and leaves it there. It
    /// is kept in the registry under its own address, so it lives as long as the state.
    pub fn adopt(raising: Raising) -> Userdata<T> {
        let metatable = raising.pointer(-1) as usize;
        raising.push_light(metatable as *mut c_void);
        raising.push_copy(-2);
        raising.raw_set(State::REGISTRY);
        Userdata {
            metatable,
            kind: PhantomData,
        }
    }

    /// Pushes the metatable.
    pub fn push_metatable(self, state: State) {
        state.push_seen_light(self.metatable as *mut c_void);
        state.raw_get(State::REGISTRY);
    }

    /// Pushes a new, empty userdata of this kind. Put a value into it with [`Userdata::put`] before
    /// Lua sees it.
    pub fn push_empty(self, raising: Raising, user_values: c_int) {
        let block = raising.new_userdata(size_of::<Cell<T>>(), user_values);
        let cell = Cell::<T> {
            kind: TypeId::of::<T>(),
            value: std::ptr::null_mut(),
        };
        // SAFETY: a fresh block of that size; userdata are aligned for anything that C has.
        unsafe { block.cast::<Cell<T>>().write_unaligned(cell) };
        self.push_metatable(*raising);
        raising.set_metatable(-2);
    }

    /// The block of the userdata at `index`, if it is of this kind.
    #[inline]
    fn cell(state: State, index: c_int) -> Option<*mut Cell<T>> {
        let block = state.userdata(index).cast::<Cell<T>>();
        // A light userdata has no length, a smaller block cannot be read.
        if block.is_null() || state.raw_len(index) != size_of::<Cell<T>>() {
            return None;
        }
        // SAFETY: the block has the size of a cell, and any bytes may be compared with a type.
        let kind = unsafe {
            (&raw const (*block).kind)
                .cast::<[u8; size_of::<TypeId>()]>()
                .read_unaligned()
        };
        // SAFETY: a TypeId is plain data.
        let expected =
            unsafe { std::mem::transmute::<TypeId, [u8; size_of::<TypeId>()]>(TypeId::of::<T>()) };
        (kind == expected).then_some(block)
    }

    /// The value of the userdata at `index`, if it holds one of this type. The userdata must stay
    /// referenced from the stack for as long as the value is used.
    #[inline]
    pub fn get(state: &State, index: c_int) -> Option<&T> {
        let cell = Self::cell(*state, index)?;
        // SAFETY: only `push_empty` makes blocks that begin with this type; the value lives until
        // `collect`, which runs when nothing refers to the userdata any more.
        unsafe { (*cell).value.as_ref() }
    }

    /// The value of the userdata at `index`, without a check of its type.
    ///
    /// # Safety
    /// Only userdata of this kind are ever at this index: it is an upvalue of our own functions, or
    /// a place in the registry under a key of ours.
    #[inline]
    pub unsafe fn held(state: &State, index: c_int) -> Option<&T> {
        let block = state.userdata(index).cast::<Cell<T>>();
        if block.is_null() {
            return None;
        }
        // SAFETY: by the contract of this function.
        unsafe { (*block).value.as_ref() }
    }

    /// Puts a value into the userdata at `index`, which is empty and of this kind. If it is of
    /// another kind the value is dropped.
    pub fn put(state: State, index: c_int, value: Box<T>) {
        if let Some(cell) = Self::cell(state, index) {
            // SAFETY: only `push_empty` makes blocks that begin with this type.
            unsafe { (*cell).value = Box::into_raw(value) };
        }
    }

    /// Takes the value out of the userdata at `index`. Returns none if it is of another kind or
    /// empty.
    pub fn take(state: State, index: c_int) -> Option<Box<T>> {
        let cell = Self::cell(state, index)?;
        // SAFETY: as for `get`; the pointer came from a box and is taken out before anything else.
        unsafe {
            let value = std::mem::take(&mut (*cell).value);
            (!value.is_null()).then(|| Box::from_raw(value))
        }
    }

    /// The `__gc` function of this kind: drops the value.
    pub const COLLECT: Function = collect::<T>;
}

unsafe extern "C-unwind" fn collect<T: 'static>(l: *mut lua_State) -> usize {
    // SAFETY: called by Lua; owns nothing.
    unsafe {
        enter_always(l, |state| {
            drop(Userdata::<T>::take(state, 1));
            Ok(0)
        })
    }
}

/// Pushes a new metatable with the given functions, each with the value at `context` as its first
/// upvalue, and with `__metatable` set to `name`, so that programs can neither read nor replace it.
pub fn new_metatable(raising: Raising, context: c_int, name: &str, functions: &[(&str, Function)]) {
    let context = raising.absolute(context);
    raising.new_table(0, functions.len() + 2);
    for (key, function) in functions {
        raising.push_copy(context);
        raising.push_function(*function, 1);
        raising.raw_set_name(-2, key.as_bytes());
    }
    raising.push_bytes(name.as_bytes());
    raising.raw_set_name(-2, b"__metatable");
    raising.push_bytes(name.as_bytes());
    raising.raw_set_name(-2, b"__name");
}
