//! Failures of lanes that the program has not read: the setting `on_error`
//! (docs/manual/failures.md#on_error).
//!
//! A failure is reported once, by whichever comes later: the end of the lane, or the collection of
//! its handle. The function is called in the master state only. A failure found in another state is
//! kept until the master launches a lane, waits, collects a handle or is closed.

use crate::context::Context;
use crate::lane::Record;
use crate::lane::outcome::Outcome;
use crate::lua::{KEYS, Kind, Raise, State, Text, protect, text};
use crate::message::{Label, decode_possible};
use crate::universe::{OnError, Universe};
use std::io::Write;
use std::os::raw::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The largest number of lines of a trace that are written.
const LINES: i64 = 30;

/// Reports the failure of a lane whose handle `state` has collected.
pub fn report(context: &Context, state: State, record: &Arc<Record>) {
    let Some(universe) = context.universe_if_any() else {
        return;
    };
    match universe.settings.on_error {
        OnError::Nobody => {}
        OnError::Stderr => write(context, state, record),
        OnError::Function if context.master.get() && !context.reporting.get() => {
            call(context, state, record);
            drain(context, state);
        }
        OnError::Function => keep(universe, record),
    }
}

/// Reports the failure of a lane at its end, on its own thread.
#[cold]
pub fn report_at_end(universe: &Universe, state: State, record: &Arc<Record>) {
    match universe.settings.on_error {
        OnError::Nobody => {}
        OnError::Function => keep(universe, record),
        OnError::Stderr => {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                if let Some(context) = Context::in_registry(&state) {
                    write(context, state, record);
                }
            }));
        }
    }
}

fn keep(universe: &Universe, record: &Arc<Record>) {
    if !universe.add_unread(record) {
        write_text(
            &record
                .called()
                .and(" failed: not enough memory to report why"),
        );
    }
}

/// Whether `drain` would call the function.
#[inline]
pub fn are_pending(context: &Context) -> bool {
    context.master.get()
        && !context.reporting.get()
        && context
            .universe_if_any()
            .is_some_and(|universe| universe.has_unread())
}

/// Calls the function for the failures that other states have noticed. Does nothing in the state of
/// a lane.
#[inline]
pub fn drain(context: &Context, state: State) {
    if are_pending(context) {
        drain_pending(context, state);
    }
}

#[cold]
fn drain_pending(context: &Context, state: State) {
    while let Some(record) = context
        .universe_if_any()
        .and_then(|universe| universe.take_unread())
    {
        call(context, state, &record);
    }
}

/// Calls the function, whose errors are written to standard error.
fn call(context: &Context, state: State, record: &Record) {
    let top = state.top();
    context.reporting.set(true);
    let called = catch_unwind(AssertUnwindSafe(|| {
        if !state.try_reserve(8) {
            return Err(Raise::out_of_memory());
        }
        state.raw_get_index(State::REGISTRY, KEYS.on_error);
        let name = record.name();
        let name = &name[..];
        protect(state, 0, |raising| raising.push_bytes(name))?;
        push_values(context, state, record)?;
        state
            .call_protected(3, Some(0), 0)
            .map_err(|_| Raise::Value)
    }));
    context.reporting.set(false);
    let reason = match called {
        Ok(Ok(())) => None,
        Ok(Err(Raise::Value)) => Some(shown(state, state.top())),
        _ => Some(Text::out_of_memory()),
    };
    if let Some(reason) = reason {
        let begin = text!["error in on_error, called for ", record.called()];
        write_text(&begin.and(": ").and(reason));
    }
    state.set_top(top);
}

/// Pushes two values: the error value, or if this state cannot build it, the reason; and its trace,
/// or nil.
fn push_values(context: &Context, state: State, record: &Record) -> Result<(), Raise> {
    let top = state.top();
    let mut reason = None;
    if let Some(Outcome::Error(captured)) = record.outcome.get() {
        reason = captured.reason(Some(1)).cloned();
        if let Ok(packet) = &captured.packet {
            let missing = decode_possible(&context.coders, state, Label::Error, packet)?;
            let first = missing.into_iter().find(|(n, _)| *n == 0);
            reason = reason.or(first.map(|(_, reason)| reason));
        }
    }
    state.set_top(top + 2);
    if let Some(reason) = reason {
        let reason = reason.bytes();
        protect(state, 0, |raising| raising.push_bytes(reason))?;
        state.replace(top + 1);
    }
    Ok(())
}

/// The result of `tostring` for the value at `index`, or the value's type if that fails.
pub fn shown(state: State, index: c_int) -> Text {
    let kind = state.type_name(index);
    state.push_copy(index);
    let shown = protect(state, 1, |raising| {
        raising.push_display(1);
    });
    let shown = match shown {
        Ok(()) => state.text(-1),
        Err(_) => None,
    };
    shown.unwrap_or_else(|| text!["(error object is a ", kind, " value)"])
}

/// Writes a failure to standard error: name, error and trace.
fn write(context: &Context, state: State, record: &Record) {
    let top = state.top();
    let mut report = record.called().and(" failed: ");
    let pushed = match state.try_reserve(8) {
        true => push_values(context, state, record),
        false => Err(Raise::out_of_memory()),
    };
    if pushed.is_ok() {
        report.add(shown(state, top + 1));
        state.set_top(top + 2);
        add_trace(state, &mut report);
    } else {
        report.add(Text::out_of_memory());
    }
    state.set_top(top);
    write_text(&report);
}

/// Adds the lines of the trace at the stack top.
fn add_trace(state: State, report: &mut Text) {
    if state.kind(-1) != Kind::Table {
        return;
    }
    for n in 1.. {
        state.raw_get_index(-1, n);
        let Some(line) = state.bytes(-1) else {
            break;
        };
        if n > LINES {
            report.add("\n\t...");
            break;
        }
        report.add("\n\t");
        report.add(line);
        state.pop(1);
    }
}

/// Writes a line to standard error. If that fails, nothing can report it.
fn write_text(text: &Text) {
    let line = text!["lanes: ", text, "\n"];
    let _ = std::io::stderr().write_all(line.bytes());
}
