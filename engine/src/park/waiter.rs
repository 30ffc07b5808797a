//! A waiter: the parker of one Lua state, and the requests to that state. With it, lindas need not
//! know lanes.

use super::deadline::Deadline;
use super::parker::{Parker, Woken};
use super::refusal::{Refusal, Request};
use super::watcher::SharedWatcher;
use crate::memory::grow::{OutOfMemory, try_room};
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::sync::{Arc, Mutex};
use crossbeam_utils::CachePadded;

/// The bits of `Waiter::asked` that hold the latest request.
const REQUEST: u32 = 3;
/// Set if this request, or one before it that was not taken back, came with a wake-up.
const WOKEN: u32 = REQUEST + 1;
/// One alarm: the other bits count them.
const ALARM: u32 = 2 * WOKEN;

/// One per Lua state. Its thread waits for one thing at a time.
pub struct Waiter {
    asked: AtomicU32,
    waiting: AtomicBool,
    /// Whether it counts as asleep in its `Crowd`.
    asleep: AtomicBool,
    /// Told whenever the state is asked to stop.
    watchers: Mutex<Vec<SharedWatcher>>,
    parker: CachePadded<Parker>,
}

impl Waiter {
    pub fn new() -> Arc<Waiter> {
        Arc::new(Waiter {
            asked: AtomicU32::new(Request::None as u32),
            waiting: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            watchers: Mutex::new(Vec::new()),
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

    /// Whether there is a request that is to end waits at once: a hard one, one that came with a
    /// wake-up, or an alarm.
    pub(super) fn is_to_wake(&self) -> bool {
        let asked = self.asked.load(Ordering::Acquire);
        asked >= WOKEN || asked & REQUEST == Request::Hard as u32
    }

    /// True while blocked in an operation on a linda.
    pub fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
    }

    /// Asks the state to stop; `Request::None` takes the request back. The last call counts. With
    /// `wake` a wait on a linda that is in progress ends with the request, unless it has been
    /// completed already.
    pub fn cancel(&self, request: Request, wake: bool) {
        let replaced = |asked: u32| {
            Some(match request {
                Request::None => asked & !(REQUEST | WOKEN),
                _ => asked & !REQUEST | request as u32 | if wake { WOKEN } else { 0 },
            })
        };
        let _ = self
            .asked
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, replaced);
        if wake {
            self.parker.unpark();
        }
        if request != Request::None {
            let watchers = self.watchers.lock();
            watchers.iter().for_each(|watcher| watcher.tell());
        }
    }

    /// Has a watcher told whenever the state is asked to stop, with or without a wake-up, until
    /// `unwatch`; at once if it has been asked already.
    ///
    /// Errors: out of memory, and nothing has changed.
    pub fn watch(&self, watcher: &SharedWatcher) -> Result<(), OutOfMemory> {
        let mut watchers = self.watchers.lock();
        try_room(&mut *watchers, 1)?;
        watchers.push(SharedWatcher::clone(watcher));
        if self.request() != Request::None {
            watcher.tell();
        }
        Ok(())
    }

    /// A watcher is not told any more. Does nothing if it does not watch the state.
    pub fn unwatch(&self, watcher: &SharedWatcher) {
        let mut watchers = self.watchers.lock();
        let is_it = |other: &SharedWatcher| SharedWatcher::ptr_eq(other, watcher);
        let removed = watchers
            .iter()
            .position(is_it)
            .map(|index| watchers.swap_remove(index));
        // Whatever the watcher owns is dropped without the lock.
        drop(watchers);
        drop(removed);
    }

    /// Asks the state to stop, softly, unless there is a request already, and wakes it.
    pub(super) fn ask_softly(&self) {
        let added = |asked: u32| {
            let request = match asked & REQUEST {
                0 => Request::Soft as u32,
                request => request,
            };
            Some(asked | request | WOKEN)
        };
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

    /// Whether its thread sleeps in a `Crowd`, and nobody has woken it.
    pub fn is_asleep(&self) -> bool {
        // In this order: a thread that wakes says so before it takes the token.
        !self.parker.has_token() && self.asleep.load(Ordering::SeqCst)
    }

    pub(super) fn set_asleep(&self, asleep: bool) {
        self.asleep.store(asleep, Ordering::SeqCst);
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

/// What is told of the sleep of a thread, on the thread itself.
pub trait Sleeps {
    /// The thread is about to sleep with this wait: it has spun in vain. Returns whether it is to
    /// sleep; else the wait ends as interrupted. `end` follows in any case.
    fn begin(&self, wait: &Wait) -> bool;

    /// The thread does not sleep any more.
    fn end(&self);
}

/// Who waits, until when, and what else may end the wait.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    pub waiter: &'a Arc<Waiter>,
    pub deadline: Deadline,
    /// Called before the thread goes to sleep and whenever it wakes without being notified (on
    /// Linux at every signal); true ends the wait.
    pub interrupted: Option<&'a dyn Fn() -> bool>,
    /// Told when the thread falls asleep, and when it wakes.
    pub sleeps: Option<&'a dyn Sleeps>,
}

impl Wait<'_> {
    /// Parks the calling thread, which is that of the waiter, as `Parker::park` does.
    pub(crate) fn park(&self) -> Woken {
        if self.sleeps.is_none() {
            return self.waiter.parker.park(self.deadline, self.interrupted);
        }
        if self.waiter.parker.spin_for_token(self.deadline, || true) {
            return Woken::Notified;
        }
        self.sleep()
    }

    /// As `park`, for a thread that has spun already.
    pub(crate) fn sleep(&self) -> Woken {
        let sleep = || {
            let wakes = || self.waiter.set_asleep(false);
            let Wait {
                deadline,
                interrupted,
                ..
            } = *self;
            self.waiter.parker.sleep(deadline, interrupted, wakes)
        };
        let Some(sleeps) = self.sleeps else {
            return sleep();
        };
        let woken = if sleeps.begin(self) {
            sleep()
        } else {
            Woken::Interrupted
        };
        sleeps.end();
        woken
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
