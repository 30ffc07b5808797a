//! OS threads: a cache of them, their priority, affinity and names.

pub mod affinity;
mod changes;
mod cpu_time;
pub mod fork;
mod launch;
pub mod library;
pub mod name;
pub mod pool;
pub mod priority;
pub mod reserved;
pub mod stack;

pub use changes::{note_changed, reuse};
pub use cpu_time::cpu_time;
pub use launch::{launch, reserve};
pub use pool::{Ending, Reuse};
pub use reserved::Reserved;
