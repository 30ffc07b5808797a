//! `Kind`: the type of a Lua value.

/// The type of a Lua value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// No value at this index.
    None,
    /// nil
    Nil,
    /// boolean
    Boolean,
    /// light userdata
    Light,
    /// number
    Number,
    /// string
    String,
    /// table
    Table,
    /// function
    Function,
    /// full userdata
    Userdata,
    /// coroutine
    Thread,
    /// a type that only this interpreter has, such as LuaJIT's cdata
    Other,
}
