//! A latch: it is opened once and stays open; any number of threads may wait for that, and watchers
//! are told. The end of a lane is a latch.

use super::deadline::Deadline;
use super::parker::Woken;
use super::refusal::Refusal;
use super::waiter::{Wait, Waiter};
use super::watcher::SharedWatcher;
use crate::memory::grow::{OutOfMemory, try_room};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex};
use std::mem;

pub struct Latch {
    open: AtomicBool,
    /// Empties when the latch is opened.
    crowd: Mutex<Crowd>,
}

/// The threads and watchers that an opened latch must tell.
#[derive(Default)]
struct Crowd {
    /// The threads that wait.
    waiters: Vec<Arc<Waiter>>,
    watchers: Vec<SharedWatcher>,
}

impl Latch {
    pub fn new() -> Latch {
        Latch {
            open: AtomicBool::new(false),
            crowd: Mutex::new(Crowd::default()),
        }
    }

    /// Whether the latch is open. If it is, everything that was done before `open` is visible.
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Opens the latch, wakes all threads that wait and tells all watchers, in this order. Opening
    /// it again does nothing.
    pub fn open(&self) {
        let crowd = {
            let mut crowd = self.crowd.lock();
            self.open.store(true, Ordering::Release);
            mem::take(&mut *crowd)
        };
        for waiter in crowd.waiters {
            waiter.unpark();
        }
        for watcher in crowd.watchers {
            watcher.tell();
        }
    }

    /// Adds a watcher, which is told once, when the latch is opened. Returns false if the latch is
    /// open already; the watcher is then not told.
    ///
    /// Errors: out of memory.
    pub fn watch(&self, watcher: &SharedWatcher) -> Result<bool, OutOfMemory> {
        let mut crowd = self.crowd.lock();
        if self.is_open() {
            return Ok(false);
        }
        try_room(&mut crowd.watchers, 1)?;
        crowd.watchers.push(SharedWatcher::clone(watcher));
        Ok(true)
    }

    /// Removes a watcher. It may still be told during this call.
    pub fn unwatch(&self, watcher: &SharedWatcher) {
        let mut crowd = self.crowd.lock();
        let mut watchers = crowd.watchers.iter();
        if let Some(index) = watchers.position(|other| SharedWatcher::ptr_eq(other, watcher)) {
            let removed = crowd.watchers.swap_remove(index);
            // The watcher is dropped after the lock is released.
            drop(crowd);
            drop(removed);
        }
    }

    /// As `wait`, for a wait without a deadline. A request ends it, also one that was there before,
    /// unless it is soft and came without a wake-up.
    ///
    /// Errors: `Request`, `Interrupted`.
    pub fn wait_or_request(&self, wait: &Wait) -> Result<(), Refusal> {
        {
            let mut crowd = self.crowd.lock();
            if self.is_open() {
                return Ok(());
            }
            crowd.waiters.push(Arc::clone(wait.waiter));
        }
        loop {
            let mut refusal = None;
            if wait.waiter.is_to_wake() {
                refusal = Some(Refusal::Request(wait.waiter.request()));
            } else if wait.park() == Woken::Interrupted {
                refusal = Some(Refusal::Interrupted);
            }
            if self.is_open() {
                return Ok(());
            }
            let Some(refusal) = refusal else {
                continue;
            };
            let waiters = &mut self.crowd.lock().waiters;
            return match waiters
                .iter()
                .position(|waiter| Arc::ptr_eq(waiter, wait.waiter))
            {
                Some(index) => {
                    drop(waiters.swap_remove(index));
                    Err(refusal)
                }
                // Opened in the meantime.
                None => Ok(()),
            };
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
            let mut crowd = self.crowd.lock();
            if self.is_open() {
                return Ok(());
            }
            crowd.waiters.push(Arc::clone(wait.waiter));
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
            let waiters = &mut self.crowd.lock().waiters;
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
    use crate::park::{Countdown, Request};
    use std::thread;
    use std::time::{Duration, Instant};

    fn wait(latch: &Latch, waiter: &Arc<Waiter>, deadline: Deadline) -> Result<(), Refusal> {
        latch.wait(&Wait {
            waiter,
            deadline,
            interrupted: None,
            sleeps: None,
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
            while latch.crowd.lock().waiters.len() < 10 {
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
        assert!(latch.crowd.lock().waiters.is_empty());
    }

    #[test]
    fn an_interruption_ends_the_wait() {
        let (latch, waiter) = (Latch::new(), Waiter::new());
        let wait = Wait {
            waiter: &waiter,
            deadline: Deadline::Never,
            interrupted: Some(&|| true),
            sleeps: None,
        };
        assert_eq!(latch.wait(&wait), Err(Refusal::Interrupted));
        assert!(latch.crowd.lock().waiters.is_empty());
    }

    #[test]
    fn watchers_are_told_once_unless_they_have_gone() {
        let (latch, waiter) = (Latch::new(), Waiter::new());
        let watchers = [3, 3].map(|count| Countdown::new(count, &waiter));
        let [one, two] = watchers.clone().map(|watcher| watcher as SharedWatcher);
        for watcher in [&one, &one, &one, &two] {
            assert!(latch.watch(watcher).unwrap());
        }
        latch.unwatch(&two);
        latch.unwatch(&two);
        latch.open();
        latch.open();
        assert!(watchers[0].is_over() && !watchers[1].is_over());
        assert!(!latch.watch(&two).unwrap());
        assert_eq!(std::sync::Arc::strong_count(&one), 2);
    }

    #[test]
    fn the_waiters_own_request_does_not_end_the_wait() {
        let (latch, waiter) = (Latch::new(), Waiter::new());
        waiter.cancel(Request::Hard, true);
        thread::scope(|scope| {
            let thread = scope.spawn(|| wait(&latch, &waiter, Deadline::Never));
            while latch.crowd.lock().waiters.is_empty() {
                thread::yield_now();
            }
            assert!(!waiter.is_waiting());
            waiter.cancel(Request::Hard, true);
            latch.open();
            assert_eq!(thread.join().unwrap(), Ok(()));
        });
    }
}
