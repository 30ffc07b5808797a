//! Lanes: launching, running, cancelling, and the handle through which a lane's creator sees it.

pub mod callback;
mod cancel;
mod coroutines;
mod fetched;
mod globals;
mod handle;
mod home;
mod hooks;
mod launch;
mod outcome;
mod packages;
mod record;
mod run;
mod shutdown;
mod spare;
mod trace;

pub use handle::{Handle, install as install_handles, push_plain as push_handle};
pub use home::Home;
pub use launch::launch;
pub use record::Record;
pub use shutdown::shut_down;
pub use spare::Spares;
