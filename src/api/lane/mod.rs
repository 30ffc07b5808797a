//! What Lua calls of lanes: launching, running, cancelling, and the methods of handles.

pub mod callback;
pub mod cancel;
pub mod cancel_hook;
mod capture;
mod coroutines;
mod debug_hooks;
mod event;
pub mod failures;
pub mod fetched;
pub mod globals;
mod lane_hooks;
pub mod launch;
pub mod methods;
pub mod monitor;
mod packages;
pub mod receiver;
mod run;
pub mod shutdown;
pub mod states;
pub mod suspension;
mod trace;
