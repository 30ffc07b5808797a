//! Lindas as objects: named sets of queues between lanes.

mod drop_chain;
mod key;
mod object;
mod shortcuts;
pub mod soft_requests;

pub use key::{Key, KeyRef};
pub use object::{KIND, Linda};
pub use shortcuts::Shortcuts;
