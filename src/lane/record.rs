//! The record of a lane: what its thread and its handles share.

#![allow(
    unsafe_code,
    reason = "a cancellation sets hooks in the lane's coroutines from another thread, so their addresses go there"
)]

use super::outcome::{Outcome, Stage};
use crate::linda::soft_requests;
use crate::lua::compat::{LUA_MASKCALL, LUA_MASKCOUNT, LUA_MASKRET};
use crate::lua::{Hook, State, Text, text};
use lanes_engine::memory::grow;
use lanes_engine::park::{Latch, Waiter};
use lanes_engine::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// A coroutine of the lane in which hooks are to be set; the pointer is used under the lock only.
struct Target(State);

// SAFETY: the state is reached through the lock of `Record::targets` only, where the lane's thread keeps it alive.
unsafe impl Send for Target {}

/// How many instructions pass between looks at the request where a hook counts them.
const INSTRUCTIONS_BETWEEN: i32 = 1000;

/// Every hook that can be set in a state that is running on another thread. A line hook cannot: on 5.2 and 5.3 the
/// place that it compares lines with is noted when it is set, and belongs to another function by the time it is used.
/// A hook that counts to 1 comes at least as often.
pub const ALL_HOOKS: (i32, i32) = (
    LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT,
    INSTRUCTIONS_BETWEEN,
);

/// The name of a lane that has none.
const UNNAMED: &[u8] = b"<unnamed>";

/// What a lane's thread and its handles share.
pub struct Record {
    /// Who waits when the lane waits, and what it is asked to do.
    pub waiter: Arc<Waiter>,
    /// Opens when the outcome is there.
    pub end: Latch,
    /// Opens when the lane's state has been closed.
    pub closed: Latch,
    /// What came of it.
    pub outcome: OnceLock<Outcome>,
    /// Its place among the running lanes; used under the universe's lock.
    pub position: AtomicUsize,
    stage: AtomicU8,
    /// It counts as a lane with a soft request that did not wake it.
    unnoticed: AtomicBool,
    name: Mutex<Vec<u8>>,
    /// The coroutines that are running, the first one first. Empty before the lane runs and after its body has ended.
    targets: Mutex<Vec<Target>>,
    /// The hook mask that a cancellation asked for, and the count.
    hook: Mutex<Option<(i32, i32)>>,
    /// The hook has raised its error since it was asked for.
    raised: AtomicBool,
    /// The hook that ends the lane when it is asked to stop.
    pub cancel_hook: Hook,
    /// What ends the service that the record stands for, if it stands for no lane.
    service: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Record {
    /// The record of a lane that has not begun. `cancel_hook` is to end it when it is asked to stop.
    pub fn new(cancel_hook: Hook) -> Arc<Record> {
        Arc::new(Record {
            waiter: Waiter::new(),
            end: Latch::new(),
            closed: Latch::new(),
            outcome: OnceLock::new(),
            position: AtomicUsize::new(usize::MAX),
            stage: AtomicU8::new(Stage::Pending as u8),
            unnoticed: AtomicBool::new(false),
            name: Mutex::new(UNNAMED.to_vec()),
            targets: Mutex::default(),
            hook: Mutex::new(None),
            raised: AtomicBool::new(false),
            cancel_hook,
            service: OnceLock::new(),
        })
    }

    /// How far it is.
    pub fn stage(&self) -> Stage {
        Stage::of(self.stage.load(Ordering::Acquire))
    }

    /// Sets how far it is.
    pub fn set_stage(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::SeqCst);
        self.count_unnoticed();
    }

    /// It has got a soft request that did not wake it.
    pub fn asked_unnoticed(&self) {
        // The record of a service stands for no lane that waits on a linda.
        if self.service.get().is_none() && !self.unnoticed.swap(true, Ordering::SeqCst) {
            soft_requests::add();
        }
        self.count_unnoticed();
    }

    /// A lane that has ended no longer counts. Whoever of the lane and its canceller comes last sees that.
    fn count_unnoticed(&self) {
        let ended = !matches!(
            Stage::of(self.stage.load(Ordering::SeqCst)),
            Stage::Pending | Stage::Running
        );
        if ended
            && self.unnoticed.load(Ordering::SeqCst)
            && self.unnoticed.swap(false, Ordering::SeqCst)
        {
            soft_requests::remove();
        }
    }

    /// Whether its outcome is there.
    pub fn has_ended(&self) -> bool {
        self.end.is_open()
    }

    /// The status as programs see it. Whoever sees that it has ended need not wait for its results.
    pub fn status(&self) -> &'static str {
        if !self.has_ended() {
            // An outcome that is decided is not there for all before the end is.
            return if self.waiter.is_waiting() || self.service.get().is_some() {
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

    /// How errors call it: by the name that it has, or by its address.
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

    /// The lane's thread runs this coroutine from now on. A hook that was asked for is set in it.
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

    /// The first answer that `find` gives for a running coroutine, from the innermost one on. It must not run Lua code.
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
        for target in &*targets {
            // While a hook counts, its lane counts down in the field that is written here, and could write its own number over ours. It does
            // not once it has seen that there is no hook, which it looks at before each instruction.
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

    /// The lane has set another hook in a coroutine. One that was asked for and has not raised its error yet, or that `was_there`, comes back. It
    /// counts half as far each time, for otherwise a loop that sets hooks would never come to an end.
    pub fn put_back(&self, state: State, was_there: bool) {
        let _targets = self.targets.lock();
        if let Some((mask, count)) = &mut *self.hook.lock()
            && (was_there || !self.raised.load(Ordering::SeqCst))
        {
            *count = (*count / 2).max(1);
            state.set_hook(Some(self.cancel_hook), *mask, *count);
        }
    }

    /// The record that stands for a service of this name, which waits until it is cancelled. `end` ends the service.
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
            self.end.open();
            self.closed.open();
        }
    }
}
