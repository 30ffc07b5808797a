//! Lanes as objects: record, outcome, handle, and the states that are kept for the next lanes.

mod handle;
mod home;
mod kinds;
pub mod monitors;
pub mod outcome;
mod pause;
mod record;
mod spares;

pub use handle::{Fetched, Handle};
pub use home::{Home, no_thread};
pub use kinds::Kinds;
pub use outcome::Traces;
pub use pause::{Describe, Entry, Pause};
pub use record::{ALL_HOOKS, Record};
pub use spares::{Leftover, Place, Recipe, Spare, Spares};
