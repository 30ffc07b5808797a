//! The format of a message's bytes: a stream of values, each a tag and what the tag announces.
//!
//! Objects (tables, functions, userdata) are numbered in the order in which they appear; `REF` names one by number.
//! An object is a header (tag, flags, what it needs to exist) and a body (what it contains). The body follows at
//! once, or, when objects are nested deeper than a stack should grow, at the end of the value, in order of appearance.
//! All numbers are little-endian.

/// nil
pub const NIL: u8 = 0;
/// false
pub const FALSE: u8 = 1;
/// true
pub const TRUE: u8 = 2;
/// i64
pub const INTEGER: u8 = 3;
/// f64
pub const FLOAT: u8 = 4;
/// u8 length, bytes
pub const SHORT: u8 = 5;
/// u64 length, bytes
pub const LONG: u8 = 6;
/// u64 address. The last of the scalars: tags above it are of objects, or part of them.
pub const LIGHT: u8 = 7;
/// Header: flags. Body: u32 array entries, u32 hash entries, the values of the array part (runs count as many), key
/// and value of each hash entry, u32 number of the metatable's reference where `METATABLE` is set.
pub const TABLE: u8 = 8;
/// Within an array part: u32 count, that many i64.
pub const INTEGERS: u8 = 9;
/// Within an array part: u32 count, that many f64.
pub const FLOATS: u8 = 10;
/// u32 number of an object that appeared before
pub const REF: u8 = 11;
/// Header: flags, u32 length, bytecode. Body: u8 number of upvalues, each a value, `JOIN` or `GLOBALS`.
pub const FUNCTION: u8 = 12;
/// An upvalue that is the same variable as one before: u32 number of a function, u8 number of its upvalue.
pub const JOIN: u8 = 13;
/// The table of globals of whichever state it arrives in.
pub const GLOBALS: u8 = 14;
/// A C function by name: u32 length of the module's name, u32 length of the path, both texts.
pub const NAMED_FUNCTION: u8 = 15;
/// A module's table by name, as `NAMED_FUNCTION`.
pub const NAMED_TABLE: u8 = 16;
/// Header: flags, u32 number of the reference. Body: u8 number of user values, each a value.
pub const DEEP: u8 = 17;
/// Header: flags, u8 number of user values, the metatable as `NAMED_TABLE` or `MODULE`, u32 number of the reference to the
/// block.
/// Body: u8 number of user values, each a value.
pub const CLONE: u8 = 18;

/// Before a table that is made to be a metatable (it has `__index`): u64 identity. A state that has a table of that
/// identity uses that one.
pub const CLASS: u8 = 19;

/// A module's table that was described: u32 number of the reference. The description begins with the name, as `NAMED_TABLE`
/// or `GLOBALS`; where it has more that is the table's contents.
pub const MODULE: u8 = 20;

/// Flag: the object is referred to again, so a reader keeps it by number.
pub const SHARED: u8 = 1;
/// Flag: the table has a metatable.
pub const METATABLE: u8 = 2;
/// Flag: the body comes at the end of the value.
pub const LATER: u8 = 4;
/// Flag: the metatable is given by u64 identity and its value, and not by reference.
pub const METATABLE_VALUE: u8 = 8;

/// All flags there are.
pub const FLAGS: u8 = SHARED | METATABLE | LATER | METATABLE_VALUE;

/// How deep objects nest before bodies are put off. Bounds the Lua stack that encoding and decoding need.
pub const DEPTH: usize = 60;

/// How many nested objects there is room for on the Lua stack before more is reserved.
pub const STEP: usize = 6;

/// Room on the Lua stack for `STEP` nested objects, each of which takes at most three places, and for what is done with the innermost.
pub const ROOM: std::os::raw::c_int = 3 * STEP as std::os::raw::c_int + 24;
