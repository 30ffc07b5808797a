//! The queues of a linda: what its methods do, over any type of key and message. README.md
//! describes the states of a slot, its counters, and how elements go from senders to receivers.

mod choice;
mod contents;
mod deferred;
mod element;
mod fifo;
mod handover;
mod key;
mod operation;
mod outbox;
mod receive;
mod select;
mod send;
mod shared;
mod shortcut;
mod slab;
mod slot;
mod slots;
mod wait;
mod wait_list;
mod watch;

#[cfg(all(test, not(loom)))]
mod tests;

pub use contents::{Changed, Dump, Fill};
pub use element::{Element, Received, Values};
pub use key::BorrowedKey;
pub use operation::Who;
pub use select::{Case, Happened, select};
pub use shared::{LindaCancelled, Queues};
pub use shortcut::{Found, Shortcut};
pub use watch::WatchFor;
