//! `threads`, and the priority and affinity of the calling thread (docs/manual/threads.md).

use crate::context::Context;
use crate::lua::compat::HAS_INTEGERS;
use crate::lua::{Arguments, Raise, State, lua_function, protect, protect_with};
use lanes_engine::threads::{affinity, priority};
use std::io::IsTerminal;
use std::os::raw::c_int;

lua_function! {
    /// `lanes.threads()`: returns name and status of all lanes, newest first; nothing if there are
    /// none. A list in which a lane has ended has all lanes that it launched.
    pub fn threads = threads_body
}

fn threads_body(state: State) -> Result<c_int, Raise> {
    let universe = Context::of(&state)?.universe()?;
    if !universe.settings.track_lanes {
        return Err(Raise::message(
            "lane tracking is not available: configure lanes with track_lanes = true",
        ));
    }
    let mut lanes: Vec<(Vec<u8>, &'static str)> = universe
        .tracked()
        .iter()
        .map(|(lane, status)| (lane.name(), *status))
        .collect();
    if lanes.is_empty() {
        return Ok(0);
    }
    protect_with(state, 0, &mut lanes, |raising, lanes| {
        raising.new_table(lanes.len(), 0);
        for (i, (name, status)) in lanes.iter().enumerate() {
            raising.new_table(0, 2);
            raising.push_bytes(name);
            raising.raw_set_name(-2, b"name");
            raising.push_bytes(status.as_bytes());
            raising.raw_set_name(-2, b"status");
            raising.raw_set_index(-2, i as i64 + 1);
        }
    })?;
    Ok(1)
}

/// Checks a priority.
///
/// Errors, as text: out of range, or not a whole number.
pub fn checked_priority(priority: f64) -> Result<i32, String> {
    checked(priority, priority::RANGE)
}

/// Checks a native priority, as [`checked_priority`].
pub fn checked_native_priority(priority: f64) -> Result<i32, String> {
    checked(priority, priority::native_range())
}

fn checked(priority: f64, (min, max): (i32, i32)) -> Result<i32, String> {
    let whole = if HAS_INTEGERS {
        priority
    } else {
        priority.trunc()
    };
    if whole.fract() != 0.0 || !(f64::from(min)..=f64::from(max)).contains(&whole) {
        return Err(format!(
            "Priority out of range: {min}..+{max} ({priority}), should be a whole number of them"
        ));
    }
    Ok(whole as i32)
}

lua_function! {
    /// `lanes.set_thread_priority(n)`: of the calling thread, -3 to +3.
    pub fn set_thread_priority = set_thread_priority_body
}

fn set_thread_priority_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "set_thread_priority");
    let given = arguments.number(1)?;
    let checked =
        checked_priority(given).map_err(|text| arguments.error(1, &text.to_lowercase()[..]))?;
    priority::set(checked).map_err(Raise::message)?;
    Ok(0)
}

lua_function! {
    /// `lanes.set_thread_priority(n [, "native"])` of the 4.x interface.
    pub fn set_thread_priority_of_four = |state| {
        if state.bytes(2) != Some(b"native") {
            return set_thread_priority_body(state);
        }
        let arguments = Arguments::new(state, "set_thread_priority");
        let given = arguments.number(1)?;
        let checked = checked_native_priority(given)
            .map_err(|text| arguments.error(1, &text.to_lowercase()[..]))?;
        priority::set_native(checked).map_err(Raise::message)?;
        Ok(0)
    }
}

lua_function! {
    /// `lanes.set_thread_affinity(mask)`: the processors that the calling thread may run on, one
    /// bit each.
    pub fn set_thread_affinity = set_thread_affinity_body
}

fn set_thread_affinity_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "set_thread_affinity");
    let mask = arguments.integer(1)?;
    if mask <= 0 {
        return Err(arguments.error(
            1,
            format_args!(
                "invalid affinity ({mask}), should have a bit for each processor that may be used"
            ),
        ));
    }
    affinity::set(mask as u64)
        .map_err(|text| arguments.error(1, format_args!("invalid affinity: {text}")))?;
    Ok(0)
}

lua_function! {
    /// `lanes.set_singlethreaded()`: has no effect, for no supported system has such a setting.
    pub fn set_singlethreaded = |state| {
        protect(state, 0, |_| ())?;
        Err(Raise::message("not implemented: set_singlethreaded has no counterpart on this system"))
    }
}

lua_function! {
    /// `cpus()`: returns how many processors this process may use at a time, at least 1; honours
    /// its affinity and a quota of its control group.
    pub fn cpus = |state| {
        let count = std::thread::available_parallelism().map_or(1, |count| count.get());
        state.push_integer(count as i64);
        Ok(1)
    }
}

lua_function! {
    /// `cpu_time()`: returns the processor time of the calling thread, in seconds; nothing if the
    /// system does not tell.
    pub fn cpu_time = |state| {
        Ok(match lanes_engine::threads::cpu_time() {
            Some(time) => {
                state.push_number(time.as_secs_f64());
                1
            }
            None => 0,
        })
    }
}

lua_function! {
    /// `is_terminal()`: returns whether standard error is a terminal.
    pub fn is_terminal = |state| {
        state.push_boolean(std::io::stderr().is_terminal());
        Ok(1)
    }
}
