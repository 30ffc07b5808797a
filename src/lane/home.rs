//! The thread of a lane that is being launched. The creator's thread prepares the state; modules
//! are loaded on the lane's own thread, because some work only on the thread that has loaded them.
//! The thread is taken out of the cache when the first module is loaded.

#![allow(
    unsafe_code,
    reason = "the lane's state goes to that thread, and comes back, while the creator waits"
)]

use super::record::{ALL_HOOKS, Record};
use super::spares::Spare;
use crate::lua::sentinels::CANCEL_ERROR;
use crate::lua::{Raise, State, protect};
use lanes_engine::park::{Deadline, Request, Wait, Waiter};
use lanes_engine::threads::{self, Reserved, pool};
use std::cell::{Cell, OnceCell, RefCell};
use std::os::raw::c_int;
use std::sync::Arc;

/// The thread of a lane that is being launched.
pub struct Home {
    /// Size of its stack, in bytes.
    stack: usize,
    record: Arc<Record>,
    /// The waiter of the creator.
    creator: Arc<Waiter>,
    /// Whether requests to the creator have no effect because it runs its finalizers.
    finalizing: bool,
    /// The coroutines of a master state whose hooks a signal handler may set, to be watched while
    /// it waits.
    watched: Option<[State; 2]>,
    thread: OnceCell<Reserved>,
    /// Whether a call is being made on the thread.
    busy: Cell<bool>,
    /// Whether the creator was asked to stop while it waited.
    asked: Cell<Asked>,
    /// Why there is no thread.
    refused: RefCell<Option<std::io::Error>>,
}

/// How a creator was asked to stop.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Not,
    /// By a hard request.
    Request,
    /// By a hook, whose error is in the registry of its state.
    Hook,
}

/// The registry key of the error that a hook raised in a creator.
const HOOK_ERROR_KEY: i64 = -0x4c61_0103;

/// A state that is passed to the lane's thread.
struct Sent(State);

// SAFETY: the creator, which uses the state before and after, waits until the thread no longer uses
// it.
unsafe impl Send for Sent {}

impl Sent {
    fn state(self) -> State {
        self.0
    }
}

/// The error if the system gives no thread.
pub fn no_thread(error: &std::io::Error) -> Raise {
    Raise::message(format!(
        "cannot start a lane: the system gives no thread ({error})"
    ))
}

impl Home {
    /// For a lane with this record and a stack of `stack` bytes. `creator` is the waiter of the
    /// state that launches it; `watched` are the coroutines whose hooks a signal handler may set,
    /// if that is a master state: its first one, and the one that launches. `finalizing` tells
    /// whether the creator is in its finalizers.
    pub fn new(
        stack: usize,
        record: &Arc<Record>,
        creator: &Arc<Waiter>,
        finalizing: bool,
        watched: Option<[State; 2]>,
    ) -> Home {
        Home {
            stack,
            record: Arc::clone(record),
            creator: Arc::clone(creator),
            finalizing,
            watched,
            thread: OnceCell::new(),
            busy: Cell::new(false),
            asked: Cell::new(Asked::Not),
            refused: RefCell::new(None),
        }
    }

    /// Calls `body` with the lane's state, or a coroutine in it, on the lane's thread, and waits
    /// for it. A hard request to the creator, or an error of the hook that the host's signal
    /// handler has set, becomes a hard request to the lane, and [`Home::outcome`] knows of it. If
    /// the creator already has a hard request, waits in `body` end at once, as those of the creator
    /// do.
    ///
    /// Errors: those of `body`; there is no thread.
    pub fn call(
        &self,
        state: State,
        body: fn(State) -> Result<c_int, Raise>,
    ) -> Result<c_int, Raise> {
        if self.busy.get() {
            // This is that thread.
            return body(state);
        }
        let thread = self.thread().map_err(|error| {
            let raise = no_thread(&error);
            *self.refused.borrow_mut() = Some(error);
            raise
        })?;
        let (sent, record) = (Sent(state), Arc::clone(&self.record));
        let there = move || {
            let state = sent.state();
            record.enter(state);
            let result = body(state);
            record.leave();
            result
        };
        let hooks = || self.watched.map(|states| states.map(State::hook));
        let hard = || self.creator.request() == Request::Hard;
        let (hooks_before, hard_before) = (Cell::new(hooks()), hard());
        let interrupted = || hard() != hard_before || hooks() != hooks_before.get();
        let asked = || {
            if hard() != hard_before {
                self.ask(Asked::Request);
                return true;
            }
            if self.call_hook() {
                self.ask(Asked::Hook);
                return true;
            }
            hooks_before.set(hooks());
            false
        };
        let wait = Wait {
            waiter: &self.creator,
            deadline: Deadline::Never,
            interrupted: Some(&interrupted),
            sleeps: None,
        };
        let asked_before = hard_before && !self.finalizing;
        if asked_before {
            self.record.waiter.cancel(Request::Hard, false);
        }
        self.busy.set(true);
        let result = thread.call(&wait, asked, there);
        self.busy.set(false);
        if asked_before && self.asked.get() == Asked::Not {
            self.record.waiter.cancel(Request::None, false);
        }
        result.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    }

    /// The waiter of the creator.
    pub fn creator(&self) -> &Arc<Waiter> {
        &self.creator
    }

    fn thread(&self) -> std::io::Result<&Reserved> {
        if let Some(thread) = self.thread.get() {
            return Ok(thread);
        }
        let thread = threads::reserve(self.stack)?;
        Ok(self.thread.get_or_init(|| thread))
    }

    /// Notes that the creator is asked to stop, and asks the lane to stop.
    fn ask(&self, asked: Asked) {
        self.asked.set(asked);
        self.record.waiter.cancel(Request::Hard, true);
        self.record.set_hooks(ALL_HOOKS.0, ALL_HOOKS.1);
    }

    /// Calls an empty function in the creator's state, so that the hook runs. Returns whether it
    /// raised an error, and keeps the error.
    fn call_hook(&self) -> bool {
        let Some([main, from]) = self.watched else {
            return false;
        };
        // A signal handler sets the hook in the first coroutine, which is not running if another
        // one waits.
        if main.hook() != 0 && from.hook() == 0 {
            main.move_hook(from);
        }
        if from.run_hook().is_ok() {
            return false;
        }
        let kept = protect(from, 1, |raising| {
            raising.raw_set_index(State::REGISTRY, HOOK_ERROR_KEY)
        });
        if kept.is_err() {
            from.pop(1);
        }
        true
    }

    /// The outcome of the lane's preparation, which itself returned `prepared`.
    ///
    /// Errors: the creator was asked to stop; there was no thread. Modules may have caught the
    /// error about either.
    pub fn outcome(&self, prepared: Result<(), Raise>) -> Result<(), Raise> {
        match (self.asked.get(), self.watched) {
            (Asked::Not, _) => {}
            (Asked::Hook, Some([_, from])) => {
                from.raw_get_index(State::REGISTRY, HOOK_ERROR_KEY);
                // Setting an existing entry needs no memory.
                let _ = protect(from, 0, |raising| {
                    raising.push_nil();
                    raising.raw_set_index(State::REGISTRY, HOOK_ERROR_KEY);
                });
                return Err(Raise::Value);
            }
            _ => return Err(Raise::Light(CANCEL_ERROR)),
        }
        match &*self.refused.borrow() {
            Some(error) => Err(no_thread(error)),
            None => prepared,
        }
    }

    /// Runs the lane.
    ///
    /// Errors: there is no thread; the job is dropped.
    pub fn run(self, job: pool::Job) -> std::io::Result<()> {
        match self.thread.into_inner() {
            Some(thread) => {
                thread.finish(job);
                Ok(())
            }
            None => threads::launch(job, self.stack),
        }
    }

    /// Closes the state of a lane that does not run; on its thread if it has one, because its
    /// modules may have finalizers.
    pub fn end(self, spare: Spare) {
        let Some(thread) = self.thread.get() else {
            return;
        };
        let wait = Wait {
            waiter: &self.creator,
            deadline: Deadline::Never,
            interrupted: None,
            sleeps: None,
        };
        // The hook of a request must not interrupt finalizers.
        spare.owned.state().set_hook(None, 0, 0);
        // After a panic there is nothing left to do.
        let _ = thread.call(&wait, || true, move || drop(spare));
    }
}
