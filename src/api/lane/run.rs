//! Running a lane, on its own thread: body, finalizers, outcome, end of the state.

use super::{capture, event, failures, states, suspension, trace};
use crate::api::deadlock;
use crate::context::Context;
use crate::lane::outcome::{Outcome, Stage};
use crate::lane::{Record, Spare, Traces};
use crate::lua::sentinels::{CANCEL_ERROR, is_cancel_error};
use crate::lua::{KEYS, NOT_ENOUGH_MEMORY, Raise, State, compat, protect};
use crate::universe::Universe;
use lanes_engine::memory::grow::OutOfMemory;
use lanes_engine::park::Latch;
use lanes_engine::sync::race_point;
use lanes_engine::threads::{self, Ending, Reuse};
use std::os::raw::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

/// A lane that is ready to run: body and arguments are on its stack.
pub struct Job {
    /// Its state, its record, and how the state was made.
    pub spare: Spare,
    /// The universe of the lane.
    pub universe: Arc<Universe>,
    /// The priority that it is to have.
    pub priority: Option<Arc<Priority>>,
}

/// A priority that was asked for, and whether the system granted it.
pub struct Priority {
    /// -3 to +3; or a native one.
    pub value: i32,
    /// Whether it is a native one.
    pub native: bool,
    /// Opens when the thread has tried.
    pub tried: Latch,
    /// Why the system refused. The lane has not run then.
    pub refused: OnceLock<String>,
}

impl Job {
    /// Runs the lane to its end. Returns whether the thread can be used again.
    pub fn run(self, ending: &Ending) -> Reuse {
        let Job {
            spare:
                Spare {
                    owned,
                    record,
                    recipe,
                },
            universe,
            priority,
        } = self;
        race_point(2);
        let allowed = priority.is_none_or(|priority| {
            let set = if priority.native {
                threads::priority::set_native
            } else {
                threads::priority::set
            };
            let refused = set(priority.value).map_err(|reason| priority.refused.set(reason));
            priority.tried.open();
            refused.is_ok()
        });
        let outcome = if allowed {
            record.set_stage(Stage::Running);
            catch_unwind(AssertUnwindSafe(|| body(&record, owned.state()))).unwrap_or_else(|end| {
                Outcome::broken(if end.is::<OutOfMemory>() {
                    NOT_ENOUGH_MEMORY
                } else {
                    "internal error in lanes: a lane's thread panicked"
                })
            })
        } else {
            Outcome::Cancelled
        };
        race_point(4);
        record.set_stage(outcome.stage());
        let _ = record.outcome.set(outcome);
        ending.begin();
        race_point(4);
        record.open_end();
        race_point(4);
        if record.monitors.seal() {
            record.monitors.tell(record.stage());
        }
        if record.stage() == Stage::Error && record.note_failed() {
            failures::report_at_end(&universe, owned.state(), &record);
        }
        let leftover = states::close(owned, recipe);
        record.closed.open();
        race_point(4);
        if universe.remove_lane(&record) {
            deadlock::look_after_end(&universe);
        }
        drop(record);
        states::give(&universe, leftover);
        drop(universe);
        threads::reuse()
    }
}

/// Runs body and finalizers, and captures the outcome.
#[inline(never)]
fn body(record: &Record, state: State) -> Outcome {
    let Some(context) = Context::in_registry(&state) else {
        return Outcome::broken("internal error in lanes: a lane's state has no context");
    };
    let result = match record.turns.get() {
        None => call(record, state),
        Some(turns) => suspension::run(context, record, turns, state),
    };
    race_point(8);
    state.set_hook(None, 0, 0);
    context.finalizing.set(true);
    let outcome = match result {
        Ok(()) => {
            finalize(context, state, None).unwrap_or_else(|| capture::results(context, state, 1))
        }
        Err(status) => finalize(context, state, Some(status))
            .unwrap_or_else(|| capture::error(context, state, status)),
    };
    if outcome.stage() != Stage::Error {
        event::prepare(context, state, outcome.stage(), 0);
    }
    outcome
}

/// Calls the body. Stack afterwards: one value, then the results or the error value.
#[inline(always)]
fn call(record: &Record, state: State) -> Result<(), c_int> {
    let arguments = state.top() - 1;
    state.raw_get_index(State::REGISTRY, KEYS.handler);
    state.insert(1);
    record.enter(state);
    let result = state.call_protected(arguments, None, 1);
    record.leave();
    result
}

/// Runs the finalizers, last registered first. After an error (`status` is given) the error value
/// is at the top of the stack, and stays there. Returns the outcome if a finalizer failed.
fn finalize(context: &Context, state: State, status: Option<c_int>) -> Option<Outcome> {
    state.raw_get_index(State::REGISTRY, KEYS.finalizers);
    if state.is_none_or_nil(-1) {
        state.pop(1);
        return None;
    }
    // The trace of the body's error is passed to every finalizer. A finalizer that fails leaves
    // another trace.
    let list = state.top();
    let error = list - 1;
    state.raw_get_index(State::REGISTRY, KEYS.trace);
    trace::forget(state);
    for n in (1..=state.raw_len(list)).rev() {
        let room = protect(state, 0, |raising| raising.reserve(8)).is_ok();
        if !room {
            break;
        }
        state.raw_get_index(State::REGISTRY, KEYS.handler);
        let handler = state.top();
        state.raw_get_index(list, n as i64);
        // Without traces finalizers get the error value alone.
        let with_trace = if context.traces.get() == Traces::Minimal {
            1
        } else {
            2
        };
        let arguments = match status {
            None => 0,
            Some(_) if is_cancel_error(state, error) => {
                state.push_seen_light(CANCEL_ERROR as *mut c_void);
                state.push_nil();
                with_trace
            }
            Some(compat::LUA_ERRRUN) => {
                state.push_copy(error);
                state.push_copy(list + 1);
                with_trace
            }
            Some(_) => {
                state.push_copy(error);
                1
            }
        };
        state.set_top(handler + 1 + arguments);
        if let Err(status) = state.call_protected(arguments, Some(0), handler) {
            return Some(capture::error(context, state, status));
        }
        state.set_top(list + 1);
    }
    // The trace is put back, for the outcome.
    let _: Result<(), Raise> = protect(state, 1, |raising| {
        raising.raw_set_index(State::REGISTRY, KEYS.trace)
    });
    state.set_top(list - 1);
    None
}
