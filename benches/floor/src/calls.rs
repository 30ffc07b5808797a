//! The cost of calling C from Lua: an object whose methods do nothing.

use crate::{Function, set_functions};
use mlua_sys::{
    lua_State, lua_createtable, lua_newuserdata, lua_pushboolean, lua_pushnumber, lua_pushvalue,
    lua_setfield, lua_setmetatable, luaL_checkinteger,
};
use std::ffi::{CStr, c_int};

pub const FUNCTIONS: [(&CStr, Function); 1] = [(c"object", object)];

/// object:send(timeout, key, value...) -> true
unsafe extern "C-unwind" fn send(l: *mut lua_State) -> c_int {
    // SAFETY: one value fits.
    unsafe { lua_pushboolean(l, 1) };
    1
}

/// object:receive(timeout, key) -> key, 1
unsafe extern "C-unwind" fn receive(l: *mut lua_State) -> c_int {
    // SAFETY: two values fit.
    unsafe {
        lua_pushvalue(l, 3);
        lua_pushnumber(l, 1.0);
    }
    2
}

/// object:receive_many(n) -> n numbers, at most 200
unsafe extern "C-unwind" fn receive_many(l: *mut lua_State) -> c_int {
    // SAFETY: nothing is owned; lua_checkstack makes room for what is pushed.
    unsafe {
        let count = luaL_checkinteger(l, 2).clamp(0, 200) as c_int;
        if mlua_sys::lua_checkstack(l, count) == 0 {
            return 0;
        }
        for i in 0..count {
            lua_pushnumber(l, f64::from(i));
        }
        count
    }
}

/// object() -> a userdata with these methods
unsafe extern "C-unwind" fn object(l: *mut lua_State) -> c_int {
    // SAFETY: nothing is owned; 4 values fit.
    unsafe {
        lua_newuserdata(l, 8);
        lua_createtable(l, 0, 4);
        set_functions(
            l,
            &[
                (c"send", send),
                (c"receive", receive),
                (c"receive_many", receive_many),
            ],
        );
        lua_pushvalue(l, -1);
        lua_setfield(l, -2, c"__index".as_ptr());
        lua_setmetatable(l, -2);
    }
    1
}
