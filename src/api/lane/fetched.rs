//! The values of a lane's outcome as a handle reads them: objects are built once per handle, and a
//! value that cannot be built in this state is an error only when it is read itself.

use super::capture::is_object;
use crate::context::Context;
use crate::lane::outcome::{Outcome, reason};
use crate::lane::{Fetched, Handle};
use crate::lua::{Raise, Raising, State, protect, text};
use crate::message::{Label, decode_packet_kept, decode_possible};
use std::cell::Cell;
use std::os::raw::c_int;

/// Pushes the values of the outcome (results, or error value and trace) and returns how many. The
/// handle is at 1. If only value number `wanted` is needed, others may be nil.
///
/// Errors: a value that is needed cannot travel, or cannot be built here.
pub fn values(
    context: &Context,
    state: State,
    handle: &Handle,
    wanted: Option<c_int>,
) -> Result<c_int, Raise> {
    let (label, captured) = match handle.record.outcome.get() {
        Some(Outcome::Done(captured)) => (Label::Result, captured),
        Some(Outcome::Error(captured)) => (Label::Error, captured),
        _ => return Ok(0),
    };
    if let Some(reason) = captured.reason(wanted) {
        return Err(match &captured.packet {
            Ok(_) if label == Label::Result && wanted.is_none() => Raise::message(text![
                reason,
                "\n(results that can travel can be read one by one: lane[1], lane[2] ...)",
            ]),
            _ => Raise::message(reason.clone()),
        });
    }
    let Ok(packet) = &captured.packet else {
        return Ok(0);
    };
    let kept = {
        let fetched = handle.fetched.borrow();
        fetched
            .count
            .filter(|_| reason(&fetched.missing, wanted).is_none())
    };
    if let Some(count) = kept {
        push_kept(state, count)?;
        return Ok(count);
    }
    let before = state.top();
    let has_table = handle.has_table.get();
    let again = handle.fetched.borrow().count.is_some();
    let kept = Cell::new(false);
    let keep_objects = |raising: Raising, at: c_int, first: c_int| {
        if again || (first..=raising.top()).any(|index| is_object(*raising, index)) {
            keep(raising, at, has_table, again, first);
            kept.set(true);
        }
    };
    let keep_objects = &keep_objects;
    // Blocks of memory move into the values that are built first, so values are kept and not built
    // a second time.
    state.push_copy(1);
    let strict = decode_packet_kept(&context.coders, state, label, packet, keep_objects);
    let (count, missing) = match strict {
        Ok(count) => (count, Vec::new()),
        Err(raise) => {
            let Some(wanted) = wanted else {
                return Err(raise);
            };
            state.set_top(before);
            let missing: Vec<_> = decode_possible(&context.coders, state, label, packet)?
                .into_iter()
                .map(|(n, reason)| (n as c_int + 1, reason))
                .collect();
            if let Some(reason) = reason(&missing, Some(wanted)) {
                return Err(Raise::message(reason.clone()));
            }
            let count = state.top() - before;
            state.push_copy(1);
            state.insert(before + 1);
            protect(state, count + 1, move |raising| {
                keep_objects(raising, 1, 2);
                raising.remove(1);
            })?;
            (count, missing)
        }
    };
    if kept.get() {
        handle.has_table.set(true);
        *handle.fetched.borrow_mut() = Fetched {
            count: Some(count),
            missing,
        };
        if again {
            // Values that were read before stay the same.
            state.set_top(before);
            push_kept(state, count)?;
        }
    }
    Ok(count)
}

/// Pushes the values in the table of the handle at 1.
fn push_kept(state: State, count: c_int) -> Result<(), Raise> {
    state.push_user_value(1, 1);
    protect(state, 1, move |raising| {
        raising.reserve(count + 2);
        for n in 1..=count {
            raising.raw_get_index(1, i64::from(n));
        }
        raising.remove(1);
    })
}

/// Keeps the values from `first` to the top in the table of the handle at `at`; with `again`, only
/// those that the table does not have yet.
fn keep(raising: Raising, at: c_int, has_table: bool, again: bool, first: c_int) {
    let last = raising.top();
    raising.reserve(8);
    if has_table {
        raising.push_user_value(at, 1);
    } else {
        raising.new_table((last - first + 1) as usize, 0);
        raising.push_copy(-1);
        raising.set_user_value(at, 1);
    }
    for index in first..=last {
        let n = i64::from(index - first + 1);
        raising.raw_get_index(-1, n);
        let absent = raising.is_none_or_nil(-1);
        raising.pop(1);
        if absent || !again {
            raising.push_copy(index);
            raising.raw_set_index(-2, n);
        }
    }
    raising.pop(1);
}
