//! What reading a value out of Lua and building it again costs: the least that any message has to
//! do.

use crate::Function;
use mlua_sys::{
    LUA_TBOOLEAN, LUA_TNUMBER, LUA_TSTRING, LUA_TTABLE, lua_State, lua_createtable, lua_next,
    lua_pop, lua_pushboolean, lua_pushlstring, lua_pushnil, lua_pushnumber, lua_rawset,
    lua_rawseti, lua_toboolean, lua_tolstring, lua_tonumber, lua_type,
};
use std::cell::UnsafeCell;
use std::ffi::{CStr, c_int};

pub const FUNCTIONS: [(&CStr, Function); 3] = [
    (c"encode", encode),
    (c"decode", decode),
    (c"memcpy", memcpy),
];

thread_local! {
    /// The message between `encode` and `decode`.
    static BUFFER: UnsafeCell<Vec<u8>> = const { UnsafeCell::new(Vec::new()) };
}

const NIL: u8 = 0;
const BOOLEAN: u8 = 1;
const NUMBER: u8 = 2;
const STRING: u8 = 3;
const TABLE: u8 = 4;

/// Appends the value at `index` (a positive one). Values of other types count as nil.
unsafe fn write(l: *mut lua_State, index: c_int, buffer: &mut Vec<u8>) {
    // SAFETY: the caller made room on the stack: two values for each level of nesting.
    unsafe {
        match lua_type(l, index) {
            LUA_TBOOLEAN => buffer.extend([BOOLEAN, lua_toboolean(l, index) as u8]),
            LUA_TNUMBER => {
                buffer.push(NUMBER);
                buffer.extend(lua_tonumber(l, index).to_ne_bytes());
            }
            LUA_TSTRING => {
                let mut length = 0;
                let bytes = lua_tolstring(l, index, &mut length);
                buffer.push(STRING);
                buffer.extend((length as u32).to_ne_bytes());
                buffer.extend_from_slice(std::slice::from_raw_parts(bytes.cast(), length));
            }
            LUA_TTABLE => {
                buffer.push(TABLE);
                let counts = buffer.len();
                buffer.extend([0; 8]);
                let (mut items, mut pairs) = (0u32, 0u32);
                let key = index + 1;
                lua_pushnil(l);
                while lua_next(l, index) != 0 {
                    let next_item = pairs == 0
                        && lua_type(l, key) == LUA_TNUMBER
                        && lua_tonumber(l, key) == f64::from(items + 1);
                    if next_item {
                        items += 1;
                    } else {
                        pairs += 1;
                        write(l, key, buffer);
                    }
                    write(l, key + 1, buffer);
                    lua_pop(l, 1);
                }
                buffer[counts..counts + 4].copy_from_slice(&items.to_ne_bytes());
                buffer[counts + 4..counts + 8].copy_from_slice(&pairs.to_ne_bytes());
            }
            _ => buffer.push(NIL),
        }
    }
}

/// Takes `N` bytes off the front.
fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (head, tail) = bytes.split_first_chunk::<N>().expect("a whole message");
    *bytes = tail;
    *head
}

/// Pushes the value at the front of `bytes`.
unsafe fn read(l: *mut lua_State, bytes: &mut &[u8]) {
    // SAFETY: as for `write`.
    unsafe {
        match take::<1>(bytes)[0] {
            BOOLEAN => lua_pushboolean(l, c_int::from(take::<1>(bytes)[0])),
            NUMBER => lua_pushnumber(l, f64::from_ne_bytes(take(bytes))),
            STRING => {
                let length = u32::from_ne_bytes(take(bytes)) as usize;
                lua_pushlstring(l, bytes.as_ptr().cast(), length);
                *bytes = &bytes[length..];
            }
            TABLE => {
                let items = u32::from_ne_bytes(take(bytes));
                let pairs = u32::from_ne_bytes(take(bytes));
                lua_createtable(l, items as c_int, pairs as c_int);
                for i in 1..=items {
                    read(l, bytes);
                    lua_rawseti(l, -2, i as _);
                }
                for _ in 0..pairs {
                    read(l, bytes);
                    read(l, bytes);
                    lua_rawset(l, -3);
                }
            }
            _ => lua_pushnil(l),
        }
    }
}

/// encode(value): keeps a flat copy of it.
unsafe extern "C-unwind" fn encode(l: *mut lua_State) -> c_int {
    BUFFER.with(|buffer| {
        // SAFETY: no other reference to the buffer exists while this runs: nothing called here
        // comes back to us.
        unsafe {
            let buffer = &mut *buffer.get();
            buffer.clear();
            write(l, 1, buffer);
        }
    });
    0
}

/// decode() -> the value that was encoded last, built anew.
unsafe extern "C-unwind" fn decode(l: *mut lua_State) -> c_int {
    BUFFER.with(|buffer| {
        // SAFETY: as above.
        unsafe { read(l, &mut (&*buffer.get()).as_slice()) };
    });
    1
}

/// memcpy() -> microseconds to copy 4 MiB from one place to another, neither of which is in the
/// cache.
unsafe extern "C-unwind" fn memcpy(l: *mut lua_State) -> c_int {
    const SIZE: usize = 4 << 20;
    const PLACES: usize = 16;
    let mut from = vec![1u8; SIZE * PLACES];
    let mut to = vec![0u8; SIZE * PLACES];
    from[0] = 2;
    let each = crate::microseconds_each(100, |turns| {
        for turn in 0..turns as usize {
            let range = (turn % PLACES) * SIZE..(turn % PLACES + 1) * SIZE;
            to[range.clone()].copy_from_slice(&from[range]);
            std::hint::black_box(&mut to);
        }
    });
    drop((from, to));
    // SAFETY: one value fits; nothing is owned any more.
    unsafe { lua_pushnumber(l, each) };
    1
}
