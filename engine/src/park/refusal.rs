//! What a waiting thread can be asked to do, and why a wait ends without success.

use crate::memory::grow::OutOfMemory;

/// What somebody asked a waiting or working lane to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Request {
    None,
    Soft,
    Hard,
}

/// Why a call ended without doing its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The deadline passed.
    TimedOut,
    /// The waiter itself has been asked to stop.
    Request(Request),
    /// The linda is cancelled, for everybody.
    LindaCancelled,
    /// `Wait::interrupted` returned true.
    Interrupted,
    /// Out of memory, and nothing has been done.
    OutOfMemory,
}

impl From<OutOfMemory> for Refusal {
    fn from(_: OutOfMemory) -> Refusal {
        Refusal::OutOfMemory
    }
}
