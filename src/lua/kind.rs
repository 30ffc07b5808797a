//! `Kind`: the type of a Lua value.

use mlua_sys as c;
use std::os::raw::c_int;

/// The type of a Lua value. The discriminants are the numbers of the C API, so that a conversion
/// takes no table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum Kind {
    /// No value at this index.
    None = c::LUA_TNONE,
    /// nil
    Nil = c::LUA_TNIL,
    /// boolean
    Boolean = c::LUA_TBOOLEAN,
    /// light userdata
    Light = c::LUA_TLIGHTUSERDATA,
    /// number
    Number = c::LUA_TNUMBER,
    /// string
    String = c::LUA_TSTRING,
    /// table
    Table = c::LUA_TTABLE,
    /// function
    Function = c::LUA_TFUNCTION,
    /// full userdata
    Userdata = c::LUA_TUSERDATA,
    /// coroutine
    Thread = c::LUA_TTHREAD,
    /// a type that only this interpreter has, such as LuaJIT's cdata
    Other,
}

impl Kind {
    /// The type that the C API has this number for.
    #[inline]
    pub fn numbered(number: c_int) -> Kind {
        match number {
            c::LUA_TNONE => Kind::None,
            c::LUA_TNIL => Kind::Nil,
            c::LUA_TBOOLEAN => Kind::Boolean,
            c::LUA_TLIGHTUSERDATA => Kind::Light,
            c::LUA_TNUMBER => Kind::Number,
            c::LUA_TSTRING => Kind::String,
            c::LUA_TTABLE => Kind::Table,
            c::LUA_TFUNCTION => Kind::Function,
            c::LUA_TUSERDATA => Kind::Userdata,
            c::LUA_TTHREAD => Kind::Thread,
            _ => Kind::Other,
        }
    }
}
