//! How a thread waits: until when ([`Deadline`]), with what ([`Wait`]), and why a wait ends
//! ([`Refusal`]).

mod alarm;
mod countdown;
mod crowd;
mod deadline;
mod descriptor;
mod latch;
pub mod named;
mod notifier;
mod parker;
mod refusal;
#[cfg(not(loom))]
mod spin;
mod turns;
mod waiter;
mod watcher;

// How a parked thread sleeps: one of four files with the same interface.
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
#[path = "futex.rs"]
mod sleeper;
#[cfg(all(windows, not(loom)))]
#[path = "address.rs"]
mod sleeper;
#[cfg(not(any(all(target_os = "linux", target_pointer_width = "64"), windows, loom)))]
#[path = "condvar.rs"]
mod sleeper;
#[cfg(loom)]
#[path = "model.rs"]
mod sleeper;

pub use alarm::Alarm;
pub use countdown::Countdown;
pub use crowd::Crowd;
pub use deadline::Deadline;
pub use latch::Latch;
pub use notifier::Notifier;
pub use parker::{Parker, Woken};
pub use refusal::{Refusal, Request};
pub use turns::{Turn, Turns};
pub use waiter::{Sleeps, Wait, Waiter};
pub use watcher::{SharedWatcher, Watcher};
