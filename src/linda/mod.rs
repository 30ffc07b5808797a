//! Lindas as objects: named sets of queues between lanes.

mod drop_chain;
mod key;
mod object;
mod restrictions;
mod shortcuts;
pub mod soft_requests;

pub use key::{Key, KeyRef, allow_object_keys};
pub use object::{KIND, Linda};
pub use restrictions::Restriction;
pub use shortcuts::Shortcuts;
