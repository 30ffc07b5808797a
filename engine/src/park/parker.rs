//! A parker: one thread sleeps in it until another one leaves a token. The thread spins before it
//! sleeps: to wake a spinning thread takes no system call.

use super::deadline::Deadline;
use super::sleeper::{SLICE, Sleeper, Slept};
#[cfg(not(loom))]
use super::spin::Spin;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::race_point;

// States of the word of a parker. Only the owner leaves NOTIFIED and enters PARKED; anybody may
// enter NOTIFIED.
pub(super) const EMPTY: u32 = 0;
pub(super) const PARKED: u32 = 1;
pub(super) const NOTIFIED: u32 = 2;

/// Why `Parker::park` returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    Notified,
    TimedOut,
    Interrupted,
}

/// Holds at most one token. `unpark` leaves it, `park` waits for it and takes it. One thread at a
/// time may park: the owner.
pub struct Parker {
    word: AtomicU32,
    sleeper: Sleeper,
    #[cfg(not(loom))]
    spin: Spin,
}

impl Parker {
    pub fn new() -> Parker {
        Parker {
            word: AtomicU32::new(EMPTY),
            sleeper: Sleeper::new(),
            #[cfg(not(loom))]
            spin: Spin::new(),
        }
    }

    /// Leaves the token, and wakes the owner if it sleeps. Everything that the caller did before is
    /// visible to the owner afterwards.
    pub fn unpark(&self) {
        race_point(16);
        if self.word.swap(NOTIFIED, Ordering::AcqRel) == PARKED {
            self.sleeper.wake(&self.word);
        }
    }

    /// Waits for the token and takes it, or ends at the deadline or when `interrupted` returns
    /// true. A token may be left over from an earlier wait, so the caller checks whether what it
    /// waits for has happened.
    pub fn park(&self, deadline: Deadline, interrupted: Option<&dyn Fn() -> bool>) -> Woken {
        if self.spin_for_token(deadline, || true) {
            return Woken::Notified;
        }
        self.sleep(deadline, interrupted, || ())
    }

    /// The first part of `park`: spins while `worthwhile` returns true, and takes the token if it
    /// comes. Returns false if it does not; `sleep` is the second part.
    pub fn spin_for_token(&self, deadline: Deadline, worthwhile: impl Fn() -> bool) -> bool {
        let ready = || self.word.load(Ordering::Relaxed) == NOTIFIED || !worthwhile();
        self.take_token()
            || deadline != Deadline::Now && self.spin(deadline, ready) && self.take_token()
    }

    /// Spins until `ready` returns true. Returns false if it does not soon enough, or if spinning
    /// is not worthwhile now.
    #[cfg(not(loom))]
    pub(super) fn spin(&self, deadline: Deadline, ready: impl Fn() -> bool) -> bool {
        self.spin.until(ready, deadline)
    }

    #[cfg(loom)]
    pub(super) fn spin(&self, _deadline: Deadline, _ready: impl Fn() -> bool) -> bool {
        false
    }

    /// As `park`, without a spin. `wakes` is called when the sleep is over, before the token is
    /// taken.
    pub fn sleep(
        &self,
        deadline: Deadline,
        interrupted: Option<&dyn Fn() -> bool>,
        wakes: impl FnOnce(),
    ) -> Woken {
        if interrupted.is_some_and(|asked| asked()) {
            wakes();
            return Woken::Interrupted;
        }
        race_point(16);
        if self
            .word
            .compare_exchange(EMPTY, PARKED, Ordering::Acquire, Ordering::Acquire)
            .is_err()
        {
            // The word is NOTIFIED, and only this thread changes that. Another token may have been
            // left since: what was done before that must be visible, too, so this is not a plain
            // store.
            wakes();
            self.word.swap(EMPTY, Ordering::AcqRel);
            return Woken::Notified;
        }
        let slice = interrupted.and(SLICE);
        let woken = loop {
            let slept = self.sleeper.sleep(&self.word, PARKED, deadline, slice);
            if self.word.load(Ordering::Relaxed) != PARKED {
                break Woken::Notified;
            }
            if slept == Slept::TimedOut {
                break Woken::TimedOut;
            }
            if interrupted.is_some_and(|asked| asked()) {
                break Woken::Interrupted;
            }
        };
        race_point(16);
        wakes();
        // The token may have come in the meantime: it is taken.
        if self.word.swap(EMPTY, Ordering::AcqRel) == NOTIFIED {
            Woken::Notified
        } else {
            woken
        }
    }

    /// Whether there is a token that `park` would take.
    pub fn has_token(&self) -> bool {
        self.word.load(Ordering::Acquire) == NOTIFIED
    }

    fn take_token(&self) -> bool {
        self.word.load(Ordering::Relaxed) == NOTIFIED
            && self
                .word
                .compare_exchange(NOTIFIED, EMPTY, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
    }

    /// Models only: lets the deadline of a timed wait, present or future, pass.
    #[cfg(loom)]
    pub fn expire(&self) {
        self.sleeper.expire();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::thread;
    use std::time::{Duration, Instant};

    #[test]
    fn a_token_is_kept_and_there_is_only_one() {
        let parker = Parker::new();
        parker.unpark();
        parker.unpark();
        assert_eq!(parker.park(Deadline::Never, None), Woken::Notified);
        assert_eq!(parker.park(Deadline::Now, None), Woken::TimedOut);
        parker.unpark();
        assert_eq!(parker.park(Deadline::Now, None), Woken::Notified);
    }

    #[test]
    fn a_deadline_is_not_early() {
        let parker = Parker::new();
        for micros in [0, 1, 10, 100, 1000, 10_000] {
            let deadline = Instant::now() + Duration::from_micros(micros);
            assert_eq!(parker.park(Deadline::At(deadline), None), Woken::TimedOut);
            assert!(Instant::now() >= deadline);
        }
    }

    #[test]
    fn a_sleeper_is_woken() {
        let parker = Parker::new();
        thread::scope(|scope| {
            let thread = scope.spawn(|| parker.park(Deadline::Never, None));
            while parker.word.load(Ordering::Relaxed) != PARKED {
                thread::yield_now();
            }
            parker.unpark();
            assert_eq!(thread.join().unwrap(), Woken::Notified);
        });
        assert_eq!(parker.word.load(Ordering::Relaxed), EMPTY);
    }

    #[test]
    fn tokens_pass_to_and_fro() {
        let (ping, pong) = (Parker::new(), Parker::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    assert_eq!(ping.park(Deadline::Never, None), Woken::Notified);
                    pong.unpark();
                }
            });
            for _ in 0..10_000 {
                ping.unpark();
                assert_eq!(pong.park(Deadline::Never, None), Woken::Notified);
            }
        });
    }

    #[test]
    fn an_interruption_is_noticed_during_a_sleep_without_any_wake() {
        let parker = Parker::new();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let interrupted = || stop.load(Ordering::Relaxed);
                parker.park(Deadline::Never, Some(&interrupted))
            });
            while parker.word.load(Ordering::Relaxed) != PARKED {
                thread::yield_now();
            }
            stop.store(true, Ordering::Relaxed);
            assert_eq!(thread.join().unwrap(), Woken::Interrupted);
        });
    }
}
