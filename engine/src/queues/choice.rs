//! A choice: the decision which of the parked operations of one `select` happens.

use crate::sync::atomic::{AtomicU32, Ordering};

const OPEN: u32 = u32::MAX;

/// The number that stands for no case: nothing happens.
pub const NOTHING: u32 = u32::MAX - 1;

/// Decided once, by whoever comes first: a linda that could do an operation, under its lock, or the
/// thread that selects.
pub struct Choice(AtomicU32);

impl Choice {
    pub fn new() -> Choice {
        Choice(AtomicU32::new(OPEN))
    }

    /// Decides for this case. Returns false if the choice is already decided.
    pub fn claim(&self, case: u32) -> bool {
        self.0
            .compare_exchange(OPEN, case, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// The number of the chosen case.
    pub fn decided(&self) -> Option<u32> {
        Some(self.0.load(Ordering::Acquire)).filter(|case| *case != OPEN)
    }
}
