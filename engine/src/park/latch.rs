//! A latch: it is opened once and stays open; any number of threads may wait for that. The end of a
//! lane is a latch.

use super::deadline::Deadline;
use super::parker::Woken;
use super::refusal::Refusal;
use super::waiter::{Wait, Waiter};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex};
use std::mem;

pub struct Latch {
    open: AtomicBool,
    /// The threads that wait. Empty once the latch is open.
    waiters: Mutex<Vec<Arc<Waiter>>>,
}

impl Latch {
    pub fn new() -> Latch {
        Latch {
            open: AtomicBool::new(false),
            waiters: Mutex::new(Vec::new()),
        }
    }

    /// Whether the latch is open. If it is, everything that was done before `open` is visible.
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Opens the latch and wakes all threads that wait. Opening it again does nothing.
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

    /// Waits until the latch is open. A request to the waiter does not end the wait.
    ///
    /// Errors: `TimedOut`, `Interrupted`.
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::park::Request;
    use std::thread;
    use std::time::{Duration, Instant};

    fn wait(latch: &Latch, waiter: &Arc<Waiter>, deadline: Deadline) -> Result<(), Refusal> {
        latch.wait(&Wait {
            waiter,
            deadline,
            interrupted: None,
        })
    }

    #[test]
    fn an_open_latch_lets_everybody_through_at_once() {
        let (latch, waiter) = (Latch::new(), Waiter::new());
        assert!(!latch.is_open());
        assert_eq!(wait(&latch, &waiter, Deadline::Now), Err(Refusal::TimedOut));
        latch.open();
        latch.open();
        assert!(latch.is_open());
        for deadline in [Deadline::Now, Deadline::At(Instant::now()), Deadline::Never] {
            assert_eq!(wait(&latch, &waiter, deadline), Ok(()));
        }
    }

    #[test]
    fn opening_wakes_everybody() {
        let latch = Latch::new();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..10)
                .map(|_| scope.spawn(|| wait(&latch, &Waiter::new(), Deadline::Never)))
                .collect();
            while latch.waiters.lock().len() < 10 {
                thread::yield_now();
            }
            latch.open();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), Ok(()));
            }
        });
    }

    #[test]
    fn a_deadline_ends_the_wait_and_leaves_nothing_behind() {
        let (latch, waiter) = (Latch::new(), Waiter::new());
        let deadline = Instant::now() + Duration::from_millis(2);
        assert_eq!(
            wait(&latch, &waiter, Deadline::At(deadline)),
            Err(Refusal::TimedOut)
        );
        assert!(Instant::now() >= deadline);
        assert!(latch.waiters.lock().is_empty());
    }

    #[test]
    fn an_interruption_ends_the_wait() {
        let (latch, waiter) = (Latch::new(), Waiter::new());
        let wait = Wait {
            waiter: &waiter,
            deadline: Deadline::Never,
            interrupted: Some(&|| true),
        };
        assert_eq!(latch.wait(&wait), Err(Refusal::Interrupted));
        assert!(latch.waiters.lock().is_empty());
    }

    #[test]
    fn the_waiters_own_request_does_not_end_the_wait() {
        let (latch, waiter) = (Latch::new(), Waiter::new());
        waiter.cancel(Request::Hard, true);
        thread::scope(|scope| {
            let thread = scope.spawn(|| wait(&latch, &waiter, Deadline::Never));
            while latch.waiters.lock().is_empty() {
                thread::yield_now();
            }
            assert!(!waiter.is_waiting());
            waiter.cancel(Request::Hard, true);
            latch.open();
            assert_eq!(thread.join().unwrap(), Ok(()));
        });
    }
}
