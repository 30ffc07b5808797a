//! A latch: opened once, for ever; any number of threads may wait for that. The end of a lane is one.

use super::parker::Woken;
use super::{Deadline, Refusal, Wait, Waiter};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex};
use std::mem;

pub struct Latch {
    open: AtomicBool,
    /// Those to wake at the opening. Empty for ever once the latch is open.
    waiters: Mutex<Vec<Arc<Waiter>>>,
}

impl Latch {
    pub fn new() -> Latch {
        Latch {
            open: AtomicBool::new(false),
            waiters: Mutex::new(Vec::new()),
        }
    }

    /// What the opener did before is visible to whoever sees the latch open.
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Opens the latch and wakes everybody who waits. Opening it again does nothing.
    pub fn open(&self) {
        let waiters = {
            let mut waiters = self.waiters.lock();
            self.open.store(true, Ordering::Release);
            mem::take(&mut *waiters)
        };
        for waiter in waiters {
            waiter.unpark();
        }
    }

    /// Waits until the latch is open. The waiter's own request does not end this wait: it ends with `TimedOut` or `Interrupted` or not at all.
    pub fn wait(&self, wait: &Wait) -> Result<(), Refusal> {
        if self.is_open() {
            return Ok(());
        }
        if wait.deadline == Deadline::Now {
            return Err(Refusal::TimedOut);
        }
        {
            let mut waiters = self.waiters.lock();
            if self.is_open() {
                return Ok(());
            }
            waiters.push(Arc::clone(wait.waiter));
        }
        loop {
            let woken = wait.park();
            if self.is_open() {
                return Ok(());
            }
            let refusal = match woken {
                Woken::Notified => continue,
                Woken::TimedOut => Refusal::TimedOut,
                Woken::Interrupted => Refusal::Interrupted,
            };
            let mut waiters = self.waiters.lock();
            match waiters
                .iter()
                .position(|waiter| Arc::ptr_eq(waiter, wait.waiter))
            {
                Some(index) => drop(waiters.swap_remove(index)),
                // Opened in the meantime.
                None => return Ok(()),
            }
            return Err(refusal);
        }
    }
}
