//! The thread of a lane that is being launched. The launch happens on its creator's thread; modules are loaded on the lane's own, because
//! some can be used by the thread only that has loaded them. It is taken out of the cache when the first module is to be loaded.

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
    /// Who waits for it.
    creator: Arc<Waiter>,
    /// The coroutines of a master state whose hooks a signal handler may set, to be watched while it waits.
    watched: Option<[State; 2]>,
    thread: OnceCell<Reserved>,
    /// A call is being made on the thread.
    busy: Cell<bool>,
    /// The creator was asked to stop while it waited.
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
const HOOK_ERROR: i64 = -0x4c61_0103;

/// A state on its way to the lane's thread.
struct Sent(State);

// SAFETY: the creator, which has the state otherwise, waits until the thread has done with it.
unsafe impl Send for Sent {}

impl Sent {
    fn state(self) -> State {
        self.0
    }
}

/// The error for a thread that the system does not give.
pub fn no_thread(error: &std::io::Error) -> Raise {
    Raise::message(format!(
        "cannot start a lane: the system gives no thread ({error})"
    ))
}

impl Home {
    /// For a lane with this record and a stack of `stack` bytes. `creator` is the waiter of the state that launches it; `watched` are the coroutines
    /// whose hooks a signal handler may set, if that is a master state: its first one, and the one that launches.
    pub fn new(
        stack: usize,
        record: &Arc<Record>,
        creator: &Arc<Waiter>,
        watched: Option<[State; 2]>,
    ) -> Home {
        Home {
            stack,
            record: Arc::clone(record),
            creator: Arc::clone(creator),
            watched,
            thread: OnceCell::new(),
            busy: Cell::new(false),
            asked: Cell::new(Asked::Not),
            refused: RefCell::new(None),
        }
    }

    /// Calls `body` with the lane's state, or a coroutine in it, on the lane's thread, and waits for it. A hard request to the creator, or
    /// an error of the hook that the host's signal handler has set, becomes a hard request to the lane, and [`Home::outcome`] knows of it.
    ///
    /// Errors: those of `body`; there is no thread.
    pub fn call(
        &self,
        state: State,
        body: fn(State) -> Result<c_int, Raise>,
    ) -> Result<c_int, Raise> {
        if self.busy.get() {
            // On that thread already.
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
        // A finalizer goes on after the request that its lane was ended by.
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
        };
        self.busy.set(true);
        let result = thread.call(&wait, asked, there);
        self.busy.set(false);
        result.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    }

    fn thread(&self) -> std::io::Result<&Reserved> {
        if let Some(thread) = self.thread.get() {
            return Ok(thread);
        }
        let thread = threads::reserve(self.stack)?;
        Ok(self.thread.get_or_init(|| thread))
    }

    /// Whoever waits for the lane is asked to stop, and so is the lane.
    fn ask(&self, asked: Asked) {
        self.asked.set(asked);
        self.record.waiter.cancel(Request::Hard, true);
        self.record.set_hooks(ALL_HOOKS.0, ALL_HOOKS.1);
    }

    /// Calls a function in the creator's state, for the hook to see. Whether that raised an error, which is kept.
    fn call_hook(&self) -> bool {
        let Some([main, from]) = self.watched else {
            return false;
        };
        // Signal handlers know the first coroutine only, which does not run while another one waits.
        if main.hook() != 0 && from.hook() == 0 {
            main.move_hook(from);
        }
        if protect(from, 0, |_| ()).is_ok() {
            return false;
        }
        let kept = protect(from, 1, |raising| {
            raising.raw_set_index(State::REGISTRY, HOOK_ERROR)
        });
        if kept.is_err() {
            from.pop(1);
        }
        true
    }

    /// What the preparation of the lane came to, which was `prepared` as far as it knows.
    ///
    /// Errors: the creator was asked to stop, or there was no thread, whatever the modules made of that.
    pub fn outcome(&self, prepared: Result<(), Raise>) -> Result<(), Raise> {
        match (self.asked.get(), self.watched) {
            (Asked::Not, _) => {}
            (Asked::Hook, Some([_, from])) => {
                from.raw_get_index(State::REGISTRY, HOOK_ERROR);
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

    /// Ends the state of a lane that is not to run: on its thread if it has one, whose modules may have `__gc`.
    pub fn end(self, spare: Spare) {
        let Some(thread) = self.thread.get() else {
            return;
        };
        let wait = Wait {
            waiter: &self.creator,
            deadline: Deadline::Never,
            interrupted: None,
        };
        // What is left of a request is not for finalizers.
        spare.owned.state().set_hook(None, 0, 0);
        // A panic in there leaves nothing to be done.
        let _ = thread.call(&wait, || true, move || drop(spare));
    }
}
