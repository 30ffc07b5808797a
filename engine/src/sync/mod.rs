//! The synchronisation primitives of the engine: those of std, or loom's in the models
//! (`--cfg loom`).

#[cfg(all(feature = "hooks", not(loom)))]
mod delay;
mod mutex;
mod race;
mod seal;

#[cfg(loom)]
use loom::sync as imp;
#[cfg(not(loom))]
use std::sync as imp;

#[cfg(loom)]
pub use loom::thread;
#[cfg(not(loom))]
pub use std::thread;

pub use imp::{Arc, MutexGuard, atomic};
pub use mutex::Mutex;
pub use race::race_point;
pub use seal::Seal;
