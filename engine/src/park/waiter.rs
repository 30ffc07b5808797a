//! A waiter: the parker of one Lua state, and the requests to that state. With it, lindas need not
//! know lanes.

use super::deadline::Deadline;
use super::parker::{Parker, Woken};
use super::refusal::{Refusal, Request};
use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crossbeam_utils::CachePadded;

/// The bits of `Waiter::asked` that hold the latest request. The others count alarms.
const REQUEST: u32 = 3;
/// One alarm.
const ALARM: u32 = REQUEST + 1;

/// One per Lua state. Its thread waits for one thing at a time.
pub struct Waiter {
    asked: AtomicU32,
    waiting: AtomicBool,
    parker: CachePadded<Parker>,
}

impl Waiter {
    pub fn new() -> Arc<Waiter> {
        Arc::new(Waiter {
            asked: AtomicU32::new(Request::None as u32),
            waiting: AtomicBool::new(false),
            parker: CachePadded::new(Parker::new()),
        })
    }

    /// The latest request to the state. Alarms that have rung are a soft request.
    #[inline]
    pub fn request(&self) -> Request {
        match self.asked.load(Ordering::Acquire) {
            0 => Request::None,
            asked if asked & REQUEST == Request::Hard as u32 => Request::Hard,
            _ => Request::Soft,
        }
    }

    /// True while blocked in an operation on a linda.
    pub fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
    }

    /// Asks the state to stop; `Request::None` takes the request back. The last call counts. With
    /// `wake` a wait on a linda that is in progress ends with the request, unless it has been
    /// completed already.
    pub fn cancel(&self, request: Request, wake: bool) {
        let replaced = |asked: u32| Some(asked & !REQUEST | request as u32);
        let _ = self
            .asked
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, replaced);
        if wake {
            self.parker.unpark();
        }
    }

    /// Asks the state to stop, softly, unless there is a request already, and wakes it.
    pub(super) fn ask_softly(&self) {
        let added = |asked: u32| (asked & REQUEST == 0).then_some(asked | Request::Soft as u32);
        let _ = self
            .asked
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, added);
        self.parker.unpark();
    }

    /// An alarm of this state rings: until `end_alarm` that is a soft request.
    pub(super) fn alarm(&self) {
        self.asked.fetch_add(ALARM, Ordering::AcqRel);
        self.parker.unpark();
    }

    /// An alarm that has rung no longer counts.
    pub(super) fn end_alarm(&self) {
        self.asked.fetch_sub(ALARM, Ordering::AcqRel);
    }

    /// Wakes the thread if it waits. The thread continues to wait unless the wait is over or
    /// interrupted.
    pub fn wake(&self) {
        self.unpark();
    }

    pub(crate) fn unpark(&self) {
        self.parker.unpark();
    }

    pub(crate) fn set_waiting(&self, waiting: bool) {
        self.waiting.store(waiting, Ordering::Release);
    }

    /// Models only: ends every timed wait, now or in the future, as if its deadline had passed.
    #[cfg(loom)]
    pub fn expire(&self) {
        self.parker.expire();
    }
}

/// Who waits, until when, and what else may end the wait.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    pub waiter: &'a Arc<Waiter>,
    pub deadline: Deadline,
    /// Called before the thread goes to sleep and whenever it wakes without being notified (on
    /// Linux at every signal); true ends the wait.
    pub interrupted: Option<&'a dyn Fn() -> bool>,
}

impl Wait<'_> {
    /// Parks the calling thread, which is that of the waiter, as `Parker::park` does.
    pub(crate) fn park(&self) -> Woken {
        self.waiter.parker.park(self.deadline, self.interrupted)
    }

    /// As `park`, for a thread that has spun already.
    pub(crate) fn sleep(&self) -> Woken {
        self.waiter.parker.sleep(self.deadline, self.interrupted)
    }

    /// Waits until `over` returns true. Whoever makes it true wakes the thread afterwards, as a
    /// [`Countdown`](super::Countdown) does.
    ///
    /// Errors: `Request`, `TimedOut`, `Interrupted`.
    pub fn until(&self, over: impl Fn() -> bool) -> Result<(), Refusal> {
        self.waiter.set_waiting(true);
        let outcome = loop {
            if over() {
                break Ok(());
            }
            let request = self.waiter.request();
            if request != Request::None {
                break Err(Refusal::Request(request));
            }
            if self.deadline == Deadline::Now {
                break Err(Refusal::TimedOut);
            }
            match self.park() {
                Woken::Notified => {}
                _ if over() => break Ok(()),
                Woken::TimedOut => break Err(Refusal::TimedOut),
                Woken::Interrupted => break Err(Refusal::Interrupted),
            }
        };
        self.waiter.set_waiting(false);
        outcome
    }

    /// Spins until `changed` returns true, or the waiter is asked to stop. Returns false if neither
    /// happens soon enough, or if spinning is not worthwhile now: then the thread should park.
    // A function of its own, so that its frame is gone when the thread sleeps.
    #[inline(never)]
    pub(crate) fn spin(&self, changed: impl Fn() -> bool) -> bool {
        let stopped = || self.waiter.request() != Request::None;
        self.waiter
            .parker
            .spin(self.deadline, || changed() || stopped())
    }
}
