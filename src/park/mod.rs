//! How a thread waits: what it waits with (`Wait`), why a wait ends (`Refusal`), and its parts, one file each.

pub mod acting;
mod latch;
mod parker;
pub mod recursive;
#[cfg(not(loom))]
mod spin;
mod waiter;

// How a parked thread sleeps: one of three files with the same interface.
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
#[path = "futex.rs"]
mod sleeper;
#[cfg(not(any(all(target_os = "linux", target_pointer_width = "64"), loom)))]
#[path = "condvar.rs"]
mod sleeper;
#[cfg(loom)]
#[path = "model.rs"]
mod sleeper;

use crate::sync::Arc;
use std::time::{Duration, Instant};

pub use latch::Latch;
pub use parker::{Parker, Woken};
pub use waiter::Waiter;

/// What somebody asked a waiting or working lane to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Request {
    None,
    Soft,
    Hard,
}

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// Try once, never wait.
    Now,
    At(Instant),
    Never,
}

impl Deadline {
    /// The deadline `seconds` from now. Zero, negative and NaN mean now; what the clock cannot express means never.
    pub fn after_seconds(seconds: f64) -> Deadline {
        if seconds > 0.0 {
            Duration::try_from_secs_f64(seconds)
                .ok()
                .and_then(|time| Instant::now().checked_add(time))
                .map_or(Deadline::Never, Deadline::At)
        } else {
            Deadline::Now
        }
    }

    /// Time left until the deadline: zero when it has passed, `None` when there is none.
    fn remaining(self) -> Option<Duration> {
        match self {
            Deadline::Now => Some(Duration::ZERO),
            Deadline::At(instant) => Some(instant.saturating_duration_since(Instant::now())),
            Deadline::Never => None,
        }
    }
}

/// Who waits, until when, and what else may end the wait.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    pub waiter: &'a Arc<Waiter>,
    pub deadline: Deadline,
    /// Asked before the thread goes to sleep and whenever it wakes without being notified (on Linux at every signal); true ends the wait.
    pub interrupted: Option<&'a dyn Fn() -> bool>,
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
    /// `Wait::interrupted` said so.
    Interrupted,
    /// There is no memory for what was to be done, and nothing has been done.
    OutOfMemory,
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn after_seconds_of_nothing_is_now() {
        for seconds in [0.0, -0.0, -1.0, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(Deadline::after_seconds(seconds), Deadline::Now, "{seconds}");
        }
    }

    #[test]
    fn after_seconds_beyond_the_clock_is_never() {
        for seconds in [f64::INFINITY, f64::MAX, 1e19, 1.8e19] {
            assert_eq!(
                Deadline::after_seconds(seconds),
                Deadline::Never,
                "{seconds}"
            );
        }
    }

    #[test]
    fn after_seconds_lies_that_far_ahead() {
        let before = Instant::now();
        let Deadline::At(instant) = Deadline::after_seconds(1.5) else {
            panic!("no instant")
        };
        let after = Instant::now();
        assert!(
            instant >= before + Duration::from_millis(1500)
                && instant <= after + Duration::from_millis(1500)
        );
    }
}
