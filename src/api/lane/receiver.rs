//! Lane handles on the stack: pushing one, and finding the receiver of a method.

use crate::api::waiting::{self, Waited};
use crate::api::what::What;
use crate::context::Context;
use crate::lane::{Handle, Record, Traces};
use crate::loading::Waiting;
use crate::lua::compat::LUAJIT;
use crate::lua::{Arguments, Kind, Raise, State, Userdata, protect};
use lanes_engine::park::{Deadline, Latch, Refusal, Wait};
use std::cell::{Cell, RefCell};
use std::os::raw::c_int;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a wait for a lane lets pass before it sets the hook of a request again: first, doubled
/// each time, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Pushes a handle of a lane without options.
pub fn push_plain(context: &Context, state: State, record: &Arc<Record>) -> Result<(), Raise> {
    state.set_top(0);
    push(context, state, record, Traces::Basic)
}

/// Pushes the handle of a new lane. The option `gc_cb` is taken from the options at index 2.
pub fn push(
    context: &Context,
    state: State,
    record: &Arc<Record>,
    traces: Traces,
) -> Result<(), Raise> {
    let Some(kind) = context.handle.get() else {
        return Err(Raise::message("internal error in lanes: no handles here"));
    };
    if state.kind(2) == Kind::Table {
        protect(state, 0, |raising| raising.push_bytes(b"gc_cb"))?;
        state.raw_get(2);
    } else {
        state.push_nil();
    }
    let has_callback = state.kind(-1) == Kind::Function;
    protect(state, 1, move |raising| {
        kind.push_empty(raising, 1);
        if has_callback {
            raising.new_table(0, 1);
            raising.push_copy(1);
            raising.raw_set_index(-2, 0);
            raising.set_user_value(-2, 1);
        }
        raising.remove(1);
    })?;
    let handle = Handle {
        record: Arc::clone(record),
        traces,
        has_table: Cell::new(has_callback),
        fetched: RefCell::default(),
    };
    Userdata::put(state, -1, Box::new(handle));
    Ok(())
}

/// Takes the lane out of the handle at `index`, to which the program has no access yet.
pub fn forget(state: State, index: c_int) {
    drop(Userdata::<Handle>::take(state, index));
}

/// The handle that is the receiver of a method.
pub fn this(arguments: &Arguments) -> Result<&Handle, Raise> {
    Userdata::get(&arguments.state, 1).ok_or_else(|| arguments.type_error(1, "Lane"))
}

/// Pushes a text.
pub fn push_text(state: State, text: &'static str) -> Result<(), Raise> {
    protect(state, 0, move |raising| raising.push_bytes(text.as_bytes()))
}

/// Waits until the lane has ended. Returns false at the deadline.
pub fn wait(
    context: &Context,
    state: State,
    record: &Record,
    deadline: Deadline,
) -> Result<bool, Raise> {
    wait_for(context, state, record, &record.end, deadline)
}

/// Waits until this latch of the lane is open. Returns false at the deadline.
pub fn wait_for(
    context: &Context,
    state: State,
    record: &Record,
    latch: &Latch,
    deadline: Deadline,
) -> Result<bool, Raise> {
    if latch.is_open() {
        return Ok(true);
    }
    let _waiting = Waiting::for_end(context, &record.waiter, deadline);
    wait_unmarked(context, state, record, latch, deadline)
}

/// As `wait` without a deadline, in a call that must not fail for lack of memory.
pub fn wait_anyway(context: &Context, state: State, record: &Record) -> Result<(), Raise> {
    if record.has_ended() {
        return Ok(());
    }
    let _waiting = Waiting::for_end_if_possible(context, &record.waiter);
    wait_unmarked(context, state, record, &record.end, Deadline::Never).map(|_| ())
}

fn wait_unmarked(
    context: &Context,
    state: State,
    record: &Record,
    latch: &Latch,
    deadline: Deadline,
) -> Result<bool, Raise> {
    let mut pause = FIRST_PAUSE;
    while LUAJIT && record.expects_hook() {
        let next = Instant::now() + pause;
        if deadline == Deadline::Now || matches!(deadline, Deadline::At(end) if end <= next) {
            break;
        }
        if wait_until(context, state, record, latch, Deadline::At(next))? {
            return Ok(true);
        }
        record.repeat_hooks();
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
    wait_until(context, state, record, latch, deadline)
}

fn wait_until(
    context: &Context,
    state: State,
    record: &Record,
    latch: &Latch,
    deadline: Deadline,
) -> Result<bool, Raise> {
    let what = What::End(record);
    waiting::wait(context, state, deadline, &what, |wait: &Wait| {
        match latch.wait(wait) {
            Err(Refusal::Interrupted) => Waited::Interrupted,
            outcome => Waited::Ended(outcome.is_ok()),
        }
    })
}
