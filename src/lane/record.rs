//! The record of a lane: what its thread and its handles share.

#![allow(
    unsafe_code,
    reason = "a cancellation sets hooks in the lane's coroutines from another thread, so their addresses go there"
)]

use super::monitors::Monitors;
use super::outcome::{LaneTurns, Outcome, Stage, Suspension};
use super::pause::Pause;
use crate::linda::soft_requests;
use crate::lua::compat::{LUA_MASKCALL, LUA_MASKCOUNT, LUA_MASKRET};
use crate::lua::{Hook, State, Text, text};
use lanes_engine::memory::grow;
use lanes_engine::park::{Latch, Waiter};
use lanes_engine::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// A coroutine of the lane in which hooks are to be set; the pointer is used under the lock only.
struct Target(State);

// SAFETY: the state is reached through the lock of `Record::targets` only, where the lane's thread
// keeps it alive.
unsafe impl Send for Target {}

/// How many instructions pass between two calls of a hook that counts them.
const INSTRUCTIONS_BETWEEN_HOOKS: i32 = 1000;

/// Every hook that can be set in a state that is running on another thread. A line hook cannot: on
/// 5.2 and 5.3 it remembers a position when it is set, which belongs to another function by the
/// time it is used. A hook that counts to 1 is called at least as often.
pub const ALL_HOOKS: (i32, i32) = (
    LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT,
    INSTRUCTIONS_BETWEEN_HOOKS,
);

/// The failure has been read, or is not to be reported.
const READ: u8 = 1;
/// The handle has been collected.
const ABANDONED: u8 = 2;
/// The lane has ended with an error.
const FAILED: u8 = 4;

/// The name of a lane that has none.
const UNNAMED: &[u8] = b"<unnamed>";

/// The last number that `Record::next_end_number` has returned.
static END_NUMBER: AtomicUsize = AtomicUsize::new(0);

/// What a lane's thread and its handles share.
pub struct Record {
    /// The waiter with which the lane waits, and what the lane is asked to do.
    pub waiter: Arc<Waiter>,
    /// What the lane waits for while it sleeps.
    pub pause: Pause,
    /// Opens when the outcome has been set.
    pub end: Latch,
    /// Opens when the lane's state has been closed.
    pub closed: Latch,
    /// Its outcome.
    pub outcome: OnceLock<Outcome>,
    /// Its index among the running lanes; used under the universe's lock.
    pub position: AtomicUsize,
    /// When it was launched.
    pub launched: Instant,
    stage: AtomicU8,
    /// Tells which of two lanes has ended first; 0 before its end.
    end_number: AtomicUsize,
    /// Whether it counts as a lane with a soft request that did not wake it.
    soft_request: AtomicBool,
    name: Mutex<Vec<u8>>,
    /// The coroutines that are running, the first one first. Empty before the lane runs and after
    /// its body has ended.
    targets: Mutex<Vec<Target>>,
    /// The hook mask that a cancellation asked for, and the count.
    hook: Mutex<Option<(i32, i32)>>,
    /// Whether the hook has raised its error since it was asked for.
    raised: AtomicBool,
    /// The hook that ends the lane when it is asked to stop.
    pub cancel_hook: Hook,
    /// Who is told of its end.
    pub monitors: Monitors,
    /// Its turns, if it is a coroutine.
    pub turns: OnceLock<Box<LaneTurns>>,
    suspension: AtomicU8,
    /// Who has dealt with its failure: the bits below.
    failure: AtomicU8,
    /// What ends the service that the record stands for, if it stands for no lane.
    service: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Record {
    /// The record of a lane that has not begun. `cancel_hook` is to end it when it is asked to
    /// stop.
    pub fn new(cancel_hook: Hook) -> Arc<Record> {
        Arc::new(Record {
            waiter: Waiter::new(),
            pause: Pause::default(),
            end: Latch::new(),
            closed: Latch::new(),
            outcome: OnceLock::new(),
            position: AtomicUsize::new(usize::MAX),
            launched: Instant::now(),
            stage: AtomicU8::new(Stage::Pending as u8),
            end_number: AtomicUsize::new(0),
            soft_request: AtomicBool::new(false),
            name: Mutex::new(UNNAMED.to_vec()),
            targets: Mutex::default(),
            hook: Mutex::new(None),
            raised: AtomicBool::new(false),
            cancel_hook,
            monitors: Monitors::default(),
            turns: OnceLock::new(),
            suspension: AtomicU8::new(Suspension::None as u8),
            failure: AtomicU8::new(0),
            service: OnceLock::new(),
        })
    }

    /// Its stage.
    pub fn stage(&self) -> Stage {
        Stage::of(self.stage.load(Ordering::Acquire))
    }

    /// Sets its stage.
    pub fn set_stage(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::SeqCst);
        self.end_soft_request();
    }

    /// Notes a soft request that did not wake the lane.
    pub fn note_soft_request(&self) {
        // The record of a service stands for no lane that waits on a linda.
        if self.service.get().is_none() && !self.soft_request.swap(true, Ordering::SeqCst) {
            soft_requests::add();
        }
        self.end_soft_request();
    }

    /// A lane that has ended no longer counts. Of the lane and the thread that cancels it, the
    /// later one sees that.
    fn end_soft_request(&self) {
        let ended = !matches!(
            Stage::of(self.stage.load(Ordering::SeqCst)),
            Stage::Pending | Stage::Running
        );
        if ended
            && self.soft_request.load(Ordering::SeqCst)
            && self.soft_request.swap(false, Ordering::SeqCst)
        {
            soft_requests::remove();
        }
    }

    /// Somebody reads the failure that the lane may end with.
    pub fn note_read(&self) {
        self.failure.fetch_or(READ, Ordering::AcqRel);
    }

    /// The handle is being collected. Returns whether a failure is to be reported now.
    pub fn note_abandoned(&self) -> bool {
        self.failure.fetch_or(ABANDONED, Ordering::AcqRel) & (READ | FAILED) == FAILED
    }

    /// The lane has ended with an error. Returns whether that is to be reported now: the handle has
    /// been collected unread.
    pub fn note_failed(&self) -> bool {
        self.failure.fetch_or(FAILED, Ordering::AcqRel) & (READ | ABANDONED) == ABANDONED
    }

    /// A number that is higher than those of all lanes that have ended.
    pub fn next_end_number() -> usize {
        END_NUMBER.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Its outcome has been set: from now on it has ended for others.
    pub fn open_end(&self) {
        let number = Record::next_end_number();
        self.end_number.store(number, Ordering::Relaxed);
        self.end.open();
        if let Some(turns) = self.turns.get() {
            turns.end();
        }
    }

    /// Sets whether it is suspended; called by its own thread.
    pub fn set_suspension(&self, suspension: Suspension) {
        self.suspension.store(suspension as u8, Ordering::Release);
    }

    /// Somebody else is about to resume or to end the lane, if it is suspended.
    pub fn leave_suspension(&self, suspension: Suspension) {
        let _ = self.suspension.compare_exchange(
            Suspension::Suspended as u8,
            suspension as u8,
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
    }

    /// The status of a lane that is suspended.
    fn suspension(&self) -> Option<&'static str> {
        const SUSPENDED: u8 = Suspension::Suspended as u8;
        const RESUMING: u8 = Suspension::Resuming as u8;
        const CLOSING: u8 = Suspension::Closing as u8;
        match self.suspension.load(Ordering::Acquire) {
            SUSPENDED => Some("suspended"),
            RESUMING => Some("resuming"),
            CLOSING => Some("closing"),
            _ => None,
        }
    }

    /// Of two lanes that have ended, the one with the lower number has ended first. None if it has
    /// not ended.
    pub fn end_number(&self) -> Option<usize> {
        self.has_ended()
            .then(|| self.end_number.load(Ordering::Relaxed))
    }

    /// Whether its outcome has been set.
    pub fn has_ended(&self) -> bool {
        self.end.is_open()
    }

    /// The status as programs see it. A program that sees a lane ended need not wait for its
    /// results.
    pub fn status(&self) -> &'static str {
        if !self.has_ended() {
            // The lane has not ended for others until the latch is open.
            return if let Some(text) = self.suspension() {
                text
            } else if self.waiter.is_waiting() || self.service.get().is_some() {
                "waiting"
            } else if self.stage() == Stage::Pending {
                "pending"
            } else {
                "running"
            };
        }
        match self.stage() {
            Stage::Error => "error",
            Stage::Cancelled => "cancelled",
            _ => "done",
        }
    }

    /// The name that the lane gave itself, or `<unnamed>`.
    pub fn name(&self) -> Vec<u8> {
        grow::copy(&self.name.lock())
    }

    /// Its name in texts of errors: its name, or its address if it has none.
    pub fn called(&self) -> Text {
        match self.name() {
            name if name == UNNAMED => {
                text![format_args!("Lane #{:p}", std::ptr::from_ref(self))]
            }
            name => text!["lane '", &name[..], "'"],
        }
    }

    /// Sets the name.
    pub fn set_name(&self, name: &[u8]) {
        let name = grow::copy(name);
        *self.name.lock() = name;
    }

    /// The lane's thread runs this coroutine from now on. Sets the hook of a cancellation in it, if
    /// there is one.
    pub fn enter(&self, state: State) {
        let mut targets = self.targets.lock();
        targets.push(Target(state));
        if let Some((mask, count)) = *self.hook.lock() {
            state.set_hook(Some(self.cancel_hook), mask, count);
        }
    }

    /// Whether a cancellation has asked for a hook.
    pub fn has_hook(&self) -> bool {
        self.hook.lock().is_some()
    }

    /// Calls `find` for the running coroutines, from the innermost one on, until it returns
    /// something, and returns that. `find` must not run Lua code.
    pub fn find_running<T>(&self, find: impl FnMut(State) -> Option<T>) -> Option<T> {
        let targets = self.targets.lock();
        targets.iter().rev().map(|target| target.0).find_map(find)
    }

    /// The coroutine that was entered last no longer runs.
    pub fn leave(&self) {
        self.targets.lock().pop();
    }

    /// Sets a hook in all running coroutines, and in those that run later.
    pub fn set_hooks(&self, mask: i32, count: i32) {
        let targets = self.targets.lock();
        *self.hook.lock() = Some((mask, count));
        self.raised.store(false, Ordering::SeqCst);
        self.set_in(&targets, mask, count);
    }

    /// Whether a hook was asked for and has not raised its error.
    pub fn expects_hook(&self) -> bool {
        self.has_hook() && !self.raised.load(Ordering::SeqCst)
    }

    /// Sets a hook again that was asked for and has not raised its error. On LuaJIT one can be
    /// lost: the lane writes the field that says which hooks there are, too, for example around a
    /// finalizer.
    pub fn repeat_hooks(&self) {
        let targets = self.targets.lock();
        if let Some((mask, count)) = *self.hook.lock()
            && !self.raised.load(Ordering::SeqCst)
        {
            self.set_in(&targets, mask, count);
        }
    }

    fn set_in(&self, targets: &[Target], mask: i32, count: i32) {
        for target in targets {
            // While a hook counts, the lane counts down in the field that is written here, and
            // could overwrite it. It stops counting once it has seen that there is no hook, for
            // which it looks before each instruction.
            if target.0.hook_events().0 != 0 {
                target.0.set_hook(None, 0, 0);
                for _ in 0..1000 {
                    std::hint::spin_loop();
                }
            }
            target.0.set_hook(Some(self.cancel_hook), mask, count);
        }
    }

    /// The hook that was asked for has raised its error.
    pub fn hook_raised(&self) {
        self.raised.store(true, Ordering::SeqCst);
    }

    /// Called when the lane has set another hook in a coroutine. Puts back the hook of a
    /// cancellation that has not raised its error yet, or that `was_there`. Its count is halved
    /// each time, because a loop that sets hooks would never be ended otherwise.
    pub fn put_back(&self, state: State, was_there: bool) {
        let _targets = self.targets.lock();
        if let Some((mask, count)) = &mut *self.hook.lock()
            && (was_there || !self.raised.load(Ordering::SeqCst))
        {
            *count = (*count / 2).max(1);
            state.set_hook(Some(self.cancel_hook), *mask, *count);
        }
    }

    /// The record that stands for a service of this name, which waits until it is cancelled. `end`
    /// ends the service.
    pub fn of_service(
        name: &[u8],
        cancel_hook: Hook,
        end: Box<dyn Fn() + Send + Sync>,
    ) -> Arc<Record> {
        let record = Record::new(cancel_hook);
        record.set_stage(Stage::Running);
        record.set_name(name);
        let _ = record.service.set(end);
        record
    }

    /// Ends the service, if the record stands for one.
    pub fn end_service(&self) {
        let Some(end) = self.service.get() else {
            return;
        };
        end();
        if self.outcome.set(Outcome::Cancelled).is_ok() {
            self.set_stage(Stage::Cancelled);
            self.open_end();
            self.closed.open();
            if self.monitors.seal() {
                self.monitors.tell(Stage::Cancelled);
            }
        }
    }
}
