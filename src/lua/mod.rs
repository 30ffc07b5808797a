//! The language border: a thin typed layer over the C API, and the only place that knows how Lua raises errors.
//!
//! Three rules hold everywhere above this floor:
//! 1. [`State`] offers only calls that cannot raise.
//! 2. Calls that can raise are methods of [`Raising`], which exists only inside [`protect`]; a closure given to
//!    `protect` is `Copy`, so it owns nothing, and the code it runs keeps no owned value in a local variable.
//! 3. A function that Lua calls goes through [`enter`]: its body returns a `Result`, all its locals are dropped, and
//!    only then, from a frame that owns nothing, is the error raised.

#![allow(
    unsafe_code,
    reason = "the C API is unsafe: what is above this floor uses it through safe calls"
)]

mod args;
pub mod compat;
mod debug;
mod entry;
mod protect;
pub mod sentinels;
mod state;
mod text;
mod userdata;
mod warnings;

pub use args::Arguments;
pub use debug::FrameInfo;
pub use entry::{
    NOT_ENOUGH_MEMORY, ORIGINAL, Raise, check_memory, enter, enter_always, enter_around,
};
pub(crate) use entry::{lua_around_original, lua_function};
pub use protect::{Raising, Sink, install, is_function, is_trampoline, protect, protect_with};
pub use state::{Hook, Kind, State, upvalue};
pub(crate) use text::text;
pub use text::{Part, Text};
pub use userdata::{Userdata, new_metatable};

/// A function of ours that Lua calls.
///
/// Lua declares the result as `int`. LuaJIT's interpreter on x86-64 reads the whole register, whose upper half a C
/// compiler happens to clear and a Rust compiler need not; as `usize` it is always clear.
pub type Function = unsafe extern "C-unwind" fn(*mut compat::lua_State) -> usize;
