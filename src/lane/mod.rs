//! Lanes as objects: record, outcome, states that are kept for the next lanes, and the handle through which a creator sees its lane.

mod handle;
mod home;
mod kinds;
pub mod outcome;
mod record;
mod spares;

pub use handle::{Fetched, Handle};
pub use home::{Home, no_thread};
pub use kinds::Kinds;
pub use record::{ALL_HOOKS, Record};
pub use spares::{Kit, Leftover, Place, Spare, Spares};
