//! Captures the outcome of a lane, on the lane's own thread.

use super::{event, failures};
use crate::context::Context;
use crate::lane::outcome::{Captured, Outcome, Stage};
use crate::lua::sentinels::is_cancel_error;
use crate::lua::{KEYS, Kind, Raise, State, Text, compat, protect, text};
use crate::message::{Destination, Label, encode_packet};

/// Captures the values above `base` as results.
pub fn results(context: &Context, state: State, base: i32) -> Outcome {
    Outcome::Done(capture(context, state, state.top() - base, Label::Result))
}

/// Captures copies of the top `count` values, which stay: what a lane yields.
pub fn yielded(context: &Context, state: State, count: i32) -> Captured {
    if let Err(raise) = protect(state, 0, move |raising| raising.reserve(count + 8)) {
        return Captured {
            packet: Err(text_of(state, raise)),
            refused: Vec::new(),
            shown: None,
        };
    }
    for _ in 0..count {
        state.push_copy(-count);
    }
    capture(context, state, count, Label::Result)
}

/// Captures the error value at the top of the stack and the trace that the message handler left.
pub fn error(context: &Context, state: State, status: i32) -> Outcome {
    if is_cancel_error(state, -1) {
        state.pop(1);
        return Outcome::Cancelled;
    }
    // Memory errors and errors in the handler have no trace.
    let traced = status == compat::LUA_ERRRUN;
    if traced {
        state.raw_get_index(State::REGISTRY, KEYS.trace);
    }
    let has_trace = traced && !state.is_none_or_nil(-1);
    if traced && !has_trace {
        state.pop(1);
    }
    let count = 1 + i32::from(has_trace);
    event::prepare(context, state, Stage::Error, count);
    // A copy of the error value stays below.
    state.push_copy(-count);
    state.insert(-count - 1);
    let mut captured = capture(context, state, count, Label::Error);
    if captured.reason(Some(1)).is_some() {
        captured.shown = Some(failures::shown(state, state.top()));
    }
    Outcome::Error(captured)
}

/// Captures the top `count` values, those that can travel.
fn capture(context: &Context, state: State, count: i32, label: Label) -> Captured {
    let first = state.top() - count + 1;
    let mut refused = Vec::new();
    // A single value is captured or refused. Of several values those that cannot travel are left
    // out, for which copies are needed.
    let several = count > 1 && (first..first + count).any(|index| is_object(state, index));
    let packet = loop {
        if several {
            if let Err(raise) = protect(state, 0, move |raising| raising.reserve(count + 8)) {
                break Err(text_of(state, raise));
            }
            for _ in 0..count {
                state.push_copy(-count);
            }
        }
        let reason =
            match encode_packet(&context.coders, state, count, label, Destination::Anywhere) {
                Ok(packet) => break Ok(packet),
                Err(raise) => text_of(state, raise),
            };
        let number = context.coders.last_value() as i32;
        if !several || number >= count || refused.iter().any(|(n, _)| *n == number + 1) {
            break Err(reason);
        }
        refused.push((number + 1, reason));
        state.set_top(first + count - 1);
        state.push_nil();
        state.replace(first + number);
    };
    state.set_top(first - 1);
    Captured {
        packet,
        refused,
        shown: None,
    }
}

/// Whether the value at `index` is more than a number, a string or the like.
pub fn is_object(state: State, index: i32) -> bool {
    matches!(
        state.kind(index),
        Kind::Table | Kind::Function | Kind::Userdata | Kind::Thread | Kind::Other
    )
}

/// The text of an error that encoding has raised.
fn text_of(state: State, raise: Raise) -> Text {
    match raise {
        Raise::Bare(text) | Raise::Message(text) | Raise::Level(text, _) => text,
        Raise::Value => {
            let text = state
                .text(-1)
                .unwrap_or_else(|| text!["(error object is a ", state.type_name(-1), " value)"]);
            state.pop(1);
            text
        }
        Raise::Light(_) => "cancelled".into(),
    }
}
