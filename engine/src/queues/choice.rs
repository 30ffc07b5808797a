//! What the parked operations of one `select` share: which of them happens.

use crate::sync::atomic::{AtomicU32, Ordering};

const OPEN: u32 = u32::MAX;

/// The number of no case: nothing happens.
pub const NOTHING: u32 = u32::MAX - 1;

/// Decided once, by whoever comes first: a linda that could do an operation, under its lock, or the
/// thread that selects.
pub struct Choice(AtomicU32);

impl Choice {
    pub fn new() -> Choice {
        Choice(AtomicU32::new(OPEN))
    }

    /// Decides for this case. Returns false if the decision has been made already.
    pub fn claim(&self, case: u32) -> bool {
        self.0
            .compare_exchange(OPEN, case, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// The number of the case that was decided for.
    pub fn decided(&self) -> Option<u32> {
        Some(self.0.load(Ordering::Acquire)).filter(|case| *case != OPEN)
    }
}
