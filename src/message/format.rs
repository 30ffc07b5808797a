//! The format of a message's bytes: a sequence of values, each a tag and its operands.
//!
//! Objects (tables, functions, userdata) are numbered in the order in which they appear; `REF`
//! refers to one by number. An object is a header (tag, flags, what it takes to make it) and a body
//! (its contents). The body follows the header. If objects are nested more than [`NESTING_LIMIT`]
//! deep, it is deferred: it follows at the end of the value, in order of appearance. All numbers
//! are little-endian.

use std::os::raw::c_int;

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
/// u64 address. The last tag of a scalar: those above are of objects, or of parts of objects.
pub const LIGHT: u8 = 7;
/// Header: flags. Body: u32 number of array entries, u32 number of hash entries, the values of the
/// array part (a run counts as its values), key and value of each hash entry, u32 number of the
/// metatable's reference if `METATABLE` is set.
pub const TABLE: u8 = 8;
/// Within an array part: u32 count, that many i64.
pub const INTEGERS: u8 = 9;
/// Within an array part: u32 count, that many f64.
pub const FLOATS: u8 = 10;
/// u32 number of an object that has appeared before
pub const REF: u8 = 11;
/// Header: flags, u32 length, bytecode. Body: u8 number of upvalues, each a value, `JOIN` or
/// `GLOBALS`.
pub const FUNCTION: u8 = 12;
/// An upvalue that is the same variable as an earlier one: u32 number of a function, u8 number of
/// its upvalue.
pub const JOIN: u8 = 13;
/// The table of globals of the receiving state.
pub const GLOBALS: u8 = 14;
/// A C function by name: u32 length of the module's name, u32 length of the path, module, path.
pub const NAMED_FUNCTION: u8 = 15;
/// A module's table by name: operands as of `NAMED_FUNCTION`.
pub const NAMED_TABLE: u8 = 16;
/// Header: flags, u32 number of the reference. Body: u8 number of user values, each a value.
pub const DEEP: u8 = 17;
/// Header: flags, u8 number of user values, the metatable as `NAMED_TABLE` or `MODULE`, u32 number
/// of the block's reference. Body: u8 number of user values, each a value.
pub const CLONE: u8 = 18;
/// Before a table that is made to be a metatable (it has `__index`): u64 identity. A state that has
/// a table with that identity uses that one.
pub const CLASS: u8 = 19;
/// A module's table by description: u32 number of the reference. The description begins with the
/// name, as `NAMED_TABLE` or `GLOBALS`; the table's contents follow if a copy can be made.
pub const MODULE: u8 = 20;
/// A userdata of a module by name, in the 4.x interface: operands as of `NAMED_FUNCTION`.
pub const NAMED_USERDATA: u8 = 21;

/// Flag: the object is referred to again, so a decoder keeps it by number.
pub const SHARED: u8 = 1;
/// Flag: the table has a metatable.
pub const METATABLE: u8 = 2;
/// Flag: the body is deferred to the end of the value.
pub const DEFERRED: u8 = 4;
/// Flag: the metatable is written as u64 identity and value, in place of a reference.
pub const METATABLE_VALUE: u8 = 8;

/// All flags of the format.
pub const ALL_FLAGS: u8 = SHARED | METATABLE | DEFERRED | METATABLE_VALUE;

/// How deep objects nest before their bodies are deferred. Bounds the Lua stack that encoding and
/// decoding need.
pub const NESTING_LIMIT: usize = 60;

/// How many nested objects the Lua stack has room for before more is reserved.
pub const RESERVE_INTERVAL: usize = 6;

/// How many stack slots are reserved at a time: at most three for each of [`RESERVE_INTERVAL`]
/// nested objects, and those for work on the innermost.
pub const RESERVED_SLOTS: c_int = 3 * RESERVE_INTERVAL as c_int + 24;
