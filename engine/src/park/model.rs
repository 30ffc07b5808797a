//! How a parked thread sleeps in the loom models: on a Condvar. Deadlines pass when the model says
//! so.

use super::deadline::Deadline;
use crate::sync::atomic::{AtomicU32, Ordering};
use loom::sync::{Condvar, Mutex};
use std::time::Duration;

pub const SLICE: Option<Duration> = None;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Slept {
    Woken,
    TimedOut,
}

pub struct Sleeper {
    expired: Mutex<bool>,
    changed: Condvar,
}

impl Sleeper {
    pub fn new() -> Sleeper {
        Sleeper {
            expired: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    pub fn sleep(
        &self,
        word: &AtomicU32,
        expected: u32,
        deadline: Deadline,
        _slice: Option<Duration>,
    ) -> Slept {
        let expired = self.expired.lock().unwrap();
        if deadline != Deadline::Never && *expired {
            return Slept::TimedOut;
        }
        if word.load(Ordering::Acquire) == expected {
            drop(self.changed.wait(expired).unwrap());
        }
        Slept::Woken
    }

    pub fn wake(&self, _word: &AtomicU32) {
        drop(self.expired.lock().unwrap());
        self.changed.notify_one();
    }

    /// Ends every timed wait, now and in the future.
    pub fn expire(&self) {
        *self.expired.lock().unwrap() = true;
        self.changed.notify_one();
    }
}
