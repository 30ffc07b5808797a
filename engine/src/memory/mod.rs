//! Running out of memory: a reserve for what cannot be refused, room that can be refused, and
//! refusals that tests ask for.

#[cfg(feature = "hooks")]
pub mod faults;
pub mod grow;
pub mod reserve;
