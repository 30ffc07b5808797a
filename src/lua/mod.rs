//! The language border: a thin typed layer over the C API, and the only place that knows how Lua
//! raises errors.
//!
//! Three rules hold everywhere above this floor:
//! 1. [`State`] offers only calls that cannot raise.
//! 2. Calls that can raise are methods of [`Raising`], which exists only inside [`protect`]; a
//!    closure given to `protect` is `Copy`, so it owns nothing, and the code it runs keeps no owned
//!    value in a local variable.
//! 3. A function that Lua calls goes through [`enter`]: its body returns a `Result`, all its locals
//!    are dropped, and only then, from a frame that owns nothing, is the error raised.

#![allow(
    unsafe_code,
    reason = "the C API is unsafe: what is above this floor uses it through safe calls"
)]

mod args;
pub mod compat;
pub mod core_file;
mod debug;
mod entry;
mod hooks;
mod keys;
mod kind;
mod nearest;
mod protect;
mod raise;
pub mod sentinels;
mod state;
mod text;
mod userdata;
mod warnings;

pub use args::Arguments;
pub use compat::Function;
pub use debug::FrameInfo;
pub use entry::{ORIGINAL, check_memory, enter, enter_always, enter_around};
pub(crate) use entry::{lua_around_original, lua_function};
pub use hooks::Hook;
pub use keys::KEYS;
pub use kind::Kind;
pub use nearest::{nearest, suggestion};
pub use protect::{Raising, Sink, install, is_function, is_trampoline, protect, protect_with};
pub use raise::Raise;
pub use state::{State, upvalue};
pub(crate) use text::text;
pub use text::{NOT_ENOUGH_MEMORY, Text};
pub use userdata::{Userdata, new_metatable};
