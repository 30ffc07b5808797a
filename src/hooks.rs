//! Test hooks, compiled in with the feature `hooks` only: `lanes_core.hooks`.

use crate::context::push_function;
use crate::lua::{Raising, lua_function};
use std::os::raw::c_int;

/// Adds the hooks to the module's table on the top.
pub fn add(raising: Raising, context: c_int) {
    raising.new_table(0, 1);
    push_function(raising, context, panic);
    raising.raw_set_name(-2, b"panic");
    raising.raw_set_name(-2, b"hooks");
}

lua_function! {
    /// `hooks.panic()`: panics, which callers see as a Lua error.
    fn panic = |_| panic!("provoked by a test")
}
