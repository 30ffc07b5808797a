//! The engine of Lanes: everything that does not know Lua. Each module says what it does;
//! `docs/architecture.md` says how they are used.

#![deny(unsafe_code)]

pub mod memory;
pub mod origin;
pub mod park;
pub mod pin;
pub mod queues;
pub mod sync;
pub mod threads;
pub mod timers;
