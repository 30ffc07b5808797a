//! The 4.x interface: methods and functions whose arguments or results are not those of 3.x
//! (docs/manual/v4.md). They check arguments in its way; what they do is the same code.

pub mod arguments;
mod cancel;
pub mod finally;
pub mod functions;
pub mod globals;
mod handle;
mod linda;
pub mod new_linda;

use crate::lane::Kinds;
use crate::lua::Raising;
use std::os::raw::c_int;

/// Gives a state, whose kinds of userdata these are, the methods of the 4.x interface. `context` is
/// the index of the context's userdata.
pub fn install(raising: Raising, context: c_int, kinds: Kinds) {
    let context = raising.absolute(context);
    let top = raising.top();
    kinds.linda.push_metatable(*raising);
    linda::install(raising, context);
    raising.set_top(top);
    kinds.handle.push_metatable(*raising);
    handle::install(raising, context);
    raising.set_top(top);
}
