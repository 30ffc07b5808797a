//! What Lua calls: the native module `lanes_core` (`lanes.core` in the 3.x interface), on which
//! `lanes.lua` builds.

pub mod attach;
mod choice;
mod clock;
mod configure;
mod date;
mod deadlock;
mod ends;
mod four;
mod lane;
mod linda;
pub mod loaded;
pub mod names;
mod notifier;
mod plain;
mod prepare;
mod require;
mod scope;
mod select;
mod soon;
pub mod table;
#[cfg(feature = "hooks")]
mod test_hooks;
mod threads;
mod timers;
mod version_check;
mod waiting;
mod what;
