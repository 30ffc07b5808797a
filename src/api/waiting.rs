//! How functions that Lua calls wait: timeouts, interruptions by signal handlers, and requests.

use super::deadlock::{self, Sleeping};
use super::four::arguments::check_duration;
use super::lane::{callback, failures};
use super::what::What;
use crate::context::{Context, interface_of_function};
use crate::lua::compat::HOOKS_CAN_BE_LOST;
use crate::lua::{Arguments, Raise, State};
use crate::universe::Interface;
use lanes_engine::park::{Deadline, Request, Wait};
use std::os::raw::c_int;

/// How long an operation may wait.
#[derive(Clone, Copy, PartialEq)]
pub enum Timeout {
    /// Not at all.
    Zero,
    /// For this many seconds, more than zero.
    Seconds(f64),
    /// For ever.
    Never,
}

impl Timeout {
    /// Reads the number at `index`, a timeout in seconds; a negative number means no limit.
    ///
    /// Errors: NaN; a negative number in a function of the 4.x interface.
    #[inline]
    pub fn argument(arguments: &Arguments, index: c_int) -> Result<Timeout, Raise> {
        let seconds = arguments.number(index)?;
        if seconds > 0.0 {
            Ok(Timeout::Seconds(seconds))
        } else if seconds == 0.0 {
            Ok(Timeout::Zero)
        } else {
            Timeout::not_from_zero(arguments, index, seconds)
        }
    }

    #[cold]
    fn not_from_zero(arguments: &Arguments, index: c_int, seconds: f64) -> Result<Timeout, Raise> {
        if interface_of_function(arguments.state) == Interface::Four {
            check_duration(arguments, index)?;
        }
        if seconds.is_nan() {
            return Err(arguments.error(index, "timeout in seconds expected, got NaN"));
        }
        Ok(Timeout::Never)
    }

    /// The deadline of a wait that begins now.
    pub fn deadline(self) -> Deadline {
        match self {
            Timeout::Zero => Deadline::Now,
            Timeout::Seconds(seconds) => Deadline::after_seconds(seconds),
            Timeout::Never => Deadline::Never,
        }
    }
}

/// Reads the number at `index`, a time in seconds from now, as a deadline; a negative number means
/// no deadline.
///
/// Errors: NaN.
pub fn deadline(arguments: &Arguments, index: c_int) -> Result<Deadline, Raise> {
    Timeout::argument(arguments, index).map(Timeout::deadline)
}

/// Seconds after which a hook that was called without effect is set and called again, where hooks
/// can be lost: the signal handler that sets it may not have ended.
const HOOK_PERIOD: f64 = 0.1;

/// How an operation that may wait ended.
pub enum Waited<T> {
    /// The operation ended with this value.
    Ended(T),
    /// A hook wants attention.
    Interrupted,
    /// A hard request ended the operation with this value.
    Asked(T),
    /// The deadline of the wait has come; the operation ended with this value.
    TimedOut(T),
}

/// Whether a lane must not be interrupted although the main state is being closed: it is in a
/// callback of a C library, which might end the process if an error was raised there.
pub fn is_left_alone(context: &Context, state: State) -> bool {
    context
        .universe_if_any()
        .is_some_and(|universe| universe.is_closing())
        && callback::is_within(context, state, false)
}

/// Whether `cancel_error` must not be raised in `state`, which is running, because it would end a
/// callback of a C library.
pub fn is_called_back(context: &Context, state: State) -> bool {
    callback::is_within(context, state, true)
}

/// The earlier of two deadlines.
fn earlier(one: Deadline, other: Deadline) -> Deadline {
    match (one, other) {
        (Deadline::Now, _) | (_, Deadline::Now) => Deadline::Now,
        (Deadline::At(one), Deadline::At(other)) => Deadline::At(one.min(other)),
        (Deadline::Never, other) => other,
        (one, Deadline::Never) => one,
    }
}

/// Calls `operation`, which waits for `what`, with a wait of this state, again and again until it
/// ends for another reason than an interruption.
///
/// A signal handler of the host (Ctrl-C in the stock interpreter) asks for attention by setting a
/// debug hook. A wait then ends, and an empty function is called so that the hook runs, which may
/// raise an error. The same is done if a hook is set before the wait, because it may have been set
/// after the interpreter last looked. If the hook raises nothing the wait goes on.
#[cold]
pub fn wait<T>(
    context: &Context,
    state: State,
    deadline: Deadline,
    what: &What,
    operation: impl FnMut(&Wait) -> Waited<T>,
) -> Result<T, Raise> {
    wait_in_periods(context, state, deadline, None, what, operation)
}

/// As [`wait`]. With a period, in seconds, the operation is tried again after each: it then notices
/// what has not woken it, such as a soft request.
#[cold]
pub fn wait_in_periods<T>(
    context: &Context,
    state: State,
    deadline: Deadline,
    period: Option<f64>,
    what: &What,
    mut operation: impl FnMut(&Wait) -> Waited<T>,
) -> Result<T, Raise> {
    // Lanes have no signal handlers. Their hooks are set by cancellations, which also wake them.
    let watched = context.record.is_none() && deadline != Deadline::Now;
    let main = context.main.get().unwrap_or(state);
    let hooks = || (main.hook(), if state == main { 0 } else { state.hook() });
    let sleeping = Sleeping::new(context, state, what);
    loop {
        if watched {
            failures::drain(context, state);
            deadlock::drain(context, state)?;
        }
        let before = hooks();
        let mut pause = period;
        if watched && before != (0, 0) {
            state.run_hook()?;
            if HOOKS_CAN_BE_LOST {
                pause = Some(period.unwrap_or(f64::INFINITY).min(HOOK_PERIOD));
            }
        }
        let interrupted =
            || hooks() != before || failures::are_pending(context) || deadlock::is_pending(context);
        let now = pause.map_or(deadline, |pause| {
            earlier(deadline, Deadline::after_seconds(pause))
        });
        let wait = Wait {
            waiter: &context.waiter,
            deadline: now,
            interrupted: if watched { Some(&interrupted) } else { None },
            sleeps: Some(&sleeping),
        };
        match operation(&wait) {
            Waited::Ended(value) => return Ok(value),
            Waited::TimedOut(value) if now == deadline => return Ok(value),
            Waited::TimedOut(_) => continue,
            Waited::Asked(value) if !is_left_alone(context, state) => return Ok(value),
            Waited::Asked(_) => {
                // The request is withdrawn: the program ends without waiting for this lane to obey
                // it.
                context.waiter.cancel(Request::None, false);
                continue;
            }
            Waited::Interrupted => {
                if let Some(text) = sleeping.verdict() {
                    return Err(Raise::message(text));
                }
            }
        }
        // A signal handler sets the hook in the first coroutine, which is not running if another
        // one waits.
        if before == (0, 0) && main.hook() != 0 && state.hook() == 0 {
            main.move_hook(state);
        }
    }
}
