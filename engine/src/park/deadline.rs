//! How long a thread waits.

use std::time::{Duration, Instant};

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// Try once, never wait.
    Now,
    At(Instant),
    Never,
}

impl Deadline {
    /// The deadline `seconds` from now: `Now` if that is zero, negative or NaN, `Never` if the
    /// clock of some system cannot express it (from 1e18 on).
    pub fn after_seconds(seconds: f64) -> Deadline {
        if seconds >= 1e18 {
            Deadline::Never
        } else if seconds > 0.0 {
            Duration::try_from_secs_f64(seconds)
                .ok()
                .and_then(|time| Instant::now().checked_add(time))
                .map_or(Deadline::Never, Deadline::At)
        } else {
            Deadline::Now
        }
    }

    #[cfg(not(loom))]
    /// The time until the deadline: zero if it has passed, `None` if there is no deadline.
    pub(super) fn remaining(self) -> Option<Duration> {
        match self {
            Deadline::Now => Some(Duration::ZERO),
            Deadline::At(instant) => Some(instant.saturating_duration_since(Instant::now())),
            Deadline::Never => None,
        }
    }
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
